/*
 * Checkpoint and restore through CRIU, which is a program that may or may not be installed. It is
 * driven over its remote procedure calls (criu swrk); this folder knows what of a container CRIU
 * has to be told and waits for its word. Rests on criu(8) and images/rpc.proto of CRIU.
 */
#ifndef MIGRATE_CRIU_MIGRATE_CRIU_H
#define MIGRATE_CRIU_MIGRATE_CRIU_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "runtime/runtime.h"
#include "runtime/vps/memory.h"

enum cr_cgroups { CR_CGROUPS_SOFT, CR_CGROUPS_FULL, CR_CGROUPS_STRICT, CR_CGROUPS_IGNORE };
enum cr_network_lock { CR_LOCK_DEFAULT, CR_LOCK_IPTABLES, CR_LOCK_NFTABLES, CR_LOCK_SKIP };

/* What a caller may choose; zero value: nothing but a path is asked for. Strings are borrowed. */
struct cr_options {
	const char *image_path; /* directory of the images */
	const char *work_path;	/* of the log; NULL: image_path */
	bool tcp_established, tcp_skip_in_flight, tcp_close, ext_unix_sk, shell_job, file_locks,
		link_remap, auto_dedup;
	uint32_t ghost_limit_bytes;   /* size of a deleted file that is kept open; 0: 1 MiB */
	bool leave_running, pre_dump; /* checkpoint */
	const char *parent_path;      /* checkpoint: of the images before, relative to image_path */
	const char *page_server_address; /* checkpoint: where pages go; NULL: into image_path */
	uint16_t page_server_port;
	bool empty_network;			     /* the network namespace is left empty */
	int cgroups;				     /* enum cr_cgroups */
	int network_lock;			     /* enum cr_network_lock */
	const char *lsm_profile, *lsm_mount_context; /* restore */
};

/*
 * Write the processes of a running or paused container into image_path. Unless they are left
 * running (leave_running, pre_dump) the container is deleted afterwards, with its poststop hooks.
 * After a failure it runs on as before.
 * Errors: ERR_UNSUPPORTED (no criu, not root, a kind of container that CRIU cannot take),
 * ERR_STATE, ERR_PEER with the first error of CRIU's log.
 */
MUST_CHECK struct err *cr_checkpoint(const struct ct_root *root, const char *id,
				     const struct cr_options *options);

/*
 * Make a container from such images and a bundle. request is as for ct_create(); what is read from
 * request->io: console_socket, pid_file, detach. On failure nothing is left. *ret_started: its
 * first process is our child. Errors as above.
 */
MUST_CHECK struct err *cr_restore(const struct ct_root *root, const struct ct_create *request,
				  const struct cr_options *options, struct ct_started *ret_started);

/* CRIU as the keeper of VPSs' memory (vps.c). */
extern const struct vps_memory cr_vps_memory;

#endif
