/* cella stats: one VPS over time, as graphs on a terminal, lines elsewhere, or JSON lines. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/graph.h"
#include "cli/table.h"
#include "cli/vps.h"
#include "runtime/vps/watch.h"

struct stats_opts {
	uint64_t interval_ms, count;
	bool json;
};

static const struct opt stats_opt_rows[] = {
	{ "interval", 'i', "TIME", "between two looks (default 1s)",
	  offsetof(struct stats_opts, interval_ms), opt_duration },
	{ "count", 'n', "NUMBER", "looks before it ends (default: for ever)",
	  offsetof(struct stats_opts, count), opt_u64 },
	{ "json", 'j', NULL, "one object a line, in bytes and percent",
	  offsetof(struct stats_opts, json), opt_flag },
};

/* One look at it. */
struct look {
	const struct vps_info *info;
	const struct vps_sample *sample;
	const struct vps_rates *rates;
};

/* What is shown: on a terminal a row, elsewhere a column. */
static double cpu_of(const struct look *look)
{
	return look->rates->cpu_percent;
}

static double throttled_of(const struct look *look)
{
	return look->rates->throttled_percent;
}

static double ram_of(const struct look *look)
{
	return (double)look->sample->ram_bytes;
}

static double ram_limit_of(const struct look *look)
{
	uint64_t limit = look->info->stats.memory_max_bytes;

	return limit == CGROUP_UNSET || limit == CGROUP_MAX ? 0 : (double)limit;
}

static double swap_of(const struct look *look)
{
	return (double)look->sample->swap_bytes;
}

static double processes_of(const struct look *look)
{
	return (double)look->sample->processes;
}

static double process_limit_of(const struct look *look)
{
	uint64_t limit = look->info->stats.pids_max;

	return limit == CGROUP_UNSET || limit == CGROUP_MAX ? 0 : (double)limit;
}

static double read_of(const struct look *look)
{
	return look->rates->read_bytes_s;
}

static double write_of(const struct look *look)
{
	return look->rates->write_bytes_s;
}

static double sent_of(const struct look *look)
{
	return look->rates->sent_bytes_s;
}

static double received_of(const struct look *look)
{
	return look->rates->received_bytes_s;
}

static double cpu_pressure_of(const struct look *look)
{
	return look->sample->cpu_pressure;
}

static double memory_pressure_of(const struct look *look)
{
	return look->sample->memory_pressure;
}

static double io_pressure_of(const struct look *look)
{
	return look->sample->io_pressure;
}

static double always_100(const struct look *look)
{
	(void)look;
	return 100;
}

enum unit { PERCENT, BYTES, BYTES_PER_S, COUNT };

static const struct series {
	const char *title, *key; /* of the column, and in JSON */
	const char *label;	 /* of the row */
	enum unit unit;
	double (*value)(const struct look *look);
	double (*full)(
		const struct look *look); /* the highest there can be; NULL, or 0: not known */
} series[] = {
	{ "CPU%", "cpuPercent", "cpu", PERCENT, cpu_of, NULL },
	{ "THR%", "throttledPercent", "throttled", PERCENT, throttled_of, always_100 },
	{ "RAM", "ramBytes", "ram", BYTES, ram_of, ram_limit_of },
	{ "SWAP", "swapBytes", "swap", BYTES, swap_of, NULL },
	{ "NPROC", "processes", "processes", COUNT, processes_of, process_limit_of },
	{ "READ/S", "readBytesPerSecond", "disk read", BYTES_PER_S, read_of, NULL },
	{ "WRITE/S", "writeBytesPerSecond", "disk write", BYTES_PER_S, write_of, NULL },
	{ "OUT/S", "sentBytesPerSecond", "net out", BYTES_PER_S, sent_of, NULL },
	{ "IN/S", "receivedBytesPerSecond", "net in", BYTES_PER_S, received_of, NULL },
	{ "PSI-CPU", "cpuPressurePercent", "cpu wait", PERCENT, cpu_pressure_of, always_100 },
	{ "PSI-MEM", "memoryPressurePercent", "ram wait", PERCENT, memory_pressure_of, always_100 },
	{ "PSI-IO", "ioPressurePercent", "disk wait", PERCENT, io_pressure_of, always_100 },
};
#define SERIES_COUNT ARRAY_SIZE(series)

static struct unit_text unit_of(const struct series *one, double value)
{
	struct unit_text text;

	if (one->unit == BYTES || one->unit == BYTES_PER_S)
		return unit_bytes((uint64_t)value);
	snprintf(text.text, sizeof(text.text), one->unit == PERCENT ? "%.1f" : "%.0f", value);
	return text;
}

struct shown {
	const struct stats_opts *opts;
	bool graphs;
	size_t looks, lines_up; /* of the picture that stands on the terminal */
	struct graph history[SERIES_COUNT];
};

static struct err *show_graphs(struct shown *shown, const struct look *look)
{
	OWN(buf) struct buf text = { 0 };
	size_t lines = 1;

