/*
 * Backups of VPSs as files in a directory: made, listed, thrown away, restored. What a file holds:
 * rootfs/backup.h. A file has its name only when it is whole; until then it is a hidden one, locked
 * by who writes it, which the next backup into that directory removes when its writer is gone.
 */
#ifndef RUNTIME_VPS_BACKUP_H
#define RUNTIME_VPS_BACKUP_H

#include "rootfs/backup.h"
#include "runtime/vps/vps.h"

/* One of them. */
struct vps_backup {
	char *path; /* owned */
	struct backup_info info;
};
struct vps_backup_list {
	struct vps_backup *items;
	size_t count;
};
void vps_backup_release(struct vps_backup *backup);
void vps_backup_list_release(struct vps_backup_list *list);
static inline __attribute__((unused)) void own_vps_backup(struct vps_backup *backup)
{
	vps_backup_release(backup);
}
static inline __attribute__((unused)) void own_vps_backup_list(struct vps_backup_list *list)
{
	vps_backup_list_release(list);
}

struct vps_backup_create {
	const char *name;
	const char *to; /* a file, which is not there, or a directory; NULL: the host's own */
	/* so many of this VPS stay in the directory, the youngest and what they build upon; 0: all
	 */
	uint64_t keep;
	uint64_t bytes_per_s; /* read its disk not faster; 0: as fast as can be */
	bool incremental;     /* only what the youngest one there has not, if there is one */
	struct template_progress *progress;
};
/*
 * Write a backup. A running VPS is held still: while a snapshot is made where that shares the
 * content, else until the backup is written. ERR_NOT_FOUND; ERR_EXISTS: the file; ERR_STATE with
 * EBUSY: another command has the VPS.
 */
MUST_CHECK struct err *vps_backup_create(const struct vps_host *host,
					 const struct vps_backup_create *request,
					 struct vps_backup *ret_backup);

/* The whole ones in a directory (NULL: the host's own), of one VPS or all (NULL): by name, the
 * oldest first. Other files are passed over. */
MUST_CHECK struct err *vps_backup_list(const struct vps_host *host, const char *dir,
				       const char *name, struct vps_backup_list *ret_list);

/* The one of the list that a backup builds upon; borrowed. NULL: it is a full one, or there is
 * none. */
struct vps_backup *vps_backup_base(const struct vps_backup_list *list,
				   const struct backup_info *info);
/* Is all that it builds upon in the list? */
bool vps_backup_is_complete(const struct vps_backup_list *list, const struct backup_info *info);

/* file: a path, or the name of one in the host's own directory. ERR_INVALID: it is damaged. */
MUST_CHECK struct err *vps_backup_verify(const struct vps_host *host, const char *file,
					 struct template_progress *progress,
					 struct vps_backup *ret_backup);

struct vps_restore {
	const char *file;
	const char *name;   /* of the VPS that is made; NULL: as it was called */
	const char *layout; /* NULL: as it was, or as the host chooses */
	struct template_progress *progress;
};
/*
 * Make a VPS of a backup. Under its old name it has everything of its own again; under another one
 * it is another VPS: host name, ids, machine id and no addresses. ERR_EXISTS. *ret_name is owned.
 */
MUST_CHECK struct err *vps_restore(const struct vps_host *host, const struct vps_restore *request,
				   char **ret_name);

/* A file, or a directory with all below it, into a directory that root alone can enter; made when
 * missing. ERR_NOT_FOUND: it is not in the backup; ERR_STATE: others can enter it. */
struct vps_restore_path {
	const char *file, *path, *dir;
	struct template_progress *progress;
};
MUST_CHECK struct err *vps_restore_path(const struct vps_host *host,
					const struct vps_restore_path *request);

struct vps_export {
	const char *name;
	const char *file; /* as template_export_tree() wants it, which is not there */
	bool as_image;	  /* a container image, an OCI layout in that archive */
	struct template_progress *progress;
};
/* The tree of a VPS as a tar archive, without its definition, held still as for a backup. An image
 * needs room for the tree twice, where the file is.
 * *ret_skipped: sockets and device nodes, which are not in it. ERR_EXISTS; ERR_INVALID: the name.
 */
MUST_CHECK struct err *vps_export(const struct vps_host *host, const struct vps_export *request,
				  uint64_t *ret_skipped);

#endif
