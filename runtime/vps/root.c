/*
 * The tree of a VPS for the host's own work in it, whatever its layout and whether it runs. The
 * tree is the tenant's and hostile: names are resolved in it (base/path.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>

#include "base/fd.h"
#include "runtime/vps/room.h"

/* What we make belongs to id. All capabilities stay, so that a file can be given to another user of
 * the VPS. */
static struct err *become(uint32_t id)
{
	if (prctl(PR_SET_SECUREBITS, id ? SECBIT_NO_SETUID_FIXUP : 0) < 0)
		return err_sys(errno, "keep the capabilities");
	setfsgid(id);
	setfsuid(id);
	/* both say nothing of failure: the second call tells what the first one did */
	if ((uint32_t)setfsgid((gid_t)-1) != id || (uint32_t)setfsuid((uid_t)-1) != id)
		return err_new(ERR_SYS, "take the ids of the VPS");
	return NULL;
}

void vps_root_close(struct vps_root *root)
{
	if (root->is_inside)
		err_drop(become(0)); /* back to what we were cannot fail */
	own_fd(&root->fd);
	*root = (struct vps_root)VPS_ROOT_INIT;
}

/*
 * The layers of an overlay that is mounted must not be changed, nor mounted once more, so it is
 * entered where the VPS has it: with the VPS's ids, and with what it has mounted there.
 */
static struct err *open_inside(const struct vps_conf *conf, const struct ct_state *state,
			       struct vps_root *ret_root)
{
	OWN(fd) int pidfd = -1;
	OWN(str) char *path = NULL;

	TRY(ct_open_init(state, &pidfd));
	TRY(str_format(&path, "/proc/%d/root", (int)state->pid));
	ret_root->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ret_root->fd < 0)
		return err_sys(errno, "open %s", path);
	if (pidfd_send_signal(pidfd, 0, NULL, 0) < 0) /* or it could be another's by now */
		return err_sys(errno, "open the root of a VPS that ended");
	TRY(become((uint32_t)conf->id_first));
	ret_root->is_inside = true;
	return NULL;
}

struct err *vps_open_empty(int *ret_fd)
{
	OWN(fd) int fs_fd = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs_fd < 0 || fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(errno, "make an empty directory");
	*ret_fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, 0);
	return *ret_fd < 0 ? err_sys(errno, "make an empty directory") : NULL;
}

struct err *vps_load_state(const struct vps_host *host, const char *name,
			   struct ct_state *ret_state, bool *ret_lives)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	struct err *err;

	*ret_lives = false;
	TRY(ct_root_open(host->run_dir, &root));
	err = ct_load(&root, name, ret_state);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* not even a trace of a start */
		return NULL;
	}
	if (!err)
		*ret_lives = ret_state->status == CT_RUNNING || ret_state->status == CT_PAUSED;
	return err;
}

struct err *vps_root_open(const struct vps_host *host, const char *name, struct vps_root *ret_root)
{
	OWN(vps_root) struct vps_root root = VPS_ROOT_INIT;
	OWN(ct_state) struct ct_state state = { 0 };
	OWN(vps_conf) struct vps_conf conf;
	struct disk disk;
	bool lives;

	vps_conf_init(&conf);
	TRY(vps_load(host, name, &conf));
	TRY(vps_load_state(host, name, &state, &lives));
	disk = vps_disk(host, name, &conf);
	TRY(lives && disk_is_mounted_once(&disk) ? open_inside(&conf, &state, &root) :
						   disk_mount(&disk, NULL, &root.fd));
	*ret_root = root;
	root = (struct vps_root)VPS_ROOT_INIT;
	return NULL;
}
