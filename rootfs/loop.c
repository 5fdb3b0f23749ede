/* Loop devices that end by themselves: autoclear from birth, so that a kill at any instant leaves
 * none. Rests on loop(4), LOOP_CONFIGURE of Linux 5.8. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "rootfs/disk.h"

#define TRIES 64
#define BLOCK_BYTES 4096 /* ext4's; direct I/O then needs no more of the host */

static struct err *open_device(int number, int *ret_fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/loop%d", number);
	*ret_fd = open(path, O_RDWR | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(errno, "open %s", path) : NULL;
}

/* Older kernels refuse direct I/O that the file system does not have, newer ones do without. */
static int configure(int loop_fd, int image_fd, const char *what)
{
	struct loop_config config = {
		.fd = (__u32)image_fd,
		.block_size = BLOCK_BYTES,
		.info = { .lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO },
	};

	snprintf((char *)config.info.lo_file_name, LO_NAME_SIZE, "%s", what);
	if (ioctl(loop_fd, LOOP_CONFIGURE, &config) == 0)
		return 0;
	if (errno != EINVAL)
		return -1;
	config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
	return ioctl(loop_fd, LOOP_CONFIGURE, &config);
}

struct err *loop_attach(int image_fd, const char *what, int *ret_loop_fd)
{
	OWN(fd) int control_fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (control_fd < 0)
		return errno == ENOENT ? err_new(ERR_UNSUPPORTED,
						 "this host has no loop devices; 'modprobe loop' "
						 "brings them") :
					 err_sys(errno, "open /dev/loop-control");
	/* between asking for a free one and taking it somebody else may have it */
	for (int i = 0; i < TRIES; i++) {
		OWN(fd) int loop_fd = -1;
		int number = ioctl(control_fd, LOOP_CTL_GET_FREE);

		if (number < 0)
			return err_sys(errno, "find a free loop device");
		TRY(open_device(number, &loop_fd));
		if (configure(loop_fd, image_fd, what) == 0) {
			*ret_loop_fd = fd_take(&loop_fd);
			return NULL;
		}
		if (errno != EBUSY)
			return err_sys(errno, "put %s on a loop device", what);
	}
	return err_sys(EBUSY, "no loop device for %s", what);
}

/* *ret_fd -1: this device has another file, or none. */
static void try_device(int number, const struct stat *image, int *ret_fd)
{
	OWN(fd) int loop_fd = -1;
	struct err *err = open_device(number, &loop_fd);
	struct loop_info64 info;

	err_drop(err); /* it went away meanwhile: not ours */
	if (err || ioctl(loop_fd, LOOP_GET_STATUS64, &info) < 0)
		return;
	if (info.lo_inode == image->st_ino && info.lo_device == image->st_dev)
		*ret_fd = fd_take(&loop_fd);
}

struct err *loop_find(int image_fd, int *ret_loop_fd)
{
	OWN(dir) DIR *dir = opendir("/sys/block");
	struct dirent *entry;
	struct stat image;
	int number;

	*ret_loop_fd = -1;
	if (fstat(image_fd, &image) < 0)
		return err_sys(errno, "look at an image");
	if (!dir)
		return err_sys(errno, "read /sys/block");
	while (*ret_loop_fd < 0 && (entry = readdir(dir))) {
		char used[64];

		if (sscanf(entry->d_name, "loop%d", &number) != 1)
			continue;
		snprintf(used, sizeof(used), "%.30s/loop/backing_file", entry->d_name);
		if (faccessat(dirfd(dir), used, F_OK, 0) == 0)
			try_device(number, &image, ret_loop_fd);
	}
	return NULL;
}

struct err *loop_path_of(int loop_fd, struct loop_path *ret_path)
{
	struct loop_info64 info;

	if (ioctl(loop_fd, LOOP_GET_STATUS64, &info) < 0)
		return err_sys(errno, "ask a loop device for its number");
	snprintf(ret_path->text, sizeof(ret_path->text), "/dev/loop%u", info.lo_number);
	return NULL;
}
