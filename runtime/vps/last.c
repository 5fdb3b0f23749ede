/* How a VPS's last life ended, kept in .vps/NAME.last until the host's reboot; see watch.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "runtime/vps/watch.h"
#include "runtime/vps/watcher.h"

#define FORMAT_OUT "%s %" PRId64 " %" PRIu64 " %" PRIu64 "\n"
#define FORMAT_IN "%31s %" SCNd64 " %" SCNu64 " %" SCNu64

/* The counters go with the cgroup: they are read before that is removed. */
static void count(const struct ct_state *state, struct cgroup_counts *ret_counts)
{
	struct cgroup_notices notices = CGROUP_NOTICES_INIT;
	struct cgroup cgroup = CGROUP_INIT;
	struct err *err;

	*ret_counts = (struct cgroup_counts){ 0 };
	if (!state->cgroup_path)
		return;
	err = cgroup_open(state->cgroup_path, state->scope, state->driver, &cgroup);
	if (!err)
		err = cgroup_notices_open(&cgroup, &notices);
	if (!err)
		cgroup_notices_read(&notices, ret_counts);
	err_drop(err); /* then they are not known */
	cgroup_notices_close(&notices);
	cgroup_release(&cgroup);
}

static struct err *write_last(const struct vps_host *host, const struct ct_state *state,
			      const char *ending)
{
	OWN(fd) int dir_fd = open(host->monitor_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(str) char *file = NULL;
	OWN(buf) struct buf text = { 0 };
	struct cgroup_counts counts;

	if (dir_fd < 0)
		return err_sys(errno, "open %s", host->monitor_dir);
	count(state, &counts);
	TRY(str_format(&file, "%s.last", state->id));
	TRY(buf_format(&text, FORMAT_OUT, ending, (int64_t)time(NULL), counts.oom_kills,
		       counts.process_limit_hits));
	return file_replace(dir_fd, file, 0600, text.data, text.len);
}

void last_write(const struct vps_host *host, const struct ct_state *state, const char *ending)
{
	log_warn(write_last(host, state, ending)); /* it is told to the curious alone */
}

struct err *vps_last_read(const struct vps_host *host, const char *name, struct vps_last *ret_last)
{
	OWN(str) char *path = NULL;
	OWN(buf) struct buf text = { 0 };
	struct vps_last last = { 0 };
	struct err *err;

	*ret_last = last;
	TRY(str_format(&path, "%s/%s.last", host->monitor_dir, name));
	err = file_read(AT_FDCWD, path, 256, &text);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* as documented */
		return NULL;
	}
	if (err)
		return err;
	if (sscanf(text.data, FORMAT_IN, last.ending, &last.when_s, &last.oom_kills,
		   &last.process_limit_hits) == 4)
		*ret_last = last;
	return NULL;
}
