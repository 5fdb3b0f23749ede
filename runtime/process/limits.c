/* Resource limits, the oom score and the personality of a process: prlimit(2),
 * proc_pid_oom_score_adj(5), personality(2). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "base/fd.h"
#include "base/log.h"
#include "runtime/process/process.h"
#include "runtime/process/procfs.h"

struct err *process_set_rlimits(const struct rlimit_spec *limits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct rlimit64 limit = { .rlim_cur = limits[i].soft,
						.rlim_max = limits[i].hard };

		if (prlimit64(0, (__rlimit_resource_t)limits[i].resource, &limit, NULL) < 0)
			return err_sys(errno, "set resource limit %d to %ju (hard %ju)",
				       limits[i].resource, (uintmax_t)limits[i].soft,
				       (uintmax_t)limits[i].hard);
	}
	return NULL;
}

void process_raise_rlimits(const struct rlimit_spec *limits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		__rlimit_resource_t resource = (__rlimit_resource_t)limits[i].resource;
		struct rlimit64 limit;

		if (prlimit64(0, resource, NULL, &limit) < 0 || limit.rlim_max >= limits[i].hard)
			continue;
		limit.rlim_max = limits[i].hard;
		/* without CAP_SYS_RESOURCE: the child's own attempt gives the error */
		prlimit64(0, resource, &limit, NULL);
	}
}

struct err *process_set_oom_score(pid_t pid, int value)
{
	OWN(fd) int fd = -1;
	char name[48], text[16];
	struct err *err;

	if (pid)
		snprintf(name, sizeof(name), "%d/oom_score_adj", (int)pid);
	else
		snprintf(name, sizeof(name), "self/oom_score_adj");
	snprintf(text, sizeof(text), "%d", value);
	TRY(procfs_open(name, O_WRONLY, &fd));
	err = fd_write_once(fd, name, text);
	/* lower than inherited is for CAP_SYS_RESOURCE of the host; rootless callers ask all the
	 * same */
	if (err && err_errno(err) == EACCES) {
		log_debug("%s", err_text(err));
		err_drop(err); /* the old value stays, which is the less protected one */
		return NULL;
	}
	return err;
}

struct err *process_set_personality(unsigned long domain)
{
	if (personality(domain) < 0)
		return err_sys(errno, "set personality 0x%lx", domain);
	return NULL;
}
