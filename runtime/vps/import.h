/*
 * VPSs from other systems: a directory, or an archive, with all of a system's files, and what that
 * other system has written down about it. Its configuration is translated key by key; what is not
 * taken over is told, line by line. Read-only towards the source.
 */
#ifndef RUNTIME_VPS_IMPORT_H
#define RUNTIME_VPS_IMPORT_H

#include "runtime/vps/vps.h"

struct vps_import {
	const char *source; /* the root directory, LXC's directory of a container, or an archive */
	const char *name;   /* of the VPS that is made */
	const char *config; /* a file; NULL: as the source brings one, or none */
	const char *layout; /* NULL: as the host chooses */
	struct vps_pair disk_bytes; /* unset: as the configuration says */
	bool skip_probe;	    /* as in struct vps_create */
	struct template_progress *progress;
};

/* A line of the configuration that was not taken over. Owned. */
struct vps_import_note {
	char *line, *why;
};
struct vps_import_report {
	const char *system; /* whose configuration it is: "OpenVZ"; NULL: there was none */
	struct vps_import_note *notes;
	size_t note_count;
	struct template_counts counts;
};
void vps_import_report_release(struct vps_import_report *report);
static inline __attribute__((unused)) void own_vps_import_report(struct vps_import_report *report)
{
	vps_import_report_release(report);
}

/*
 * Make a VPS of it. Files keep their ids, counted from the owner of the root directory; addresses,
 * host name and machine id stay, for it is the same server. ERR_EXISTS; ERR_INVALID: the source is
 * none, or damaged; ERR_UNSUPPORTED: a source that has to be mounted, or is a container image. A
 * kill leaves what vps_create() leaves.
 */
MUST_CHECK struct err *vps_import(const struct vps_host *host, const struct vps_import *request,
				  struct vps_import_report *ret_report);

#endif
