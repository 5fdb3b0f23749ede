/* cella show and status: one VPS, for programs and for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/table.h"
#include "cli/vps.h"

/* --- JSON; the members are an interface: add, never rename --- */

static void put_text(struct json_out *out, const char *key, const char *text)
{
	json_out_key(out, key);
	json_out_string(out, text);
}

/* Unset and unlimited are null: a program compares numbers only. */
static void put_number(struct json_out *out, const char *key, uint64_t value)
{
	json_out_key(out, key);
	if (value == VPS_UNSET || value == VPS_UNLIMITED)
		json_out_string(out, NULL);
	else
		json_out_u64(out, value);
}

static void put_yes_no(struct json_out *out, const char *key, uint64_t value)
{
	json_out_key(out, key);
	json_out_bool(out, value == 1);
}

static void put_list(struct json_out *out, const char *key, const struct strlist *list)
{
	json_out_key(out, key);
	json_out_array(out);
	for (size_t i = 0; i < list->count; i++)
		json_out_string(out, list->items[i]);
	json_out_end_array(out);
}

static void put_traffic_quota(struct json_out *out, const struct vps_conf *conf)
{
	struct vps_traffic_quota quota = { .bytes = VPS_UNLIMITED };

	/* a definition was checked when it was read; a broken one says nothing */
	if (conf->traffic_quota)
		err_drop(vps_traffic_quota_parse("", conf->traffic_quota, &quota));
	put_number(out, "trafficBytesPerMonth", quota.bytes);
	put_text(out, "trafficQuotaAction",
		 quota.bytes == VPS_UNLIMITED ? NULL : vps_quota_action_name(quota.action));
}

static void put_limits(struct json_out *out, const struct vps_conf *conf)
{
	json_out_key(out, "limits");
	json_out_object(out);
	put_number(out, "ramBytes", conf->ram_bytes);
	put_number(out, "swapBytes", conf->swap_bytes);
	put_number(out, "ramMinBytes", conf->ram_min_bytes);
	put_number(out, "ramSoftBytes", conf->ram_soft_bytes);
	put_yes_no(out, "oomGroup", conf->oom_group);
	put_number(out, "cpus", conf->cpus);
	put_number(out, "cpuPercent", conf->cpulimit_percent);
	put_number(out, "cpuBurstPercent", conf->cpu_burst_percent);
	put_number(out, "cpuUnits", conf->cpuunits);
	put_text(out, "cpuMask", conf->cpumask);
	put_text(out, "nodeMask", conf->nodemask);
	put_number(out, "processes", conf->numproc);
	put_number(out, "ioPriority", conf->ioprio);
	put_number(out, "ioBytesPerSecond", conf->iolimit_bytes);
	put_number(out, "ioOperationsPerSecond", conf->iopslimit);
	put_number(out, "rateInBitsPerSecond", conf->rate_in_bits);
	put_number(out, "rateOutBitsPerSecond", conf->rate_out_bits);
	put_number(out, "rateBurstBytes", conf->rate_burst_bytes);
	put_number(out, "packetsPerSecond", conf->packets_per_s);
	put_traffic_quota(out, conf);
	put_number(out, "diskSoftBytes", conf->disk_bytes.soft);
	put_number(out, "diskBytes", conf->disk_bytes.hard);
	put_number(out, "diskSoftInodes", conf->disk_inodes.soft);
	put_number(out, "diskInodes", conf->disk_inodes.hard);
	put_number(out, "diskGraceSeconds", conf->quota_time_s);
	json_out_end_object(out);
}

