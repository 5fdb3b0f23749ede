/* Trees and backups of them in a scratch directory, for the tests of backups. */
#ifndef TESTS_UNIT_ROOTFS_CHAIN_H
#define TESTS_UNIT_ROOTFS_CHAIN_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/path.h"
#include "rootfs/backup_room.h"

static char scratch[] = "/var/tmp/cella-backup-XXXXXX";
static int scratch_fd = -1;
static const uint32_t id_first = 1879048192;

static void must(struct err *err)
{
	if (err)
		print_message("error: %s\n", err_text(err));
	assert_null(err);
}

/* It must be refused as this kind, with a text that has this in it. */
static void refused(struct err *err, enum err_kind kind, const char *part)
{
	assert_non_null(err);
	if (err_kind(err) != kind || !strstr(err_text(err), part))
		fail_msg("kind %d: %s", err_kind(err), err_text(err));
	err_drop(err); /* it was wanted */
}

static int fresh_dir(const char *name)
{
	must(path_remove_tree(scratch_fd, name));
	assert_int_equal(mkdirat(scratch_fd, name, 0755), 0);
	return openat(scratch_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void make_file(int dir_fd, const char *name, mode_t mode, const char *text)
{
	OWN(fd) int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	must(fd_write_all(fd, name, text, strlen(text)));
	assert_int_equal(fchmod(fd, mode), 0);
}

/* The rest of request is the caller's, like the descriptor. */
static int write_as(const char *file, struct backup_write *request, struct backup_info *info)
{
	int fd = openat(scratch_fd, file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	request->fd = fd;
	must(str_dup("web", &info->name));
	must(str_dup("dir", &info->layout));
	must(str_dup("HOSTNAME=\"web\"\n", &info->conf));
	info->created_ns = 1700000000000000000;
	must(backup_write(request, info));
	return fd;
}

/* base NULL: a full one. */
static int write_backup(const char *file, int tree_fd, const struct backup_base *base,
			struct backup_info *info)
{
	struct backup_write request = { .tree_fd = tree_fd, .base = base };

	return write_as(file, &request, info);
}

/* A chain of backups, the last of them meant; the descriptors stay the caller's. */
static struct err *chain_of(const int *fds, size_t count, struct backup_chain *ret_chain)
{
	for (size_t i = 0; i < count; i++) {
		struct backup_link *link = &ret_chain->links[i];

		link->fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		must(str_format(&link->path, "backup %zu", i));
		ret_chain->count = i + 1;
		TRY(backup_read_info(fds[i], link->path, &link->info));
	}
	return NULL;
}

static void same_entry(int tree_fd, int copy_fd, const char *name)
{
	struct stat a, b;

	assert_int_equal(fstatat(tree_fd, name, &a, AT_SYMLINK_NOFOLLOW), 0);
	if (fstatat(copy_fd, name, &b, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("%s is missing", name);
	if (a.st_mode != b.st_mode || a.st_uid != b.st_uid || a.st_gid != b.st_gid ||
	    (!S_ISDIR(a.st_mode) && a.st_size != b.st_size) || a.st_nlink != b.st_nlink ||
	    a.st_mtim.tv_sec != b.st_mtim.tv_sec || a.st_mtim.tv_nsec != b.st_mtim.tv_nsec)
		fail_msg("%s differs: %o/%o, %jd.%ld/%jd.%ld", name, a.st_mode, b.st_mode,
			 (intmax_t)a.st_mtim.tv_sec, a.st_mtim.tv_nsec, (intmax_t)b.st_mtim.tv_sec,
			 b.st_mtim.tv_nsec);
}

#endif
