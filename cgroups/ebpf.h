/*
 * Programs in the kernel: loading, sharing by content, attaching to a cgroup. Sources: bpf(2),
 * uapi/linux/bpf.h, Documentation/bpf/prog_cgroup_sockopt.rst for the attach flags.
 */
#ifndef CGROUPS_EBPF_H
#define CGROUPS_EBPF_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

#define EBPF_PIN_DIR "/sys/fs/bpf/cella"

/*
 * A loaded device program with exactly this code, from the pin directory (5 us) or newly verified
 * (90 us) and then pinned for the next one. Any trouble with the directory only means the slow way.
 *
 * code:    struct bpf_insn, back to back
 * pin_dir: on a bpffs, made when missing; NULL: EBPF_PIN_DIR
 *
 * Errors: ERR_SYS (EPERM without CAP_BPF, also in every user namespace but the first).
 */
MUST_CHECK struct err *ebpf_device_program(const struct buf *code, const char *pin_dir,
					   int *ret_prog_fd);
/* Attach to a cgroup that has no program of ours. */
MUST_CHECK struct err *ebpf_attach(int cgroup_fd, int prog_fd);
/* Put prog_fd in the place of our program at cgroup_fd, at no instant without a filter; prog_fd -1:
 * just remove ours. Programs of others (systemd's DevicePolicy=) stay. */
MUST_CHECK struct err *ebpf_replace(int cgroup_fd, int prog_fd);

#endif
