/*
 * What an increment need not hold: an entry that is as it was in the base. A file whose inode and
 * change time are still the same was not touched, and is not read; another one is read, and its
 * digest compared: copies of a disk (dir on xfs, overlay, restored ones) have other inodes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "base/path.h"
#include "rootfs/backup_room.h"

/* The kernel's clock for files ticks coarsely: what changed shortly before the base was made may
 * have changed after it within the same tick. */
#define TICK_S 1

struct backup_base {
	struct index_table table;
	char digest[SHA256_HEX_MAX];
	uint64_t depth;
	int64_t created_s;
};

static struct err *fill_inside(const struct sandbox_job *job, const struct sandbox_inside *inside,
			       struct template_counts *ret_counts)
{
	const struct backup_info *info = job->context;
	struct index_table table = *(struct index_table *)job->result;

	TRY(index_table_fill(inside->archive_fd, info, &table));
	*ret_counts = (struct template_counts){ .entries = table.count };
	return NULL;
}

struct err *backup_base_open(const struct backup_link *link, uint32_t id_first,
			     struct backup_base **ret_base)
{
	OWN(backup_base) struct backup_base *base = calloc(1, sizeof(*base));
	const struct template_sandbox sandbox = { .id_first = id_first };
	struct template_counts counts;

	if (!base)
		return err_sys(ENOMEM, "read a backup's index");
	TRY(index_table_new(&link->info, &base->table));
	const struct sandbox_job job = { .archive_fd = link->fd,
					 .dest_fd = -1,
					 .sandbox = &sandbox,
					 .run = fill_inside,
					 .context = &link->info,
					 .result = &base->table };
	TRY(err_wrap(template_in_sandbox(&job, NULL, &counts), "%s", link->path));
	if (counts.entries > link->info.entries)
		return err_new(ERR_PEER, "the process that read %s lies", link->path);
	base->table.count = (size_t)counts.entries;
	base->depth = link->info.depth;
	base->created_s = (int64_t)(link->info.created_ns / 1000000000);
	memcpy(base->digest, link->info.digest, sizeof(base->digest));
	*ret_base = TAKE(base);
	return NULL;
}

void backup_base_close(struct backup_base *base)
{
	index_table_release(&base->table);
	free(base);
}

struct err *backup_base_say(const struct backup_base *base, struct backup_info *info)
{
	if (!base)
		return NULL;
	info->depth = base->depth + 1;
	return str_dup(base->digest, &info->base);
}

/* There a mapped page that was written to once may be written to again without a new change time,
 * whatever was synced between. */
static bool is_in_memory(int tree_fd)
{
	struct statfs fs;

	return fstatfs(tree_fd, &fs) < 0 || fs.f_type == TMPFS_MAGIC;
}

static bool is_untouched(const struct backup_base *base, const struct table_entry *entry,
			 const struct index_record *record)
{
	return entry->inode == record->inode && entry->ctime.s == record->ctime.s &&
	       entry->ctime.ns == record->ctime.ns && record->ctime.s < base->created_s - TICK_S;
}

/* *ret_same false: also when it cannot be read by this name; then it is written as it is. */
static struct err *compare_content(int tree_fd, const char *name, const char *digest,
				   bool *ret_same)
{
	char own[SHA256_HEX_MAX];
	OWN(fd) int fd = -1;
	struct err *err = path_open_beneath(tree_fd, name, O_RDONLY | O_NONBLOCK, &fd);

	*ret_same = false;
	err_drop(err); /* too long a path, as a rule */
	if (err)
		return NULL;
	TRY(sha256_fd(fd, "a file", own));
	*ret_same = str_eq(own, digest);
	return NULL;
}

struct err *backup_base_has(const struct backup_base *base, int tree_fd,
			    struct index_record *record, bool *ret_has, uint64_t *ret_read_bytes)
{
	const struct table_entry *entry = index_table_find(&base->table, record->name);

	*ret_has = false;
	*ret_read_bytes = 0;
	if (!entry || entry->in > base->depth || !index_table_is_same(entry, record))
		return NULL;
	*ret_has = record->type != 'f' ||
		   (is_untouched(base, entry, record) && !is_in_memory(tree_fd));
	if (!*ret_has) {
		TRY(compare_content(tree_fd, record->name, entry->digest, ret_has));
		*ret_read_bytes = record->size_bytes;
	}
	if (!*ret_has)
		return NULL;
	record->in = entry->in;
	memcpy(record->digest, entry->digest, sizeof(record->digest));
	return NULL;
}
