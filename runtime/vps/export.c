/* The tree of a VPS as a tar archive, for other systems; see backup.h. */
#include <errno.h>

#include "base/fd.h"
#include "runtime/vps/backup_store.h"
#include "runtime/vps/still.h"

static struct err *write_tree(struct vps_still *still, const struct vps_export *request,
			      const struct backup_target *target, uint64_t *ret_skipped)
{
	struct template_counts counts;
	const struct template_export export = { .file_name = request->file,
						.fd = target->fd,
						.image = request->as_image ? request->name : NULL,
						.scratch_fd = target->dir_fd,
						.total_bytes = vps_still_bytes(still),
						.progress = request->progress,
						.ret_counts = &counts };

	TRY(template_check_ending(request->file));
	TRY(vps_still_hold(still));
	TRY(template_export_tree(still->root_fd, &export));
	*ret_skipped = counts.skipped;
	return fsync(target->fd) < 0 ? err_sys(errno, "sync %s", request->file) : NULL;
}

struct err *vps_export(const struct vps_host *host, const struct vps_export *request,
		       uint64_t *ret_skipped)
{
	OWN(backup_target) struct backup_target target = BACKUP_TARGET_INIT;
	OWN(vps_still) struct vps_still still;
	OWN(str) char *path = NULL;
	struct err *err;

	vps_still_init(&still);
	TRY(vps_still_begin(host, request->name, &still));
	TRY(backup_target_open(host, request->name, request->file, &target));
	err = write_tree(&still, request, &target, ret_skipped);
	TRY(err_first(err, vps_still_end(&still)));
	return backup_target_publish(&target, &path);
}
