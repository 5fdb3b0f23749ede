/* Snapshots of a VPS's disk and definition; see vps.h and snapshot.h. */
#include "runtime/vps/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/path.h"

/* The lock, the definition and the snapshots: what every command here begins with. */
struct work {
	const struct vps_host *host;
	const char *name;
	struct vps_lock lock;
	struct vps_conf conf;
	struct snapshots snapshots;
};

static void own_work(struct work *work)
{
	snapshots_release(&work->snapshots);
	vps_conf_release(&work->conf);
	vps_unlock(&work->lock);
}

static void work_init(struct work *work, const struct vps_host *host, const char *name)
{
	*work = (struct work){
		.host = host, .name = name, .lock = VPS_LOCK_INIT, .snapshots = SNAPSHOTS_INIT
	};
	vps_conf_init(&work->conf);
}

static struct err *work_begin(struct work *work)
{
	/* before the lock, which would make a file for a VPS that never was */
	TRY(vps_load(work->host, work->name, &work->conf));
	TRY(vps_lock(work->host, work->name, VPS_LOCK_PATIENT, &work->lock));
	vps_conf_release(&work->conf);
	TRY(vps_load(work->host, work->name, &work->conf));
	TRY(snapshots_open(work->host, work->name, &work->snapshots));
	return snapshots_clear(work->host, &work->snapshots);
}

/* The disk of a snapshot in the directory dir; *path keeps its name alive. */
static struct err *disk_of(const struct work *work, const char *dir, const char *layout,
			   char **path, struct disk *ret_disk)
{
	TRY(snapshot_path(&work->snapshots, dir, path));
	*ret_disk = (struct disk){ .parent = *path,
				   .name = "disk",
				   .layout = layout,
				   .template_dir = work->host->template_dir };
	return NULL;
}

/* --- create --- */

struct err *vps_disk_copy_still(const struct vps_host *host, const char *name,
				const struct vps_conf *conf, const struct disk *to,
				const struct disk_new *new)
{
	const struct disk from = vps_disk(host, name, conf);
	struct err *err;
	bool frozen;

	TRY(vps_freeze(host, name, &frozen));
	/* an image: what its own file system has not written yet */
	err = frozen ? disk_sync(&from) : NULL;
	if (!err)
		err = disk_copy(&from, to, new);
	return frozen ? err_first(err, vps_thaw(host, name)) : err;
}

static struct err *keep_conf(const struct work *work, int dir_fd)
{
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(buf) struct buf text = { 0 };

	TRY(store_read(work->host, work->name, &file));
	TRY(conf_file_format(&file, &text));
	return file_replace(dir_fd, "conf", 0600, text.data ? text.data : "", text.len);
}

static struct err *fill_new(const struct work *work, const struct vps_snapshot *snapshot,
			    struct template_progress *progress)
{
	const struct disk_new new = { .progress = progress };
	OWN(str) char *path = NULL;
	OWN(fd) int dir_fd = -1;
	struct disk to;

	if (mkdirat(work->snapshots.dir_fd, SNAPSHOT_NEW, 0700) < 0)
		return err_sys(errno, "make a snapshot in %s", work->snapshots.path);
	TRY(path_open_beneath(work->snapshots.dir_fd, SNAPSHOT_NEW, O_RDONLY | O_DIRECTORY,
			      &dir_fd));
	TRY(disk_of(work, SNAPSHOT_NEW, snapshot->layout, &path, &to));
	TRY(vps_disk_copy_still(work->host, work->name, &work->conf, &to, &new));
	TRY(keep_conf(work, dir_fd));
	return snapshot_save(&work->snapshots, SNAPSHOT_NEW, snapshot);
}

static struct err *publish(const struct work *work, const char *id)
{
	int dir_fd = work->snapshots.dir_fd;

	if (renameat2(dir_fd, SNAPSHOT_NEW, dir_fd, id, RENAME_NOREPLACE) < 0)
		return errno == EEXIST ? err_new(ERR_EXISTS, "there is a snapshot %s already", id) :
					 err_sys(errno, "name the snapshot %s", id);
	return fsync(dir_fd) < 0 ? err_sys(errno, "sync %s", work->snapshots.path) : NULL;
}

static struct err *check_free(const struct work *work, const char *id)
{
	struct stat st;

