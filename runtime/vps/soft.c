/* Soft limits of a disk: which of them a VPS is over. The file system enforces them where it can
 * (ext4, xfs); over one is over it everywhere. */
#include "runtime/vps/room.h"

static bool is_over(uint64_t used, uint64_t soft, uint64_t hard)
{
	return used != QUOTA_UNLIMITED && soft > 0 && soft < hard && used > soft;
}

void soft_limits_of(const struct vps_conf *conf, const struct quota_usage *usage,
		    struct soft_limits *ret_limits)
{
	const struct quota_limits limits = vps_disk_limits(conf);

	*ret_limits = (struct soft_limits){
		.bytes = { .is_over = is_over(usage->bytes, limits.soft_bytes, limits.hard_bytes),
			   .until_s = (int64_t)usage->bytes_until_s },
		.inodes = { .is_over =
				    is_over(usage->inodes, limits.soft_inodes, limits.hard_inodes),
			    .until_s = (int64_t)usage->inodes_until_s },
	};
}

struct err *soft_limits_look(const struct vps_host *host, const char *name,
			     struct soft_limits *ret_limits)
{
	OWN(vps_conf) struct vps_conf conf;
	struct quota_usage usage = { 0 };
	struct disk disk;

	vps_conf_init(&conf);
	TRY(vps_load(host, name, &conf));
	disk = vps_disk(host, name, &conf);
	TRY(disk_usage(&disk, &usage));
	soft_limits_of(&conf, &usage, ret_limits);
	return NULL;
}
