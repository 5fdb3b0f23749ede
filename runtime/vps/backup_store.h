/* Private to runtime/vps: the files of backups. */
#ifndef RUNTIME_VPS_BACKUP_STORE_H
#define RUNTIME_VPS_BACKUP_STORE_H

#include "runtime/vps/backup.h"

/* A file that is being written: it has a hidden name, and a lock on it, until it is whole. */
struct backup_target {
	int dir_fd, fd;
	char *dir, *name, *hidden; /* owned */
};
#define BACKUP_TARGET_INIT             \
	{                              \
		.dir_fd = -1, .fd = -1 \
	}
/* Removes what is not finished. */
void backup_target_release(struct backup_target *target);
static inline __attribute__((unused)) void own_backup_target(struct backup_target *target)
{
	backup_target_release(target);
}
/* to: as in struct vps_backup_create. Removes what killed backups left in the directory.
 * ERR_EXISTS. */
MUST_CHECK struct err *backup_target_open(const struct vps_host *host, const char *name,
					  const char *to, struct backup_target *ret_target);
/* Give the file, which is synced, its name. *ret_path is owned. */
MUST_CHECK struct err *backup_target_publish(struct backup_target *target, char **ret_path);

/*
 * Open a backup as vps_backup_verify() does, and those that it builds upon, which are in the same
 * directory under any names. ERR_NOT_FOUND: one of them is not there.
 */
MUST_CHECK struct err *backup_chain_open(const struct vps_host *host, const char *file,
					 struct backup_chain *ret_chain);
/* What an increment of the VPS in the directory builds upon: the youngest that is whole, with all
 * that it needs itself. *ret_base NULL: there is none, or its chain is as long as one may be. */
MUST_CHECK struct err *backup_choose_base(const struct vps_host *host, const char *dir,
					  const char *name, struct backup_base **ret_base);

/* Before the long work: ERR_STATE: there is no room for what it holds. What an image or a quota
 * allows is checked by these. */
MUST_CHECK struct err *backup_check_room(const struct vps_host *host,
					 const struct backup_info *info);

/* Remove the oldest backups of the VPS in the directory, so that this many stay, and those that
 * they build upon. */
MUST_CHECK struct err *backup_retain(const struct vps_host *host, const char *dir, const char *name,
				     uint64_t keep);

#endif
