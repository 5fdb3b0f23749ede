/*
 * Limits that are lists of lines: huge pages, RDMA devices, misc resources, and the files that a
 * caller names himself (OCI "unified"). Source: cgroup-v2.rst, "HugeTLB", "RDMA", "Misc";
 * runtime-spec, config-linux, "Unified".
 */
#include <string.h>

#include "base/str.h"
#include "cgroups/files.h"
#include "cgroups/limits.h"

/* "NAME=VALUE" to an owned name and a borrowed value. */
static struct err *split(const char *what, const char *item, char **ret_name,
			 const char **ret_value)
{
	const char *equals = strchr(item, '=');

	if (!equals || equals == item)
		return err_new(ERR_INVALID, "%s: '%.64s' is not NAME=VALUE", what, item);
	TRY(str_format(ret_name, "%.*s", (int)(equals - item), item));
	*ret_value = equals + 1;
	return NULL;
}

/* A single file name of a cgroup directory, and no way out of it. */
static bool is_file_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == '/' || *c == 0x7f)
			return false;
	return *name && *name != '.' && strlen(name) < 128;
}

/* --- hugetlb: "2MB=BYTES" --- */

static controllers hugetlb_needs(const struct cgroup_limits *limits)
{
	return limits->hugetlb.count ? CONTROLLER(HUGETLB) : 0;
}

static struct err *hugetlb_check(const struct cgroup_limits *limits)
{
	for (size_t i = 0; i < limits->hugetlb.count; i++) {
		OWN(str) char *size = NULL;
		const char *text;
		uint64_t value;
		size_t digits;

		TRY(split("hugetlb", limits->hugetlb.items[i], &size, &text));
		digits = strspn(size, "0123456789");
		if (!digits || strlen(size + digits) != 2 || !strchr("KMG", size[digits]) ||
		    size[digits + 1] != 'B')
			return err_new(ERR_INVALID,
				       "hugetlb: '%.64s' is not a page size such as 2MB or 1GB",
				       size);
		TRY(limit_parse("hugetlb", text, &value));
	}
	return NULL;
}

static struct err *hugetlb_write(int dir_fd, const char *item)
{
	OWN(str) char *size = NULL, *usage = NULL, *reservation = NULL;
	const char *text;

	TRY(split("hugetlb", item, &size, &text));
	TRY(str_format(&usage, "hugetlb.%s.max", size));
	TRY(str_format(&reservation, "hugetlb.%s.rsvd.max", size));
	/* The limit on faults alone ends in SIGBUS; the one on reservations makes mmap(2) fail
	 * instead. */
	TRY(file_write_text(dir_fd, usage, text));
	return file_write_text(dir_fd, reservation, text);
}

static struct err *hugetlb_apply(int dir_fd, const struct cgroup_limits *limits)
{
	for (size_t i = 0; i < limits->hugetlb.count; i++)
		TRY(hugetlb_write(dir_fd, limits->hugetlb.items[i]));
	return NULL;
}

/* --- rdma and misc: the kernel's own lines --- */

static struct err *check_lines(const char *file, const struct strlist *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		if (!strchr(lines->items[i], ' ') || strchr(lines->items[i], '\n'))
			return err_new(ERR_INVALID, "%s: '%.64s' is not one line of NAME VALUE",
				       file, lines->items[i]);
	return NULL;
}

static struct err *write_lines(int dir_fd, const char *file, const struct strlist *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		TRY(file_write_text(dir_fd, file, lines->items[i]));
	return NULL;
}

static controllers rdma_needs(const struct cgroup_limits *limits)
{
	return limits->rdma.count ? CONTROLLER(RDMA) : 0;
}

static struct err *rdma_check(const struct cgroup_limits *limits)
{
	return check_lines("rdma.max", &limits->rdma);
}

static struct err *rdma_apply(int dir_fd, const struct cgroup_limits *limits)
{
	return write_lines(dir_fd, "rdma.max", &limits->rdma);
}

static controllers misc_needs(const struct cgroup_limits *limits)
{
	return limits->misc.count ? CONTROLLER(MISC) : 0;
}

static struct err *misc_check(const struct cgroup_limits *limits)
{
	return check_lines("misc.max", &limits->misc);
}

static struct err *misc_apply(int dir_fd, const struct cgroup_limits *limits)
{
	return write_lines(dir_fd, "misc.max", &limits->misc);
}

/* --- unified: "FILE=VALUE", a value of several lines is written line by line --- */

static controllers unified_needs(const struct cgroup_limits *limits)
{
	controllers need = 0;

	for (size_t i = 0; i < limits->unified.count; i++)
		need |= controller_of_file(limits->unified.items[i]);
	return need;
}

static struct err *unified_check(const struct cgroup_limits *limits)
{
	for (size_t i = 0; i < limits->unified.count; i++) {
		OWN(str) char *file = NULL;
		const char *value;

		TRY(split("unified", limits->unified.items[i], &file, &value));
		if (!is_file_name(file) || !strchr(file, '.'))
			return err_new(ERR_INVALID, "unified: '%.64s' is not a file of a cgroup",
				       file);
	}
	return NULL;
}

static struct err *unified_write(int dir_fd, const char *item)
{
	OWN(str) char *file = NULL, *lines = NULL;
	const char *value;
	char *rest;

	TRY(split("unified", item, &file, &value));
	TRY(str_dup(value, &lines));
	rest = lines;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		struct err *err;

		if (!*line && line != lines)
			continue; /* the end of a last line, not a line */
		err = file_write_text(dir_fd, file, *line ? line : "\n");
		if (err && err_kind(err) == ERR_UNSUPPORTED && !controller_of_file(file))
			return err_wrap(err, "unified: no controller known for %s", file);
		if (err)
			return err_wrap(err, "unified");
	}
	return NULL;
}

static struct err *unified_apply(int dir_fd, const struct cgroup_limits *limits)
{
	for (size_t i = 0; i < limits->unified.count; i++)
		TRY(unified_write(dir_fd, limits->unified.items[i]));
	return NULL;
}

const struct limit_group hugetlb_limits = { hugetlb_needs, hugetlb_check, NULL, hugetlb_apply };
const struct limit_group rdma_limits = { rdma_needs, rdma_check, NULL, rdma_apply };
const struct limit_group misc_limits = { misc_needs, misc_check, NULL, misc_apply };
const struct limit_group unified_limits = { unified_needs, unified_check, NULL, unified_apply };
