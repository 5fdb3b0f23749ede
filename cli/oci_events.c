/* cella-oci events: counters at an interval and out-of-memory kills, one JSON object a line, until
 * the container ends. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/proc.h"
#include "cli/oci.h"
#include "cli/oci_stats.h"
#include "cli/table.h"

#define EVENTS_FILE_MAX 4096

struct events_opts {
	uint64_t interval_ms;
	bool stats;
};

static const struct opt events_opt_rows[] = {
	{ "interval", 0, "TIME", "between two counts (default: 5s)",
	  offsetof(struct events_opts, interval_ms), opt_duration },
	{ "stats", 0, NULL, "count once and end", offsetof(struct events_opts, stats), opt_flag },
};

struct watch {
	const struct oci_target *target;
	struct ct_state state;
	struct cgroup cgroup;
	int pidfd, oom_fd;
	uint64_t oom_kills;
};

static void own_watch(struct watch *watch)
{
	ct_state_release(&watch->state);
	cgroup_release(&watch->cgroup);
	own_fd(&watch->pidfd);
	own_fd(&watch->oom_fd);
}

static void own_cgroup_stats(struct cgroup_stats *stats)
{
	cgroup_stats_release(stats);
}

static struct err *print_line(const char *text)
{
	OWN(str) char *line = NULL;

	TRY(str_format(&line, "%s\n", text));
	return out_text(line, strlen(line));
}

static struct err *print_stats(const struct watch *watch)
{
	OWN(cgroup_stats) struct cgroup_stats stats = { 0 };
	OWN(str) char *text = NULL;

	TRY(ct_stats(&watch->target->root, watch->target->id, &stats));
	TRY(oci_stats_json(watch->target->id, &stats, watch->state.pid, &text));
	return print_line(text);
}

static struct err *print_oom(const char *id)
{
	OWN(json_out) struct json_out *out = NULL;
	OWN(str) char *text = NULL;

	TRY(json_out_new(false, &out));
	json_out_object(out);
	json_out_key(out, "type");
	json_out_string(out, "oom");
	json_out_key(out, "id");
	json_out_string(out, id);
	json_out_end_object(out);
	TRY(json_out_take(out, &text));
	return print_line(text);
}

/* memory.events changed. Reading it is what arms the next notification. */
static struct err *look_for_oom(struct watch *watch)
{
	OWN(buf) struct buf text = { 0 };
	const char *line;
	uint64_t kills;

	if (lseek(watch->oom_fd, 0, SEEK_SET) < 0)
		return err_sys(errno, "rewind memory.events");
	TRY(fd_read_all(watch->oom_fd, "memory.events", EVENTS_FILE_MAX, &text));
	line = text.data ? strstr(text.data, "\noom_kill ") : NULL;
	kills = line ? strtoull(line + strlen("\noom_kill "), NULL, 10) : watch->oom_kills;
	if (kills <= watch->oom_kills)
		return NULL;
	watch->oom_kills = kills;
	return print_oom(watch->target->id);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What vanishes while it is read because the container ends is no error. */
static struct err *unless_ended(const struct watch *watch, struct err *err)
{
	struct pollfd end = { .fd = watch->pidfd, .events = POLLIN };

	if (err && poll(&end, 1, 0) == 1) {
		err_drop(err);
		return NULL;
	}
	return err;
}

static struct err *follow(struct watch *watch, uint64_t interval_ms)
{
	struct pollfd fds[] = { { .fd = watch->pidfd, .events = POLLIN },
				{ .fd = watch->oom_fd, .events = POLLPRI } };
	uint64_t next_ms = now_ms() + interval_ms;

	for (;;) {
		uint64_t now = now_ms();
		int wait_ms = next_ms <= now	      ? 0 :
			      next_ms - now > 3600000 ? 3600000 :
							(int)(next_ms - now);

		if (poll(fds, ARRAY_SIZE(fds), wait_ms) < 0 && errno != EINTR)
			return err_sys(errno, "wait for events");
		/* before the end is looked at: an out-of-memory kill may have been the end */
		if (fds[1].revents & POLLPRI)
			TRY(unless_ended(watch, look_for_oom(watch)));
		if (fds[0].revents)
			return NULL;
		if (now_ms() < next_ms)
			continue;
		TRY(unless_ended(watch, print_stats(watch)));
		next_ms += interval_ms;
	}
}

static struct err *open_watch(const struct oci_target *target, struct watch *watch)
{
	struct ct_state *state = &watch->state;

	watch->target = target;
	TRY(ct_load(&target->root, target->id, state));
	if (state->status == CT_STOPPED)
		return err_new(ERR_STATE, "container '%s' is stopped", target->id);
	return NULL;
}

static struct err *open_sources(struct watch *watch)
{
	const struct ct_state *state = &watch->state;

	TRY(ct_open_init(state, &watch->pidfd));
	if (!state->cgroup_path)
		return err_new(ERR_UNSUPPORTED, "container '%s' has no cgroup of its own",
			       state->id);
	TRY(cgroup_open(state->cgroup_path, state->scope, state->driver, &watch->cgroup));
	return cgroup_open_memory_events(&watch->cgroup, &watch->oom_fd, &watch->oom_kills);
}

static struct err *events_run(const struct cmd_call *call, int *ret_status)
{
	OWN(oci_target) struct oci_target target = OCI_TARGET_INIT;
	OWN(watch) struct watch watch = { .cgroup = CGROUP_INIT, .pidfd = -1, .oom_fd = -1 };
	struct events_opts opts = { .interval_ms = 5000 };

	(void)ret_status;
	TRY(oci_target_parse(call, &opts, &target));
	if (opts.interval_ms == 0)
		return err_new(ERR_INVALID, "--interval: must be more than 0");
	TRY(open_watch(&target, &watch));
	if (opts.stats)
		return print_stats(&watch);
	TRY(open_sources(&watch));
	return follow(&watch, opts.interval_ms);
}

const struct cmd oci_cmd_events = {
	.name = "events",
	.args = "CONTAINER",
	.summary = "print counters and OOM kills",
	.opts = OPT_TABLE(events_opt_rows),
	.run = events_run,
	.min_args = 1,
	.max_args = 1,
};
