/*
 * The disks below a file system: where io.max must be written to hold what a VPS reads and writes.
 * A file system may lie on a partition, dm (LVM, crypt), md, a loop file or, btrfs and overlay, on
 * several things at once; the kernel limits each request queue by itself. Sources:
 * Documentation/ABI/stable/sysfs-block; cgroup-v2.rst, "IO Interface Files"; proc_pid_mountinfo(5).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "cgroups/disks.h"

/* dm on md on loop on btrfs ...: more is a loop in somebody's setup. */
#define DEPTH_MAX 16
#define FILE_MAX ((size_t)1 << 20)

static struct err *below_device(int sys_fd, const char *device, unsigned int depth,
				struct strlist *disks);
static struct err *below_file_system(int dir_fd, const char *what, unsigned int depth,
				     struct strlist *disks);

/* A small sysfs file without its line end; "" when it is not there. */
static struct err *read_line(int sys_fd, const char *device, const char *name, char **ret_text)
{
	OWN(str) char *path = NULL;
	OWN(buf) struct buf text = { 0 };
	struct err *err;

	TRY(str_format(&path, "dev/block/%s/%s", device, name));
	err = file_read(sys_fd, path, 4096, &text);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* that is an answer */
		return str_dup("", ret_text);
	}
	if (err)
		return err;
	TRY(buf_add(&text, "", 0));
	text.data[strcspn(text.data, "\n")] = '\0';
	return buf_take(&text, ret_text);
}

/* "MAJ:MIN" of each device named in a directory of links; *ret_found: there was one. */
static struct err *below_links(int sys_fd, const char *path, unsigned int depth, bool *ret_found,
			       struct strlist *disks)
{
	int fd = openat(sys_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	*ret_found = false;
	while (dir && (entry = readdir(dir))) {
		OWN(str) char *name = NULL;
		OWN(buf) struct buf device = { 0 };

		if (entry->d_name[0] == '.')
			continue;
		TRY(str_format(&name, "%s/%s/dev", path, entry->d_name));
		TRY(file_read(sys_fd, name, 64, &device));
		device.data[strcspn(device.data, "\n")] = '\0';
		TRY(below_device(sys_fd, device.data, depth + 1, disks));
		*ret_found = true;
	}
	return NULL;
}

static struct err *below_backing_file(const char *path, unsigned int depth, struct strlist *disks)
{
	OWN(fd) int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return err_sys(errno, "open the loop device's file %s", path);
	return below_file_system(fd, path, depth + 1, disks);
}

static struct err *below_device(int sys_fd, const char *device, unsigned int depth,
				struct strlist *disks)
{
	OWN(str) char *slaves = NULL, *loop = NULL, *partition = NULL, *disk = NULL;
	bool found;

	if (depth > DEPTH_MAX)
		return err_new(ERR_UNSUPPORTED, "block devices are stacked deeper than %d",
			       DEPTH_MAX);
	TRY(str_format(&slaves, "dev/block/%s/slaves", device));
	TRY(below_links(sys_fd, slaves, depth, &found, disks));
	if (found)
		return NULL;
	TRY(read_line(sys_fd, device, "loop/backing_file", &loop));
	if (*loop)
		return below_backing_file(loop, depth, disks);
	/* io.max takes whole disks alone: a partition has no request queue of its own */
	TRY(read_line(sys_fd, device, "partition", &partition));
	TRY(read_line(sys_fd, device, *partition ? "../dev" : "dev", &disk));
	if (!*disk)
		return err_new(ERR_UNSUPPORTED, "there is no block device %s in /sys", device);
	return strlist_has(disks, disk) ? NULL : strlist_add(disks, disk);
}

struct err *disks_below_device(int sys_fd, const char *device, struct strlist *ret_disks)
{
	return below_device(sys_fd, device, 0, ret_disks);
}

/* --- from a file system to its devices --- */

/* The text after key in a comma separated list of options, up to the comma; owned, NULL: absent. */
static struct err *option_value(const char *options, const char *key, char **ret_value)
{
	for (const char *at = options; *at; at += strcspn(at, ","), at += *at == ',')
		if (str_has_prefix(at, key))
			return str_format(ret_value, "%.*s", (int)(strcspn(at, ",") - strlen(key)),
					  at + strlen(key));
	return NULL;
}

struct err *mount_find(const char *mountinfo, uint64_t mount_id, struct mount_found *ret_found)
{
	for (const char *line = mountinfo; *line;) {
		size_t len = strcspn(line, "\n");
		OWN(str) char *copy = NULL;
		char *rest, *type, *source, *options;

		TRY(str_format(&copy, "%.*s", (int)len, line));
		line += len + (line[len] == '\n');
		rest = strstr(copy, " - ");
		if (!rest || strtoull(copy, NULL, 10) != mount_id)
			continue;
		rest += strlen(" - ");
		type = strsep(&rest, " ");
		source = strsep(&rest, " ");
		options = rest;
		if (!source || !options)
			break;
		TRY(str_dup(type, &ret_found->type));
		TRY(str_dup(source, &ret_found->source));
		return option_value(options, "upperdir=", &ret_found->upper_dir);
	}
	return err_new(ERR_NOT_FOUND, "mount %" PRIu64 " is not in /proc/self/mountinfo", mount_id);
}

void mount_found_release(struct mount_found *found)
{
	free(found->type);
	free(found->source);
	free(found->upper_dir);
	*found = (struct mount_found){ 0 };
}

static struct err *find_mount(int dir_fd, struct mount_found *ret_found)
{
	OWN(buf) struct buf text = { 0 };
	struct statx st;

