/* Small kernel files in a cgroup directory; see files.h. */
#include "cgroups/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/str.h"
#include "cgroups/cgroups.h"

struct err *file_text_read(int dir_fd, const char *name, struct file_text *ret_file)
{
	OWN(fd) int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got = -1;

	if (fd >= 0)
		do {
			got = read(fd, ret_file->text, sizeof(ret_file->text) - 1);
		} while (got < 0 && errno == EINTR);
	/* ENODEV: the cgroup was removed while its directory was open */
	if (got < 0 && (errno == ENOENT || errno == ENODEV))
		return err_new(ERR_NOT_FOUND, "read %s: No such file or directory", name);
	if (got < 0)
		return err_sys(errno, "read %s", name);
	ret_file->text[got] = '\0';
	return NULL;
}

struct err *file_read_u64(int dir_fd, const char *name, uint64_t *ret_value)
{
	struct file_text file;
	struct err *err = file_text_read(dir_fd, name, &file);

	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* the contract: no file is no value */
		*ret_value = CGROUP_UNSET;
		return NULL;
	}
	if (err)
		return err;
	file.text[strcspn(file.text, "\n")] = '\0';
	return limit_parse(name, file.text, ret_value);
}

struct err *file_write_text(int dir_fd, const char *name, const char *text)
{
	OWN(fd) int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT)
		return err_new(ERR_UNSUPPORTED, "this kernel has no %s here", name);
	if (fd < 0)
		return err_sys(errno, "open %s", name);
	return fd_write_once(fd, name, text);
}

struct err *file_write_u64(int dir_fd, const char *name, uint64_t value)
{
	return file_write_text(dir_fd, name, limit_text(value).text);
}

bool file_exists(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Digits up to white space; CGROUP_UNSET for anything else. */
static uint64_t number_at(const char *text)
{
	char *end;
	uint64_t value;

	if (str_has_prefix(text, "max"))
		return CGROUP_MAX;
	if (*text < '0' || *text > '9')
		return CGROUP_UNSET;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || (*end && !strchr(" \t\n", *end)))
		return CGROUP_UNSET;
	return value;
}

uint64_t flat_value(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line && *line;) {
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return number_at(line + len + 1);
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return CGROUP_UNSET;
}

uint64_t nested_value(const char *line, const char *key)
{
	size_t len = strlen(key);

	for (const char *at = line; *at && *at != '\n';) {
		if (strncmp(at, key, len) == 0 && at[len] == '=')
			return number_at(at + len + 1);
		at += strcspn(at, " \n");
		at += strspn(at, " ");
	}
	return CGROUP_UNSET;
}

struct limit_text limit_text(uint64_t value)
{
	struct limit_text text = { "max" };

	if (value != CGROUP_MAX)
		snprintf(text.text, sizeof(text.text), "%" PRIu64, value);
	return text;
}

struct err *limit_parse(const char *what, const char *text, uint64_t *ret_value)
{
	if (str_eq(text, "max")) {
		*ret_value = CGROUP_MAX;
		return NULL;
	}
	return parse_u64(what, text, 0, CGROUP_MAX - 1, ret_value);
}
