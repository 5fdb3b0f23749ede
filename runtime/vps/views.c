/*
 * Honest views: where lxcfs runs, the files of /proc that tell of resources show the VPS's own
 * (free, top, uptime). Without it they show the host's, and doctor says so. Source: lxcfs(1).
 */
#include <unistd.h>

#include "runtime/vps/room.h"
#include "runtime/vps/views.h"

#define FILES(dir)                                                                        \
	{                                                                                 \
		dir "cpuinfo", dir "diskstats", dir "loadavg", dir "meminfo", dir "stat", \
			dir "swaps", dir "uptime", NULL                                   \
	}

const char *const view_files[VIEWS_MAX + 1] = FILES("");
const char *const view_sources[VIEWS_MAX + 1] = FILES(VIEWS_DIR "/proc/");
const char *const view_places[VIEWS_MAX + 1] = FILES("/proc/");
const char view_proc[] = "/proc";

bool views_there(void)
{
	/* a mount whose lxcfs died answers ENOTCONN */
	return access(VIEWS_DIR "/proc/meminfo", R_OK) == 0;
}

struct err *views_fill(struct rootfs_spec *root)
{
	if (!views_there())
		return NULL;
	for (size_t i = 0; view_files[i]; i++)
		TRY(policy_add_mount(root, &(struct policy_mount){ "bind", view_sources[i],
								   view_places[i],
								   "bind,nosuid,nodev" }));
	return NULL;
}
