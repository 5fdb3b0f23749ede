/* Why a VPS is slow or down, in plain words: rules over what the kernel counted; see watch.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "runtime/vps/room.h"
#include "runtime/vps/watch.h"

/* Below these nobody would notice. */
#define THROTTLED_PERCENT 2
#define PRESSURE_PERCENT 15
#define FULL_PERCENT 95
#define ANSWER_MS 10000

struct look {
	const struct vps_host *host;
	const struct vps_info *info;
	struct vps_last last;
	struct vps_findings *findings;
};

void vps_findings_release(struct vps_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->items[i].text);
		free(findings->items[i].cure);
	}
	free(findings->items);
	*findings = (struct vps_findings){ 0 };
}

static struct err *add_finding_take_texts(struct vps_findings *findings, const char *kind,
					  char **text, char **cure)
{
	struct vps_finding *grown =
		reallocarray(findings->items, findings->count + 1, sizeof(*grown));

	if (!grown)
		return err_sys(ENOMEM, "keep a finding");
	findings->items = grown;
	grown[findings->count].kind = kind;
	grown[findings->count].text = TAKE(*text);
	grown[findings->count++].cure = TAKE(*cure);
	return NULL;
}

/* cure: a whole sentence without full stop; NAME in it is the VPS's. */
MUST_CHECK PRINTF(4, 5) static struct err *found(struct look *look, const char *kind,
						 const char *cure, const char *fmt, ...)
{
	const char *name = strstr(cure, "NAME");
	OWN(str) char *text = NULL, *remedy = NULL;
	struct err *err;
	va_list args;

	va_start(args, fmt);
	err = str_format_args(&text, fmt, args);
	va_end(args);
	TRY(err);
	if (name)
		TRY(str_format(&remedy, "%.*s%s%s", (int)(name - cure), cure, look->info->name,
			       name + strlen("NAME")));
	else
		TRY(str_dup(cure, &remedy));
	return add_finding_take_texts(look->findings, kind, &text, &remedy);
}

static uint64_t known(uint64_t value)
{
	return value == CGROUP_UNSET || value == CGROUP_MAX ? 0 : value;
}

static double mib(uint64_t bytes)
{
	return (double)bytes / (1 << 20);
}

/* --- down --- */

static struct err *why_down(struct look *look)
{
	const struct timespec when = { .tv_sec = look->last.when_s };
	struct clock_text at = clock_format_utc(&when, CLOCK_SECONDS);
	const char *ending = look->last.ending;
	static const char start[] = "cella start NAME";
	static const char console[] = "read how it went on: cella console NAME, or its log";

	if (look->info->conf.disabled == 1)
		TRY(found(look, "disabled", "cella start --force NAME, or set DISABLED=no",
			  "it is disabled (DISABLED=yes)"));
	if (look->info->status == VPS_SUSPENDED)
		return found(look, "suspended", "cella resume NAME",
			     "an operator suspended it: its processes are on disk");
	if (str_eq(ending, "stop") || str_eq(ending, "kill"))
		return found(look, "stopped", start, "an operator stopped it at %s", at.text);
	if (str_eq(ending, "halt"))
		return found(look, "halted", start, "it was shut down from inside at %s", at.text);
	if (str_has_prefix(ending, "signal-") && look->last.oom_kills)
		return found(look, "oom-killed", "give it more memory: --ram, --swap",
			     "its memory ran out and its init was killed at %s", at.text);
	if (str_has_prefix(ending, "signal-"))
		return found(look, "crashed", console, "its init was killed by signal %s at %s",
			     ending + strlen("signal-"), at.text);
	if (str_has_prefix(ending, "exit-"))
		return found(look, "exited", console, "its init ended with status %s at %s",
			     ending + strlen("exit-"), at.text);
	if (str_eq(ending, "reboot"))
		return found(look, "reboot-failed", "the monitor's log says why; cella start NAME",
			     "it rebooted at %s and could not start again", at.text);
	if (ending[0])
		return found(look, "vanished", start,
			     "it ended while no monitor watched; found so at %s", at.text);
	return found(look, "not-started", start, "it was not started since the host's boot");
}

