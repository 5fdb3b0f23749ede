/* Processes by pidfd: identity, waiting, signalling, and running a trusted program. */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/* Start time of a process in clock ticks since boot: pid and start time together are never reused.
 * ERR_NOT_FOUND when there is no such process. Source: proc_pid_stat(5), field 22. */
MUST_CHECK struct err *proc_start_time(pid_t pid, uint64_t *ret_ticks);

/* How long a process that started then has been running, in seconds. */
uint64_t proc_age_s(uint64_t start_ticks);

/* A pidfd of whatever process has the number now. ERR_NOT_FOUND: none. Source: pidfd_open(2). */
MUST_CHECK struct err *proc_open_any(pid_t pid, int *ret_pidfd);
/* Open a pidfd and check that it is the process that started at start_ticks; ERR_NOT_FOUND when
 * that one is gone (or a zombie, which can neither be signalled nor entered usefully). */
MUST_CHECK struct err *proc_open(pid_t pid, uint64_t start_ticks, int *ret_pidfd);
/* The inode of a pidfd, which belongs to one process of this boot alone; 0 on kernels before 6.9,
 * where all pidfds share one. Source: fs/pidfs.c. */
MUST_CHECK struct err *proc_inode(int pidfd, uint64_t *ret_inode);
/* proc_open() by that inode (not 0), without a look into procfs, which costs more than all the
 * rest. */
MUST_CHECK struct err *proc_open_inode(pid_t pid, uint64_t inode, int *ret_pidfd);
MUST_CHECK struct err *proc_signal(int pidfd, int signum);
/* Wait until the process has ended (not reaped); timeout_ms -1 waits for ever. *ret_ended says
 * whether it has. */
MUST_CHECK struct err *proc_wait_end(int pidfd, int timeout_ms, bool *ret_ended);
/* Reap our own child: its exit status, or 128 + signal number. */
MUST_CHECK struct err *proc_reap(int pidfd, int *ret_status);

/* A program to run to its end. Zero value plus path and argv is usable. */
struct proc_run {
	const char *path; /* absolute, trusted */
	char *const *argv;
	char *const *envp; /* NULL: an empty environment */
	const char *input; /* given on standard input; NULL: /dev/null */
	size_t input_len;
	int timeout_ms; /* 0: none; on expiry the program is killed and ERR_SYS/ETIMEDOUT returned
			 */
	struct buf *output; /* standard output and standard error are appended, up to 64 KiB; NULL:
			       inherited */
	int output_fd;	    /* when output is NULL and this is > 0: where standard output goes */
	bool keep_fds;	    /* descriptors without close-on-exec are inherited anyway */
};

/* Run, wait and give its exit status (128 + N for signal N). No shell is involved. */
MUST_CHECK struct err *proc_run(const struct proc_run *run, int *ret_status);

/* End the process without running atexit handlers twice in forked children; flushes coverage data
 * in test builds. */
_Noreturn void proc_exit(int status);

#endif