	if (statx(dir_fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
		return err_sys(errno, "statx");
	TRY(file_read(AT_FDCWD, "/proc/self/mountinfo", FILE_MAX, &text));
	TRY(buf_add(&text, "", 0));
	return mount_find(text.data, st.stx_mnt_id, ret_found);
}

/* A btrfs names one of its devices as its source; /sys/fs/btrfs/UUID/devices has them all. */
static struct err *below_btrfs(int sys_fd, const char *source, unsigned int depth,
			       struct strlist *disks)
{
	int fd = openat(sys_fd, "fs/btrfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	OWN(str) char *real = realpath(source, NULL);
	const char *slash = real ? strrchr(real, '/') : NULL;
	const struct dirent *entry;

	while (dir && slash && (entry = readdir(dir))) {
		OWN(str) char *devices = NULL, *ours = NULL;
		bool found;

		TRY(str_format(&devices, "fs/btrfs/%s/devices", entry->d_name));
		TRY(str_format(&ours, "%s/%s", devices, slash + 1));
		if (faccessat(sys_fd, ours, F_OK, 0) == 0)
			return below_links(sys_fd, devices, depth, &found, disks);
	}
	return err_new(ERR_UNSUPPORTED, "the devices of the btrfs on %s are not in /sys", source);
}

static struct err *below_anonymous(int sys_fd, int dir_fd, const char *what, unsigned int depth,
				   struct strlist *disks)
{
	OWN(mount_found) struct mount_found found = { 0 };
	OWN(fd) int upper_fd = -1;

	TRY(find_mount(dir_fd, &found));
	if (str_eq(found.type, "btrfs"))
		return below_btrfs(sys_fd, found.source, depth, disks);
	if (!found.upper_dir)
		return err_new(ERR_UNSUPPORTED, "%s is on %s, which has no block device to limit",
			       what, found.type);
	upper_fd = open(found.upper_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (upper_fd < 0)
		return err_sys(errno, "open the upper directory %s", found.upper_dir);
	return below_file_system(upper_fd, found.upper_dir, depth + 1, disks);
}

static struct err *below_file_system(int dir_fd, const char *what, unsigned int depth,
				     struct strlist *disks)
{
	OWN(fd) int sys_fd = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	OWN(str) char *device = NULL;
	struct stat st;

	if (sys_fd < 0)
		return err_sys(errno, "open /sys");
	if (depth > DEPTH_MAX)
		return err_new(ERR_UNSUPPORTED, "file systems are stacked deeper than %d",
			       DEPTH_MAX);
	if (fstat(dir_fd, &st) < 0)
		return err_sys(errno, "stat %s", what);
	if (major(st.st_dev) == 0)
		return below_anonymous(sys_fd, dir_fd, what, depth, disks);
	TRY(str_format(&device, "%u:%u", major(st.st_dev), minor(st.st_dev)));
	return below_device(sys_fd, device, depth, disks);
}

struct err *cgroup_disks(const char *path, struct strlist *ret_disks)
{
	OWN(strlist) struct strlist disks = { 0 };
	OWN(fd) int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return err_sys(errno, "open %s", path);
	TRY(below_file_system(fd, path, 0, &disks));
	*ret_disks = disks;
	disks = (struct strlist){ 0 };
	return NULL;
}
