/* Which file system counts how; see quota.h. */
#include "quota/quota.h"

#include <errno.h>
#include <sys/vfs.h>

#include "quota/driver.h"

static const struct quota_fs {
	long magic; /* linux/magic.h, fs/xfs/libxfs/xfs_format.h */
	const char *name;
	enum quota_kind kind;
} file_systems[] = {
	{ 0xef53, "ext4", QUOTA_PROJECT },
	{ 0x58465342, "xfs", QUOTA_PROJECT },
	{ 0x9123683e, "btrfs", QUOTA_QGROUP },
};

static const struct quota_driver *const drivers[QUOTA_KIND_COUNT] = {
	[QUOTA_PROJECT] = &quota_project_driver,
	[QUOTA_QGROUP] = &quota_qgroup_driver,
};

const char *quota_kind_name(enum quota_kind kind)
{
	static const char *const names[QUOTA_KIND_COUNT] = {
		[QUOTA_PROJECT] = "project quota",
		[QUOTA_QGROUP] = "btrfs qgroup",
	};

	return names[kind];
}

/* *ret_fs is NULL for a file system that does not count. */
static struct err *find_fs(int dir_fd, const char *what, const struct quota_fs **ret_fs)
{
	struct statfs st;

	if (fstatfs(dir_fd, &st) < 0)
		return err_sys(errno, "look at the file system of %s", what);
	*ret_fs = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(file_systems); i++)
		if ((long)st.f_type == file_systems[i].magic)
			*ret_fs = &file_systems[i];
	return NULL;
}

struct err *quota_detect(int dir_fd, const char *what, enum quota_kind *ret_kind)
{
	const struct quota_fs *fs;

	TRY(find_fs(dir_fd, what, &fs));
	if (!fs)
		return err_new(ERR_UNSUPPORTED,
			       "the file system of %s cannot limit a directory; use ext4, xfs or "
			       "btrfs there, or the layout image",
			       what);
	TRY(drivers[fs->kind]->detect(dir_fd, what, fs->name));
	*ret_kind = fs->kind;
	return NULL;
}

/* The driver of the file system, and the id that counts the tree. */
static struct err *find_tree(int dir_fd, const char *what, const struct quota_driver **ret_driver,
			     uint64_t *ret_id)
{
	enum quota_kind kind;

	TRY(quota_detect(dir_fd, what, &kind));
	TRY(drivers[kind]->id(dir_fd, what, ret_id));
	if (*ret_id == 0)
		return err_new(
			ERR_INVALID,
			"%s has no quota of its own: it was made before its file system had any",
			what);
	*ret_driver = drivers[kind];
	return NULL;
}

struct err *quota_assign(int dir_fd, const char *what, uint32_t project)
{
	enum quota_kind kind;

	if (project == 0)
		return err_new(ERR_INVALID, "project 0 is everybody's and cannot be limited");
	TRY(quota_detect(dir_fd, what, &kind));
	return drivers[kind]->assign(dir_fd, what, project);
}

static uint64_t round_up(uint64_t bytes)
{
	return bytes > UINT64_MAX - 1024 ? QUOTA_UNLIMITED : (bytes + 1023) & ~UINT64_C(1023);
}

static void order(uint64_t *soft, uint64_t *hard, uint64_t grace_s)
{
	if (*soft == 0 || *soft > *hard)
		*soft = *hard;
	if (grace_s == 0)
		*hard = *soft;
}

struct quota_limits quota_normal(const struct quota_limits *limits)
{
	struct quota_limits normal = *limits;

	normal.soft_bytes = round_up(limits->soft_bytes);
	normal.hard_bytes = round_up(limits->hard_bytes);
	order(&normal.soft_bytes, &normal.hard_bytes, limits->grace_s);
	order(&normal.soft_inodes, &normal.hard_inodes, limits->grace_s);
	return normal;
}

struct err *quota_limit(int dir_fd, const char *what, const struct quota_limits *limits)
{
	const struct quota_limits normal = quota_normal(limits);
	const struct quota_driver *driver;
	uint64_t id;

	TRY(find_tree(dir_fd, what, &driver, &id));
	return driver->limit(dir_fd, what, id, &normal);
}

struct err *quota_read(int dir_fd, const char *what, struct quota_usage *ret_usage)
{
	struct quota_usage usage = { 0 };
	const struct quota_driver *driver;
	uint64_t id;

	TRY(find_tree(dir_fd, what, &driver, &id));
	TRY(driver->read(dir_fd, what, id, &usage));
	*ret_usage = usage;
	return NULL;
}

struct err *quota_keep_grace(int dir_fd, const char *what, const struct quota_grace *grace)
{
	const struct quota_driver *driver;
	uint64_t id;

	TRY(find_tree(dir_fd, what, &driver, &id));
	return driver->keep_grace ? driver->keep_grace(dir_fd, what, id, grace) : NULL;
}

struct err *quota_id(int dir_fd, const char *what, uint64_t *ret_id)
{
	const struct quota_fs *fs;

	TRY(find_fs(dir_fd, what, &fs));
	*ret_id = 0;
	return fs ? drivers[fs->kind]->id(dir_fd, what, ret_id) : NULL;
}

struct err *quota_forget(int dir_fd, uint64_t id)
{
	const struct quota_fs *fs;
	enum quota_kind kind;
	struct err *err;

	if (id == 0)
		return NULL;
	TRY(find_fs(dir_fd, "a tree that is gone", &fs));
	if (!fs)
		return NULL;
	err = quota_detect(dir_fd, "a tree that is gone", &kind);
	if (err && err_kind(err) == ERR_UNSUPPORTED) {
		err_drop(err); /* quotas are off: there is nothing to remove */
		return NULL;
	}
	return err ? err : drivers[kind]->forget(dir_fd, id);
}
