/*
 * What happens to the VPSs of this host, without any daemon: inotify(7) on the directories of
 * definitions and of the engine's state says who came and went, poll(2) on the cgroups' *.events
 * files most of the rest. Soft limits of disks tell nobody: they are looked at now and then. After
 * each wake we wait a moment, so that a burst is one event, and then look at
 * what has changed.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "runtime/vps/room.h"
#include "runtime/vps/watch.h"

/* How often to look at the disks. */
#define DISKS_MS 5000
#define MOMENT_NS 100000000L
/* How soon to look again at a VPS that was just being started. */
#define UNFINISHED_MS 200
/* How often to look for what ended a VPS, where there may be no monitor to say. */
#define ENDING_LOOKS 30

static const char *const event_names[VPS_EVENT_KIND_COUNT] = {
	[VPS_EVENT_CREATE] = "create",
	[VPS_EVENT_DESTROY] = "destroy",
	[VPS_EVENT_START] = "start",
	[VPS_EVENT_STOP] = "stop",
	[VPS_EVENT_PAUSE] = "pause",
	[VPS_EVENT_UNPAUSE] = "unpause",
	[VPS_EVENT_OOM_KILL] = "oom-kill",
	[VPS_EVENT_MEMORY_LIMIT] = "memory-limit",
	[VPS_EVENT_PROCESS_LIMIT] = "process-limit",
	[VPS_EVENT_DISK_SOFT_LIMIT] = "disk-soft-limit",
	[VPS_EVENT_INODE_SOFT_LIMIT] = "inode-soft-limit",
};

const char *vps_event_name(enum vps_event_kind kind)
{
	return event_names[kind];
}

void vps_event_release(struct vps_event *event)
{
	free(event->name);
	free(event->reason);
	*event = (struct vps_event){ 0 };
}

/* A VPS that runs. */
struct life {
	char *name;
	pid_t pid;
	uint64_t start_ticks;
	struct cgroup_notices notices;
	struct cgroup_counts counts;
	struct soft_limits soft; /* as they were at the last look */
	bool seen;		 /* in the scan under way */
	unsigned int looks;	 /* since its init ended */
};

struct vps_watch {
	const struct vps_host *host;
	int inotify_fd;
	bool unfinished;	/* somebody is being started */
	int64_t disks_ms;	/* when the disks were looked at, CLOCK_MONOTONIC */
	struct strlist defined; /* names */
	struct life *lives;
	size_t life_count;
	struct vps_event *queue; /* found, not yet given; the first is at queue_at */
	size_t queue_count, queue_at;
};

static void life_release(struct life *life)
{
	free(life->name);
	cgroup_notices_close(&life->notices);
}

void vps_watch_free(struct vps_watch *watch)
{
	own_fd(&watch->inotify_fd);
	strlist_release(&watch->defined);
	for (size_t i = 0; i < watch->life_count; i++)
		life_release(&watch->lives[i]);
	free(watch->lives);
	for (size_t i = watch->queue_at; i < watch->queue_count; i++)
		vps_event_release(&watch->queue[i]);
	free(watch->queue);
	free(watch);
}

/* reason: borrowed. */
static struct err *add_event(struct vps_watch *watch, enum vps_event_kind kind, const char *name,
			     uint64_t count, const char *reason)
{
	OWN(vps_event) struct vps_event event = { .kind = kind, .count = count };
	struct vps_event *grown;

	clock_gettime(CLOCK_REALTIME, &event.when);
	TRY(str_dup(name, &event.name));
	if (reason)
		TRY(str_dup(reason, &event.reason));
	grown = reallocarray(watch->queue, watch->queue_count + 1, sizeof(*grown));
	if (!grown)
		return err_sys(ENOMEM, "keep an event");
	watch->queue = grown;
	watch->queue[watch->queue_count++] = event;
	event = (struct vps_event){ 0 };
	return NULL;
}

/* --- definitions --- */

static struct err *scan_definitions(struct vps_watch *watch)
{
	OWN(strlist) struct strlist names = { 0 };
	struct strlist old = watch->defined;

	TRY(vps_names(watch->host, &names));
	for (size_t i = 0; i < names.count; i++)
		if (!strlist_has(&old, names.items[i]))
			TRY(add_event(watch, VPS_EVENT_CREATE, names.items[i], 1, NULL));
	for (size_t i = 0; i < old.count; i++)
		if (!strlist_has(&names, old.items[i]))
			TRY(add_event(watch, VPS_EVENT_DESTROY, old.items[i], 1, NULL));
	watch->defined = names;
	names = old;
	return NULL;
}

/* --- lives --- */

static struct err *begin_life(struct vps_watch *watch, const struct ct_state *state)
{
	struct life life = { .pid = state->pid,
			     .start_ticks = state->pid_start_ticks,
			     .notices = CGROUP_NOTICES_INIT,
			     .seen = true };
	struct cgroup cgroup = CGROUP_INIT;
	struct life *grown;
	struct err *err;

