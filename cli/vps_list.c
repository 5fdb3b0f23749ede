/* cella list: all VPSs, in columns to choose or as JSON. */
#include <string.h>

#include "base/log.h"
#include "cli/table.h"
#include "cli/vps.h"
#include "runtime/vps/watch.h"

#define FIELDS_MAX 32
#define DEFAULT_FIELDS "name,nproc,status,ram,ip,hostname"

typedef struct err *field_fn(const struct vps_info *info, struct table *table);

static struct err *name_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, info->name);
}

static struct err *status_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, vps_status_name(info->status));
}

static struct err *nproc_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, info->has_stats ? unit_count(info->stats.pids).text : NULL);
}

static struct err *nproc_limit_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, unit_count(info->conf.numproc).text);
}

static struct err *ram_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, info->has_stats ? unit_bytes(info->stats.memory_bytes).text : NULL);
}

static struct err *ram_limit_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, unit_bytes(info->conf.ram_bytes).text);
}

static struct err *swap_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, info->has_stats ? unit_bytes(info->stats.swap_bytes).text : NULL);
}

static struct err *cpu_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, info->has_stats ?
					unit_duration(info->stats.cpu_usage_us / 1000000).text :
					NULL);
}

/* Sums of what has come and gone since the start. */
static struct err *sample_field(const struct vps_info *info, struct table *table, size_t offset,
				bool known)
{
	struct vps_sample sample;

	vps_sample_of(info, &sample);
	return table_add(table,
			 known ? unit_bytes(*(uint64_t *)(void *)((char *)&sample + offset)).text :
				 NULL);
}

static struct err *disk_read_field(const struct vps_info *info, struct table *table)
{
	return sample_field(info, table, offsetof(struct vps_sample, read_bytes), info->has_stats);
}

static struct err *disk_write_field(const struct vps_info *info, struct table *table)
{
	return sample_field(info, table, offsetof(struct vps_sample, write_bytes), info->has_stats);
}

static struct err *net_in_field(const struct vps_info *info, struct table *table)
{
	return sample_field(info, table, offsetof(struct vps_sample, received_bytes),
			    info->has_traffic);
}

static struct err *net_out_field(const struct vps_info *info, struct table *table)
{
	return sample_field(info, table, offsetof(struct vps_sample, sent_bytes),
			    info->has_traffic);
}

static struct err *cpus_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, unit_count(info->conf.cpus).text);
}

static struct err *ip_field(const struct vps_info *info, struct table *table)
{
	OWN(buf) struct buf text = { 0 };

	TRY(vps_addrs_text(&info->ports, &text));
	return table_add(table, text.len ? text.data : NULL);
}

static struct err *hostname_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, info->conf.hostname);
}

static struct err *template_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, info->conf.ostemplate);
}

static struct err *description_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, info->conf.description);
}

static struct err *pid_field(const struct vps_info *info, struct table *table)
{
	return info->pid ? table_addf(table, "%d", (int)info->pid) : table_add(table, NULL);
}

static struct err *uptime_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, info->pid ? unit_duration(info->uptime_s).text : NULL);
}

static struct err *layout_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, info->conf.layout);
}

static struct err *private_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, info->private_path);
}

static struct err *onboot_field(const struct vps_info *info, struct table *table)
{
	return table_add(table, info->conf.onboot == 1 ? "yes" : "no");
}

/* vzlist's names, where it has the field. */
static const struct field {
	const char *name, *also; /* second spelling, or NULL */
	struct table_column column;
	field_fn *add;
	enum vps_detail detail; /* what is to be read for it */
} fields[] = {
	{ "name", "ctid", { "NAME", TABLE_LEFT }, name_field },
	{ "nproc", "numproc", { "NPROC", TABLE_RIGHT }, nproc_field, VPS_WITH_COUNTS },
	{ "nproc.l", "numproc.l", { "NPROC.L", TABLE_RIGHT }, nproc_limit_field },
	{ "status", NULL, { "STATUS", TABLE_LEFT }, status_field },
	{ "ram", "physpages", { "RAM", TABLE_RIGHT }, ram_field, VPS_WITH_COUNTS },
	{ "ram.l", "physpages.l", { "RAM.L", TABLE_RIGHT }, ram_limit_field },
	{ "swap", "swappages", { "SWAP", TABLE_RIGHT }, swap_field, VPS_WITH_COUNTS },
	{ "cpu", NULL, { "CPU", TABLE_RIGHT }, cpu_field, VPS_WITH_USAGE },
	{ "cpus", NULL, { "CPUS", TABLE_RIGHT }, cpus_field },
	{ "read", NULL, { "READ", TABLE_RIGHT }, disk_read_field, VPS_WITH_USAGE },
	{ "write", NULL, { "WRITE", TABLE_RIGHT }, disk_write_field, VPS_WITH_USAGE },
	{ "in", NULL, { "IN", TABLE_RIGHT }, net_in_field, VPS_WITH_STATS },
	{ "out", NULL, { "OUT", TABLE_RIGHT }, net_out_field, VPS_WITH_STATS },
	{ "ip", NULL, { "IP_ADDR", TABLE_LEFT }, ip_field },
	{ "hostname", NULL, { "HOSTNAME", TABLE_LEFT }, hostname_field },
	{ "ostemplate", "template", { "OSTEMPLATE", TABLE_LEFT }, template_field },
	{ "description", NULL, { "DESCRIPTION", TABLE_LEFT }, description_field },
	{ "pid", NULL, { "PID", TABLE_RIGHT }, pid_field },
	{ "uptime", NULL, { "UPTIME", TABLE_RIGHT }, uptime_field },
	{ "layout", NULL, { "LAYOUT", TABLE_LEFT }, layout_field },
	{ "private", NULL, { "PRIVATE", TABLE_LEFT }, private_field },
	{ "onboot", NULL, { "ONBOOT", TABLE_LEFT }, onboot_field },
};