/* --- slow --- */

static struct err *why_cpu(struct look *look)
{
	const struct cgroup_stats *stats = &look->info->stats;
	uint64_t periods = known(stats->cpu_periods),
		 throttled = known(stats->cpu_throttled_periods);
	double pressure = stats->cpu_pressure.some.avg60;

	if (periods && throttled * 100 >= periods * THROTTLED_PERCENT)
		return found(look, "cpu-throttled", "raise its limit: --cpus, --cpulimit",
			     "it wants more CPU time than its limit: throttled in %" PRIu64
			     " of %" PRIu64 " periods since its start, %.1f s in all",
			     throttled, periods, (double)known(stats->cpu_throttled_us) / 1e6);
	if (pressure >= PRESSURE_PERCENT)
		return found(
			look, "cpu-busy", "give it a larger share (--cpuunits) or a calmer host",
			"the host's CPUs are busy: its processes waited for one in %.0f %% of the "
			"last minute",
			pressure);
	return NULL;
}

static struct err *why_memory(struct look *look)
{
	const struct cgroup_stats *stats = &look->info->stats;
	uint64_t kills = known(stats->memory_oom_kills);
	double pressure = stats->memory_pressure.some.avg60;

	if (kills)
		TRY(found(look, "oom-killed", "give it more memory: --ram, --swap",
			  "its memory ran out %" PRIu64
			  " time%s since its start and processes were "
			  "killed; %.0f MiB of %.0f MiB are in use",
			  kills, kills == 1 ? "" : "s", mib(known(stats->memory_bytes)),
			  mib(known(stats->memory_max_bytes))));
	if (pressure >= PRESSURE_PERCENT)
		return found(look, "memory-pressure", "give it more memory: --ram",
			     "memory is short: its processes waited for it in %.0f %% of the last "
			     "minute",
			     pressure);
	return NULL;
}

static struct err *why_processes(struct look *look)
{
	const struct cgroup_stats *stats = &look->info->stats;
	uint64_t hits = known(stats->pids_max_events);

	if (!hits)
		return NULL;
	return found(look, "process-limit",
		     "raise --numproc, or end what starts so many (a fork bomb?)",
		     "%" PRIu64
		     " time%s since its start a process could not be started: the limit is %" PRIu64
		     ", %" PRIu64 " run now",
		     hits, hits == 1 ? "" : "s", known(stats->pids_max), known(stats->pids));
}

static struct err *why_io(struct look *look)
{
	double pressure = look->info->stats.io_pressure.some.avg60;

	if (pressure < PRESSURE_PERCENT)
		return NULL;
	return found(look, "io-pressure",
		     "raise its --iolimit, --iopslimit or --ioprio, or find who "
		     "writes: cella top",
		     "its processes waited for the disk in %.0f %% of the last minute", pressure);
}

static unsigned int used_percent(uint64_t total, uint64_t available)
{
	return total ? (unsigned int)((total - available) * 100 / total) : 0;
}

static struct err *why_disk(struct look *look)
{
	struct statvfs disk;
	char root[40];

	snprintf(root, sizeof(root), "/proc/%d/root", (int)look->info->pid);
	if (statvfs(root, &disk) < 0)
		return NULL; /* it ends just now */
	if (used_percent(disk.f_blocks, disk.f_bavail) >= FULL_PERCENT)
		TRY(found(look, "disk-full", "remove files, or give it more: --diskspace",
			  "its disk is full: %.0f of %.0f MiB are left",
			  mib(disk.f_bavail * disk.f_frsize), mib(disk.f_blocks * disk.f_frsize)));
	if (used_percent(disk.f_files, disk.f_favail) >= FULL_PERCENT)
		return found(look, "inodes-full", "remove files, or give it more: --diskinodes",
			     "it has too many files: %ju of %ju are left", (uintmax_t)disk.f_favail,
			     (uintmax_t)disk.f_files);
	return NULL;
}

