/* Parts of a request that dump and restore share. Private to migrate-criu/. */
#ifndef MIGRATE_CRIU_PLACE_H
#define MIGRATE_CRIU_PLACE_H

#include "migrate-criu/rpc.h"
#include "migrate-criu/swrk.h"

/* --- dump.c, restore.c: what a VPS needs besides the options --- */
struct cr_extra {
	int lock_fd;			   /* criu has it open until its end; -1: none */
	const struct strlist *external;	   /* restore: named to criu as they are; NULL: none */
	mode_t umask_bits;		   /* dump: of the images; 0: the caller's */
	struct err *(*written)(void *arg); /* dump: called before the processes are ended */
	void *arg;
};
#define CR_EXTRA_INIT         \
	{                     \
		.lock_fd = -1 \
	}
static inline struct err *cr_extra_start(const struct cr_extra *extra, struct criu_start *start)
{
	int number;

	return extra->lock_fd < 0 ? NULL : criu_pass_fd(start, extra->lock_fd, &number);
}
/* The processes of a container that is held; they end unless the options say otherwise. */
MUST_CHECK struct err *cr_dump(const struct ct_hold *hold, const struct cr_options *options,
			       const struct cr_extra *extra);
/* cr_restore() with more. */
MUST_CHECK struct err *cr_revive(const struct ct_root *root, const struct ct_create *request,
				 const struct cr_options *options, const struct cr_extra *extra,
				 struct ct_started *ret_started);

/* --- images.c: directories, the log, which descriptors 0-2 were --- */
struct cr_dirs {
	int images_fd, work_fd; /* work_fd -1: the same */
	const char *log_path;	/* directory of the log, borrowed */
};
#define CR_DIRS_INIT                           \
	{                                      \
		.images_fd = -1, .work_fd = -1 \
	}
void cr_dirs_release(struct cr_dirs *dirs);
static inline __attribute__((unused)) void own_cr_dirs(struct cr_dirs *dirs)
{
	cr_dirs_release(dirs);
}
/* Opened; the work directory, and that of a dump's images, is made when missing (0700). */
MUST_CHECK struct err *cr_dirs_open(const struct cr_options *options, enum criu_verb verb,
				    struct cr_dirs *ret_dirs);
/*
 * In a mount namespace of our own: let the root of a user namespace with these maps read the
 * images, as CRIU's processes of the container do. The log stays ours.
 */
MUST_CHECK struct err *cr_dirs_map(struct cr_dirs *dirs, const struct id_maps *maps);
/* Into the request, whose verb is set. */
void cr_dirs_name(const struct cr_dirs *dirs, struct criu_request *request);
/* Put in front of an error of criu where its log is; NULL stays. */
MUST_CHECK struct err *cr_explain(struct err *err, const struct cr_dirs *dirs,
				  const char *log_file);
/* descriptors.json: what the first process's 0-2 are, so that pipes can be joined to the callers'
 * at the restore. Source: the same file of runc and crun. */
MUST_CHECK struct err *cr_descriptors_save(int images_fd, pid_t pid);
MUST_CHECK struct err *cr_descriptors_load(int images_fd, struct criu_request *request);
MUST_CHECK struct err *cr_descriptors_parse(const char *text, size_t len,
					    struct criu_request *request);
/* Settings of the operator's that criu reads itself: annotation org.criu.config, or runc's file. */
const char *cr_config_file(const struct strlist *annotations);

/* --- outside.c: mounts and namespaces that are not the container's own --- */
/* ERR_UNSUPPORTED, with the property: CRIU could not restore such a container as it was. */
MUST_CHECK struct err *cr_check_spec(const struct spec *spec);
MUST_CHECK struct err *cr_outside_dump(const struct spec *spec, pid_t pid,
				       struct criu_request *request);
/* Namespaces are opened into fds, which lives as long as start. */
MUST_CHECK struct err *cr_outside_restore(const struct spec *spec, struct ns_fds *fds,
					  struct criu_start *start, struct criu_request *request);
/* In a mount namespace of our own: what mounts of the container need to be mounted on. */
MUST_CHECK struct err *cr_make_mount_points(const struct rootfs_spec *spec, int root_fd);

/* --- ids.c --- */
/* Has the user namespace of pid these maps? ERR_INVALID names the property. */
MUST_CHECK struct err *cr_check_ids(const struct id_maps *maps, pid_t pid);
/* The same for the text of a map file, in any order of lines. */
bool cr_is_id_map(const char *text, const struct id_map *maps, size_t count);

#endif
