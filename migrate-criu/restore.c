/*
 * Restore: a container's processes from images. The engine makes what stands around them
 * (ct_adopt()), criu makes the processes, in a mount namespace that only it sees: should it be
 * killed, no mount is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "migrate-criu/groups.h"
#include "migrate-criu/place.h"

#define MOUNT_DIR "criu-root" /* in the container's state directory */

struct restorer {
	struct ct_maker base; /* first */
	const struct ct_root *root;
	const struct ct_create *request;
	const struct cr_options *options;
	const struct cr_extra *extra;
	char *criu_path;  /* owned, as the rest */
	char *mount_path; /* where the root is mounted for criu */
	char *mount_name; /* the same below the state root; NULL: not made */
	struct cr_dirs dirs;
	struct ns_fds joined;
	int console_fd; /* connected console socket, -1: none */
	struct criu criu;
	struct criu_request rpc;
	struct cgroup cgroup; /* the container's; during make, as the rest */
	struct cgroup_steps groups;
	pid_t init;
	struct ct_adoption *adoption;
	int *ret_master_fd;
};

/* --- spawn --- */

static struct err *make_mount_dir(struct restorer *restorer)
{
	OWN(str) char *root_path = realpath(restorer->root->path, NULL), *name = NULL;

	if (!root_path)
		return err_sys(errno, "find state root %s", restorer->root->path);
	TRY(str_format(&name, "%s/" MOUNT_DIR, restorer->request->id));
	TRY(str_format(&restorer->mount_path, "%s/%s", root_path, name));
	if (mkdirat(restorer->root->dir_fd, name, 0700) < 0)
		return err_sys(errno, "make %s", restorer->mount_path);
	restorer->mount_name = TAKE(name);
	return NULL;
}

/* The root must be a mount, and no other may cover the one that it is mounted on: criu(8), --root.
 */
static struct err *mount_root(const struct restorer *restorer)
{
	const struct rootfs_spec *spec = &restorer->request->spec->root;
	const int tree_fd = restorer->request->root_tree_fd;
	OWN(fd) int root_fd = -1;

