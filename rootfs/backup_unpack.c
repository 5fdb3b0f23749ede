/*
 * Unpacking the tree of a backup, or a part of it: from a full one at once; of an increment each
 * entry from the archive that the index names, the full one's first, so that what second names
 * stand for is there before them.
 */
#include <errno.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "rootfs/backup_room.h"

static bool wants(const struct template_filter *base, const char *name, mode_t type)
{
	const struct backup_choice *choice = (const void *)base;
	const struct table_entry *entry = index_table_find(choice->table, name);

	return entry && entry->in == choice->in && (!choice->only_dirs || S_ISDIR(type));
}

/* How far all archives together are. */
struct offset_progress {
	struct template_progress base;
	struct template_progress *whole;
	uint64_t before_bytes;
};

static void report_offset(struct template_progress *base, uint64_t done, uint64_t total)
{
	struct offset_progress *progress = (void *)base;

	progress->whole->report(progress->whole, progress->before_bytes + done, total);
}

/* In the sandbox. */
struct work {
	const struct sandbox_job *job;
	const struct sandbox_inside *inside;
	struct offset_progress progress;
	bool has_any; /* of what was asked for */
	struct template_counts counts;
};

struct err *backup_extract(const struct sandbox_inside *inside,
			   const struct template_sandbox *whole, struct backup_choice *choice,
			   struct template_counts *ret_counts)
{
	struct template_sandbox sandbox = *whole;

	choice->base.wants = wants;
	sandbox.filter = &choice->base;
	if (lseek(inside->archive_fd, 0, SEEK_SET) < 0)
		return err_sys(errno, "seek");
	return template_extract_in(inside, &sandbox, ret_counts);
}

static struct err *unpack_one(struct work *work, struct backup_choice *choice)
{
	const struct sandbox_inside inside = { .archive_fd =
						       work->inside->more_fd + (int)choice->in,
					       .root_fd = work->inside->root_fd,
					       .progress = &work->progress.base };
	struct template_counts counts = { 0 };
	struct err *err = backup_extract(&inside, work->job->sandbox, choice, &counts);

	if (err && err_kind(err) != ERR_NOT_FOUND)
		return err;
	work->has_any |= !err;
	err_drop(err); /* another one may have it */
	work->counts.entries += counts.entries;
	work->counts.bytes += counts.bytes;
	return NULL;
}

static struct err *unpack_all(struct work *work, const struct backup_chain *chain,
			      const struct index_table *table)
{
	const unsigned int last = (unsigned int)chain->count - 1;

	for (unsigned int i = 0; i <= last; i++) {
		TRY(unpack_one(work, &(struct backup_choice){ .table = table, .in = i }));
		work->progress.before_bytes += chain->links[i].info.file_bytes;
	}
	/* once more the directories, whose times what came into them has changed */
	return unpack_one(work,
			  &(struct backup_choice){ .table = table, .in = last, .only_dirs = true });
}

static struct err *unpack_inside(const struct sandbox_job *job, const struct sandbox_inside *inside,
				 struct template_counts *ret_counts)
{
	const struct backup_chain *chain = job->context;
	const struct backup_link *last = backup_chain_last(chain);
	OWN(index_table) struct index_table table = { 0 };
	struct work work = { .job = job,
			     .inside = inside,
			     .progress = { .base.report = report_offset,
					   .whole = inside->progress } };

	TRY(index_table_new(&last->info, &table));
	TRY(index_table_fill(inside->more_fd + (int)chain->count - 1, &last->info, &table));
	TRY(unpack_all(&work, chain, &table));
	if (!work.has_any)
		return err_new(ERR_NOT_FOUND, "there is no %.200s in it", job->sandbox->only);
	*ret_counts = work.counts;
	return NULL;
}

static struct err *unpack_chain(const struct backup_unpack *request,
				const struct template_sandbox *sandbox)
{
	const struct backup_chain *chain = request->chain;
	int fds[BACKUP_CHAIN_MAX];
	const struct sandbox_job job = { .archive_fd = chain->links[0].fd,
					 .dest_fd = request->dest_fd,
					 .more_fds = fds,
					 .more_count = chain->count,
					 .sandbox = sandbox,
					 .run = unpack_inside,
					 .context = chain };
	struct template_counts counts;

	for (size_t i = 0; i < chain->count; i++)
		fds[i] = chain->links[i].fd;
	return template_in_sandbox(&job, request->progress, &counts);
}

struct err *backup_unpack(const struct backup_unpack *request)
{
	const struct backup_link *last = backup_chain_last(request->chain);
	/* as much as it says it holds: what an image or a quota cannot hold ends there anyway */
	const struct template_limits limits = { .max_entries = last->info.entries,
						.max_bytes = last->info.sparse_bytes,
						.max_ratio = UINT64_MAX };
	const struct template_sandbox sandbox = { .id_first = request->id_first,
						  .limits = &limits,
						  .dest_is_mount = request->dest_is_mount,
						  .below = BACKUP_TREE,
						  .only = request->only };
	struct template_counts counts;

	if (request->chain->count > 1)
		return unpack_chain(request, &sandbox);
	if (lseek(last->fd, 0, SEEK_SET) < 0)
		return err_sys(errno, "seek");
	return template_unpack(last->fd, request->dest_fd, &sandbox, request->progress, &counts);
}
