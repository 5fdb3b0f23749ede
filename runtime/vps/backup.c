/*
 * Making a backup of a VPS; see backup.h. The lock is held all the time. A kill leaves what the
 * next command of the VPS (vps_recover()) and the next backup into the directory clear up.
 */
#include "runtime/vps/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>

#include "base/fd.h"
#include "runtime/vps/backup_store.h"
#include "runtime/vps/room.h"

struct work {
	const struct vps_host *host;
	const struct vps_backup_create *request;
	struct vps_lock lock;
	struct vps_conf conf;
	struct backup_target target;
	bool lives, frozen;
	char *copy_name; /* of the snapshot, if there is one; owned */
};

static struct err *end_work(struct work *work)
{
	struct err *err = NULL;

	if (work->frozen)
		err = vps_thaw(work->host, work->request->name);
	work->frozen = false;
	if (work->copy_name)
		err = err_first(err, disk_remove(&(struct disk){
					     .parent = work->host->private_dir,
					     .name = work->copy_name,
					     .template_dir = work->host->template_dir }));
	free(TAKE(work->copy_name));
	return err;
}

static void own_work(struct work *work)
{
	backup_target_release(&work->target);
	vps_conf_release(&work->conf);
	free(work->copy_name);
	vps_unlock(&work->lock);
}

/* --- the definition --- */

static uint64_t if_unset(uint64_t value, uint64_t other)
{
	return value == VPS_UNSET ? other : value;
}

/* NAME.conf, and what of its disk this host's defaults say: another host's may say otherwise. */
static struct err *take_conf(const struct work *work, char **ret_text)
{
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(buf) struct buf text = { 0 };
	OWN(vps_conf) struct vps_conf own;

	vps_conf_init(&own);
	TRY(store_read(work->host, work->request->name, &file));
	TRY(vps_conf_read(&file, &own));
	TRY(vps_conf_set_layout(&own,
				vps_disk(work->host, work->request->name, &work->conf).layout));
	if (own.disk_bytes.soft == VPS_UNSET)
		own.disk_bytes = work->conf.disk_bytes;
	if (own.disk_inodes.soft == VPS_UNSET)
		own.disk_inodes = work->conf.disk_inodes;
	own.quota_time_s = if_unset(own.quota_time_s, work->conf.quota_time_s);
	TRY(vps_conf_write(&own, &file));
	TRY(conf_file_format(&file, &text));
	return text.data ? buf_take(&text, ret_text) : str_dup("", ret_text);
}

/* --- the disk, standing still --- */

/* A snapshot; the VPS goes on as soon as it is made. */
static struct err *copy_disk(struct work *work, const struct disk *disk, struct disk *ret_copy)
{
	const struct disk_new new = { .project = 0 };

	TRY(str_format(&work->copy_name, ".%s" BACKUP_SUFFIX, work->request->name));
	*ret_copy = *disk;
	ret_copy->name = work->copy_name;
	if (work->frozen) /* an image: what its own file system has not written yet */
		TRY(disk_sync(disk));
	TRY(disk_copy(disk, ret_copy, &new));
	if (work->frozen)
		TRY(vps_thaw(work->host, work->request->name));
	work->frozen = false;
	return NULL;
}

static struct err *open_quiet(const struct disk *disk, int *ret_fd)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR__ATIME,
				   .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME |
					       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					       MOUNT_ATTR_NOEXEC };
	OWN(fd) int tree_fd = -1;

	TRY(disk_mount(disk, NULL, &tree_fd));
	if (mount_setattr(tree_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(errno, "make the mount of disk %s read-only", disk->name);
	*ret_fd = openat(tree_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(errno, "open the root of disk %s", disk->name) : NULL;
}

static struct err *open_still(struct work *work, uint64_t *ret_created_ns, int *ret_fd)
{
	const struct disk own = vps_disk(work->host, work->request->name, &work->conf);
	OWN(ct_state) struct ct_state state = { 0 };
	struct disk disk = own;
	struct timespec now;

	TRY(vps_load_state(work->host, work->request->name, &state, &work->lives));
	if (!work->lives)
		TRY(disk_check(&own));
	TRY(vps_freeze(work->host, work->request->name, &work->frozen));
	clock_gettime(CLOCK_REALTIME, &now);
	*ret_created_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	if (work->lives && (disk_is_mounted_once(&own) || disk_copy_is_cheap(&own)))
		TRY(copy_disk(work, &own, &disk));
	return open_quiet(&disk, ret_fd);
}

/* About, for the progress; without an answer there is none. */
static uint64_t bytes_of(const struct work *work)
{
	const struct disk disk = vps_disk(work->host, work->request->name, &work->conf);
	struct quota_usage usage = { 0 };

	err_drop(disk_usage(&disk, &usage)); /* as said above */
	return usage.bytes == QUOTA_UNLIMITED ? 0 : usage.bytes;
}

static struct err *write_backup(struct work *work, struct backup_info *info)
{
	struct backup_write write = { .fd = work->target.fd,
				      .total_bytes = bytes_of(work),
				      .bytes_per_s = work->request->bytes_per_s,
				      .progress = work->request->progress };
	OWN(fd) int root_fd = -1;

	TRY(str_dup(work->request->name, &info->name));
	TRY(str_dup(vps_disk(work->host, work->request->name, &work->conf).layout, &info->layout));
	TRY(take_conf(work, &info->conf));
	TRY(open_still(work, &info->created_ns, &root_fd));
	write.tree_fd = root_fd;
	return backup_write(&write, info);
}

static struct err *make(struct work *work, struct vps_backup *ret_backup)
{
	const struct vps_backup_create *request = work->request;
	OWN(vps_backup) struct vps_backup backup = { 0 };
	struct err *err;

	TRY(backup_target_open(work->host, request->name, request->to, &work->target));
	err = write_backup(work, &backup.info);
	TRY(err_first(err, end_work(work)));
	TRY(backup_target_publish(&work->target, &backup.path));
	if (request->keep)
		TRY(backup_retain(work->host, work->target.dir, request->name, request->keep));
	*ret_backup = backup;
	backup = (struct vps_backup){ 0 };
	return NULL;
}

struct err *vps_backup_create(const struct vps_host *host, const struct vps_backup_create *request,
			      struct vps_backup *ret_backup)
{
	OWN(work)
	struct work work = { .host = host,
			     .request = request,
			     .lock = VPS_LOCK_INIT,
			     .target = BACKUP_TARGET_INIT };

	vps_conf_init(&work.conf);
	/* before the lock, which would make a file for a VPS that never was */
	TRY(vps_load(host, request->name, &work.conf));
	TRY(vps_lock(host, request->name, VPS_LOCK_PATIENT, &work.lock));
	vps_conf_release(&work.conf);
	TRY(vps_load(host, request->name, &work.conf));
	return make(&work, ret_backup);
}

struct err *vps_backup_verify(const struct vps_host *host, const char *file,
			      struct template_progress *progress, struct vps_backup *ret_backup)
{
	OWN(vps_backup) struct vps_backup backup = { 0 };
	OWN(fd) int fd = -1;

	TRY(backup_open(host, file, &fd, &backup));
	TRY(backup_verify(fd, backup.path, (uint32_t)host->id_first, progress));
	*ret_backup = backup;
	backup = (struct vps_backup){ 0 };
	return NULL;
}
