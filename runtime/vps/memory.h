/*
 * A VPS whose memory is on disk. Suspending writes its processes into dump/NAME and ends them,
 * resuming makes them again from there; both are the work of somebody above this folder (CRIU, in
 * migrate-criu), who is handed in.
 *
 *	.NAME~dump	is being written: it runs
 *	NAME		it is suspended; what runs of it is ended, whatever it did is void
 *	.NAME~resume	its processes were made and are let go: when they live it runs, and this is
 *			removed; else it is suspended
 *
 * Each step is one rename. The processes stand still, frozen, from before the images are begun
 * until the first rename, and are not let go before the second. Whoever works on them has the VPS's
 * lock until his end, so the next command finds one of the three and finishes or undoes it
 * (vps_recover()).
 */
#ifndef RUNTIME_VPS_MEMORY_H
#define RUNTIME_VPS_MEMORY_H

#include "runtime/vps/vps.h"

struct vps_images {
	const struct ct_root *root;
	const char *name;
	const char *path;     /* directory of the images */
	const char *log_path; /* and of a log; made when it is missing */
	int lock_fd;	      /* to be kept open by every process that works on the VPS's */
};

struct vps_memory {
	/* ERR_UNSUPPORTED: this host cannot do it. */
	struct err *(*check)(void);
	/* ERR_UNSUPPORTED: it has something that cannot be taken along; named with its process and
	 * the cure. Nothing is done to it. */
	struct err *(*look)(const struct cgroup *cgroup, pid_t init);
	/* spec: what the VPS was made of, emptied. written(arg): called when all is in the images
	 * and nothing runs; its error lets the VPS run on, else its processes are ended. */
	struct err *(*write)(const struct vps_images *images, struct spec *spec,
			     struct err *(*written)(void *arg), void *arg);
	/* As ct_adopt(); ports: the cables that it has, whose ends are to be made. */
	struct err *(*read)(const struct vps_images *images, const struct ct_create *request,
			    const struct net_ports *ports, struct ct_started *ret_started);
};

/* ERR_STATE: it does not run; ERR_UNSUPPORTED, ERR_PEER: why it cannot be done. Then it runs on. */
MUST_CHECK struct err *vps_suspend(const struct vps_host *host, const char *name,
				   const struct vps_memory *memory);
/* One that is paused is let go. ERR_STATE: it is not suspended. On failure it stays so. */
MUST_CHECK struct err *vps_resume(const struct vps_host *host, const char *name,
				  const struct vps_memory *memory);

#endif