static void put_usage(struct json_out *out, const struct vps_info *info)
{
	const struct cgroup_stats *stats = &info->stats;

	json_out_key(out, "usage");
	if (!info->has_stats) {
		json_out_string(out, NULL);
		return;
	}
	json_out_object(out);
	put_number(out, "ramBytes", stats->memory_bytes);
	put_number(out, "ramPeakBytes", stats->memory_peak_bytes);
	put_number(out, "swapBytes", stats->swap_bytes);
	put_number(out, "processes", stats->pids);
	put_number(out, "cpuMicroseconds", stats->cpu_usage_us);
	put_number(out, "throttledMicroseconds", stats->cpu_throttled_us);
	put_number(out, "oomKills", stats->memory_oom_kills);
	/* the host's end of the cable receives what the VPS sends */
	put_number(out, "sentBytes", info->has_traffic ? info->traffic.rx_bytes : VPS_UNSET);
	put_number(out, "receivedBytes", info->has_traffic ? info->traffic.tx_bytes : VPS_UNSET);
	json_out_end_object(out);
}

/* Also of a stopped one; null where nothing counts. */
static void put_disk(struct json_out *out, const struct vps_info *info)
{
	const struct quota_usage *disk = &info->disk;

	json_out_key(out, "disk");
	if (!info->has_disk) {
		json_out_string(out, NULL);
		return;
	}
	json_out_object(out);
	put_number(out, "usedBytes", disk->bytes);
	put_number(out, "usedInodes", disk->inodes);
	put_number(out, "softBytes", disk->limits.soft_bytes);
	put_number(out, "hardBytes", disk->limits.hard_bytes);
	put_number(out, "softInodes", disk->limits.soft_inodes);
	put_number(out, "hardInodes", disk->limits.hard_inodes);
	put_number(out, "graceEnds", disk->bytes_until_s ? disk->bytes_until_s : VPS_UNSET);
	json_out_end_object(out);
}

static void put_ids(struct json_out *out, const struct vps_conf *conf)
{
	json_out_key(out, "idRange");
	json_out_object(out);
	put_number(out, "first", conf->id_first);
	put_number(out, "count", conf->id_count);
	json_out_end_object(out);
}

void vps_json(struct json_out *out, const struct vps_info *info)
{
	const struct vps_conf *conf = &info->conf;

	json_out_object(out);
	put_text(out, "name", info->name);
	put_text(out, "status", vps_status_name(info->status));
	put_text(out, "problem", info->problem);
	put_number(out, "pid", info->pid ? (uint64_t)info->pid : VPS_UNSET);
	put_text(out, "cgroup", info->cgroup);
	put_number(out, "uptimeSeconds", info->pid ? info->uptime_s : VPS_UNSET);
	json_out_key(out, "monitored");
	json_out_bool(out, info->monitored);
	put_text(out, "hostname", conf->hostname);
	put_text(out, "description", conf->description);
	put_text(out, "template", conf->ostemplate);
	vps_json_addrs(out, &info->ports);
	vps_json_ports(out, &info->ports);
	put_list(out, "published", &conf->publish);
	put_list(out, "nameservers", &conf->nameservers);
	put_list(out, "searchDomains", &conf->searchdomains);
	put_text(out, "hostInterface", info->host_ifname);
	put_ids(out, conf);
	put_text(out, "layout", conf->layout);
	put_text(out, "private", info->private_path);
	put_yes_no(out, "onBoot", conf->onboot);
	put_number(out, "bootOrder", conf->bootorder);
	put_list(out, "after", &conf->after);
	put_text(out, "autoRestart", vps_autorestart_name(conf->autorestart));
	put_yes_no(out, "disabled", conf->disabled);
	put_list(out, "features", &conf->features);
	put_limits(out, conf);
	put_list(out, "atRestart", &info->waiting);
	put_usage(out, info);
	put_disk(out, info);
	json_out_end_object(out);
}

/* --- show --- */

struct show_opts {
	bool json;
};

static const struct opt show_opt_rows[] = {
	{ "json", 'j', NULL, "as JSON, in bytes and microseconds", offsetof(struct show_opts, json),
	  opt_flag },
};

static const struct table_column show_columns[] = { { "" }, { "" } };

static struct err *add_pair(struct table *table, const char *name, const char *value)
{
	TRY(table_add(table, name));
	return table_add(table, value);
}

static struct unit_text bytes_or_none(uint64_t bytes)
{
	struct unit_text text = unit_bytes(bytes);

	if (bytes == VPS_UNLIMITED)
		snprintf(text.text, sizeof(text.text), "unlimited");
	return text;
}

