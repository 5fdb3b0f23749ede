/* From a definition to its disk: which layout, which limits; what start, create and the looker do
 * with it. Mechanism: rootfs/layout.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "runtime/vps/identity.h"
#include "runtime/vps/live.h"
#include "runtime/vps/room.h"

#define GRACE_DEFAULT_S (UINT64_C(7) * 86400)

/* OpenVZ's names for what we call otherwise; a ":" and what follows only says how it is packed. */
const char *vps_layout_of(const char *name)
{
	static const struct {
		const char *theirs, *ours;
	} names[] = { { "simfs", "dir" }, { "ploop", "image" } };
	size_t len = strcspn(name, ":");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].theirs) == len && strncmp(name, names[i].theirs, len) == 0)
			return names[i].ours;
	return name;
}

struct err *vps_conf_set_layout(struct vps_conf *conf, const char *layout)
{
	char *copy = NULL;

	TRY(str_dup(layout, &copy));
	free(conf->layout);
	conf->layout = copy;
	return NULL;
}

struct disk vps_disk(const struct vps_host *host, const char *name, const struct vps_conf *conf)
{
	return (struct disk){ .parent = host->private_dir,
			      .name = name,
			      .layout = conf->layout ? vps_layout_of(conf->layout) : "dir",
			      .template_dir = host->template_dir };
}

/* VPS_UNSET and VPS_UNLIMITED: no limit. */
static uint64_t limit_of(uint64_t value)
{
	return value == VPS_UNSET || value == VPS_UNLIMITED ? QUOTA_UNLIMITED : value;
}

struct quota_limits vps_disk_limits(const struct vps_conf *conf)
{
	return (struct quota_limits){
		.soft_bytes = limit_of(conf->disk_bytes.soft),
		.hard_bytes = limit_of(conf->disk_bytes.hard),
		.soft_inodes = limit_of(conf->disk_inodes.soft),
		.hard_inodes = limit_of(conf->disk_inodes.hard),
		.grace_s = conf->quota_time_s == VPS_UNSET ? GRACE_DEFAULT_S : conf->quota_time_s,
	};
}

static bool is_limited(const struct vps_conf *conf)
{
	const struct quota_limits limits = vps_disk_limits(conf);

	return limits.hard_bytes != QUOTA_UNLIMITED || limits.soft_bytes != QUOTA_UNLIMITED ||
	       limits.hard_inodes != QUOTA_UNLIMITED || limits.soft_inodes != QUOTA_UNLIMITED;
}

/* A tree, unless limits are wanted that only an image can keep here: btrfs would keep them too, but
 * not tell df of them. */
struct err *vps_choose_layout(const struct vps_host *host, struct vps_conf *conf)
{
	bool can = true;

	if (conf->layout)
		return NULL;
	if (is_limited(conf)) {
		enum quota_kind kind;
		struct err *err = disk_can_limit(host->private_dir, &kind);

		can = !err && kind == QUOTA_PROJECT;
		if (err && err_kind(err) != ERR_UNSUPPORTED)
			return err;
		err_drop(err); /* that it cannot is the answer */
	}
	return str_dup(can ? "dir" : "image", &conf->layout);
}

/* An overlay needs its template, and there is all of a tree. */
struct err *vps_choose_tree_layout(const struct vps_host *host, const char *wanted,
				   struct vps_conf *conf)
{
	OWN(vps_conf) struct vps_conf whole;

	if (wanted)
		TRY(vps_conf_set_layout(conf, vps_layout_of(wanted)));
	else if (str_eq(vps_layout_of(conf->layout ? conf->layout : ""), "overlay"))
		free(TAKE(conf->layout));
	if (conf->layout)
		return NULL;
	vps_conf_init(&whole);
	TRY(vps_conf_merge(&host->defaults, &whole));
	free(TAKE(whole.layout)); /* which may say overlay */
	TRY(vps_conf_merge(conf, &whole));
	TRY(vps_choose_layout(host, &whole));
	return vps_conf_set_layout(conf, whole.layout);
}

