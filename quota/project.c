/*
 * Project quotas, the same calls for ext4 and xfs: a directory with FS_XFLAG_PROJINHERIT gives its
 * project id to everything made in it, and the kernel refuses links and renames that would bring a
 * file of another project in (EXDEV). Rests on quotactl(2), fs/quota/quota.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "quota/driver.h"

#define BLOCK_BYTES                                                                  \
	UINT64_C(1024) /* of limits in struct if_dqblk; linux/quota.h, QIF_DQBLKSIZE \
			*/

static int control(int dir_fd, unsigned int command, uint64_t id, void *data)
{
	return (int)syscall(SYS_quotactl_fd, dir_fd, QCMD(command, PRJQUOTA), (uint32_t)id, data);
}

/* fs_name: what to say about making the file system. */
static struct err *not_mounted(const char *what, const char *fs_name)
{
	const char *made = str_eq(fs_name, "ext4") ?
				   " (an ext4 made without them first needs 'tune2fs -O "
				   "project,quota' while it is not mounted)" :
				   "";

	return err_new(ERR_UNSUPPORTED,
		       "the %s of %s has no project quotas; mount it with -o prjquota%s", fs_name,
		       what, made);
}

static struct err *project_detect(int dir_fd, const char *what, const char *fs_name)
{
	struct fs_quota_statv state = { .qs_version = FS_QSTATV_VERSION1 };
	const unsigned int wanted = FS_QUOTA_PDQ_ACCT | FS_QUOTA_PDQ_ENFD;

	if (control(dir_fd, Q_XGETQSTATV, 0, &state) < 0) {
		/* ENOSYS: not built in; ESRCH and EINVAL: nothing is on; ENOPROTOOPT: not this type
		 */
		if (errno == ENOSYS || errno == ESRCH || errno == EINVAL || errno == ENOPROTOOPT)
			return not_mounted(what, fs_name);
		return err_sys(errno, "ask for the project quotas of %s", what);
	}
	/* counted but not enforced is what an ext4 with the feature does without the option */
	return (state.qs_flags & wanted) == wanted ? NULL : not_mounted(what, fs_name);
}

/* 0: it passes none on. */
static struct err *inherited_id(int dir_fd, const char *what, uint64_t *ret_id)
{
	struct fsxattr attr;

	*ret_id = 0;
	if (ioctl(dir_fd, FS_IOC_FSGETXATTR, &attr) < 0)
		return errno == ENOTTY || errno == EOPNOTSUPP ?
			       NULL :
			       err_sys(errno, "read the project id of %s", what);
	if (attr.fsx_xflags & FS_XFLAG_PROJINHERIT)
		*ret_id = attr.fsx_projid;
	return NULL;
}

/* What it only has from the directory above is not its own: the operator's, or a bigger tree's. */
static struct err *project_id(int dir_fd, const char *what, uint64_t *ret_id)
{
	OWN(fd) int parent_fd = openat(dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t id, above;

	if (parent_fd < 0)
		return err_sys(errno, "open the directory above %s", what);
	TRY(inherited_id(dir_fd, what, &id));
	TRY(inherited_id(parent_fd, what, &above));
	*ret_id = id == above ? 0 : id;
	return NULL;
}

static struct err *project_assign(int dir_fd, const char *what, uint32_t project)
{
	struct fsxattr attr;

