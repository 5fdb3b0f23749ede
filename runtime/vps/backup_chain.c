/* Backups that build upon others: which ones, to restore, to build upon and to keep. A backup knows
 * its base by the digest of the file; see backup_store.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "runtime/vps/backup_store.h"

struct vps_backup *vps_backup_base(const struct vps_backup_list *list,
				   const struct backup_info *info)
{
	for (size_t i = 0; info->base && i < list->count; i++) {
		const struct backup_info *other = &list->items[i].info;

		if (str_eq(other->digest, info->base) && other->depth + 1 == info->depth)
			return &list->items[i];
	}
	return NULL;
}

bool vps_backup_is_complete(const struct vps_backup_list *list, const struct backup_info *info)
{
	while (info->depth > 0) {
		const struct vps_backup *base = vps_backup_base(list, info);

		if (!base)
			return false;
		info = &base->info;
	}
	return true;
}

/* --- opening --- */

static struct err *open_link(const char *path, struct backup_link *ret_link)
{
	OWN(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_sys(errno, "open %s", path);
	TRY(backup_read_info(fd, path, &ret_link->info));
	TRY(str_dup(path, &ret_link->path));
	ret_link->fd = fd_take(&fd);
	return NULL;
}

static struct err *find_file(const struct vps_host *host, const char *file, char **ret_path)
{
	if (strchr(file, '/') || access(file, F_OK) == 0)
		return str_dup(file, ret_path);
	TRY(str_format(ret_path, "%s/%s", host->backup_dir, file));
	if (access(*ret_path, F_OK) == 0)
		return NULL;
	free(TAKE(*ret_path));
	return err_new(ERR_NOT_FOUND, "there is no backup %s, here or in %s", file,
		       host->backup_dir);
}

static struct err *list_beside(const struct vps_host *host, const struct backup_link *link,
			       struct vps_backup_list *ret_list)
{
	const char *slash = strrchr(link->path, '/');
	OWN(str) char *dir = NULL;

	if (slash)
		TRY(str_format(&dir, "%.*s", (int)(slash - link->path) + (slash == link->path),
			       link->path));
	return vps_backup_list(host, dir ? dir : ".", link->info.name, ret_list);
}

/* From the last one back to the full one. */
static struct err *open_bases(const struct vps_host *host, struct backup_chain *chain)
{
	OWN(vps_backup_list) struct vps_backup_list list = { 0 };
	const struct backup_link *last = backup_chain_last(chain);

	if (last->info.depth > 0)
		TRY(list_beside(host, last, &list));
	for (size_t i = chain->count - 1; i > 0; i--) {
		const struct vps_backup *base = vps_backup_base(&list, &chain->links[i].info);

		if (!base)
			return err_new(ERR_NOT_FOUND,
				       "%s: the backup that it builds upon is not beside it: put "
				       "that one there (its digest is %.16s)",
				       chain->links[i].path, chain->links[i].info.base);
		TRY(open_link(base->path, &chain->links[i - 1]));
	}
	return NULL;
}

struct err *backup_chain_open(const struct vps_host *host, const char *file,
			      struct backup_chain *ret_chain)
{
	OWN(backup_chain) struct backup_chain chain = { 0 };
	struct backup_link last = { .fd = -1 };
	OWN(str) char *path = NULL;

	for (size_t i = 0; i < BACKUP_CHAIN_MAX; i++)
		chain.links[i].fd = -1;
	TRY(find_file(host, file, &path));
	TRY(open_link(path, &last));
	chain.count = (size_t)last.info.depth + 1;
	chain.links[chain.count - 1] = last;
	TRY(open_bases(host, &chain));
	*ret_chain = chain;
	chain = (struct backup_chain){ 0 };
	return NULL;
}

/* --- building upon one --- */

struct err *backup_choose_base(const struct vps_host *host, const char *dir, const char *name,
			       struct backup_base **ret_base)
{
	OWN(vps_backup_list) struct vps_backup_list list = { 0 };

	*ret_base = NULL;
	TRY(vps_backup_list(host, dir, name, &list));
	for (size_t i = list.count; i-- > 0;) {
		OWN(backup_chain) struct backup_chain link = { .count = 1 };
		const struct backup_info *info = &list.items[i].info;
		struct err *err;

		if (!vps_backup_is_complete(&list, info))
			continue;
		if (info->depth + 1 >= BACKUP_CHAIN_MAX)
			return NULL;
		link.links[0].fd = -1;
		TRY(open_link(list.items[i].path, &link.links[0]));
		err = backup_base_open(&link.links[0], (uint32_t)host->id_first, ret_base);
		if (!err || err_kind(err) != ERR_INVALID)
			return err;
		log_warning("nothing is built upon %s", err_text(err));
		err_drop(err); /* said; an older one may be whole */
	}
	return NULL;
}

/* --- keeping --- */

OWN_KIND(flags, bool *, free)

/* The youngest so many, and all that they build upon. */
static void mark_needed(const struct vps_backup_list *list, uint64_t keep, bool *needed)
{
	for (size_t i = list->count; i-- > 0;) {
		const struct vps_backup *base;

		needed[i] |= list->count - i <= keep;
		base = needed[i] ? vps_backup_base(list, &list->items[i].info) : NULL;
		if (base)
			needed[base - list->items] = true;
	}
}

struct err *backup_retain(const struct vps_host *host, const char *dir, const char *name,
			  uint64_t keep)
{
	OWN(vps_backup_list) struct vps_backup_list list = { 0 };
	OWN(flags) bool *needed = NULL;

	TRY(vps_backup_list(host, dir, name, &list));
	needed = calloc(list.count + 1, sizeof(*needed));
	if (!needed)
		return err_sys(ENOMEM, "list backups");
	mark_needed(&list, keep, needed);
	/* the youngest first: a kill leaves none without what it builds upon */
	for (size_t i = list.count; i-- > 0;)
		if (!needed[i] && unlink(list.items[i].path) < 0 && errno != ENOENT)
			return err_sys(errno, "remove %s", list.items[i].path);
	return NULL;
}