	if (shown->lines_up)
		TRY(buf_format(&text, "\033[%zuA", shown->lines_up));
	TRY(buf_format(&text, "%s: %s, up %s\033[K\n", look->info->name,
		       vps_status_name(look->info->status),
		       unit_duration(look->info->uptime_s).text));
	for (size_t i = 0; i < SERIES_COUNT; i++) {
		double full = series[i].full ? series[i].full(look) : 0;
		double value = series[i].value(look);

		graph_add(&shown->history[i], value);
		TRY(buf_format(&text, "%-10s %8s%s ", series[i].label,
			       unit_of(&series[i], value).text,
			       series[i].unit == PERCENT     ? "% " :
			       series[i].unit == BYTES_PER_S ? "/s" :
							       "  "));
		TRY(graph_format(&shown->history[i], full, &text));
		TRY(buf_format(&text, "\033[K\n"));
		lines++;
	}
	shown->lines_up = lines;
	return out_text(text.data, text.len);
}

static struct err *show_line(struct shown *shown, const struct look *look)
{
	OWN(buf) struct buf text = { 0 };

	if (shown->looks == 0) {
		for (size_t i = 0; i < SERIES_COUNT; i++)
			TRY(buf_format(&text, "%s%7s", i ? " " : "", series[i].title));
		TRY(buf_format(&text, "\n"));
	}
	for (size_t i = 0; i < SERIES_COUNT; i++)
		TRY(buf_format(&text, "%s%7s", i ? " " : "",
			       unit_of(&series[i], series[i].value(look)).text));
	TRY(buf_format(&text, "\n"));
	return out_text(text.data, text.len);
}

static struct err *show_json(const struct look *look)
{
	OWN(json_out) struct json_out *out = NULL;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	TRY(json_out_new(false, &out));
	json_out_object(out);
	json_out_key(out, "time");
	json_out_string(out, clock_format_utc(&now, CLOCK_NANOSECONDS).text);
	json_out_key(out, "name");
	json_out_string(out, look->info->name);
	json_out_key(out, "status");
	json_out_string(out, vps_status_name(look->info->status));
	json_out_key(out, "uptimeSeconds");
	json_out_u64(out, look->info->uptime_s);
	for (size_t i = 0; i < SERIES_COUNT; i++) {
		double value = series[i].value(look);

		json_out_key(out, series[i].key);
		if (series[i].unit == PERCENT)
			json_out_double(out, value);
		else
			json_out_u64(out, (uint64_t)value);
	}
	json_out_end_object(out);
	return vps_print_json(out);
}

static struct err *show(struct shown *shown, const struct look *look)
{
	struct err *err = shown->opts->json ? show_json(look) :
			  shown->graphs	    ? show_graphs(shown, look) :
					      show_line(shown, look);

	shown->looks++;
	return err;
}

static struct err *look_at(const struct vps_host *host, const char *name, struct vps_info *ret_info)
{
	TRY(vps_look(host, name, VPS_WITH_STATS, ret_info));
	if (!ret_info->pid)
		return err_new(ERR_STATE, "VPS %s is not running", name);
	return NULL;
}

static void pause_ms(uint64_t interval_ms)
{
	nanosleep(&(struct timespec){ .tv_sec = (time_t)(interval_ms / 1000),
				      .tv_nsec = (long)(interval_ms % 1000) * 1000000 },
		  NULL);
}

static struct err *follow(const struct vps_host *host, const char *name, struct shown *shown)
{
	struct vps_sample before;
	OWN(vps_info) struct vps_info first = { 0 };

	vps_conf_init(&first.conf);
	TRY(look_at(host, name, &first));
	vps_sample_of(&first, &before);
	while (!shown->opts->count || shown->looks < shown->opts->count) {
		OWN(vps_info) struct vps_info info = { 0 };
		struct vps_sample now;
		struct vps_rates rates;

		vps_conf_init(&info.conf);
		pause_ms(shown->opts->interval_ms);
		TRY(look_at(host, name, &info));
		vps_sample_of(&info, &now);
		vps_rates_between(&before, &now, &rates);
		TRY(show(shown, &(struct look){ &info, &now, &rates }));
		before = now;
	}
	return NULL;
}

struct err *vps_check_interval(uint64_t interval_ms)
{
	if (interval_ms >= 100 && interval_ms <= UINT64_C(86400000))
		return NULL;
	return err_new(ERR_INVALID, "--interval: %ju ms is not in 100ms..24h",
		       (uintmax_t)interval_ms);
}

static struct err *stats_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	struct stats_opts opts = { .interval_ms = 1000 };
	struct shown shown = { .opts = &opts, .graphs = isatty(STDOUT_FILENO) };

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_check_interval(opts.interval_ms));
	TRY(vps_host_open(&host));
	return follow(&host, args.items[0], &shown);
}

const struct cmd vps_cmd_stats = {
	.name = "stats",
	.args = "NAME",
	.summary = "what one VPS uses, over time",
	.opts = OPT_TABLE(stats_opt_rows),
	.run = stats_run,
	.min_args = 1,
	.max_args = 1,
};
