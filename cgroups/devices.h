/*
 * Device rules to an eBPF program. Semantics, per bit of access (read, write, mknod): the last rule
 * that matches the device and names the bit decides; without any, access is denied. A request is
 * allowed when all of its bits are. The default devices of runtime-spec ("Default Devices") are
 * always allowed. This file makes instructions; ebpf.h brings them to the kernel.
 */
#ifndef CGROUPS_DEVICES_H
#define CGROUPS_DEVICES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "cgroups/cgroups.h"

/*
 * Compile rules plus the default devices.
 *
 * *ret_code:       struct bpf_insn, back to back; owned by the caller
 * *ret_allows_all: every request would be allowed, so no program is needed and *ret_code is empty
 *
 * Errors: ERR_INVALID (type, or a number that no device can have). Source: uapi/linux/bpf.h, struct
 * bpf_cgroup_dev_ctx; Documentation/bpf/standardization/instruction-set.rst.
 */
MUST_CHECK struct err *devices_compile(const struct device_rule *rules, size_t count,
				       struct buf *ret_code, bool *ret_allows_all);

/* The rules that are appended to every list. */
extern const struct device_rule default_devices[];
extern const size_t default_device_count;

#endif
