/*
 * Fuzz the unpacking of archives: the loop of template_archive.c in a root of its own (a tmpfs in
 * namespaces made once), so that whatever an input manages to write can be seen there and nowhere
 * else. Links: rootfs, base.
 */
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "rootfs/template_room.h"

static const struct template_limits limits = { .max_entries = 200,
					       .max_bytes = 1 << 20,
					       .max_ratio = 50 };

/* A directory whose only entry is the one that is unpacked into; left behind empty, as fuzzers are
 * killed. */
static int make_cage(void)
{
	static char cage[] = "/tmp/fuzz-template-XXXXXX";
	int fd = mkdtemp(cage) ? open(cage, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd < 0)
		abort();
	return fd;
}

static void check_alone(int cage_fd)
{
	int fd = openat(cage_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), entries = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		abort();
	while (readdir(dir))
		entries++;
	closedir(dir);
	if (entries != 3) /* ".", ".." and "w" */
		abort();
}

/* Every other one as an archive whose ids are shifted. */
static struct err *extract(int archive_fd, size_t len)
{
	const struct template_sandbox shifted = { .limits = &limits, .archive_first = 100000 };
	const struct sandbox_inside inside = { .archive_fd = archive_fd, .root_fd = -1 };
	struct template_counts counts;

	return len & 1 ? template_extract_in(&inside, &shifted, &counts) :
			 template_extract(archive_fd, &limits, NULL, &counts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int cage_fd = -1;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (cage_fd < 0)
		cage_fd = make_cage();
	if (fd < 0 || write(fd, data, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	if (fchdir(cage_fd) < 0 || mkdir("w", 0755) < 0 || chdir("w") < 0)
		abort();
	err_drop(extract(fd, len)); /* most inputs are refused */
	close(fd);
	check_alone(cage_fd);
	err_drop(path_remove_tree(cage_fd, "w")); /* what it could not remove, mkdir finds */
	return 0;
}
