/*
 * Honest views: where lxcfs runs, the files of /proc that tell of resources show the VPS's own
 * (free, top, uptime). Without it they show the host's, and doctor says so. Source: lxcfs(1).
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/vps/room.h"

#define LXCFS_DIR "/var/lib/lxcfs/proc"

static const char *const files[] = { "cpuinfo", "diskstats", "loadavg", "meminfo",
				     "stat",	"swaps",     "uptime" };

static struct err *add_mount(struct rootfs_spec *root, const char *file)
{
	struct mount_spec *mounts =
		reallocarray(root->mounts, root->mount_count + 1, sizeof(*mounts));
	struct mount_spec *mount;

	if (!mounts)
		return err_sys(ENOMEM, "plan mounts");
	root->mounts = mounts;
	mount = &mounts[root->mount_count++];
	*mount = (struct mount_spec){ 0 };
	TRY(str_dup("bind", &mount->type));
	TRY(str_format(&mount->source, LXCFS_DIR "/%s", file));
	TRY(str_format(&mount->destination, "/proc/%s", file));
	TRY(mount_spec_option(mount, "bind"));
	TRY(mount_spec_option(mount, "nosuid"));
	return mount_spec_option(mount, "nodev");
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