	TRY(str_dup(state->id, &life.name));
	err = state->cgroup_path ?
		      cgroup_open(state->cgroup_path, state->scope, state->driver, &cgroup) :
		      NULL;
	if (!err && cgroup.dir_fd >= 0)
		err = cgroup_notices_open(&cgroup, &life.notices);
	err_drop(err); /* it has ended already, which the next scan finds */
	cgroup_release(&cgroup);
	/* what was counted before somebody watched is no event */
	cgroup_notices_read(&life.notices, &life.counts);
	grown = reallocarray(watch->lives, watch->life_count + 1, sizeof(*grown));
	if (!grown) {
		life_release(&life);
		return err_sys(ENOMEM, "keep a VPS");
	}
	watch->lives = grown;
	watch->lives[watch->life_count++] = life;
	return add_event(watch, VPS_EVENT_START, state->id, 1, NULL);
}

static struct err *end_life(struct vps_watch *watch, size_t i)
{
	struct life life = watch->lives[i];
	struct vps_last last;
	struct err *err;

	watch->lives[i] = watch->lives[--watch->life_count];
	err = vps_last_read(watch->host, life.name, &last);
	if (!err)
		err = add_event(watch, VPS_EVENT_STOP, life.name, 1,
				last.ending[0] ? last.ending : NULL);
	life_release(&life);
	return err;
}

static struct life *find_life(struct vps_watch *watch, const char *name)
{
	for (size_t i = 0; i < watch->life_count; i++)
		if (str_eq(watch->lives[i].name, name))
			return &watch->lives[i];
	return NULL;
}

static struct err *scan_one(struct vps_watch *watch, const struct ct_root *root, const char *name)
{
	OWN(ct_state) struct ct_state state = { 0 };
	struct err *err = ct_load(root, name, &state);
	struct life *life = find_life(watch, name);

	if (err) {
		err_drop(err); /* it is coming or going: the next scan knows */
		watch->unfinished = true;
		return NULL;
	}
	if (state.status == CT_CREATING || state.status == CT_CREATED)
		watch->unfinished = true;
	if (state.status != CT_RUNNING && state.status != CT_PAUSED) {
		/* its monitor is about to write down what ended it, and to clean up then */
		if (life && ++life->looks < ENDING_LOOKS)
			life->seen = watch->unfinished = true;
		return NULL;
	}
	if (life && life->pid == state.pid && life->start_ticks == state.pid_start_ticks) {
		life->seen = true;
		return NULL;
	}
	if (life) /* another life than the one we knew */
		TRY(end_life(watch, (size_t)(life - watch->lives)));
	return begin_life(watch, &state);
}

static struct err *scan_lives(struct vps_watch *watch)
{
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	OWN(strlist) struct strlist names = { 0 };

	watch->unfinished = false;
	for (size_t i = 0; i < watch->life_count; i++)
		watch->lives[i].seen = false;
	TRY(ct_root_open(watch->host->run_dir, &root));
	TRY(ct_list(&root, &names));
	for (size_t i = 0; i < names.count; i++)
		TRY(scan_one(watch, &root, names.items[i]));
	for (size_t i = 0; i < watch->life_count;)
		if (watch->lives[i].seen)
			i++;
		else
			TRY(end_life(watch, i));
	return NULL;
}

/* What the kernel counted since the last look. */
static struct err *look_at_counts(struct vps_watch *watch, struct life *life)
{
	static const struct {
		enum vps_event_kind kind;
		size_t offset;
	} counters[] = {
		{ VPS_EVENT_OOM_KILL, offsetof(struct cgroup_counts, oom_kills) },
		{ VPS_EVENT_MEMORY_LIMIT, offsetof(struct cgroup_counts, memory_limit_hits) },
		{ VPS_EVENT_PROCESS_LIMIT, offsetof(struct cgroup_counts, process_limit_hits) },
	};
	struct cgroup_counts old = life->counts, now;

	cgroup_notices_read(&life->notices, &now);
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		uint64_t before = *(uint64_t *)(void *)((char *)&old + counters[i].offset);
		uint64_t count = *(uint64_t *)(void *)((char *)&now + counters[i].offset);

		if (count > before)
			TRY(add_event(watch, counters[i].kind, life->name, count - before, NULL));
	}
	if (now.frozen != old.frozen)
		TRY(add_event(watch, now.frozen ? VPS_EVENT_PAUSE : VPS_EVENT_UNPAUSE, life->name,
			      1, NULL));
	life->counts = now;
	return NULL;
}

/* --- disks --- */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static struct err *look_at_limit(struct vps_watch *watch, enum vps_event_kind kind,
				 const char *name, const struct soft_limit *before,
				 const struct soft_limit *now)
{
	const struct timespec until = { .tv_sec = now->until_s };

	if (!now->is_over || before->is_over)
		return NULL;
	return add_event(watch, kind, name, 1,
			 now->until_s ? clock_format_utc(&until, CLOCK_SECONDS).text : NULL);
}

