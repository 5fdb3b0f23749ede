/* Watching VPSs: how fast their counters move, what happens to them, and why one is slow or down.
 */
#ifndef RUNTIME_VPS_WATCH_H
#define RUNTIME_VPS_WATCH_H

#include "runtime/vps/vps.h"

/* --- rates (sample.c) --- */

/* Counters and gauges of a VPS at one moment; what is not known is 0. */
struct vps_sample {
	int64_t at_ms; /* CLOCK_MONOTONIC */
	uint64_t cpu_us, throttled_us;
	uint64_t read_bytes, write_bytes;    /* of all devices */
	uint64_t sent_bytes, received_bytes; /* as the VPS sees it */
	uint64_t ram_bytes, swap_bytes, processes;
	double cpu_pressure, memory_pressure, io_pressure; /* some, over 10 s, in percent */
};
void vps_sample_of(const struct vps_info *info, struct vps_sample *ret_sample);
/* The sum of two. */
void vps_sample_add(const struct vps_sample *more, struct vps_sample *sum);

struct vps_rates {
	double cpu_percent, throttled_percent; /* 100: one CPU */
	double read_bytes_s, write_bytes_s, sent_bytes_s, received_bytes_s;
};
/* Of two samples; a counter that went backwards began anew. Too close together: all 0. */
void vps_rates_between(const struct vps_sample *before, const struct vps_sample *now,
		       struct vps_rates *ret_rates);

/* --- events (events.c) --- */

enum vps_event_kind {
	VPS_EVENT_CREATE,
	VPS_EVENT_DESTROY,
	VPS_EVENT_START,
	VPS_EVENT_STOP, /* the reason is what ended it, see struct vps_last */
	VPS_EVENT_PAUSE,
	VPS_EVENT_UNPAUSE,
	VPS_EVENT_OOM_KILL,
	VPS_EVENT_MEMORY_LIMIT,
	VPS_EVENT_PROCESS_LIMIT,
	VPS_EVENT_DISK_SOFT_LIMIT, /* the reason is when it becomes hard */
	VPS_EVENT_INODE_SOFT_LIMIT,
	VPS_EVENT_KIND_COUNT
};
const char *vps_event_name(enum vps_event_kind kind);

struct vps_event {
	enum vps_event_kind kind;
	struct timespec when;
	char *name, *reason; /* owned; reason may be NULL */
	uint64_t count;	     /* how often since the last such event: kills and limits */
};
void vps_event_release(struct vps_event *event);
static inline __attribute__((unused)) void own_vps_event(struct vps_event *event)
{
	vps_event_release(event);
}

struct vps_watch; /* of the whole host, by inotify(7) and poll(2) */
MUST_CHECK struct err *vps_watch_open(const struct vps_host *host, struct vps_watch **ret_watch);
void vps_watch_free(struct vps_watch *watch);
OWN_KIND(vps_watch, struct vps_watch *, vps_watch_free)
/* Wait for the next event. Events of one kind and VPS within a tenth of a second are one. */
MUST_CHECK struct err *vps_watch_next(struct vps_watch *watch, struct vps_event *ret_event);

/* --- how the last life ended (last.c) --- */

struct vps_last {
	char ending[32]; /* a word of monitor_ending(), "stop" or "kill" (by an operator); "":
			    unknown */
	int64_t when_s;	 /* seconds since 1970 */
	uint64_t oom_kills, process_limit_hits; /* in that life */
};
/* All zero when it never ran since the host's boot. */
MUST_CHECK struct err *vps_last_read(const struct vps_host *host, const char *name,
				     struct vps_last *ret_last);

/* --- reasons (why.c) --- */

struct vps_finding {
	const char *kind; /* one word for programs: "cpu-throttled" */
	char *text, *cure;
};
struct vps_findings {
	struct vps_finding *items; /* owned */
	size_t count;
};
void vps_findings_release(struct vps_findings *findings);
static inline __attribute__((unused)) void own_vps_findings(struct vps_findings *findings)
{
	vps_findings_release(findings);
}
/* What holds the VPS back, or ended it; empty: nothing. */
MUST_CHECK struct err *vps_why(const struct vps_host *host, const char *name,
			       struct vps_findings *ret_findings);

#endif