struct list_opts {
	const char *fields;
	bool all, stopped, no_header, only_names, json, list_fields;
	bool named; /* names were given: one that is not there is an error */
};

static const struct opt list_opt_rows[] = {
	{ "output", 'o', "FIELD,...", "columns to show; see --fields",
	  offsetof(struct list_opts, fields), opt_string },
	{ "all", 'a', NULL, "running and stopped ones (as always)", offsetof(struct list_opts, all),
	  opt_flag },
	{ "stopped", 'S', NULL, "stopped ones alone", offsetof(struct list_opts, stopped),
	  opt_flag },
	{ "no-header", 'H', NULL, "no line of titles", offsetof(struct list_opts, no_header),
	  opt_flag },
	{ "names", '1', NULL, "names alone", offsetof(struct list_opts, only_names), opt_flag },
	{ "fields", 'L', NULL, "which fields there are", offsetof(struct list_opts, list_fields),
	  opt_flag },
	{ "json", 'j', NULL, "everything, as JSON", offsetof(struct list_opts, json), opt_flag },
};

/* The chosen fields, and their columns as the table wants them. */
struct choice {
	const struct field *fields[FIELDS_MAX];
	struct table_column columns[FIELDS_MAX];
	size_t count;
	enum vps_detail detail; /* the most that one of them wants */
};

static const struct field *find_field(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *const names[] = { fields[i].name, fields[i].also };

		for (size_t n = 0; n < ARRAY_SIZE(names) && names[n]; n++)
			if (strlen(names[n]) == len && strncmp(names[n], name, len) == 0)
				return &fields[i];
	}
	return NULL;
}

static struct err *choose(const char *text, struct choice *choice)
{
	while (*text) {
		size_t len = strcspn(text, ",");
		const struct field *field = find_field(text, len);

		if (!field)
			return err_new(
				ERR_INVALID,
				"--output: there is no field '%.*s'; see 'cella list --fields'",
				len > 40 ? 40 : (int)len, text);
		if (choice->count == FIELDS_MAX)
			return err_new(ERR_INVALID, "--output: more than %d fields", FIELDS_MAX);
		if (field->detail > choice->detail)
			choice->detail = field->detail;
		choice->columns[choice->count] = field->column;
		choice->fields[choice->count++] = field;
		text += len + (text[len] == ',');
	}
	return choice->count ? NULL : err_new(ERR_INVALID, "--output: no field given");
}

static struct err *print_fields(void)
{
	OWN(buf) struct buf text = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		TRY(buf_format(&text, "%-12s %s\n", fields[i].name, fields[i].column.title));
	return out_text(text.data, text.len);
}

/* One VPS into the table, or into out. */
static struct err *add_one(const struct vps_info *info, const struct choice *choice,
			   struct table *table, struct json_out *out)
{
	if (out) {
		vps_json(out, info);
		return NULL;
	}
	for (size_t i = 0; i < choice->count; i++)
		TRY(choice->fields[i]->add(info, table));
	return NULL;
}

static struct err *add_all(const struct vps_host *host, const struct strlist *names,
			   const struct list_opts *opts, const struct choice *choice,
			   struct table *table, struct json_out *out)
{
	OWN(net_seen) struct net_seen seen = { 0 };
	const struct vps_glance glance = { choice->detail, &seen };

	if (!opts->named)
		vps_see_all(&seen);
	for (size_t i = 0; i < names->count; i++) {
		OWN(vps_info) struct vps_info info = { 0 };
		struct err *err = vps_glance(host, names->items[i], &glance, &info);

		if (err && err_kind(err) == ERR_NOT_FOUND && !opts->named) {
			err_drop(err); /* destroyed since the names were read */
			continue;
		}
		TRY(err);
		if (!out)
			vps_warn_problem(&info);
		if (!opts->stopped || info.status == VPS_STOPPED)
			TRY(add_one(&info, choice, table, out));
	}
	return NULL;
}

/* All, or those that were named. */
static struct err *choose_names(const struct vps_host *host, const struct opt_args *args,
				struct strlist *ret_names)
{
	if (args->count == 0)
		return vps_names(host, ret_names);
	for (size_t i = 0; i < args->count; i++)
		TRY(strlist_add(ret_names, args->items[i]));
	return NULL;
}

static struct err *list_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(strlist) struct strlist names = { 0 };
	OWN(json_out) struct json_out *out = NULL;
	OWN(buf) struct buf text = { 0 };
	OWN(table) struct table table = { 0 };
	struct list_opts opts = { .fields = DEFAULT_FIELDS };
	struct choice choice = { .detail = VPS_BRIEF };

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	if (opts.list_fields)
		return print_fields();
	TRY(choose(opts.only_names ? "name" : opts.fields, &choice));
	table.columns = choice.columns;
	table.column_count = choice.count;
	table.no_header = opts.no_header || opts.only_names;
	TRY(vps_host_open(&host));
	opts.named = args.count > 0;
	TRY(choose_names(&host, &args, &names));
	if (opts.json) {
		choice.detail = VPS_WITH_STATS;
		TRY(json_out_new(true, &out));
		json_out_array(out);
	}
	TRY(add_all(&host, &names, &opts, &choice, &table, out));
	if (out) {
		json_out_end_array(out);
		return vps_print_json(out);
	}
	TRY(table_render(&table, &text));
	return out_text(text.data, text.len);
}

const struct cmd vps_cmd_list = {
	.name = "list",
	.args = "[NAME...]",
	.summary = "all VPSs and what they use",
	.opts = OPT_TABLE(list_opt_rows),
	.run = list_run,
	.max_args = CMD_ANY_ARGS,
};
