/* cella metrics: all VPSs in OpenMetrics text 1.0, for a scraper or node_exporter's textfile
 * collector. Families, names and units are an interface: add, never rename. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "cli/table.h"
#include "cli/vps.h"
#include "runtime/vps/watch.h"

struct metrics_opts {
	const char *textfile;
};

static const struct opt metrics_opt_rows[] = {
	{ "textfile", 0, "FILE", "replace FILE at once instead of printing",
	  offsetof(struct metrics_opts, textfile), opt_path },
};

/* What is measured of each VPS, taken once. */
struct measured {
	struct vps_info *infos; /* owned */
	struct vps_sample *samples;
	size_t count;
};

static void own_measured(struct measured *measured)
{
	for (size_t i = 0; i < measured->count; i++)
		vps_info_release(&measured->infos[i]);
	free(measured->infos);
	free(measured->samples);
}

enum family_type { GAUGE, COUNTER };

static const char *const type_names[] = { [GAUGE] = "gauge", [COUNTER] = "counter" };

typedef uint64_t value_fn(const struct vps_info *info, const struct vps_sample *sample);

static uint64_t is_up(const struct vps_info *info, const struct vps_sample *sample)
{
	(void)sample;
	return info->pid != 0;
}

static uint64_t uptime(const struct vps_info *info, const struct vps_sample *sample)
{
	(void)sample;
	return info->pid ? info->uptime_s : VPS_UNSET;
}

#define OF_STATS(name, member)                                                             \
	static uint64_t name(const struct vps_info *info, const struct vps_sample *sample) \
	{                                                                                  \
		(void)sample;                                                              \
		return info->has_stats ? info->stats.member : VPS_UNSET;                   \
	}
OF_STATS(cpu, cpu_usage_us)
OF_STATS(throttled, cpu_throttled_us)
OF_STATS(ram, memory_bytes)
OF_STATS(ram_limit, memory_max_bytes)
OF_STATS(swap, swap_bytes)
OF_STATS(oom_kills, memory_oom_kills)
OF_STATS(processes, pids)
OF_STATS(process_limit, pids_max)
OF_STATS(process_limit_hits, pids_max_events)
OF_STATS(cpu_waited, cpu_pressure.some.total_us)
OF_STATS(memory_waited, memory_pressure.some.total_us)
OF_STATS(io_waited, io_pressure.some.total_us)

#define OF_SAMPLE(name, member, known)                                                     \
	static uint64_t name(const struct vps_info *info, const struct vps_sample *sample) \
	{                                                                                  \
		return info->known ? sample->member : VPS_UNSET;                           \
	}
OF_SAMPLE(disk_read, read_bytes, has_stats)
OF_SAMPLE(disk_written, write_bytes, has_stats)
OF_SAMPLE(net_sent, sent_bytes, has_traffic)
OF_SAMPLE(net_received, received_bytes, has_traffic)

static const struct family {
	const char *name, *unit; /* unit: the name's last part, NULL: none */
	enum family_type type;
	uint64_t divisor; /* of the value: 1000000 for microseconds shown as seconds */
	value_fn *value;
	const char *help;
} families[] = {
	{ "cella_vps_up", NULL, GAUGE, 1, is_up, "Whether the VPS runs." },
	{ "cella_vps_uptime_seconds", "seconds", GAUGE, 1, uptime, "Since its start." },
	{ "cella_vps_cpu_seconds", "seconds", COUNTER, 1000000, cpu, "CPU time used." },
	{ "cella_vps_cpu_throttled_seconds", "seconds", COUNTER, 1000000, throttled,
	  "Time for which its CPU limit held it back." },
	{ "cella_vps_memory_bytes", "bytes", GAUGE, 1, ram, "Memory in use, page cache included." },
	{ "cella_vps_memory_limit_bytes", "bytes", GAUGE, 1, ram_limit, "Limit of its memory." },
	{ "cella_vps_swap_bytes", "bytes", GAUGE, 1, swap, "Swap in use." },
	{ "cella_vps_oom_kills", NULL, COUNTER, 1, oom_kills,
	  "Processes killed because memory ran out." },
	{ "cella_vps_processes", NULL, GAUGE, 1, processes, "Processes and threads." },
	{ "cella_vps_processes_limit", NULL, GAUGE, 1, process_limit, "Limit of them." },
	{ "cella_vps_processes_limit_hits", NULL, COUNTER, 1, process_limit_hits,
	  "Processes that could not be started for it." },
	{ "cella_vps_disk_read_bytes", "bytes", COUNTER, 1, disk_read, "Read from disks." },
	{ "cella_vps_disk_written_bytes", "bytes", COUNTER, 1, disk_written, "Written to disks." },
	{ "cella_vps_network_sent_bytes", "bytes", COUNTER, 1, net_sent, "Sent by the VPS." },
	{ "cella_vps_network_received_bytes", "bytes", COUNTER, 1, net_received,
	  "Received by the VPS." },
	{ "cella_vps_cpu_waiting_seconds", "seconds", COUNTER, 1000000, cpu_waited,
	  "Time in which some process waited for a CPU." },
	{ "cella_vps_memory_waiting_seconds", "seconds", COUNTER, 1000000, memory_waited,
	  "Time in which some process waited for memory." },
	{ "cella_vps_io_waiting_seconds", "seconds", COUNTER, 1000000, io_waited,
	  "Time in which some process waited for a disk." },
};

