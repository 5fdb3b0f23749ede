/* Private to runtime/vps: the disk of a VPS, standing still, to be read by backup and export. */
#ifndef RUNTIME_VPS_STILL_H
#define RUNTIME_VPS_STILL_H

#include "runtime/vps/room.h"

struct vps_still {
	const struct vps_host *host; /* borrowed, like the name */
	const char *name;
	struct vps_lock lock; /* held from the beginning to the release */
	struct vps_conf conf;
	uint64_t since_ns; /* since 1970: the state of then is what is read */
	int root_fd;	   /* of the tree, ids as on disk; open for reading */
	bool frozen;
	char *copy_name; /* of a snapshot, if there is one; owned */
};
void vps_still_init(struct vps_still *still);
/* Take the lock and load the definition. ERR_NOT_FOUND; ERR_STATE with EBUSY. */
MUST_CHECK struct err *vps_still_begin(const struct vps_host *host, const char *name,
				       struct vps_still *still);
/* NAME.conf, and what of its disk this host's defaults say: another host's may say otherwise.
 * *ret_text is owned. */
MUST_CHECK struct err *vps_still_conf(const struct vps_still *still, char **ret_text);
/* Make the disk stand still: by a snapshot where that shares the content or nothing else can be
 * mounted, else by holding the VPS until the end. Fills in since_ns and root_fd. */
MUST_CHECK struct err *vps_still_hold(struct vps_still *still);
/* The same without making it stand still, for a BACKUP_ROUND, where the disk can be read while it
 * is used; else by a snapshot, or by holding it, as above. */
MUST_CHECK struct err *vps_still_look(struct vps_still *still);
/* Let the VPS go on and remove the snapshot. A kill before it leaves both to vps_recover(). */
MUST_CHECK struct err *vps_still_end(struct vps_still *still);
/* About how many bytes there are, for the progress; 0: nobody counts them. */
uint64_t vps_still_bytes(const struct vps_still *still);
void vps_still_release(struct vps_still *still);
static inline __attribute__((unused)) void own_vps_still(struct vps_still *still)
{
	vps_still_release(still);
}

#endif
