/*
 * Fuzz the unpacking of archives: the loop of template_archive.c in a root of its own (a tmpfs in
 * namespaces made once), so that whatever an input manages to write can be seen there and nowhere
 * else. Links: rootfs, base.
 */
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "rootfs/template.h"

static const struct template_limits limits = { .max_entries = 200,
					       .max_bytes = 1 << 20,
					       .max_ratio = 50 };

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
}

/* "/" becomes an empty tmpfs; without the right to do so there is nothing to fuzz. */
static void enter_cage(void)
{
	char map[64];
	unsigned int uid = getuid(), gid = getgid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		abort();
	write_text("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_text("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	write_text("/proc/self/gid_map", map);
	if (mount("none", "/tmp", "tmpfs", 0, "size=16m") < 0 || chroot("/tmp") < 0 ||
	    chdir("/") < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int caged;
	struct template_counts counts;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (!caged) {
		enter_cage();
		caged = 1;
	}
	if (fd < 0 || write(fd, data, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	if (mkdir("/w", 0755) < 0 || chdir("/w") < 0)
		abort();
	err_drop(template_extract(fd, &limits, NULL, &counts)); /* most inputs are refused */
	close(fd);
	/* the only thing that may exist beside the working directory is nothing */
	if (chdir("/") < 0 || rmdir("/escaped") == 0)
		abort();
	err_drop(path_remove_tree(AT_FDCWD, "/w"));
	rmdir("/w");
	return 0;
}
