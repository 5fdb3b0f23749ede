/* The files of backups; see backup_store.h. The directories are the host's or the operator's. */
#include "runtime/vps/backup_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/path.h"

#define ENDING ".tar.zst"
#define UNFINISHED "~backup"
#define NAME_TRIES 100

void vps_backup_release(struct vps_backup *backup)
{
	free(backup->path);
	backup_info_release(&backup->info);
	*backup = (struct vps_backup){ 0 };
}

void vps_backup_list_release(struct vps_backup_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		vps_backup_release(&list->items[i]);
	free(list->items);
	*list = (struct vps_backup_list){ 0 };
}

/* --- writing --- */

void backup_target_release(struct backup_target *target)
{
	if (target->fd >= 0)
		unlinkat(target->dir_fd, target->hidden, 0);
	own_fd(&target->fd);
	own_fd(&target->dir_fd);
	free(target->dir);
	free(target->name);
	free(target->hidden);
	*target = (struct backup_target)BACKUP_TARGET_INIT;
}

static bool is_there(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static struct err *open_dir(const char *path, int *ret_fd)
{
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(errno, "open the directory %s", path) : NULL;
}

/* "web-20261128T001500Z.tar.zst", or with "-2" when that second has one already. */
static struct err *choose_name(struct backup_target *target, const char *name)
{
	time_t now = time(NULL);
	struct tm utc;
	char when[32];

	if (!gmtime_r(&now, &utc) || strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &utc) == 0)
		return err_new(ERR_SYS, "read the clock");
	TRY(str_format(&target->name, "%s-%s" ENDING, name, when));
	for (int i = 2; i < NAME_TRIES && is_there(target->dir_fd, target->name); i++) {
		free(TAKE(target->name));
		TRY(str_format(&target->name, "%s-%s-%d" ENDING, name, when, i));
	}
	return NULL;
}

/* The directory, and the name in it if there is one. */
static struct err *split(const struct vps_host *host, const char *to, struct backup_target *target)
{
	const char *slash = to ? strrchr(to, '/') : NULL;
	struct stat st;

	if (!to || (stat(to, &st) == 0 && S_ISDIR(st.st_mode)))
		return str_dup(to ? to : host->backup_dir, &target->dir);
	if (slash && !slash[1])
		return err_new(ERR_NOT_FOUND, "--to: there is no directory %s", to);
	TRY(str_dup(slash ? slash + 1 : to, &target->name));
	return slash ? str_format(&target->dir, "%.*s", (int)(slash - to) + (slash == to), to) :
		       str_dup(".", &target->dir);
}

