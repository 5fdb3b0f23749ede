/*
 * Namespaces: which are new, which are joined, id maps, and the one clone3(2) that makes a
 * container's first process. Knows nothing of JSON or containers. Rests on clone(2), setns(2),
 * user_namespaces(7), time_namespaces(7).
 */
#ifndef NAMESPACES_NAMESPACES_H
#define NAMESPACES_NAMESPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum ns_kind {
	NS_USER,
	NS_PID,
	NS_NET,
	NS_MOUNT,
	NS_UTS,
	NS_IPC,
	NS_CGROUP,
	NS_TIME,
	NS_KIND_COUNT
};

/* The OCI name ("network"), the name in /proc/PID/ns ("net") and the CLONE_NEW* flag of each kind.
 */
struct ns_info {
	const char *oci_name, *proc_name;
	uint64_t clone_flag;
};
extern const struct ns_info ns_infos[NS_KIND_COUNT];
/* ERR_INVALID for a name that is none. */
MUST_CHECK struct err *ns_kind_parse(const char *oci_name, enum ns_kind *ret_kind);

struct id_map {
	uint32_t inside, outside, count;
};

struct id_maps {
	struct id_map *uids, *gids; /* owned */
	size_t uid_count, gid_count;
};

void id_maps_release(struct id_maps *maps);
MUST_CHECK struct err *id_maps_copy(const struct id_maps *maps, struct id_maps *ret_maps);
/* The outside id of an inside one; false when it is not mapped. */
bool id_map_out(const struct id_map *maps, size_t count, uint32_t inside, uint32_t *ret_outside);
/* A descriptor of a fresh user namespace with these maps, for idmapped mounts. */
MUST_CHECK struct err *id_maps_open_userns(const struct id_maps *maps, int *ret_fd);

struct time_offset {
	int64_t secs;
	uint32_t nanosecs;
	bool is_set;
};

/* Zero value: every namespace shared with the caller. */
struct ns_spec {
	bool is_new[NS_KIND_COUNT];
	char *join_path[NS_KIND_COUNT]; /* owned; absolute; a kind is new or joined, not both */
	struct id_maps maps;		/* when is_new[NS_USER] */
	struct time_offset monotonic, boottime;
	bool keep_groups; /* becoming root of a user namespace does not drop the supplementary
			     groups */
};

void ns_spec_release(struct ns_spec *spec);
/* The rules between the fields: maps need a new user namespace, offsets a new time namespace, no
 * kind both ways. */
MUST_CHECK struct err *ns_spec_check(const struct ns_spec *spec);

/* Open descriptors of joined namespaces, -1 where none. */
struct ns_fds {
	int fd[NS_KIND_COUNT];
};
#define NS_FDS_INIT                                      \
	{                                                \
		.fd = { -1, -1, -1, -1, -1, -1, -1, -1 } \
	}

void ns_fds_release(struct ns_fds *fds);
/* Whether fd is a namespace of that kind. */
bool ns_is_kind(int fd, enum ns_kind kind);
/* Whether we are in the host's first user namespace. */
MUST_CHECK struct err *ns_user_is_initial(bool *ret_initial);
/* Open and check the type of every join_path (NS_GET_NSTYPE). */
MUST_CHECK struct err *ns_open_joined(const struct ns_spec *spec, struct ns_fds *ret_fds);

struct ns_child {
	pid_t pid; /* 0 in the child, as with fork(2) */
	int pidfd; /* parent only; owned by the caller */
};

/*
 * Make a process in new and joined namespaces with one clone3(2), in the cgroup cgroup_fd (-1: the
 * caller's). Returns twice. The child has joined everything but has no ids yet: ns_become_root()
 * once its maps are written. A joined user namespace needs a short-lived second process (explained
 * in clone.c). The cgroup namespace is not made here: ns_unshare_cgroup().
 */
MUST_CHECK struct err *ns_clone(const struct ns_spec *spec, const struct ns_fds *fds, int cgroup_fd,
				struct ns_child *ret_child);

/*
 * A small pinned mount namespace to clone from, where the host has many mounts (launch.c). dir: a
 * directory of our own in which the pin lies. *ret_fd: -1 when the host has few mounts or the
 * kernel cannot tell; owned by the caller. The caller enters it around ns_clone() and comes back,
 * with its root and working directory.
 */
struct ns_launch {
	int ns_fd, cwd_fd;
};
#define NS_LAUNCH_INIT                    \
	{                                 \
		.ns_fd = -1, .cwd_fd = -1 \
	}
MUST_CHECK struct err *ns_launch_find(const char *dir, int *ret_fd);
MUST_CHECK struct err *ns_launch_enter(int launch_fd, struct ns_launch *ret_launch);
/* The same with a copy of the own namespace: the host never sees what is mounted there, and it goes
 * with the last process that is in it. */
MUST_CHECK struct err *ns_launch_copy(struct ns_launch *ret_launch);
MUST_CHECK struct err *ns_launch_leave(struct ns_launch *launch);
/* In the child, which stays where it is. */
void ns_launch_close(struct ns_launch *launch);

/* Parent, when is_new[NS_USER]: write the maps (newuidmap/newgidmap when the caller may not do it
 * itself). */
MUST_CHECK struct err *ns_write_maps(const struct ns_spec *spec, pid_t pid);
/* Child, once the maps are written: become root of its user namespace, if it has one that maps id
 * 0. */
MUST_CHECK struct err *ns_become_root(const struct ns_spec *spec);
/* Child, once it is in its final cgroup: a cgroup namespace rooted there (clone.c says why not
 * earlier). */
MUST_CHECK struct err *ns_unshare_cgroup(void);

/* CLONE_NEW* of everything that is new or joined. */
uint64_t ns_spec_flags(const struct ns_spec *spec);

/*
 * For exec: make a process in the pid namespace of the process pidfd, if flags (what
 * ns_spec_flags() said of its container) have one, and in cgroup_fd. Returns twice. The caller
 * keeps its own namespaces and privileges; the child calls ns_enter_rest() with the same flags when
 * it needs the host no longer, and is then root there.
 */
MUST_CHECK struct err *ns_clone_into(int pidfd, uint64_t flags, int cgroup_fd,
				     struct ns_child *ret_child);
MUST_CHECK struct err *ns_enter_rest(int pidfd, uint64_t flags);

#endif
