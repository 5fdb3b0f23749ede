/*
 * The layout overlay: a template's unpacked tree, shared by all that were made from it, below a
 * private upper layer. On disk:
 *
 *	upper/	what the VPS changed, and "/" itself
 *	work/	overlayfs' own
 *	lower	the tree's digest and our hold on it (rootfs/template.h)
 *
 * overlayfs itself cannot be mapped to other ids, but its layers can be, since Linux 5.19; it never
 * overrides a quota (ovl_fill_super() gives up CAP_SYS_RESOURCE). It takes its layers by path, so
 * it is mounted by a child in a mount namespace of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "rootfs/disk.h"
#include "rootfs/tree.h"

#define LOWER_FILE "lower"
#define LOWER_MAX 128
#define REPORT_TEXT_MAX 512

/* --- the hold on the template --- */

/* ERR_NOT_FOUND: this is no overlay, or one that was not finished. */
static struct err *read_hold(int dir_fd, struct template_hold *ret_hold)
{
	OWN(buf) struct buf text = { 0 };

	TRY(file_read(dir_fd, LOWER_FILE, LOWER_MAX, &text));
	return template_hold_parse(text.data, text.len, ret_hold);
}

struct err *overlay_let_go(int dir_fd, const char *template_dir)
{
	OWN(template_store) struct template_store store = TEMPLATE_STORE_INIT;
	struct template_hold hold;
	struct err *err = read_hold(dir_fd, &hold);

	if (err) {
		err_drop(err); /* another layout, where a tenant may have a file of this name */
		return NULL;
	}
	TRY(template_store_open(template_dir, TEMPLATE_READ, &store));
	return template_hold_drop(&store, &hold);
}

/* First the note, then the hold: a kill between the two leaves a note that means nothing. */
static struct err *take_hold(const struct open_disk *open, const char *digest)
{
	OWN(template_store) struct template_store store = TEMPLATE_STORE_INIT;
	OWN(buf) struct buf text = { 0 };
	struct template_hold hold;

	TRY(template_store_open(open->disk->template_dir, TEMPLATE_READ, &store));
	TRY(template_hold_init(digest, &hold));
	TRY(template_hold_format(&hold, &text));
	TRY(file_replace(open->dir_fd, LOWER_FILE, 0600, text.data, text.len));
	return template_hold_take(&store, &hold);
}

/* --- making --- */

/* "/" of the VPS is the upper directory: it looks as the template's does. */
static struct err *make_layers(const struct open_disk *open, const struct stat *root)
{
	static const char *const names[] = { "upper", "work" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (mkdirat(open->dir_fd, names[i], 0700) < 0)
			return err_sys(errno, "make %s/%s", open->path, names[i]);
	if (fchownat(open->dir_fd, "upper", root->st_uid, root->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(open->dir_fd, "upper", root->st_mode & 07777, 0) < 0)
		return err_sys(errno, "give %s/upper its owner", open->path);
	return NULL;
}

static struct err *overlay_fill(const struct open_disk *open, const struct disk_source *source,
				const struct disk_new *new)
{
	struct stat root;

	(void)new;
	if (!source->template)
		return err_new(ERR_UNSUPPORTED,
			       "the layout overlay begins with a template; nothing "
			       "else can be turned into one");
	if (fstat(source->tree_fd, &root) < 0)
		return err_sys(errno, "look at template %s", source->template->name);
	TRY(take_hold(open, source->template->digest));
	return make_layers(open, &root);
}

static struct err *overlay_copy(const struct open_disk *from, const struct open_disk *to,
				const struct disk_new *new)
{
	OWN(fd) int from_fd = -1, to_fd = -1;
	struct template_hold hold;
	struct stat root;

	TRY(read_hold(from->dir_fd, &hold));
	TRY(path_open_beneath(from->dir_fd, "upper", O_RDONLY | O_DIRECTORY, &from_fd));
	if (fstat(from_fd, &root) < 0)
		return err_sys(errno, "look at %s/upper", from->path);
	TRY(take_hold(to, hold.digest));
	TRY(make_layers(to, &root));
	TRY(path_open_beneath(to->dir_fd, "upper", O_RDONLY | O_DIRECTORY, &to_fd));
	return disk_copy_source(&(struct disk_source){ .tree_fd = from_fd }, to_fd, new);
}

/* --- mounting --- */

struct report {
	enum err_kind kind;
	int errnum;
	char text[REPORT_TEXT_MAX];
};

struct layers {
	int lower_fd, upper_fd; /* detached mounts; upper's root is the disk's directory */
	uint32_t uid, gid;	/* root's ids on both */
};

/*
 * overlayfs works in its layers as who mounted it, and nobody but the VPS has ids there: an own
 * file of work/ could not be made (and the overlay would be read-only). All capabilities stay.
 * Source: ovl_setup() and cap_emulate_setxuid().
 */
static struct err *become_layers_root(const struct layers *layers)
{
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0)
		return err_sys(errno, "keep the capabilities");
	setfsgid(layers->gid);
	setfsuid(layers->uid);
	/* both say nothing of failure: the second call tells what the first one did */
	if ((uint32_t)setfsgid((gid_t)-1) != layers->gid ||
	    (uint32_t)setfsuid((uid_t)-1) != layers->uid)
		return err_new(ERR_SYS, "take the ids of the layers");
	return NULL;
}

static struct err *attach(int tree_fd, const char *path)
{
	OWN(fd) int place_fd = -1;

