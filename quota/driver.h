/* One way of counting. Private to quota/. */
#ifndef QUOTA_DRIVER_H
#define QUOTA_DRIVER_H

#include "quota/quota.h"

struct quota_driver {
	struct err *(*detect)(int dir_fd, const char *what, const char *fs_name);
	struct err *(*assign)(int dir_fd, const char *what, uint32_t project);
	struct err *(*id)(int dir_fd, const char *what, uint64_t *ret_id); /* 0: none */
	struct err *(*limit)(int dir_fd, const char *what, uint64_t id,
			     const struct quota_limits *limits);
	struct err *(*read)(int dir_fd, const char *what, uint64_t id, struct quota_usage *usage);
	/* NULL: there are no soft limits */
	struct err *(*keep_grace)(int dir_fd, const char *what, uint64_t id,
				  const struct quota_grace *grace);
	struct err *(*forget)(int dir_fd, uint64_t id);
};
extern const struct quota_driver quota_project_driver, quota_qgroup_driver;

/* What the kernel is asked for: no soft limit that means nothing, numbers rounded up to 1 KiB.
 * Pure. */
struct quota_limits quota_normal(const struct quota_limits *limits);

/*
 * The kernel starts a clock when a soft limit is exceeded, and its end is "then" plus the file
 * system's default. One that began since the last look, age_s ago, is still the kernel's; one that
 * ends earlier than that allows is ours already. Pure.
 */
struct quota_clock {
	uint64_t now_s, default_s, grace_s, age_s;
};
bool quota_clock_is_new(const struct quota_clock *clock, uint64_t end_s);

#endif
