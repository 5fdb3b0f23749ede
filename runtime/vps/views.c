/*
 * Honest views: where lxcfs runs, the files of /proc that tell of resources show the VPS's own
 * (free, top, uptime). Without it they show the host's, and doctor says so. Source: lxcfs(1).
 */
#include <unistd.h>

#include "runtime/vps/room.h"

#define LXCFS_DIR "/var/lib/lxcfs/proc"

static const char *const files[] = { "cpuinfo", "diskstats", "loadavg", "meminfo",
				     "stat",	"swaps",     "uptime" };

static struct err *add_mount(struct rootfs_spec *root, const char *file)
{
	OWN(str) char *source = NULL, *destination = NULL;

	TRY(str_format(&source, LXCFS_DIR "/%s", file));
	TRY(str_format(&destination, "/proc/%s", file));
	return policy_add_mount(
		root, &(struct policy_mount){ "bind", source, destination, "bind,nosuid,nodev" });
}

bool views_there(void)
{
	/* a mount whose lxcfs died answers ENOTCONN */
	return access(LXCFS_DIR "/meminfo", R_OK) == 0;
}

struct err *views_fill(struct rootfs_spec *root)
{
	if (!views_there())
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		TRY(add_mount(root, files[i]));
	return NULL;
}