	if (mkdir(path, 0700) < 0)
		return err_sys(errno, "make %s", path);
	place_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return place_fd < 0 ? err_sys(errno, "open %s", path) :
			      tree_attach_fd(tree_fd, place_fd, path);
}

static struct err *configure(int fs_fd)
{
	static const struct {
		const char *key, *value;
	} options[] = {
		{ "lowerdir", "/proc/lower" },
		{ "upperdir", "/proc/upper/upper" },
		{ "workdir", "/proc/upper/work" },
		/* renaming a directory of the template works as on any disk */
		{ "redirect_dir", "on" },
		/* both would trust what an earlier, broken mount left in the layers */
		{ "metacopy", "off" },
		{ "index", "off" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (fsconfig(fs_fd, FSCONFIG_SET_STRING, options[i].key, options[i].value, 0) < 0)
			return err_sys(errno, "overlay option %s", options[i].key);
	if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(errno, "make the overlay");
	return NULL;
}

/* In the child. /proc is a mount point on every host; what we put there nobody else sees. */
static struct err *mount_layers(const struct layers *layers, int *ret_tree_fd)
{
	OWN(fd) int fs_fd = -1;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(errno, "enter a mount namespace");
	if (mount("cella", "/proc", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k") < 0)
		return err_sys(errno, "mount a place for the layers");
	TRY(attach(layers->lower_fd, "/proc/lower"));
	TRY(attach(layers->upper_fd, "/proc/upper"));
	TRY(become_layers_root(layers));
	fs_fd = fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs_fd < 0)
		return err_new(ERR_UNSUPPORTED,
			       "this host has no overlayfs; 'modprobe overlay' brings it");
	TRY(configure(fs_fd));
	*ret_tree_fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, 0);
	return *ret_tree_fd < 0 ? err_sys(errno, "mount the overlay") : NULL;
}

_Noreturn static void child_main(const struct layers *layers, int socket_fd)
{
	struct report report = { 0 };
	int tree_fd = -1;
	struct err *err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	err = mount_layers(layers, &tree_fd);
	if (err) {
		report.kind = err_kind(err);
		report.errnum = err_errno(err);
		snprintf(report.text, sizeof(report.text), "%s", err_text(err));
		err_drop(err); /* the parent says it */
	}
	err_drop(fd_send(socket_fd, &report, sizeof(report), tree_fd)); /* end of file, then */
	proc_exit(0);
}

static struct err *hear(int socket_fd, int *ret_tree_fd)
{
	OWN(fd) int tree_fd = -1;
	struct report report;
	size_t len;

	TRY(fd_recv(socket_fd, &report, sizeof(report), &len, &tree_fd));
	if (len != sizeof(report))
		return err_new(ERR_PEER, "the mounting process died");
	report.text[REPORT_TEXT_MAX - 1] = '\0';
	if (tree_fd < 0)
		return err_new(report.kind < ERR_KIND_COUNT ? report.kind : ERR_PEER, "%s",
			       report.text);
	*ret_tree_fd = fd_take(&tree_fd);
	return NULL;
}

static struct err *mount_in_child(const struct layers *layers, int *ret_tree_fd)
{
	OWN(fd) int ours = -1, theirs = -1;
	int pair[2], status;
	struct err *err;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(errno, "make a socket pair");
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid < 0)
		return err_sys(errno, "fork to mount an overlay");
	if (pid == 0)
		child_main(layers, theirs);
	own_fd(&theirs); /* the child's end is the only one: its death is an end of file */
	theirs = -1;
	err = hear(ours, ret_tree_fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return err;
}

/* A detached mount of a directory, with the VPS's ids. */
static struct err *open_layer(int dir_fd, const struct id_maps *maps, const char *what, int *ret_fd)
{
	const struct target target = { dir_fd, "" };
	OWN(fd) int tree_fd = -1;

	TRY(tree_find(&target, 0, &tree_fd));
	TRY(disk_map_ids(tree_fd, maps, what));
	*ret_fd = fd_take(&tree_fd);
	return NULL;
}

static struct err *overlay_mount(const struct open_disk *open, const struct id_maps *maps,
				 int *ret_tree_fd)
{
	OWN(template_store) struct template_store store = TEMPLATE_STORE_INIT;
	OWN(fd) int tree_fd = -1, lower_fd = -1, upper_fd = -1;
	struct template_hold hold;
	struct layers layers = { 0 };

	TRY(err_wrap(read_hold(open->dir_fd, &hold), "%s", open->path));
	TRY(template_store_open(open->disk->template_dir, TEMPLATE_READ, &store));
	TRY(err_wrap(template_hold_open_tree(&store, &hold, &tree_fd),
		     "the template below %s is gone", open->path));
	TRY(open_layer(tree_fd, maps, open->disk->template_dir, &lower_fd));
	TRY(open_layer(open->dir_fd, maps, open->path, &upper_fd));
	if (maps && (!id_map_out(maps->uids, maps->uid_count, 0, &layers.uid) ||
		     !id_map_out(maps->gids, maps->gid_count, 0, &layers.gid)))
		return err_new(ERR_INVALID, "%s: the VPS has no id for its root", open->path);
	layers.lower_fd = lower_fd;
	layers.upper_fd = upper_fd;
	return mount_in_child(&layers, ret_tree_fd);
}

const struct layout layout_overlay = {
	.name = "overlay",
	.is_mounted_once = true,
	.fill = overlay_fill,
	.copy = overlay_copy,
	.mount = overlay_mount,
};