/* "used of limit" */
static struct err *add_usage(struct table *table, const char *name, const char *used,
			     const char *limit)
{
	TRY(table_add(table, name));
	return used ? table_addf(table, "%s of %s", used, limit) : table_add(table, limit);
}

static struct err *add_waiting(struct table *table, const struct strlist *keys)
{
	OWN(buf) struct buf text = { 0 };

	for (size_t i = 0; i < keys->count; i++)
		TRY(buf_format(&text, "%s%s", i ? ", " : "", vps_conf_label(keys->items[i])));
	return add_pair(table, "at restart", text.data);
}

static struct err *add_running(struct table *table, const struct vps_info *info)
{
	OWN(str) char *pid = NULL;

	TRY(str_format(&pid, "%d", (int)info->pid));
	TRY(add_pair(table, "uptime", unit_duration(info->uptime_s).text));
	TRY(add_pair(table, "init", pid));
	TRY(add_pair(table, "cgroup", info->cgroup));
	TRY(add_pair(table, "monitor", info->monitored ? "yes" : "no"));
	return info->waiting.count ? add_waiting(table, &info->waiting) : NULL;
}

static struct err *add_port(struct table *table, const struct net_port *port)
{
	OWN(buf) struct buf text = { 0 };

	TRY(vps_port_text(port, &text));
	return add_pair(table, port->name, text.data);
}

static struct err *add_conf(struct table *table, const struct vps_info *info)
{
	const struct vps_conf *conf = &info->conf;
	OWN(buf) struct buf addrs = { 0 };

	TRY(vps_addrs_text(&info->ports, &addrs));
	TRY(add_pair(table, "host name", conf->hostname));
	if (conf->description)
		TRY(add_pair(table, "description", conf->description));
	TRY(add_pair(table, "template", conf->ostemplate));
	TRY(add_pair(table, "addresses", addrs.len ? addrs.data : NULL));
	for (size_t i = 0; i < info->ports.count; i++)
		TRY(add_port(table, &info->ports.items[i]));
	TRY(add_pair(table, "private", info->private_path));
	if (conf->id_first == VPS_UNSET)
		return NULL;
	TRY(table_add(table, "ids"));
	return table_addf(table, "%" PRIu64 " to %" PRIu64, conf->id_first,
			  conf->id_first + (conf->id_count == VPS_UNSET ? 65536 : conf->id_count) -
				  1);
}

static struct err *add_disk(struct table *table, const struct vps_info *info)
{
	const struct quota_usage *disk = info->has_disk ? &info->disk : NULL;
	const struct vps_conf *conf = &info->conf;
	struct unit_text used;

	if (disk)
		used = unit_bytes(disk->bytes);
	TRY(add_usage(table, "disk", disk ? used.text : NULL,
		      bytes_or_none(conf->disk_bytes.soft).text));
	if (disk)
		used = unit_count(disk->inodes);
	TRY(add_usage(table, "files", disk ? used.text : NULL,
		      unit_count(conf->disk_inodes.soft).text));
	return add_pair(table, "layout", conf->layout);
}

static struct err *add_limits(struct table *table, const struct vps_info *info)
{
	const struct cgroup_stats *stats = info->has_stats ? &info->stats : NULL;
	const struct vps_conf *conf = &info->conf;
	struct unit_text used;

	if (stats)
		used = unit_bytes(stats->memory_bytes);
	TRY(add_usage(table, "memory", stats ? used.text : NULL,
		      bytes_or_none(conf->ram_bytes).text));
	if (stats)
		used = unit_bytes(stats->swap_bytes);
	TRY(add_usage(table, "swap", stats ? used.text : NULL,
		      bytes_or_none(conf->swap_bytes).text));
	if (stats)
		used = unit_count(stats->pids);
	TRY(add_usage(table, "processes", stats ? used.text : NULL,
		      unit_count(conf->numproc).text));
	TRY(add_disk(table, info));
	TRY(add_pair(table, "CPUs", unit_count(conf->cpus).text));
	if (conf->traffic_quota)
		TRY(add_pair(table, "traffic a month", conf->traffic_quota));
	return stats ? add_pair(table, "CPU time used",
				unit_duration(stats->cpu_usage_us / 1000000).text) :
		       NULL;
}

