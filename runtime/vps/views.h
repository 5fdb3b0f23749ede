/* Private to runtime/vps: which views of lxcfs a VPS has. See views.c, views_renew.c. */
#ifndef RUNTIME_VPS_VIEWS_H
#define RUNTIME_VPS_VIEWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define VIEWS_DIR "/var/lib/lxcfs"
#define VIEWS_MAX 7

/* The files, NULL-terminated: their names below /proc, where they are in lxcfs, and in a VPS. */
extern const char view_proc[];
extern const char *const view_files[VIEWS_MAX + 1], *const view_sources[VIEWS_MAX + 1],
							    *const view_places[VIEWS_MAX + 1];

/* Which lxcfs a mount is of: the number of its device; "0:0": none. */
#define VIEWS_DEVICE_MAX 24
struct views_device {
	char text[VIEWS_DEVICE_MAX];
};

/* What lies on a file of /proc. */
enum view {
	VIEW_NONE,    /* nothing: it shows the host */
	VIEW_CURRENT, /* the lxcfs that runs */
	VIEW_STALE,   /* one that has ended: all that is read fails */
	VIEW_OTHER    /* something that the VPS put there itself */
};
struct views {
	enum view of[VIEWS_MAX];
};

/*
 * From the text of /proc/PID/mountinfo, which is changed. A VPS names its mounts as it likes, so
 * nothing in it is an error. Source: proc_pid_mountinfo(5).
 */
void views_parse(char *mountinfo, const struct views_device *current, struct views *ret_views);

#endif
