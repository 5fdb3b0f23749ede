/*
 * When lxcfs ends, what is read through its mounts fails in every running VPS, and the lxcfs that
 * is started next is another file system. The first command that finds another one than before
 * mounts it in all of them. Which one they have is said by a link below /run, so that the question
 * costs a few system calls.
 * Rests on statx(2), proc_pid_mountinfo(5).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "runtime/vps/room.h"
#include "runtime/vps/views.h"

#define MOUNTINFO_MAX ((size_t)4 << 20)
#define LINK "lxcfs"

/* --- which lxcfs --- */

/* Without a question to lxcfs, which may hang: the device of a mount is known here. */
static struct views_device running_lxcfs(void)
{
	struct views_device device = { "0:0" };
	struct statx found;

	if (statx(AT_FDCWD, VIEWS_DIR, AT_STATX_DONT_SYNC, STATX_TYPE, &found) == 0 &&
	    found.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		snprintf(device.text, sizeof(device.text), "%u:%u", found.stx_dev_major,
			 found.stx_dev_minor);
	return device;
}

static bool is_none(const struct views_device *device)
{
	return str_eq(device->text, "0:0");
}

/* Which one all VPSs have, as far as is known; before the first, none. */
static bool all_have(int dir_fd, const struct views_device *device)
{
	struct views_device known = { "" };

	if (readlinkat(dir_fd, LINK, known.text, sizeof(known.text) - 1) < 0)
		return is_none(device);
	return str_eq(known.text, device->text);
}

static struct err *remember(int dir_fd, const struct views_device *device)
{
	char fresh[32];

	snprintf(fresh, sizeof(fresh), LINK ".%d", (int)getpid());
	if (symlinkat(device->text, dir_fd, fresh) < 0 || renameat(dir_fd, fresh, dir_fd, LINK) < 0)
		return err_sys(errno, "write the link " LINK " below /run");
	return NULL;
}

/* --- what a VPS has --- */

/* Words of a line of mountinfo that count. The order of the lines says nothing: a tree that was
 * opened early has a lower number than what it is mounted on later. */
struct mount_line {
	const char *id, *parent, *device, *point, *type;
};

/* More of them on these few files are a tenant's doing, and passed over. */
#define MOUNTS_MAX 128
struct mount_lines {
	struct mount_line items[MOUNTS_MAX];
	size_t count;
};

static bool split(char *line, struct mount_line *ret_line)
{
	char *words[5], *dash = strstr(line, " - ");

	if (!dash)
		return false;
	*dash = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!(words[i] = strsep(&line, " ")))
			return false;
	dash += strlen(" - ");
	dash[strcspn(dash, " ")] = '\0';
	*ret_line = (struct mount_line){ words[0], words[1], words[2], words[4], dash };
	return true;
}

/* The topmost mount on a path, which begins on the mount below; below NULL: anywhere. */
static const struct mount_line *find_top(const struct mount_lines *mounts, const char *point,
					 const struct mount_line *below)
{
	const struct mount_line *top = NULL;

	/* each turn is one mount higher, and there are no more than all */
	for (size_t turn = 0; turn < mounts->count; turn++) {
		const struct mount_line *at = top ? top : below, *next = NULL;

		for (size_t i = 0; i < mounts->count && !next; i++)
			if (str_eq(mounts->items[i].point, point) &&
			    (!at || str_eq(mounts->items[i].parent, at->id)))
				next = &mounts->items[i];
		if (!next)
			break;
		top = next;
	}
	return top;
}

static enum view view_of(const struct mount_line *mount, const struct views_device *current)
{
	if (!mount)
		return VIEW_NONE;
	if (!str_eq(mount->type, "fuse.lxcfs"))
		return VIEW_OTHER;
	return str_eq(mount->device, current->text) ? VIEW_CURRENT : VIEW_STALE;
}

