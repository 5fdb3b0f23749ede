/*
 * Block devices: proportional weight and absolute ceilings. Two schedulers read two files:
 * io.weight is iocost's (1..10000), io.bfq.weight is BFQ's (1..1000); both are written where they
 * exist, since which one acts depends on each device. Source: cgroup-v2.rst, "IO Interface Files";
 * bfq-iosched.rst.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "cgroups/files.h"
#include "cgroups/limits.h"

static const struct limit_row weight_row = { "io.weight", offsetof(struct cgroup_limits, io_weight),
					     1, 10000 };

static controllers io_needs(const struct cgroup_limits *limits)
{
	bool is_set = limits->io_weight != CGROUP_UNSET || limits->io_device_weights.count ||
		      limits->io_max.count;

	return is_set ? CONTROLLER(IO) : 0;
}

/* "MAJ:MIN REST" with at least one word after the device. */
static bool has_device(const char *line)
{
	size_t major = strspn(line, "0123456789"), minor;

	if (major == 0 || line[major] != ':')
		return false;
	minor = strspn(line + major + 1, "0123456789");
	line += major + 1 + minor;
	return minor > 0 && line[0] == ' ' && line[1] && !strchr(line, '\n');
}

/* The weight of a "MAJ:MIN WEIGHT" line. */
static struct err *device_weight(const char *line, uint64_t *ret_weight)
{
	if (!has_device(line))
		return err_new(ERR_INVALID, "io.weight: '%.64s' is not MAJOR:MINOR WEIGHT", line);
	return parse_u64("io.weight", strchr(line, ' ') + 1, 1, 10000, ret_weight);
}

static struct err *io_check(const struct cgroup_limits *limits)
{
	uint64_t weight;

	TRY(limit_rows_check(&weight_row, 1, limits));
	for (size_t i = 0; i < limits->io_device_weights.count; i++)
		TRY(device_weight(limits->io_device_weights.items[i], &weight));
	for (size_t i = 0; i < limits->io_max.count; i++)
		if (!has_device(limits->io_max.items[i]))
			return err_new(ERR_INVALID, "io.max: '%.64s' is not MAJOR:MINOR KEY=VALUE",
				       limits->io_max.items[i]);
	return NULL;
}

/* The inverse of cgroup_io_weight_from_blkio(), so that a weight of OCI's range arrives as it was
 * given. */
static uint64_t bfq_weight(uint64_t weight)
{
	return 10 + ((weight - 1) * 990 + 9999 / 2) / 9999;
}

/* No such file, or (EOPNOTSUPP) a device that this scheduler does not drive. */
static bool is_not_this_scheduler(const struct err *err)
{
	return err_kind(err) == ERR_UNSUPPORTED || err_errno(err) == EOPNOTSUPP;
}

static struct err *try_weight(int dir_fd, const char *file, const char *device, uint64_t weight,
			      bool *ret_taken)
{
	OWN(str) char *line = NULL;
	struct err *err;

	TRY(str_format(&line, "%s %" PRIu64, device, weight));
	err = file_write_text(dir_fd, file, line);
	if (err && is_not_this_scheduler(err)) {
		err_drop(err); /* the other one may */
		return NULL;
	}
	if (!err)
		*ret_taken = true;
	return err;
}

/* device: "MAJ:MIN" or "default". One of both schedulers is enough. */
static struct err *write_weight(int dir_fd, const char *device, uint64_t weight)
{
	bool taken = false;

	TRY(try_weight(dir_fd, "io.weight", device, weight, &taken));
	TRY(try_weight(dir_fd, "io.bfq.weight", device, bfq_weight(weight), &taken));
	if (taken)
		return NULL;
	if (str_eq(device, "default"))
		return err_new(
			ERR_UNSUPPORTED,
			"this kernel has neither io.weight (iocost) nor io.bfq.weight (bfq)");
	return err_new(
		ERR_UNSUPPORTED,
		"device %s has no weights: give it the scheduler bfq, or iocost by io.cost.qos",
		device);
}

static struct err *write_device_weight(int dir_fd, const char *line)
{
	OWN(str) char *device = NULL;
	uint64_t weight;

	TRY(device_weight(line, &weight));
	TRY(str_dup(line, &device));
	device[strcspn(device, " ")] = '\0';
	return write_weight(dir_fd, device, weight);
}

static struct err *io_apply(int dir_fd, const struct cgroup_limits *limits)
{
	if (limits->io_weight != CGROUP_UNSET)
		TRY(write_weight(dir_fd, "default", limits->io_weight));
	for (size_t i = 0; i < limits->io_device_weights.count; i++)
		TRY(write_device_weight(dir_fd, limits->io_device_weights.items[i]));
	for (size_t i = 0; i < limits->io_max.count; i++)
		TRY(file_write_text(dir_fd, "io.max", limits->io_max.items[i]));
	return NULL;
}

const struct limit_group io_limits = { io_needs, io_check, NULL, io_apply };
