/* A VPS from another one, or with another layout; see vps.h. */
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "runtime/vps/identity.h"
#include "runtime/vps/snapshot.h"

/* --- clone --- */

struct clone_maker {
	struct vps_maker base;
	const struct vps_clone *request;
	const struct vps_conf *from_conf; /* of the VPS as it is; its disk's layout */
	struct disk snapshot;		  /* without a name: the VPS as it is */
};

static struct err *copy_disk(const struct vps_maker *base, const struct vps_host *host,
			     const char *hidden, const struct vps_conf *conf)
{
	const struct clone_maker *maker = (const void *)base;
	const struct quota_limits limits = vps_disk_limits(conf);
	const struct disk_new new = { .project = (uint32_t)conf->id_first,
				      .limits = &limits,
				      .progress = maker->request->progress };
	const struct disk to = vps_disk(host, hidden, conf);
	OWN(fd) int tree_fd = -1;

	TRY(maker->snapshot.name ?
		    disk_copy(&maker->snapshot, &to, &new) :
		    vps_disk_copy_still(host, maker->request->from, maker->from_conf, &to, &new));
	TRY(disk_mount(&to, NULL, &tree_fd));
	return identity_renew(tree_fd); /* the start says who it is */
}

/* Kinds and links of the interfaces stay. */
static void forget_addresses(struct vps_conf *conf)
{
	free(conf->addrs);
	conf->addrs = NULL;
	conf->addr_count = 0;
	strlist_release(&conf->publish);
	for (size_t i = 0; i < conf->netifs.count; i++) {
		struct net_port *port = &conf->netifs.items[i];

		free(port->addrs);
		port->addrs = NULL;
		port->addr_count = 0;
		memset(port->mac, 0, sizeof(port->mac));
		memset(port->host_mac, 0, sizeof(port->host_mac));
		port->host_name[0] = '\0';
	}
}

struct err *vps_conf_make_own(struct vps_conf *conf, const char *name, const char *layout)
{
	char *hostname = NULL;

	TRY(str_dup(name, &hostname));
	free(conf->hostname);
	conf->hostname = hostname;
	TRY(vps_conf_set_layout(conf, layout));
	forget_addresses(conf);
	conf->id_first = VPS_UNSET;
	conf->id_count = VPS_UNSET;
	return NULL;
}

static struct err *read_file_conf(const struct vps_host *host, const char *name,
				  struct vps_conf *conf)
{
	OWN(conf_file) struct conf_file file = { 0 };

	TRY(store_read(host, name, &file));
	return vps_conf_read(&file, conf);
}

static void own_snapshot(struct vps_snapshot *snapshot)
{
	vps_snapshot_release(snapshot);
}

static struct err *clone_snapshot(const struct vps_host *host, struct clone_maker *maker,
				  struct vps_conf *conf)
{
	OWN(snapshots) struct snapshots snapshots = SNAPSHOTS_INIT;
	OWN(snapshot) struct vps_snapshot snapshot = { 0 };
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(str) char *path = NULL;

	TRY(snapshots_open(host, maker->request->from, &snapshots));
	TRY(snapshot_load(&snapshots, maker->request->snapshot, &snapshot));
	TRY(snapshot_read_conf(&snapshots, snapshot.id, &file));
	TRY(vps_conf_read(&file, conf));
	TRY(vps_conf_make_own(conf, maker->request->to, snapshot.layout));
	TRY(snapshot_path(&snapshots, snapshot.id, &path));
	maker->snapshot = (struct disk){ .parent = path,
					 .name = "disk",
					 .layout = snapshot.layout,
					 .template_dir = host->template_dir };
	return vps_make(host, maker->request->to, &maker->base, conf);
}

struct err *vps_clone(const struct vps_host *host, const struct vps_clone *request)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(vps_conf) struct vps_conf from_conf, conf;
	struct clone_maker maker = { .base = { .skip_probe = true, .make_disk = copy_disk },
				     .request = request,
				     .from_conf = &from_conf };

	vps_conf_init(&from_conf);
	vps_conf_init(&conf);
	TRY(parse_container_id(request->to));
	TRY(vps_load(host, request->from, &from_conf));
	if (str_eq(request->from, request->to))
		return err_new(ERR_EXISTS, "VPS %s exists already", request->to);
	TRY(vps_lock(host, request->from, VPS_LOCK_PATIENT, &lock));
	if (request->snapshot)
		return clone_snapshot(host, &maker, &conf);
	TRY(read_file_conf(host, request->from, &conf));
	TRY(vps_conf_make_own(&conf, request->to, vps_disk(host, "", &from_conf).layout));
	return vps_make(host, request->to, &maker.base, &conf);
}

/* --- convert --- */

static struct err *convert_locked(const struct vps_host *host, const char *name,
				  struct vps_conf *conf, const char *layout,
				  struct template_progress *progress)
{
	const struct disk from = vps_disk(host, name, conf);
	const struct quota_limits limits = vps_disk_limits(conf);
	struct disk_new new = { .limits = &limits, .progress = progress };
	OWN(str) char *hidden = NULL;
	OWN(fd) int tree_fd = -1;
	struct disk to;

	TRY(str_format(&hidden, ".%s", name));
	TRY(vps_next_project(host, name, conf, &new.project));
	TRY(disk_check(&from));
	TRY(disk_mount(&from, NULL, &tree_fd));
	to = from;
	to.name = hidden;
	to.layout = layout;
	TRY(disk_remove(&to)); /* of a killed command */
	return disk_create_from(&to, tree_fd, 0, &new);
}

struct err *vps_convert(const struct vps_host *host, const char *name, const char *layout,
			struct template_progress *progress)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(vps_conf) struct vps_conf conf, own;
	OWN(conf_file) struct conf_file file = { 0 };
	const char *ours = vps_layout_of(layout);

	vps_conf_init(&conf);
	vps_conf_init(&own);
	TRY(vps_load(host, name, &conf));
	TRY(vps_lock(host, name, VPS_LOCK_PATIENT, &lock));
	TRY(vps_check_down(host, name));
	TRY(store_read(host, name, &file));
	TRY(vps_conf_read(&file, &own));
	TRY(vps_conf_set_layout(&own, ours));
	TRY(vps_conf_check(&own));
	if (str_eq(vps_disk(host, name, &conf).layout, ours))
		return err_new(ERR_STATE, "VPS %s has the layout %s already", name, ours);
	TRY(convert_locked(host, name, &conf, ours, progress));
	TRY(vps_conf_write(&own, &file));
	return vps_swap(host, name, &file);
}
