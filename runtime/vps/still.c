/* See still.h. */
#include "runtime/vps/still.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

void vps_still_init(struct vps_still *still)
{
	*still = (struct vps_still){ .lock = VPS_LOCK_INIT, .root_fd = -1 };
	vps_conf_init(&still->conf);
}

void vps_still_release(struct vps_still *still)
{
	own_fd(&still->root_fd);
	vps_conf_release(&still->conf);
	free(still->copy_name);
	vps_unlock(&still->lock);
	vps_still_init(still);
}

struct err *vps_still_begin(const struct vps_host *host, const char *name, struct vps_still *still)
{
	still->host = host;
	still->name = name;
	/* before the lock, which would make a file for a VPS that never was */
	TRY(vps_load(host, name, &still->conf));
	TRY(vps_lock(host, name, VPS_LOCK_PATIENT, &still->lock));
	vps_conf_release(&still->conf);
	return vps_load(host, name, &still->conf);
}

static uint64_t if_unset(uint64_t value, uint64_t other)
{
	return value == VPS_UNSET ? other : value;
}

struct err *vps_still_conf(const struct vps_still *still, char **ret_text)
{
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(buf) struct buf text = { 0 };
	OWN(vps_conf) struct vps_conf own;

	vps_conf_init(&own);
	TRY(store_read(still->host, still->name, &file));
	TRY(vps_conf_read(&file, &own));
	TRY(vps_conf_set_layout(&own, vps_disk(still->host, still->name, &still->conf).layout));
	if (own.disk_bytes.soft == VPS_UNSET)
		own.disk_bytes = still->conf.disk_bytes;
	if (own.disk_inodes.soft == VPS_UNSET)
		own.disk_inodes = still->conf.disk_inodes;
	own.quota_time_s = if_unset(own.quota_time_s, still->conf.quota_time_s);
	TRY(vps_conf_write(&own, &file));
	TRY(conf_file_format(&file, &text));
	return text.data ? buf_take(&text, ret_text) : str_dup("", ret_text);
}

/* A snapshot; the VPS goes on as soon as it is made. */
static struct err *copy_disk(struct vps_still *still, const struct disk *disk,
			     struct disk *ret_copy)
{
	const struct disk_new new = { .project = 0 };

	TRY(str_format(&still->copy_name, ".%s" BACKUP_SUFFIX, still->name));
	*ret_copy = *disk;
	ret_copy->name = still->copy_name;
	if (still->frozen) /* an image: what its own file system has not written yet */
		TRY(disk_sync(disk));
	TRY(disk_copy(disk, ret_copy, &new));
	if (still->frozen)
		TRY(vps_thaw(still->host, still->name));
	still->frozen = false;
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

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct err *vps_still_look(struct vps_still *still)
{
	const struct disk disk = vps_disk(still->host, still->name, &still->conf);

	if (disk_is_mounted_once(&disk))
		return vps_still_hold(still);
	still->since_ns = now_ns();
	TRY(open_quiet(&disk, &still->root_fd));
	/* as below */
	if (syncfs(still->root_fd) < 0)
		return err_sys(errno, "sync the disk of %s", still->name);
	return NULL;
}

struct err *vps_still_hold(struct vps_still *still)
{
	const struct disk own = vps_disk(still->host, still->name, &still->conf);
	OWN(ct_state) struct ct_state state = { 0 };
	struct disk disk = own;
	bool lives;

	TRY(vps_load_state(still->host, still->name, &state, &lives));
	if (!lives)
		TRY(disk_check(&own));
	TRY(vps_freeze(still->host, still->name, &still->frozen));
	still->since_ns = now_ns();
	if (lives && (disk_is_mounted_once(&own) || disk_copy_is_cheap(&own)))
		TRY(copy_disk(still, &own, &disk));
	TRY(open_quiet(&disk, &still->root_fd));
	/* a mapped page that is dirty may be written to again without a new change time, by which
	 * an increment knows what was written to */
	if (still->frozen && syncfs(still->root_fd) < 0)
		return err_sys(errno, "sync the disk of %s", still->name);
	return NULL;
}

struct err *vps_still_end(struct vps_still *still)
{
	struct err *err = NULL;

	own_fd(&still->root_fd);
	still->root_fd = -1;
	if (still->frozen)
		err = vps_thaw(still->host, still->name);
	still->frozen = false;
	if (still->copy_name)
		err = err_first(err, disk_remove(&(struct disk){
					     .parent = still->host->private_dir,
					     .name = still->copy_name,
					     .template_dir = still->host->template_dir }));
	free(TAKE(still->copy_name));
	return err;
}

uint64_t vps_still_bytes(const struct vps_still *still)
{
	const struct disk disk = vps_disk(still->host, still->name, &still->conf);
	struct quota_usage usage = { 0 };

	err_drop(disk_usage(&disk, &usage)); /* then nobody counts them */
	return usage.bytes == QUOTA_UNLIMITED ? 0 : usage.bytes;
}