void views_parse(char *mountinfo, const struct views_device *current, struct views *ret_views)
{
	struct mount_lines mounts = { .count = 0 };
	const struct mount_line *proc;
	char *line;

	*ret_views = (struct views){ 0 };
	while ((line = strsep(&mountinfo, "\n")) && mounts.count < MOUNTS_MAX)
		if (split(line, &mounts.items[mounts.count]))
			mounts.count += str_has_prefix(mounts.items[mounts.count].point, view_proc);
	proc = find_top(&mounts, view_proc, NULL);
	for (size_t i = 0; view_files[i] && proc; i++)
		ret_views->of[i] = view_of(find_top(&mounts, view_places[i], proc), current);
}

static struct err *read_views(const struct ct_state *state, const struct views_device *current,
			      struct views *ret_views)
{
	OWN(str) char *path = NULL;
	OWN(buf) struct buf text = { 0 };

	TRY(str_format(&path, "/proc/%d/mountinfo", (int)state->pid));
	TRY(file_read(AT_FDCWD, path, MOUNTINFO_MAX, &text));
	if (text.data)
		views_parse(text.data, current, ret_views);
	return NULL;
}

/* What is to be done about it; attach: a lxcfs runs. */
static size_t plan(const struct views *views, bool attach, struct rootfs_cover *covers)
{
	size_t count = 0;

	for (size_t i = 0; view_files[i]; i++) {
		bool is_stale = views->of[i] == VIEW_STALE;

		if (is_stale || (attach && views->of[i] == VIEW_NONE))
			covers[count++] = (struct rootfs_cover){
				.name = view_files[i],
				.source = attach ? view_sources[i] : NULL,
				.uncover = is_stale,
			};
	}
	return count;
}

static struct err *renew_locked(const struct vps_host *host, const char *name,
				const struct views_device *current)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	OWN(ct_state) struct ct_state state = { 0 };
	OWN(fd) int init_pidfd = -1;
	struct rootfs_cover covers[VIEWS_MAX];
	struct views views = { 0 };
	size_t count;

	TRY(ct_root_open(host->run_dir, &root));
	TRY(ct_load(&root, name, &state));
	TRY(ct_open_init(&state, &init_pidfd));
	TRY(read_views(&state, current, &views));
	count = plan(&views, !is_none(current), covers);
	return count ? rootfs_cover_files(init_pidfd, view_proc, covers, count) : NULL;
}

/* *ret_left: another command is at work with it, and its views are to be looked at again. */
static struct err *renew_one(const struct vps_host *host, const char *name,
			     const struct views_device *current, bool *ret_left)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	struct err *err = vps_lock(host, name, VPS_LOCK_TRY, &lock);

	*ret_left = err && err_errno(err) == EBUSY;
	if (!err)
		err = renew_locked(host, name, current);
	if (err && (*ret_left || err_kind(err) == ERR_NOT_FOUND)) {
		err_drop(err); /* told by *ret_left; or it does not run */
		return NULL;
	}
	return err_wrap(err, "VPS %s", name);
}

static struct err *renew_all(const struct vps_host *host, const struct views_device *current,
			     bool *ret_whole)
{
	OWN(strlist) struct strlist names = { 0 };

	*ret_whole = true;
	TRY(vps_names(host, &names));
	for (size_t i = 0; i < names.count; i++) {
		bool left;

		/* one that has made it impossible itself is not asked again and again */
		log_warn(renew_one(host, names.items[i], current, &left));
		*ret_whole = *ret_whole && !left;
	}
	return NULL;
}

struct err *views_renew(const struct vps_host *host)
{
	const struct views_device current = running_lxcfs();
	OWN(fd) int dir_fd = open(host->monitor_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool whole;

	if (dir_fd < 0)
		return err_sys(errno, "open %s", host->monitor_dir);
	if (all_have(dir_fd, &current) || (!is_none(&current) && !views_there()))
		return NULL;
	if (is_none(&current))
		log_warning("lxcfs has ended: free, top and uptime in VPSs show the host");
	TRY(renew_all(host, &current, &whole));
	return whole ? remember(dir_fd, &current) : NULL;
}
