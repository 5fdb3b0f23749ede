/*
 * Replacing the disk of a stopped VPS, and its definition with it, as one act. Under the VPS's
 *lock; whoever takes the lock next finishes or forgets what a killed command began.
 *
 *	.NAME		the new disk, whole
 *	.NAME~half	the new definition, being written
 *	.NAME~swap	the same, whole: from here on the act is known
 *	NAME -> .NAME~old	from here on it is finished, never undone
 *	.NAME -> NAME
 *	NAME.conf	replaced
 *	.NAME~old	removed, then .NAME~swap
 *
 * The other act that must not end half way is holding a VPS still for a copy: .NAME~frozen says so.
 * .NAME~backup is such a copy, which a killed backup left.
 * "~" stands in no VPS's name.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "runtime/vps/room.h"

#define SWAP "~swap"
#define HALF "~half"
#define OLD "~old"
#define FROZEN "~frozen"

/* The private directory and the names in it. */
struct site {
	int private_fd;
	char *fresh, *old, *half, *journal, *frozen, *copy; /* owned */
};
#define SITE_INIT                \
	{                        \
		.private_fd = -1 \
	}

static void own_site(struct site *site)
{
	own_fd(&site->private_fd);
	free(site->fresh);
	free(site->old);
	free(site->half);
	free(site->journal);
	free(site->frozen);
	free(site->copy);
}

static struct err *open_site(const struct vps_host *host, const char *name, struct site *ret_site)
{
	OWN(site) struct site site = SITE_INIT;

	site.private_fd = open(host->private_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (site.private_fd < 0)
		return err_sys(errno, "open %s", host->private_dir);
	TRY(str_format(&site.fresh, ".%s", name));
	TRY(str_format(&site.old, ".%s" OLD, name));
	TRY(str_format(&site.half, ".%s" HALF, name));
	TRY(str_format(&site.journal, ".%s" SWAP, name));
	TRY(str_format(&site.frozen, ".%s" FROZEN, name));
	TRY(str_format(&site.copy, ".%s" BACKUP_SUFFIX, name));
	*ret_site = site;
	site = (struct site)SITE_INIT;
	return NULL;
}

static bool is_there(const struct site *site, const char *name)
{
	struct stat st;

	return fstatat(site->private_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static struct err *move(const struct site *site, const char *from, const char *to)
{
	if (renameat2(site->private_fd, from, site->private_fd, to, RENAME_NOREPLACE) < 0)
		return err_sys(errno, "rename the disk %s to %s", from, to);
	return fsync(site->private_fd) < 0 ? err_sys(errno, "sync the directory of disks") : NULL;
}

static struct err *forget(const struct site *site, const char *file)
{
	if (unlinkat(site->private_fd, file, 0) < 0 && errno != ENOENT)
		return err_sys(errno, "remove %s", file);
	return NULL;
}

static struct err *remove_named(const struct vps_host *host, const char *name)
{
	return disk_remove(&(struct disk){
		.parent = host->private_dir, .name = name, .template_dir = host->template_dir });
}

/* Everything after the old disk went away from its name. */
static struct err *finish(const struct vps_host *host, const struct site *site, const char *name)
{
	OWN(buf) struct buf text = { 0 };
	OWN(conf_file) struct conf_file file = { 0 };

	TRY(file_read(site->private_fd, site->journal, CONF_FILE_MAX, &text));
	TRY(err_wrap(conf_file_parse(text.data, text.len, &file), "%s", site->journal));
	if (!is_there(site, name))
		TRY(move(site, site->fresh, name));
	TRY(store_write(host, name, &file));
	TRY(remove_named(host, site->old));
	return forget(site, site->journal);
}

static struct err *write_file(const struct site *site, const char *name, const struct buf *text)
{
	OWN(fd)
	int fd = openat(site->private_fd, name,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(errno, "create %s", name);
	TRY(fd_write_all(fd, name, text->data ? text->data : "", text->len));
	return fsync(fd) < 0 ? err_sys(errno, "sync %s", name) : NULL;
}

/* Whole or not at all. The half one has a name of its own, so that the next command finds it. */
static struct err *write_journal(const struct site *site, const struct buf *text)
{
	TRY(write_file(site, site->half, text));
	if (renameat(site->private_fd, site->half, site->private_fd, site->journal) < 0)
		return err_sys(errno, "name %s", site->journal);
	return fsync(site->private_fd) < 0 ? err_sys(errno, "sync the directory of disks") : NULL;
}

struct err *vps_swap(const struct vps_host *host, const char *name, const struct conf_file *file)
{
	OWN(site) struct site site = SITE_INIT;
	OWN(buf) struct buf text = { 0 };

	TRY(open_site(host, name, &site));
	TRY(conf_file_format(file, &text));
	TRY(write_journal(&site, &text));
	TRY(move(&site, name, site.old));
	return finish(host, &site, name);
}

/* --- holding still --- */

struct err *vps_freeze(const struct vps_host *host, const char *name, bool *ret_frozen)
{
	OWN(site) struct site site = SITE_INIT;
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	OWN(ct_state) struct ct_state state = { 0 };
	struct err *err;

	*ret_frozen = false;
	TRY(ct_root_open(host->run_dir, &root));
	err = ct_load(&root, name, &state);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* it does not run: it stands still already */
		return NULL;
	}
	if (err || state.status != CT_RUNNING)
		return err;
	TRY(open_site(host, name, &site));
	TRY(write_file(&site, site.frozen, &(struct buf){ 0 }));
	TRY(ct_pause(&root, name));
	*ret_frozen = true;
	return NULL;
}

static struct err *thaw(const struct vps_host *host, const struct site *site, const char *name)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	struct err *err;

	TRY(ct_root_open(host->run_dir, &root));
	err = ct_resume(&root, name);
	/* it ended meanwhile, or was never stopped: then it is not to be resumed either */
	if (err && err_kind(err) != ERR_NOT_FOUND && err_kind(err) != ERR_STATE)
		return err;
	err_drop(err);
	return forget(site, site->frozen);
}

struct err *vps_thaw(const struct vps_host *host, const char *name)
{
	OWN(site) struct site site = SITE_INIT;

	TRY(open_site(host, name, &site));
	return thaw(host, &site, name);
}

/* --- after a kill --- */

struct err *vps_recover(const struct vps_host *host, const char *name)
{
	OWN(site) struct site site = SITE_INIT;

	TRY(suspend_recover(host, name));
	TRY(open_site(host, name, &site));
	if (is_there(&site, site.frozen))
		TRY(thaw(host, &site, name));
	if (is_there(&site, site.copy))
		TRY(remove_named(host, site.copy));
	TRY(forget(&site, site.half));
	if (is_there(&site, site.journal) && is_there(&site, site.old))
		return finish(host, &site, name);
	/* not begun, or all done but the last step; without a journal a disk that was not
	 * finished, or not removed */
	if (is_there(&site, site.fresh))
		TRY(remove_named(host, site.fresh));
	return forget(&site, site.journal);
}