	TRY(err_wrap(parse_container_id(id), "--id"));
	/* before the long work, and it is the name of a file of ours */
	if (str_eq(id, "current") ||
	    fstatat(work->snapshots.dir_fd, id, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_new(ERR_EXISTS, "there is a snapshot %s already", id);
	return NULL;
}

static struct err *make(const struct work *work, struct vps_snapshot *snapshot,
			struct template_progress *progress)
{
	struct timespec now;
	struct err *err;

	clock_gettime(CLOCK_REALTIME, &now);
	snapshot->created_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	TRY(check_free(work, snapshot->id));
	TRY(snapshot_current(&work->snapshots, &snapshot->parent));
	TRY(str_dup(vps_disk(work->host, work->name, &work->conf).layout, &snapshot->layout));
	err = fill_new(work, snapshot, progress);
	if (!err)
		err = publish(work, snapshot->id);
	if (err)
		return err_first(err, snapshots_clear(work->host, &work->snapshots));
	return snapshot_set_current(&work->snapshots, snapshot->id);
}

static void own_snapshot(struct vps_snapshot *snapshot)
{
	vps_snapshot_release(snapshot);
}

static struct err *copy_text(const char *from, char **ret_to)
{
	return from ? str_dup(from, ret_to) : NULL;
}

struct err *vps_snapshot_create(const struct vps_host *host, const char *name,
				const struct vps_snapshot_create *request, char **ret_id)
{
	OWN(snapshot) struct vps_snapshot snapshot = { 0 };
	OWN(work) struct work work;

	work_init(&work, host, name);
	TRY(work_begin(&work));
	TRY(request->id ? str_dup(request->id, &snapshot.id) : snapshot_make_id(&snapshot.id));
	TRY(copy_text(request->name, &snapshot.name));
	TRY(copy_text(request->description, &snapshot.description));
	TRY(make(&work, &snapshot, request->progress));
	*ret_id = TAKE(snapshot.id);
	return NULL;
}

/* --- list --- */

struct err *vps_snapshot_list(const struct vps_host *host, const char *name,
			      struct vps_snapshot_list *ret_list)
{
	OWN(snapshots) struct snapshots snapshots = SNAPSHOTS_INIT;
	OWN(vps_conf) struct vps_conf conf;

	vps_conf_init(&conf);
	TRY(vps_load(host, name, &conf));
	TRY(snapshots_open(host, name, &snapshots));
	return snapshots_list(&snapshots, ret_list);
}

/* --- switch --- */

/* The definition of then, or of now, with what belongs to the VPS on this host and to the disk. */
static struct err *conf_after(const struct work *work, const struct vps_snapshot *snapshot,
			      unsigned int flags, struct conf_file *file)
{
	OWN(vps_conf) struct vps_conf conf;

	vps_conf_init(&conf);
	TRY(flags & VPS_SNAPSHOT_SKIP_CONFIG ?
		    store_read(work->host, work->name, file) :
		    snapshot_read_conf(&work->snapshots, snapshot->id, file));
	TRY(vps_conf_read(file, &conf));
	conf.id_first = work->conf.id_first;
	conf.id_count = work->conf.id_count;
	TRY(vps_conf_set_layout(&conf, snapshot->layout));
	return vps_conf_write(&conf, file);
}

/* As vps_load() will see it. */
static struct err *whole_conf(const struct work *work, const struct conf_file *file,
			      struct vps_conf *whole)
{
	TRY(vps_conf_merge(&work->host->defaults, whole));
	TRY(vps_conf_read(file, whole));
	TRY(addrs_check_free(work->host, work->name, whole));
	return vps_conf_check(whole);
}

static struct err *put_back(const struct work *work, const struct vps_snapshot *snapshot,
			    const struct vps_conf *conf)
{
	const struct quota_limits limits = vps_disk_limits(conf);
	struct disk_new new = { .limits = &limits };
	OWN(str) char *path = NULL, *hidden = NULL;
	struct disk from, to;

	TRY(str_format(&hidden, ".%s", work->name));
	TRY(disk_of(work, snapshot->id, snapshot->layout, &path, &from));
	to = vps_disk(work->host, hidden, conf);
	TRY(vps_next_project(work->host, work->name, &work->conf, &new.project));
	TRY(disk_remove(&to)); /* of a killed command */
	return disk_copy(&from, &to, &new);
}

struct err *vps_snapshot_switch(const struct vps_host *host, const char *name, const char *id,
				unsigned int flags)
{
	OWN(snapshot) struct vps_snapshot snapshot = { 0 };
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(vps_conf) struct vps_conf whole;
	OWN(work) struct work work;

	vps_conf_init(&whole);
	work_init(&work, host, name);
	TRY(work_begin(&work));
	TRY(snapshot_load(&work.snapshots, id, &snapshot));
	TRY(vps_check_down(host, name));
	TRY(conf_after(&work, &snapshot, flags, &file));
	TRY(whole_conf(&work, &file, &whole));
	TRY(put_back(&work, &snapshot, &whole));
	TRY(vps_swap(host, name, &file));
	return snapshot_set_current(&work.snapshots, id);
}

/* --- delete --- */

/* Its children come from its parent then. */
static struct err *hand_over_children(const struct work *work, const struct vps_snapshot *gone)
{
	OWN(vps_snapshot_list) struct vps_snapshot_list list = { 0 };

	TRY(snapshots_list(&work->snapshots, &list));
	for (size_t i = 0; i < list.count; i++) {
		struct vps_snapshot *child = &list.items[i];

		if (!str_eq(child->parent, gone->id))
			continue;
		free(child->parent);
		child->parent = NULL;
		TRY(copy_text(gone->parent, &child->parent));
		TRY(snapshot_save(&work->snapshots, child->id, child));
	}
	if (!gone->is_current)
		return NULL;
	return snapshot_set_current(&work->snapshots, gone->parent ? gone->parent : "");
}

static struct err *remove_one(const struct work *work, const char *id)
{
	int dir_fd = work->snapshots.dir_fd;

	if (renameat(dir_fd, id, dir_fd, SNAPSHOT_OLD) < 0)
		return err_sys(errno, "move the snapshot %s away", id);
	if (fsync(dir_fd) < 0)
		return err_sys(errno, "sync %s", work->snapshots.path);
	return snapshots_clear(work->host, &work->snapshots);
}

struct err *vps_snapshot_delete(const struct vps_host *host, const char *name, const char *id)
{
	OWN(snapshot) struct vps_snapshot snapshot = { 0 };
	OWN(work) struct work work;

	work_init(&work, host, name);
	TRY(work_begin(&work));
	TRY(snapshot_load(&work.snapshots, id, &snapshot));
	if (snapshot.mounted_on)
		return err_new(ERR_STATE, "snapshot %s is mounted on %s: unmount it first", id,
			       snapshot.mounted_on);
	TRY(hand_over_children(&work, &snapshot));
	return remove_one(&work, id);
}

struct err *vps_snapshots_remove(const struct vps_host *host, const char *name)
{
	OWN(vps_snapshot_list) struct vps_snapshot_list list = { 0 };
	OWN(work) struct work work;
	OWN(fd) int all_fd = -1;

	work_init(&work, host, name);
	TRY(snapshots_open(host, name, &work.snapshots));
	TRY(snapshots_clear(host, &work.snapshots));
	TRY(snapshots_list(&work.snapshots, &list));
	for (size_t i = 0; i < list.count; i++)
		TRY(remove_one(&work, list.items[i].id));
	all_fd = open(host->snapshot_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (all_fd < 0)
		return err_sys(errno, "open %s", host->snapshot_dir);
	return path_remove_tree(all_fd, name);
}

/* --- mount --- */

static struct err *attach(int tree_fd, const char *target)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
					       MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

	if (mount_setattr(tree_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(errno, "make the snapshot read-only");
	if (move_mount(tree_fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(errno, "mount the snapshot on %s", target);
	return NULL;
}

static struct err *note_mount(const struct work *work, const char *id, const char *target)
{
	OWN(fd) int dir_fd = -1;

	TRY(path_open_beneath(work->snapshots.dir_fd, id, O_RDONLY | O_DIRECTORY, &dir_fd));
	if (target)
		return file_replace(dir_fd, "mounted", 0600, target, strlen(target));
	if (unlinkat(dir_fd, "mounted", 0) < 0 && errno != ENOENT)
		return err_sys(errno, "forget where the snapshot %s was mounted", id);
	return NULL;
}

struct err *vps_snapshot_mount(const struct vps_host *host, const char *name, const char *id,
			       const char *target)
{
	OWN(snapshot) struct vps_snapshot snapshot = { 0 };
	OWN(work) struct work work;
	OWN(str) char *path = NULL;
	OWN(fd) int tree_fd = -1;
	struct disk disk;

	work_init(&work, host, name);
	if (*target != '/' || strchr(target, '\n'))
		return err_new(ERR_INVALID, "--target: '%.80s' is not an absolute path", target);
	TRY(work_begin(&work));
	TRY(snapshot_load(&work.snapshots, id, &snapshot));
	if (snapshot.mounted_on)
		return err_new(ERR_STATE, "snapshot %s is mounted on %s already", id,
			       snapshot.mounted_on);
	TRY(disk_of(&work, id, snapshot.layout, &path, &disk));
	TRY(disk_mount(&disk, NULL, &tree_fd));
	/* the note first: a kill after it leaves one that umount removes */
	TRY(note_mount(&work, id, target));
	return attach(tree_fd, target);
}

struct err *vps_snapshot_umount(const struct vps_host *host, const char *name, const char *id)
{
	OWN(snapshot) struct vps_snapshot snapshot = { 0 };
	OWN(work) struct work work;

	work_init(&work, host, name);
	TRY(work_begin(&work));
	TRY(snapshot_load(&work.snapshots, id, &snapshot));
	if (!snapshot.mounted_on)
		return err_new(ERR_STATE, "snapshot %s is not mounted", id);
	/* EINVAL, ENOENT: somebody else unmounted it, or the host was started anew */
	if (umount2(snapshot.mounted_on, UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		return err_sys(errno, "unmount %s", snapshot.mounted_on);
	return note_mount(&work, id, NULL);
}