static struct err *show_table(const struct vps_info *info)
{
	OWN(table)
	struct table table = { .columns = show_columns, .column_count = 2, .no_header = true };
	OWN(buf) struct buf text = { 0 };

	TRY(add_pair(&table, "name", info->name));
	TRY(add_pair(&table, "status", vps_status_name(info->status)));
	if (info->problem)
		TRY(add_pair(&table, "problem", info->problem));
	if (info->pid)
		TRY(add_running(&table, info));
	TRY(add_conf(&table, info));
	TRY(add_limits(&table, info));
	TRY(table_render(&table, &text));
	return out_text(text.data, text.len);
}

static struct err *print_info(const struct vps_info *info)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(true, &out));
	vps_json(out, info);
	return vps_print_json(out);
}

static struct err *show_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(vps_info) struct vps_info info = { 0 };
	struct show_opts opts = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_host_open(&host));
	TRY(vps_look(&host, args.items[0], VPS_WITH_STATS, &info));
	return opts.json ? print_info(&info) : show_table(&info);
}

const struct cmd vps_cmd_show = {
	.name = "show",
	.args = "NAME",
	.summary = "everything about a VPS",
	.opts = OPT_TABLE(show_opt_rows),
	.run = show_run,
	.min_args = 1,
	.max_args = 1,
};

/* --- status: vzctl's line, which scripts read --- */

static struct err *status_line(const char *name, const struct vps_info *info)
{
	bool up = info && (info->status == VPS_RUNNING || info->status == VPS_PAUSED);
	OWN(str) char *line = NULL;

	TRY(str_format(&line, "CTID %s %s %s %s%s\n", name, info ? "exist" : "deleted",
		       up ? "mounted" : "unmounted", up ? "running" : "down",
		       info && info->status == VPS_SUSPENDED ? " suspended" : ""));
	return out_text(line, strlen(line));
}

/* On standard error, so that scripts still read one line. */
static void warn_of_lacks(const char *name, const struct strlist *lacks)
{
	for (size_t i = 0; i < lacks->count; i++)
		log_warning("VPS %s: not enforced: %s", name, lacks->items[i]);
}

static struct err *status_json(const char *name, const struct vps_info *info,
			       const struct strlist *lacks)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(false, &out));
	json_out_object(out);
	put_text(out, "name", name);
	json_out_key(out, "exists");
	json_out_bool(out, info);
	put_text(out, "status", info ? vps_status_name(info->status) : NULL);
	put_text(out, "problem", info ? info->problem : NULL);
	put_number(out, "pid", info && info->pid ? (uint64_t)info->pid : VPS_UNSET);
	put_list(out, "notEnforced", lacks);
	json_out_end_object(out);
	return vps_print_json(out);
}

static struct err *status_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(vps_info) struct vps_info info = { 0 };
	OWN(strlist) struct strlist lacks = { 0 };
	struct show_opts opts = { 0 };
	struct err *err;
	bool found;

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_host_open(&host));
	err = vps_look(&host, args.items[0], VPS_BRIEF, &info);
	found = !err;
	/* that it is not there is an answer here, not an error */
	if (err && err_kind(err) != ERR_NOT_FOUND)
		return err;
	err_drop(err);
	if (found && info.conf.best_effort == 1)
		TRY(vps_limits_lacking(&host, args.items[0], &info.conf, &lacks));
	if (opts.json)
		return status_json(args.items[0], found ? &info : NULL, &lacks);
	vps_warn_problem(&info);
	warn_of_lacks(args.items[0], &lacks);
	return status_line(args.items[0], found ? &info : NULL);
}

const struct cmd vps_cmd_status = {
	.name = "status",
	.args = "NAME",
	.summary = "one line: does it exist, does it run",
	.opts = OPT_TABLE(show_opt_rows),
	.run = status_run,
	.min_args = 1,
	.max_args = 1,
};
