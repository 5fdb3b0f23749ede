/* Inside the device compiler: rules as bit masks, simplified. */
#ifndef CGROUPS_DEVICE_RULES_H
#define CGROUPS_DEVICE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cgroups/cgroups.h"

#define DEVICE_ANY (-1)	     /* of type, major and minor */
#define DEVICE_ALL_ACCESS 7U /* BPF_DEVCG_ACC_MKNOD | READ | WRITE */

struct device_mask {
	int32_t type;	      /* BPF_DEVCG_DEV_*, or DEVICE_ANY */
	int32_t major, minor; /* or DEVICE_ANY */
	uint32_t access;      /* BPF_DEVCG_ACC_* */
	bool allow;
};

struct device_masks {
	struct device_mask *items; /* owned */
	size_t count;
};

/* Rules in their order, then the default devices, checked. */
MUST_CHECK struct err *device_masks_parse(const struct device_rule *rules, size_t count,
					  struct device_masks *ret_masks);
/* Leave out what cannot change any decision; the order stays. */
void device_masks_simplify(struct device_masks *masks);
/* In the order of evaluation: last rule first, neighbours of one verdict sorted and merged. */
void device_masks_arrange(struct device_masks *masks);
bool device_masks_allow_all(const struct device_masks *masks);
void device_masks_release(struct device_masks *masks);

#endif
