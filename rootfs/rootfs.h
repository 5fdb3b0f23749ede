/*
 * A container's root: mounts, devices, masks, console, pivot. A plan (struct rootfs_spec, pure
 * data) is opened by the parent with the host's eyes, then built and entered by the container's
 * init. Every path below the root is resolved by base/path.h to a descriptor before anything is
 * mounted on it. Rests on mount(2), open_tree(2), mount_setattr(2), pivot_root(2), Linux 5.12;
 * threat: the root's content is hostile, and so may be what other containers write to volumes.
 */
#ifndef ROOTFS_ROOTFS_H
#define ROOTFS_ROOTFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "namespaces/namespaces.h"

enum mount_idmap { MOUNT_NO_IDMAP, MOUNT_IDMAP, MOUNT_RIDMAP };

struct mount_spec {
	char *destination, *source, *type; /* owned; source and type may be NULL */
	unsigned long flags;		   /* MS_* that were asked for */
	unsigned long clear_flags;	   /* MS_* that were asked away ("rw", "exec", "suid") */
	uint64_t rec_set, rec_clear;	   /* MOUNT_ATTR_* for mount_setattr(AT_RECURSIVE) */
	unsigned long propagation;	   /* MS_SHARED, MS_SLAVE, ... perhaps | MS_REC; 0: none */
	char *data; /* file system options, comma separated; owned; NULL: none */
	enum mount_idmap idmap;
	struct id_maps maps; /* for idmap; empty: the container's */
	/* outside ids of maps count from the container's own ids (crun's "@") */
	bool uids_relative, gids_relative;
	bool copy_up; /* tmpcopyup: a tmpfs that starts with what was there */
	bool copy_symlink, source_nofollow, dest_nofollow; /* crun's extensions */
};

void mount_spec_release(struct mount_spec *mount);
/* Add one option string ("ro", "size=64k") to the mount. ERR_INVALID for a malformed one. */
MUST_CHECK struct err *mount_spec_option(struct mount_spec *mount, const char *option);
/* True for a bind mount, by option or by type. */
bool mount_spec_is_bind(const struct mount_spec *mount);
/* The rules between the fields of one mount whose options are all in; user_ns: the container has a
 * user namespace of its own. ERR_INVALID. */
MUST_CHECK struct err *mount_spec_check(const struct mount_spec *mount, bool user_ns);
/* The i-th option name that is not file system data, NULL past the end; for `features` and the
 * manual. Sorted. */
const char *mount_option_name(size_t i);

struct device_node {
	char type;  /* 'c', 'b', 'u' or 'p' */
	char *path; /* in the container; also the host's node where mknod(2) is not allowed */
	int64_t major, minor;
	mode_t mode; /* permission bits */
	uid_t uid;
	gid_t gid;
};

/* Where udev lists the host's node of a device number: "/dev/char/1:3". */
#define ROOTFS_DEVICE_PATH_MAX 64
void rootfs_device_listed(const struct device_node *device, char *ret_path);

/* Pure data, filled by runtime/spec. All strings owned. */
struct rootfs_spec {
	char *path; /* of the root on the host, absolute */
	bool readonly;
	/* of the container's "/", set at the end; MS_SHARED in it also lets mounts on shared
	 * volumes reach the host. 0: the host's mounts arrive, none leave (MS_SLAVE | MS_REC) */
	unsigned long propagation;
	struct mount_spec *mounts;
	size_t mount_count;
	struct device_node *devices; /* besides the default ones, or instead of those they name */
	size_t device_count;
	struct strlist masked_paths, readonly_paths;
	char *mount_label;	  /* SELinux context= for file systems that take one */
	struct id_maps root_maps; /* not empty: mount the root idmapped with these (VPS layouts) */
};

void rootfs_spec_release(struct rootfs_spec *spec);
/* The i-th device of such a root, NULL past the end: the default ones, then those of the spec,
 * which may have a default one's path. */
const struct device_node *rootfs_device(const struct rootfs_spec *spec, size_t i);
/*
 * The rules between the fields that need no kernel: absolute paths, a source for every bind, no
 * file system data on a bind, mounts over /proc only where they are harmless, idmaps with maps,
 * devices of known types. mount_ns false: the container shares the caller's mount namespace and
 * gets a plain chroot(2), so that everything that would mount is refused. ERR_INVALID.
 */