static struct err *look_at_disk(struct vps_watch *watch, struct life *life)
{
	const struct soft_limits before = life->soft;
	struct err *err = soft_limits_look(watch->host, life->name, &life->soft);

	if (err) {
		err_drop(err); /* it is going, or nothing counts: then there is nothing to tell */
		return NULL;
	}
	TRY(look_at_limit(watch, VPS_EVENT_DISK_SOFT_LIMIT, life->name, &before.bytes,
			  &life->soft.bytes));
	return look_at_limit(watch, VPS_EVENT_INODE_SOFT_LIMIT, life->name, &before.inodes,
			     &life->soft.inodes);
}

static struct err *look_at_disks(struct vps_watch *watch)
{
	if (watch->disks_ms && now_ms() - watch->disks_ms < DISKS_MS)
		return NULL;
	watch->disks_ms = now_ms();
	for (size_t i = 0; i < watch->life_count; i++)
		TRY(look_at_disk(watch, &watch->lives[i]));
	return NULL;
}

/* --- waiting --- */

static int patience_ms(const struct vps_watch *watch)
{
	if (watch->unfinished)
		return UNFINISHED_MS;
	return watch->life_count > 0 ? DISKS_MS : -1;
}

static struct err *drain_inotify(const struct vps_watch *watch)
{
	char events[8192];

	while (read(watch->inotify_fd, events, sizeof(events)) > 0)
		;
	return errno == EAGAIN || errno == EINTR ? NULL : err_sys(errno, "watch for changes");
}

OWN_KIND(pollfds, struct pollfd *, free)

/* Sleep until something changed; *ret_scan: somebody came or went. */
static struct err *sleep_until_change(struct vps_watch *watch, struct pollfd *fds, bool *ret_scan)
{
	size_t count = 1;
	int ready;

	fds[0] = (struct pollfd){ .fd = watch->inotify_fd, .events = POLLIN };
	for (size_t i = 0; i < watch->life_count; i++)
		for (size_t f = 0; f < CGROUP_NOTICE_FILES; f++)
			fds[count++] = (struct pollfd){ .fd = watch->lives[i].notices.fds[f],
							.events = POLLPRI };
	do {
		ready = poll(fds, count, patience_ms(watch));
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return err_sys(errno, "wait for events");
	*ret_scan = ready == 0 || fds[0].revents;
	nanosleep(&(struct timespec){ .tv_nsec = MOMENT_NS }, NULL);
	return fds[0].revents ? drain_inotify(watch) : NULL;
}

static struct err *look(struct vps_watch *watch)
{
	OWN(pollfds)
	struct pollfd *fds = calloc(1 + watch->life_count * CGROUP_NOTICE_FILES, sizeof(*fds));
	bool scan = false;

	if (!fds)
		return err_sys(ENOMEM, "wait for events");
	TRY(sleep_until_change(watch, fds, &scan));
	for (size_t i = 0; i < watch->life_count; i++) {
		const struct pollfd *of_life = &fds[1 + i * CGROUP_NOTICE_FILES];

		for (size_t f = 0; f < CGROUP_NOTICE_FILES; f++)
			if (of_life[f].revents) {
				scan = true; /* its end is announced here as well */
				TRY(look_at_counts(watch, &watch->lives[i]));
				break;
			}
	}
	if (scan) {
		TRY(scan_definitions(watch));
		TRY(scan_lives(watch));
	}
	return look_at_disks(watch);
}

static struct err *begin(struct vps_watch *watch)
{
	const uint32_t mask = IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM;

	watch->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->inotify_fd < 0)
		return err_sys(errno, "make an inotify descriptor");
	if (inotify_add_watch(watch->inotify_fd, watch->host->conf_dir, mask) < 0)
		return err_sys(errno, "watch %s", watch->host->conf_dir);
	if (inotify_add_watch(watch->inotify_fd, watch->host->run_dir, mask) < 0)
		return err_sys(errno, "watch %s", watch->host->run_dir);
	TRY(scan_definitions(watch));
	TRY(scan_lives(watch));
	TRY(look_at_disks(watch));
	/* what was there before is no event */
	for (size_t i = 0; i < watch->queue_count; i++)
		vps_event_release(&watch->queue[i]);
	watch->queue_count = 0;
	return NULL;
}

struct err *vps_watch_open(const struct vps_host *host, struct vps_watch **ret_watch)
{
	OWN(vps_watch) struct vps_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return err_sys(ENOMEM, "watch VPSs");
	watch->host = host;
	watch->inotify_fd = -1;
	TRY(begin(watch));
	*ret_watch = TAKE(watch);
	return NULL;
}

struct err *vps_watch_next(struct vps_watch *watch, struct vps_event *ret_event)
{
	while (watch->queue_at == watch->queue_count) {
		watch->queue_at = watch->queue_count = 0;
		TRY(look(watch));
	}
	*ret_event = watch->queue[watch->queue_at];
	watch->queue[watch->queue_at++] = (struct vps_event){ 0 };
	return NULL;
}
