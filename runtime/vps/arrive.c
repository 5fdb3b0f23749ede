/* See arrive.h. */
#include "runtime/vps/arrive.h"

#include <string.h>

#include "base/fd.h"
#include "base/sha256.h"
#include "runtime/vps/backup_store.h"
#include "runtime/vps/room.h"

struct arriving {
	struct vps_maker base;
	struct vps_arrival *arrival;
	uint64_t rounds;	     /* that are on disk */
	char digest[SHA256_HEX_MAX]; /* of the last one of them */
};

/* It is what was offered and looked at, upon what came before, and nothing else. */
static struct err *check_round(const struct arriving *work, const struct backup_info *info)
{
	if (!str_eq(info->name, work->arrival->name) || !str_eq(info->conf, work->arrival->conf))
		return err_new(ERR_INVALID,
			       "its definition is not the one that was offered: it was "
			       "changed meanwhile");
	if (info->depth != work->rounds || (work->rounds > 0 && !str_eq(info->base, work->digest)))
		return err_new(ERR_INVALID, "it builds upon another backup");
	return NULL;
}

static struct err *put_on_disk(const struct arriving *work, const struct vps_host *host,
			       const struct disk *disk, const struct backup_chain *chain)
{
	struct backup_unpack unpack = { .chain = chain,
					.id_first = (uint32_t)host->id_first,
					.dest_is_mount = true,
					.progress = work->arrival->progress };
	OWN(fd) int dest_fd = -1, tree_fd = -1;

	TRY(disk_mount(disk, NULL, &dest_fd));
	unpack.dest_fd = dest_fd;
	TRY(work->rounds == 0 ? backup_unpack(&unpack) : backup_apply(&unpack));
	/* after each round: then the last one, for which the VPS waits, has little to sync */
	TRY(disk_mount(disk, NULL, &tree_fd));
	return vps_disk_sync_tree(tree_fd);
}

static struct err *take_round(struct arriving *work, const struct vps_host *host,
			      const struct disk *disk, const struct arrival_round *round)
{
	OWN(backup_chain) struct backup_chain chain = { .links = { { .fd = -1 } }, .count = 1 };
	struct backup_link *link = &chain.links[0];

	TRY(fd_dup(round->fd, &link->fd));
	TRY(str_dup(round->path, &link->path));
	TRY(backup_read_info(link->fd, link->path, &link->info));
	TRY(check_round(work, &link->info));
	TRY(backup_check_room(host, &link->info));
	TRY(put_on_disk(work, host, disk, &chain));
	memcpy(work->digest, link->info.digest, sizeof(work->digest));
	work->rounds++;
	return NULL;
}

static struct err *take_rounds(const struct vps_maker *base, const struct vps_host *host,
			       const char *hidden, const struct vps_conf *conf)
{
	struct arriving *work = (struct arriving *)(uintptr_t)base;
	const struct disk disk = vps_disk(host, hidden, conf);
	struct arrival_round round = { .fd = -1 };

	TRY(vps_disk_create_empty(&disk, conf));
	while (!round.is_last) {
		if (work->rounds == BACKUP_CHAIN_MAX)
			return err_new(ERR_INVALID, "it comes in more than %d rounds",
				       BACKUP_CHAIN_MAX);
		TRY(work->arrival->next(work->arrival, &round));
		TRY(take_round(work, host, &disk, &round));
	}
	return NULL;
}

struct err *vps_arrive(const struct vps_host *host, struct vps_arrival *arrival)
{
	OWN(conf_file) struct conf_file file = { 0 };
	struct arriving work = { .base = { .make_disk = take_rounds,
					   .file = &file,
					   .arrives = true,
					   .skip_probe = true },
				 .arrival = arrival };
	OWN(vps_conf) struct vps_conf conf;

	vps_conf_init(&conf);
	TRY(conf_file_parse(arrival->conf, strlen(arrival->conf), &file));
	TRY(vps_conf_read(&file, &conf));
	TRY(vps_choose_tree_layout(host, NULL, &conf));
	return vps_make(host, arrival->name, &work.base, &conf);
}
