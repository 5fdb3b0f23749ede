/*
 * Making a backup of a VPS; see backup.h. The lock is held all the time. A kill leaves what the
 * next command of the VPS (vps_recover()) and the next backup into the directory clear up.
 */
#include "runtime/vps/backup.h"

#include "runtime/vps/backup_store.h"
#include "runtime/vps/still.h"

static struct err *write_backup(struct vps_still *still, const struct vps_backup_create *request,
				const struct backup_target *target, struct backup_info *info)
{
	OWN(backup_base) struct backup_base *base = NULL;
	struct backup_write write = { .fd = target->fd,
				      .total_bytes = vps_still_bytes(still),
				      .bytes_per_s = request->bytes_per_s,
				      .progress = request->progress };

	TRY(str_dup(request->name, &info->name));
	TRY(str_dup(vps_disk(still->host, still->name, &still->conf).layout, &info->layout));
	TRY(vps_still_conf(still, &info->conf));
	if (request->incremental)
		TRY(backup_choose_base(still->host, target->dir, request->name, &base));
	write.base = base;
	TRY(vps_still_hold(still));
	info->created_ns = still->since_ns;
	write.tree_fd = still->root_fd;
	return backup_write(&write, info);
}

struct err *vps_backup_create(const struct vps_host *host, const struct vps_backup_create *request,
			      struct vps_backup *ret_backup)
{
	OWN(backup_target) struct backup_target target = BACKUP_TARGET_INIT;
	OWN(vps_backup) struct vps_backup backup = { 0 };
	OWN(vps_still) struct vps_still still;
	struct err *err;

	vps_still_init(&still);
	TRY(vps_still_begin(host, request->name, &still));
	TRY(backup_target_open(host, request->name, request->to, &target));
	err = write_backup(&still, request, &target, &backup.info);
	TRY(err_first(err, vps_still_end(&still)));
	TRY(backup_target_publish(&target, &backup.path));
	if (request->keep)
		TRY(backup_retain(host, target.dir, request->name, request->keep));
	*ret_backup = backup;
	backup = (struct vps_backup){ 0 };
	return NULL;
}

struct err *vps_backup_verify(const struct vps_host *host, const char *file,
			      struct template_progress *progress, struct vps_backup *ret_backup)
{
	OWN(backup_chain) struct backup_chain chain = { 0 };
	struct backup_link *last;

	TRY(backup_chain_open(host, file, &chain));
	TRY(backup_verify(&chain, (uint32_t)host->id_first, progress));
	last = &chain.links[chain.count - 1];
	ret_backup->path = TAKE(last->path);
	ret_backup->info = last->info;
	last->info = (struct backup_info){ 0 };
	return NULL;
}