struct err *vps_disk_create_empty(const struct disk *disk, const struct vps_conf *conf)
{
	const struct quota_limits limits = vps_disk_limits(conf);
	const struct disk_new new = { .project = (uint32_t)conf->id_first, .limits = &limits };
	OWN(fd) int empty_fd = -1;

	TRY(vps_open_empty(&empty_fd));
	return disk_create_from(disk, empty_fd, 0, &new);
}

struct err *vps_disk_sync_tree(int tree_fd)
{
	OWN(fd) int root_fd = openat(tree_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return root_fd < 0 || syncfs(root_fd) < 0 ? err_sys(errno, "sync the new disk") : NULL;
}

/* The definition may have been edited, or brought along from elsewhere, as the file system. */
static struct err *apply_limits(const struct disk *disk, const char *name,
				const struct vps_conf *conf)
{
	const struct quota_limits limits = vps_disk_limits(conf);
	struct err *err = is_limited(conf) ? disk_enforce(disk, &limits) : NULL;

	if (!err || (err_kind(err) != ERR_UNSUPPORTED && err_kind(err) != ERR_INVALID))
		return err;
	if (conf->best_effort != 1)
		return err_wrap(err,
				"--diskspace cannot be kept ('cella set %s --best-effort' does "
				"without)",
				name);
	log_warn(err_wrap(err, "VPS %s runs without limits of its disk", name));
	return NULL;
}

/* Who it is, in its own files, before anybody of it runs. */
static struct err *write_identity(const struct vps_host *host, const struct disk *disk,
				  const char *name, const struct vps_conf *conf)
{
	OWN(fd) int tree_fd = -1;

	TRY(disk_mount(disk, NULL, &tree_fd));
	return identity_write(host, tree_fd, name, conf);
}

struct err *vps_disk_reopen(const struct vps_host *host, const char *name,
			    const struct vps_conf *conf, const struct id_maps *maps,
			    int *ret_tree_fd)
{
	const struct disk disk = vps_disk(host, name, conf);

	TRY(disk_check(&disk));
	TRY(apply_limits(&disk, name, conf));
	return disk_mount(&disk, maps, ret_tree_fd);
}

struct err *vps_disk_open(const struct vps_host *host, const char *name,
			  const struct vps_conf *conf, const struct id_maps *maps, int *ret_tree_fd)
{
	const struct disk disk = vps_disk(host, name, conf);

	TRY(disk_check(&disk));
	TRY(apply_limits(&disk, name, conf));
	TRY(write_identity(host, &disk, name, conf));
	return disk_mount(&disk, maps, ret_tree_fd);
}

struct err *vps_disk_limit(const struct vps_host *host, const char *name,
			   const struct vps_conf *conf, enum disk_state state)
{
	const struct disk disk = vps_disk(host, name, conf);
	const struct quota_limits limits = vps_disk_limits(conf);

	return disk_limit(&disk, &limits, state);
}

struct err *live_apply_disk(const struct live_change *change)
{
	return vps_disk_limit(change->host, change->name, change->to, DISK_RUNNING);
}

struct err *vps_next_project(const struct vps_host *host, const char *name,
			     const struct vps_conf *conf, uint32_t *ret_project)
{
	OWN(fd) int private_fd = open(host->private_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(fd) int dir_fd = -1;
	uint64_t id;

	if (private_fd < 0)
		return err_sys(errno, "open %s", host->private_dir);
	TRY(path_open_beneath(private_fd, name, O_RDONLY | O_DIRECTORY, &dir_fd));
	TRY(quota_id(dir_fd, name, &id));
	*ret_project = (uint32_t)conf->id_first + (id == conf->id_first);
	return NULL;
}

struct err *vps_disk_create(const struct vps_host *host, const char *name,
			    const struct vps_conf *conf, struct template_progress *progress)
{
	const struct disk disk = vps_disk(host, name, conf);
	const struct quota_limits limits = vps_disk_limits(conf);
	const struct disk_new new = { .project = (uint32_t)conf->id_first,
				      .limits = &limits,
				      .progress = progress };
	OWN(fd) int tree_fd = -1;

	TRY(disk_create(&disk, conf->ostemplate, &new));
	TRY(disk_mount(&disk, NULL, &tree_fd));
	return identity_renew(tree_fd); /* the start says who it is */
}