	if (ioctl(dir_fd, FS_IOC_FSGETXATTR, &attr) < 0)
		return err_sys(errno, "read the project id of %s", what);
	attr.fsx_projid = project;
	attr.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	if (ioctl(dir_fd, FS_IOC_FSSETXATTR, &attr) < 0)
		return err_sys(errno, "give %s the project id %u", what, project);
	return NULL;
}

static uint64_t to_blocks(uint64_t bytes)
{
	return bytes == QUOTA_UNLIMITED ? 0 : bytes / BLOCK_BYTES;
}

/* 0 is "no limit" to the kernel. */
static uint64_t to_count(uint64_t inodes)
{
	return inodes == QUOTA_UNLIMITED ? 0 : inodes;
}

/* Equal soft and hard limits would start the grace clock one byte too early. */
static uint64_t soft_part(uint64_t soft, uint64_t hard)
{
	return soft == hard ? 0 : soft;
}

static struct err *project_limit(int dir_fd, const char *what, uint64_t id,
				 const struct quota_limits *limits)
{
	struct if_dqblk block = {
		.dqb_bhardlimit = to_blocks(limits->hard_bytes),
		.dqb_bsoftlimit =
			soft_part(to_blocks(limits->soft_bytes), to_blocks(limits->hard_bytes)),
		.dqb_ihardlimit = to_count(limits->hard_inodes),
		.dqb_isoftlimit =
			soft_part(to_count(limits->soft_inodes), to_count(limits->hard_inodes)),
		.dqb_valid = QIF_LIMITS,
	};

	if (control(dir_fd, Q_SETQUOTA, id, &block) < 0)
		return err_sys(errno, "limit project %ju of %s", (uintmax_t)id, what);
	return NULL;
}

static uint64_t from_limit(uint64_t limit, uint64_t unit)
{
	return limit == 0 ? QUOTA_UNLIMITED : limit * unit;
}

static struct err *get_block(int dir_fd, const char *what, uint64_t id, struct if_dqblk *block)
{
	*block = (struct if_dqblk){ 0 };
	/* ENOENT (xfs): nothing was ever counted */
	if (control(dir_fd, Q_GETQUOTA, id, block) < 0 && errno != ENOENT)
		return err_sys(errno, "read the quota of project %ju of %s", (uintmax_t)id, what);
	return NULL;
}

static struct err *project_read(int dir_fd, const char *what, uint64_t id,
				struct quota_usage *usage)
{
	struct if_dqblk block;

	TRY(get_block(dir_fd, what, id, &block));
	*usage = (struct quota_usage){
		.bytes = block.dqb_curspace,
		.inodes = block.dqb_curinodes,
		.bytes_until_s = block.dqb_btime,
		.inodes_until_s = block.dqb_itime,
		.limits = { .hard_bytes = from_limit(block.dqb_bhardlimit, BLOCK_BYTES),
			    .soft_bytes = from_limit(block.dqb_bsoftlimit, BLOCK_BYTES),
			    .hard_inodes = from_limit(block.dqb_ihardlimit, 1),
			    .soft_inodes = from_limit(block.dqb_isoftlimit, 1) },
	};
	return NULL;
}

bool quota_clock_is_new(const struct quota_clock *clock, uint64_t end_s)
{
	return end_s != 0 && clock->grace_s + clock->age_s < clock->default_s &&
	       end_s + clock->age_s >= clock->now_s + clock->default_s;
}

/* True when it has to be written. */
static bool correct_clock(const struct quota_clock *clock, __u64 *end_s)
{
	if (!quota_clock_is_new(clock, *end_s))
		return false;
	*end_s = *end_s - clock->default_s + clock->grace_s;
	return true;
}

static struct err *project_keep_grace(int dir_fd, const char *what, uint64_t id,
				      const struct quota_grace *grace)
{
	struct quota_clock clock = { .now_s = (uint64_t)time(NULL),
				     .grace_s = grace->grace_s,
				     .age_s = grace->age_s };
	struct if_dqinfo info = { 0 };
	struct if_dqblk block;

	if (control(dir_fd, Q_GETINFO, 0, &info) < 0)
		return err_sys(errno, "read the grace times of %s", what);
	TRY(get_block(dir_fd, what, id, &block));
	block.dqb_valid = 0;
	clock.default_s = info.dqi_bgrace;
	if (correct_clock(&clock, &block.dqb_btime))
		block.dqb_valid |= QIF_BTIME;
	clock.default_s = info.dqi_igrace;
	if (correct_clock(&clock, &block.dqb_itime))
		block.dqb_valid |= QIF_ITIME;
	if (block.dqb_valid && control(dir_fd, Q_SETQUOTA, id, &block) < 0)
		return err_sys(errno, "set the grace of project %ju of %s", (uintmax_t)id, what);
	return NULL;
}

static struct err *project_forget(int dir_fd, uint64_t id)
{
	const struct quota_limits none = { .soft_bytes = QUOTA_UNLIMITED,
					   .hard_bytes = QUOTA_UNLIMITED,
					   .soft_inodes = QUOTA_UNLIMITED,
					   .hard_inodes = QUOTA_UNLIMITED };

	/* a record without limits and usage is the kernel's to free */
	return project_limit(dir_fd, "a tree that is gone", id, &none);
}

const struct quota_driver quota_project_driver = {
	.detect = project_detect,
	.assign = project_assign,
	.id = project_id,
	.limit = project_limit,
	.read = project_read,
	.keep_grace = project_keep_grace,
	.forget = project_forget,
};