/* Locked, and still the one with this name. *ret_fd -1: somebody is writing it. */
static struct err *lock_file(int dir_fd, const char *name, int flags, int *ret_fd)
{
	OWN(fd)
	int fd = openat(dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat ours, there;

	*ret_fd = -1;
	if (fd < 0)
		return err_sys(errno, "open %s", name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? NULL : err_sys(errno, "lock %s", name);
	if (fstat(fd, &ours) < 0 || fstatat(dir_fd, name, &there, AT_SYMLINK_NOFOLLOW) < 0 ||
	    ours.st_ino != there.st_ino || !S_ISREG(ours.st_mode))
		return NULL;
	*ret_fd = fd_take(&fd);
	return NULL;
}

static bool is_unfinished(const char *name)
{
	size_t len = strlen(name), end = strlen(UNFINISHED);

	return name[0] == '.' && len > end && str_eq(name + len - end, UNFINISHED);
}

/* What killed ones left; another one's that is being written is locked. */
static struct err *sweep(int dir_fd, const char *path)
{
	int dup_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = dup_fd >= 0 ? fdopendir(dup_fd) : NULL;
	struct dirent *entry;

	if (!dir)
		return err_sys(errno, "read %s", path);
	while ((entry = readdir(dir))) {
		OWN(fd) int fd = -1;

		if (!is_unfinished(entry->d_name))
			continue;
		err_drop(lock_file(dir_fd, entry->d_name, O_RDWR, &fd)); /* then it stays */
		if (fd >= 0 && unlinkat(dir_fd, entry->d_name, 0) < 0 && errno != ENOENT)
			return err_sys(errno, "remove %s/%s", path, entry->d_name);
	}
	return NULL;
}

struct err *backup_target_open(const struct vps_host *host, const char *name, const char *to,
			       struct backup_target *ret_target)
{
	OWN(backup_target) struct backup_target target = BACKUP_TARGET_INIT;

	TRY(split(host, to, &target));
	TRY(open_dir(target.dir, &target.dir_fd));
	TRY(sweep(target.dir_fd, target.dir));
	if (!target.name)
		TRY(choose_name(&target, name));
	if (is_there(target.dir_fd, target.name))
		return err_new(ERR_EXISTS, "%s/%s is there already", target.dir, target.name);
	TRY(str_format(&target.hidden, ".%s" UNFINISHED, target.name));
	TRY(err_wrap(lock_file(target.dir_fd, target.hidden, O_RDWR | O_CREAT, &target.fd), "%s",
		     target.dir));
	if (target.fd < 0)
		return err_new(ERR_STATE, "another command is writing %s/%s", target.dir,
			       target.name);
	if (ftruncate(target.fd, 0) < 0)
		return err_sys(errno, "empty %s/%s", target.dir, target.hidden);
	*ret_target = target;
	target = (struct backup_target)BACKUP_TARGET_INIT;
	return NULL;
}

struct err *backup_target_publish(struct backup_target *target, char **ret_path)
{
	TRY(str_format(ret_path, "%s/%s", target->dir, target->name));
	if (is_there(target->dir_fd, target->name))
		return err_new(ERR_EXISTS, "%s is there already", *ret_path);
	if (renameat(target->dir_fd, target->hidden, target->dir_fd, target->name) < 0)
		return err_sys(errno, "name %s", *ret_path);
	own_fd(&target->fd);
	target->fd = -1; /* there is nothing to remove any more */
	return fsync(target->dir_fd) < 0 ? err_sys(errno, "sync %s", target->dir) : NULL;
}

/* --- reading --- */

static struct err *load(int dir_fd, const char *file, const char *path,
			struct vps_backup *ret_backup)
{
	OWN(vps_backup) struct vps_backup backup = { 0 };
	OWN(fd) int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_sys(errno, "open %s", path);
	TRY(backup_read_info(fd, path, &backup.info));
	TRY(str_dup(path, &backup.path));
	*ret_backup = backup;
	backup = (struct vps_backup){ 0 };
	return NULL;
}

static struct err *add(int dir_fd, const char *dir, const char *file, const char *name,
		       struct vps_backup_list *list)
{
	OWN(vps_backup) struct vps_backup backup = { 0 };
	OWN(str) char *path = NULL;
	struct vps_backup *items;
	struct err *err;

	TRY(str_format(&path, "%s/%s", dir, file));
	err = load(dir_fd, file, path, &backup);
	if (err && err_errno(err) == ENOMEM)
		return err;
	err_drop(err); /* it is not a backup, or not a whole one */
	if (err || (name && !str_eq(name, backup.info.name)))
		return NULL;
	items = reallocarray(list->items, list->count + 1, sizeof(*items));
	if (!items)
		return err_sys(ENOMEM, "list backups");
	list->items = items;
	items[list->count++] = backup;
	backup = (struct vps_backup){ 0 };
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const struct vps_backup *x = a, *y = b;
	int names = strcmp(x->info.name, y->info.name);

	if (names)
		return names;
	if (x->info.created_ns != y->info.created_ns)
		return x->info.created_ns < y->info.created_ns ? -1 : 1;
	return strcmp(x->path, y->path);
}

struct err *vps_backup_list(const struct vps_host *host, const char *dir_path, const char *name,
			    struct vps_backup_list *ret_list)
{
	OWN(vps_backup_list) struct vps_backup_list list = { 0 };
	const char *path = dir_path ? dir_path : host->backup_dir;
	OWN(dir) DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return err_sys(errno, "read the directory %s", path);
	while ((errno = 0, entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			TRY(add(dirfd(dir), path, entry->d_name, name, &list));
	if (errno)
		return err_sys(errno, "read the directory %s", path);
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), compare);
	*ret_list = list;
	list = (struct vps_backup_list){ 0 };
	return NULL;
}
