/* Private to runtime/vps: a snapshot on disk. snapshot_dir/NAME/ID holds
 *
 *	disk		in the form of its layout
 *	conf		NAME.conf as it was
 *	info.json	what the snapshot is
 *	mounted		where it is mounted; not there: nowhere
 *
 * It is made as ~new and renamed, and removed as ~old; "current" names the one that the present
 * state of the VPS comes from. "~" stands in no id.
 */
#ifndef RUNTIME_VPS_SNAPSHOT_H
#define RUNTIME_VPS_SNAPSHOT_H

#include "rootfs/layout.h"
#include "runtime/vps/room.h"

/* All snapshots of a VPS: the directory, made when missing. */
struct snapshots {
	int dir_fd;
	char *path;
};
#define SNAPSHOTS_INIT       \
	{                    \
		.dir_fd = -1 \
	}
void snapshots_release(struct snapshots *snapshots);
static inline __attribute__((unused)) void own_snapshots(struct snapshots *snapshots)
{
	snapshots_release(snapshots);
}
MUST_CHECK struct err *snapshots_open(const struct vps_host *host, const char *name,
				      struct snapshots *ret_snapshots);
#define SNAPSHOT_NEW "~new"
#define SNAPSHOT_OLD "~old"
/* Remove the rests of killed commands; the VPS's lock is held. */
MUST_CHECK struct err *snapshots_clear(const struct vps_host *host,
				       const struct snapshots *snapshots);
/* The oldest first. */
MUST_CHECK struct err *snapshots_list(const struct snapshots *snapshots,
				      struct vps_snapshot_list *ret_list);

/* ERR_NOT_FOUND: no such snapshot. */
MUST_CHECK struct err *snapshot_load(const struct snapshots *snapshots, const char *id,
				     struct vps_snapshot *ret_snapshot);
/* Write info.json into the directory dir of the snapshots. */
MUST_CHECK struct err *snapshot_save(const struct snapshots *snapshots, const char *dir,
				     const struct vps_snapshot *snapshot);
/* The definition that was kept with it. */
MUST_CHECK struct err *snapshot_read_conf(const struct snapshots *snapshots, const char *id,
					  struct conf_file *ret_file);
/* *ret_id is NULL when there is none; owned. */
MUST_CHECK struct err *snapshot_current(const struct snapshots *snapshots, char **ret_id);
MUST_CHECK struct err *snapshot_set_current(const struct snapshots *snapshots, const char *id);
/* A new id: a version 4 UUID. Owned. */
MUST_CHECK struct err *snapshot_make_id(char **ret_id);
/* "SNAPSHOTS/DIR"; owned. */
MUST_CHECK struct err *snapshot_path(const struct snapshots *snapshots, const char *dir,
				     char **ret_path);

#endif