	if (tree_fd > 0) {
		if (move_mount(tree_fd, "", AT_FDCWD, restorer->mount_path,
			       MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return err_sys(errno, "mount the root on %s", restorer->mount_path);
	} else if (mount(spec->path, restorer->mount_path, NULL, MS_BIND | MS_REC, NULL) < 0)
		return err_sys(errno, "mount root %s on %s", spec->path, restorer->mount_path);
	root_fd = open(restorer->mount_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return err_sys(errno, "open root %s", spec->path);
	return cr_make_mount_points(spec, root_fd);
}

/* In the mount namespace that will be criu's. */
static struct err *spawn_inside(struct restorer *restorer, const struct criu_start *start)
{
	const struct ns_spec *ns = &restorer->request->spec->ns;

	TRY(mount_root(restorer));
	/* anew: criu mounts in these directories, which works in its own namespace only */
	cr_dirs_release(&restorer->dirs);
	TRY(cr_dirs_open(restorer->options, CRIU_RESTORE, &restorer->dirs));
	if (ns->is_new[NS_USER])
		TRY(cr_dirs_map(&restorer->dirs, &ns->maps));
	cr_dirs_name(&restorer->dirs, &restorer->rpc);
	return criu_spawn(restorer->criu_path, start, &restorer->criu);
}

static struct err *spawn(struct ct_maker *maker, pid_t *ret_pid)
{
	struct restorer *restorer = (struct restorer *)maker;
	const struct spec *spec = restorer->request->spec;
	struct criu_request *rpc = &restorer->rpc;
	struct ns_launch home = NS_LAUNCH_INIT;
	struct criu_start start = { 0 };
	struct err *err;

	TRY(make_mount_dir(restorer));
	TRY(cr_outside_restore(spec, &restorer->joined, &start, rpc));
	TRY(cr_descriptors_load(restorer->dirs.images_fd, rpc));
	TRY(cr_extra_start(restorer->extra, &start));
	for (size_t i = 0; restorer->extra->external && i < restorer->extra->external->count; i++)
		TRY(strlist_add(&rpc->external, restorer->extra->external->items[i]));
	rpc->root = restorer->mount_path;
	rpc->config_file = cr_config_file(&spec->annotations);
	TRY(ns_launch_copy(&home));
	err = spawn_inside(restorer, &start);
	/* hooks run where the host is */
	TRY(err_first(err, ns_launch_leave(&home)));
	*ret_pid = restorer->criu.pid;
	return NULL;
}

/* --- make --- */

static struct err *take_master(struct restorer *restorer, int fd)
{
	static const char name[] = "/dev/pts/console";

	if (fd < 0)
		return err_new(ERR_PEER, "criu told of a terminal without giving it");
	if (restorer->console_fd >= 0)
		return fd_send(restorer->console_fd, name, sizeof(name) - 1, fd);
	if (*restorer->ret_master_fd >= 0)
		return err_new(ERR_UNSUPPORTED, "the checkpoint has more than one terminal");
	return fd_dup(fd, restorer->ret_master_fd);
}

/* They exist and are empty. */
static struct err *take_namespaces(struct restorer *restorer, pid_t pid)
{
	const struct ns_spec *ns = &restorer->request->spec->ns;

	if (ns->is_new[NS_USER])
		TRY(cr_check_ids(&ns->maps, pid));
	restorer->init = pid;
	return ct_adopt_namespaces(restorer->adoption, pid);
}

/* All is there and nothing runs: what is refused here has never been. */
static struct err *take_processes(struct restorer *restorer, pid_t pid)
{
	cgroup_tree_limit(&restorer->cgroup, &restorer->groups);
	cr_pressure_arm(&restorer->cgroup);
	return ct_adopt_init(restorer->adoption, pid);
}

static struct err *on_notice(void *arg, const struct criu_message *notice, int fd)
{
	struct restorer *restorer = arg;

	if (str_eq(notice->event, "setup-namespaces"))
		return take_namespaces(restorer, notice->pid);
	/* init alone is there and in its place; files of these groups are opened after this */
	if (str_eq(notice->event, "post-setup-namespaces"))
		return cgroup_tree_enable(&restorer->cgroup, &restorer->groups, restorer->init);
	if (str_eq(notice->event, "orphan-pts-master"))
		return take_master(restorer, fd);
	if (str_eq(notice->event, "post-restore"))
		return take_processes(restorer, notice->pid);
	return NULL;
}

static struct err *read_own_cgroup(pid_t pid, char **ret_path)
{
	OWN(str) char *path = NULL;
	OWN(buf) struct buf text = { 0 };
	const char *line;

	TRY(str_format(&path, "/proc/%d/cgroup", (int)pid));
	TRY(file_read(AT_FDCWD, path, 65536, &text));
	line = text.data ? strstr(text.data, "0::") : NULL;
	if (!line)
		return err_new(ERR_UNSUPPORTED, "criu is in no control group of version 2");
	line += strlen("0::");
	return str_format(ret_path, "%.*s", (int)strcspn(line, "\n"), line);
}

static struct err *make(struct ct_maker *maker, struct ct_adoption *adoption, int *ret_master_fd)
{
	struct restorer *restorer = (struct restorer *)maker;
	OWN(str) char *cgroup = NULL;

	restorer->adoption = adoption;
	restorer->ret_master_fd = ret_master_fd;
	TRY(read_own_cgroup(restorer->criu.pid, &cgroup));
	restorer->rpc.cgroup_root = cgroup;
	TRY(cgroup_open(cgroup, NULL, CGROUP_FS, &restorer->cgroup));
	if (restorer->options->cgroups == CR_CGROUPS_SOFT)
		TRY(cr_groups_load(restorer->dirs.images_fd, &restorer->groups));
	TRY(cgroup_tree_make(&restorer->cgroup, &restorer->groups));
	return cr_explain(criu_talk(&restorer->criu, &restorer->rpc, on_notice, restorer),
			  &restorer->dirs, restorer->rpc.log_file);
}

static void stop(struct ct_maker *maker)
{
	struct restorer *restorer = (struct restorer *)maker;

	criu_stop(&restorer->criu);
	if (restorer->mount_name &&
	    unlinkat(restorer->root->dir_fd, restorer->mount_name, AT_REMOVEDIR) < 0 &&
	    errno != ENOENT)
		log_warn(err_sys(errno, "remove %s", restorer->mount_path));
}

/* --- the whole --- */

static struct err *open_all(struct restorer *restorer)
{
	const char *console = restorer->request->io.console_socket;

	TRY(criu_check_root());
	TRY(criu_find(&restorer->criu_path));
	TRY(cr_check_spec(restorer->request->spec));
	TRY(cr_dirs_open(restorer->options, CRIU_RESTORE, &restorer->dirs));
	return console ? fd_connect_unix(console, &restorer->console_fd) : NULL;
}

static void release(struct restorer *restorer)
{
	free(restorer->criu_path);
	free(restorer->mount_path);
	free(restorer->mount_name);
	cr_dirs_release(&restorer->dirs);
	ns_fds_release(&restorer->joined);
	own_fd(&restorer->console_fd);
	criu_request_release(&restorer->rpc);
	cgroup_steps_release(&restorer->groups);
	cgroup_release(&restorer->cgroup);
}

struct err *cr_revive(const struct ct_root *root, const struct ct_create *request,
		      const struct cr_options *options, const struct cr_extra *extra,
		      struct ct_started *ret_started)
{
	struct restorer restorer = {
		.base = { .spawn = spawn, .make = make, .stop = stop },
		.root = root,
		.request = request,
		.options = options,
		.extra = extra,
		.dirs = CR_DIRS_INIT,
		.joined = NS_FDS_INIT,
		.console_fd = -1,
		.criu = CRIU_INIT,
		.cgroup = CGROUP_INIT,
		.rpc = CRIU_REQUEST_INIT,
	};
	struct err *err;

	restorer.rpc.verb = CRIU_RESTORE;
	restorer.rpc.options = options;
	err = open_all(&restorer);
	if (!err)
		err = ct_adopt(root, request, &restorer.base, ret_started);
	release(&restorer);
	return err_wrap(err, "restore %s", request->id);
}

struct err *cr_restore(const struct ct_root *root, const struct ct_create *request,
		       const struct cr_options *options, struct ct_started *ret_started)
{
	static const struct cr_extra nothing = CR_EXTRA_INIT;

	return cr_revive(root, request, options, &nothing, ret_started);
}