MUST_CHECK struct err *rootfs_spec_check(const struct rootfs_spec *spec, bool user_ns,
					 bool mount_ns);

/* What the builder has to know of the container around it; borrowed. */
struct rootfs_env {
	bool user_ns;	  /* a user namespace other than the initial one: no mknod, locked mounts */
	bool new_user_ns; /* made for this container */
	bool own_pid_ns, own_net_ns, own_ipc_ns, own_cgroup_ns, own_mount_ns;
	/* init starts where the host's files are not (ns_launch_enter()): the parent opens them all
	 */
	bool no_host_files;
	bool no_pivot;		    /* MS_MOVE + chroot, for a root on initramfs */
	const struct id_maps *maps; /* of the container's user namespace, for idmap without maps */
	/* the container's cgroup below the cgroup2 mount; NULL: the one that init is in */
	const char *cgroup_path;
	const char *notify_dir; /* host directory to bind on /run/notify; NULL: none */
	/* detached mount that is the root instead of what lies at spec->path, with its ids mapped
	 * already; borrowed; 0: none. It goes where the container goes: close it after the birth.
	 */
	int root_tree_fd;
	bool terminal;
};

/* Descriptors that the parent opened; inherited by init; -1 where not needed. */
struct rootfs_handles {
	int root_fd;   /* detached tree of the root, or -1: init opens it itself */
	int notify_fd; /* the same for env.notify_dir */
	int *mount_fd; /* one per mount of the spec: the same for bind sources; owned */
	size_t mount_count;
};
#define ROOTFS_HANDLES_INIT                    \
	{                                      \
		.root_fd = -1, .notify_fd = -1 \
	}

void rootfs_handles_release(struct rootfs_handles *handles);
/*
 * Parent, before the clone: check that the root is a directory and open what init could not open
 * itself: with user_ns or no_host_files the root and all bind sources as detached trees (left to
 * init when the caller may not make them, as a rootless one), and everything idmapped.
 */
MUST_CHECK struct err *rootfs_open(const struct rootfs_spec *spec, const struct rootfs_env *env,
				   struct rootfs_handles *ret_handles);

/*
 * Init, in its new namespaces and with its ids: make the mount tree private, put the root in place,
 * do every mount, default and other devices, default links, masks and read-only paths. Uses up the
 * descriptors of handles. Changes the working directory. The root itself is still writable.
 * *ret_root_fd: O_PATH descriptor of the finished root, owned by the caller.
 */
MUST_CHECK struct err *rootfs_build(const struct rootfs_spec *spec, const struct rootfs_env *env,
				    struct rootfs_handles *handles, int *ret_root_fd);
/*
 * Init, between build and enter: a new pty in the container's own devpts (the caller's when it has
 * none), bound on /dev/console. Both owned by the caller.
 */
MUST_CHECK struct err *rootfs_open_console(int root_fd, const struct rootfs_env *env,
					   int *ret_master_fd, int *ret_slave_fd);
/* The pty alone, for exec; root_fd: the container's root, also from inside. Both owned. */
MUST_CHECK struct err *rootfs_open_pty(int root_fd, int *ret_master_fd, int *ret_slave_fd);
/*
 * Init: make root_fd the root and the working directory, drop the old root, then apply read-only
 * and propagation to the new one. No host path is reachable afterwards.
 */
MUST_CHECK struct err *rootfs_enter(const struct rootfs_spec *spec, const struct rootfs_env *env,
				    int root_fd);

/* A file that is to be covered by a mount of the host's. */
#define ROOTFS_COVERS_MAX 16
struct rootfs_cover {
	const char *name;   /* in the directory */
	const char *source; /* on the host; NULL: nothing is mounted */
	bool uncover;	    /* what lies on it now is taken away first */
};
/*
 * The same for a container that runs, in its init's mount namespace, nosuid and nodev; dir has one
 * component, as "/proc", and at most ROOTFS_COVERS_MAX files. What fails leaves the files before it
 * done. ERR_SYS; ETIMEDOUT: a file system, the container's or the source's, does not answer.
 */
MUST_CHECK struct err *rootfs_cover_files(int init_pidfd, const char *dir,
					  const struct rootfs_cover *files, size_t count);

#endif
