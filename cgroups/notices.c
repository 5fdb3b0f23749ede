/* What happens to a cgroup, counted by the kernel and announced through poll(2): POLLPRI on any
 * *.events file. Source: cgroup-v2.rst, "Information" and the files' own sections. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cgroups/cgroups.h"
#include "cgroups/files.h"

static const struct {
	const char *file, *key;
	size_t offset;
} rows[CGROUP_NOTICE_FILES][3] = {
	{ { "memory.events", "oom_kill", offsetof(struct cgroup_counts, oom_kills) },
	  { "memory.events", "max", offsetof(struct cgroup_counts, memory_limit_hits) } },
	{ { "pids.events", "max", offsetof(struct cgroup_counts, process_limit_hits) } },
	{ { "cgroup.events", "populated", offsetof(struct cgroup_counts, populated) },
	  { "cgroup.events", "frozen", offsetof(struct cgroup_counts, frozen) } },
};

void cgroup_notices_close(struct cgroup_notices *notices)
{
	for (size_t i = 0; i < CGROUP_NOTICE_FILES; i++) {
		own_fd(&notices->fds[i]);
		notices->fds[i] = -1;
	}
}

struct err *cgroup_notices_open(const struct cgroup *cg, struct cgroup_notices *ret_notices)
{
	struct cgroup_notices notices = CGROUP_NOTICES_INIT;

	for (size_t i = 0; i < CGROUP_NOTICE_FILES; i++) {
		const char *file = rows[i][0].file;

		notices.fds[i] = openat(cg->dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		/* a controller that is not enabled has nothing to tell */
		if (notices.fds[i] < 0 && errno != ENOENT && errno != ENODEV) {
			struct err *err = err_sys(errno, "open %s of cgroup %s", file, cg->path);

			cgroup_notices_close(&notices);
			return err;
		}
	}
	*ret_notices = notices;
	return NULL;
}

/* Reading also arms the next poll. */
void cgroup_notices_read(const struct cgroup_notices *notices, struct cgroup_counts *ret_counts)
{
	memset(ret_counts, 0, sizeof(*ret_counts));
	for (size_t i = 0; i < CGROUP_NOTICE_FILES; i++) {
		char text[512];
		ssize_t len = notices->fds[i] < 0 ?
				      -1 :
				      pread(notices->fds[i], text, sizeof(text) - 1, 0);

		if (len < 0)
			continue; /* none, or the cgroup is gone */
		text[len] = '\0';
		for (size_t k = 0; k < ARRAY_SIZE(rows[i]) && rows[i][k].key; k++) {
			uint64_t value = flat_value(text, rows[i][k].key);

			*(uint64_t *)(void *)((char *)ret_counts + rows[i][k].offset) =
				value == CGROUP_UNSET ? 0 : value;
		}
	}
}