/* Names of VPSs need no escape in a label: parse_container_id() allows no quote and no backslash.
 */
static struct err *add_family(const struct family *family, const struct measured *measured,
			      struct buf *text)
{
	TRY(buf_format(text, "# TYPE %s %s\n", family->name, type_names[family->type]));
	if (family->unit)
		TRY(buf_format(text, "# UNIT %s %s\n", family->name, family->unit));
	TRY(buf_format(text, "# HELP %s %s\n", family->name, family->help));
	for (size_t i = 0; i < measured->count; i++) {
		uint64_t value = family->value(&measured->infos[i], &measured->samples[i]);

		/* no limit is no sample */
		if (value == VPS_UNSET || value == VPS_UNLIMITED)
			continue;
		TRY(buf_format(text, "%s%s{name=\"%s\"} ", family->name,
			       family->type == COUNTER ? "_total" : "", measured->infos[i].name));
		if (family->divisor == 1)
			TRY(buf_format(text, "%ju\n", (uintmax_t)value));
		else
			TRY(buf_format(text, "%ju.%06ju\n", (uintmax_t)(value / family->divisor),
				       (uintmax_t)(value % family->divisor)));
	}
	return NULL;
}

static struct err *measure(const struct vps_host *host, struct measured *measured)
{
	OWN(strlist) struct strlist names = { 0 };
	OWN(net_seen) struct net_seen seen = { 0 };
	const struct vps_glance glance = { VPS_WITH_STATS, &seen };

	vps_see_all(&seen);
	TRY(vps_names(host, &names));
	measured->infos = calloc(names.count + 1, sizeof(*measured->infos));
	measured->samples = calloc(names.count + 1, sizeof(*measured->samples));
	if (!measured->infos || !measured->samples)
		return err_sys(ENOMEM, "measure %zu VPSs", names.count);
	for (size_t i = 0; i < names.count; i++) {
		struct vps_info *info = &measured->infos[measured->count];
		struct err *err = vps_glance(host, names.items[i], &glance, info);

		if (err && err_kind(err) == ERR_NOT_FOUND) {
			err_drop(err); /* destroyed meanwhile */
			continue;
		}
		if (err)
			return err;
		vps_sample_of(info, &measured->samples[measured->count++]);
	}
	return NULL;
}

static struct err *write_textfile(const char *path, const struct buf *text)
{
	OWN(str) char *for_dir = NULL, *for_name = NULL;
	OWN(fd) int dir_fd = -1;

	TRY(str_dup(path, &for_dir));
	TRY(str_dup(path, &for_name));
	dir_fd = open(dirname(for_dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_sys(errno, "--textfile: open the directory of %s", path);
	return err_wrap(file_replace(dir_fd, basename(for_name), 0644, text->data, text->len),
			"--textfile");
}

static struct err *metrics_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(measured) struct measured measured = { 0 };
	OWN(buf) struct buf text = { 0 };
	struct metrics_opts opts = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_host_open(&host));
	TRY(measure(&host, &measured));
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		TRY(add_family(&families[i], &measured, &text));
	TRY(buf_format(&text, "# EOF\n"));
	return opts.textfile ? write_textfile(opts.textfile, &text) : out_text(text.data, text.len);
}

const struct cmd vps_cmd_metrics = {
	.name = "metrics",
	.summary = "all VPSs as OpenMetrics text",
	.opts = OPT_TABLE(metrics_opt_rows),
	.run = metrics_run,
};