/* kind and cure: as found() wants them. what: "space" or "files". */
static struct err *why_soft(struct look *look, const struct soft_limit *limit, const char *kind,
			    const char *cure, const char *what)
{
	const struct timespec until = { .tv_sec = limit->until_s };

	if (!limit->is_over)
		return NULL;
	if (!limit->until_s)
		return found(look, kind, cure, "it is over the soft limit of its disk's %s", what);
	return found(look, kind, cure,
		     "it is over the soft limit of its disk's %s, which becomes a hard one at %s",
		     what, clock_format_utc(&until, CLOCK_SECONDS).text);
}

static struct err *why_disk_soft(struct look *look)
{
	struct soft_limits soft;

	if (!look->info->has_disk)
		return NULL;
	soft_limits_of(&look->info->conf, &look->info->disk, &soft);
	TRY(why_soft(look, &soft.bytes, "disk-soft-limit",
		     "remove files, or give it more: --diskspace", "space"));
	return why_soft(look, &soft.inodes, "inode-soft-limit",
			"remove files, or give it more: --diskinodes", "files");
}

/* "UNIT loaded failed failed DESCRIPTION": the names alone, cut to what a line bears. */
static struct err *unit_names(const struct buf *answer, struct buf *names, size_t *ret_count)
{
	*ret_count = 0;
	for (const char *line = answer->data; line && *line;) {
		size_t len = strcspn(line, "\n"), word = strcspn(line, " \n");

		if (word && ++*ret_count <= 5)
			TRY(buf_format(names, "%s%.*s", names->len ? ", " : "", (int)word, line));
		line += len + (line[len] == '\n');
	}
	return NULL;
}

static struct err *why_units(struct look *look)
{
	static const char *const args[] = { "systemctl", "list-units",	"--failed",
					    "--plain",	 "--no-legend", NULL };
	OWN(buf) struct buf answer = { 0 }, names = { 0 };
	OWN(str) char *program = NULL, *shown = NULL;
	size_t count;

	TRY(init_program(look->info->pid, &program));
	if (!str_eq(program, "systemd"))
		return NULL;
	TRY(vps_ask_inside(look->host, look->info->name, args, ANSWER_MS, &answer));
	TRY(unit_names(&answer, &names, &count));
	if (!count)
		return NULL;
	TRY(str_escape(names.data, &shown));
	return found(look, "unit-failed", "cella exec NAME systemctl status UNIT",
		     "%zu unit%s of its systemd failed: %s%s", count, count == 1 ? "" : "s", shown,
		     count > 5 ? ", ..." : "");
}

static struct err *why_paused(struct look *look)
{
	if (look->info->status != VPS_PAUSED)
		return NULL;
	return found(look, "paused", "cella resume NAME", "it is paused: nothing in it runs");
}

static struct err *why_traffic(struct look *look)
{
	OWN(str) char *text = NULL;

	TRY(quota_text(look->host, look->info->name, &look->info->conf, &text));
	return text ? found(look, "traffic-quota", "raise it: --traffic-quota", "%s", text) : NULL;
}

static struct err *why_running(struct look *look)
{
	static struct err *(*const rules[])(struct look * look) = {
		why_paused, why_cpu,  why_memory,    why_processes,
		why_io,	    why_disk, why_disk_soft, why_traffic,
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		TRY(rules[i](look));
	/* last, for it needs the VPS to answer */
	return look->info->status == VPS_RUNNING ? why_units(look) : NULL;
}

struct err *vps_why(const struct vps_host *host, const char *name,
		    struct vps_findings *ret_findings)
{
	OWN(vps_info) struct vps_info info = { 0 };
	OWN(vps_findings) struct vps_findings findings = { 0 };
	struct look look = { .host = host, .info = &info, .findings = &findings };

	vps_conf_init(&info.conf);
	TRY(vps_look(host, name, VPS_WITH_STATS, &info));
	TRY(vps_last_read(host, name, &look.last));
	if (info.problem)
		TRY(found(&look, "damaged", "mend its definition, or destroy it", "%s",
			  info.problem));
	if (info.pid)
		TRY(why_running(&look));
	else if (info.status != VPS_DAMAGED)
		TRY(why_down(&look));
	*ret_findings = findings;
	findings = (struct vps_findings){ 0 };
	return NULL;
}
