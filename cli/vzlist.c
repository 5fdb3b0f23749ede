/* vzlist: the list of VPSs in the form that OpenVZ's panels and scripts read. Field names, columns,
 * options and selection are vzlist(8)'s; what has no meaning here is "-". */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parse.h"
#include "cli/vps.h"
#include "cli/table.h"

#define FIELDS_MAX 48
#define DEFAULT_FIELDS "ctid,numproc,status,ip,hostname"
#define DEFAULT_FIELDS_NAMES "name,numproc,status,ip,hostname"

/* A value as text; a number sorts and is printed in JSON as one. */
struct cell {
	bool is_number;
	uint64_t number;
	struct buf text;
};

static void own_cell(struct cell *cell)
{
	buf_release(&cell->text);
}

typedef struct err *cell_fn(const struct vps_info *info, struct cell *cell);

static struct err *put_text(struct cell *cell, const char *text)
{
	return buf_format(&cell->text, "%s", text && *text ? text : "-");
}

static struct err *put_number(struct cell *cell, uint64_t number)
{
	cell->is_number = number != VPS_UNSET;
	cell->number = number >= VPS_UNLIMITED ? INT64_MAX : number;
	if (!cell->is_number)
		return put_text(cell, NULL);
	return buf_format(&cell->text, "%" PRIu64, cell->number);
}

static struct err *put_pages(struct cell *cell, uint64_t bytes)
{
	return put_number(cell, bytes >= VPS_UNLIMITED ? bytes : bytes / 4096);
}

static struct err *put_yes_no(struct cell *cell, uint64_t value)
{
	return put_text(cell, value == VPS_UNSET ? NULL : value ? "yes" : "no");
}

static struct err *get_ctid(const struct vps_info *info, struct cell *cell)
{
	return put_text(cell, info->name);
}

static struct err *get_status(const struct vps_info *info, struct cell *cell)
{
	return put_text(cell, vps_status_name(info->status));
}

static struct err *get_hostname(const struct vps_info *info, struct cell *cell)
{
	return put_text(cell, info->conf.hostname);
}

static struct err *get_description(const struct vps_info *info, struct cell *cell)
{
	return put_text(cell, info->conf.description);
}

static struct err *get_ostemplate(const struct vps_info *info, struct cell *cell)
{
	return put_text(cell, info->conf.ostemplate);
}

static struct err *get_plan(const struct vps_info *info, struct cell *cell)
{
	return put_text(cell, info->conf.config);
}

static struct err *get_private(const struct vps_info *info, struct cell *cell)
{
	return put_text(cell, info->private_path);
}

static struct err *get_layout(const struct vps_info *info, struct cell *cell)
{
	return put_text(cell, info->conf.layout);
}

static struct err *get_ip(const struct vps_info *info, struct cell *cell)
{
	OWN(buf) struct buf text = { 0 };

	TRY(vps_addrs_text(&info->ports, &text));
	return put_text(cell, text.data);
}

static struct err *put_list(struct cell *cell, const struct strlist *list)
{
	for (size_t i = 0; i < list->count; i++)
		TRY(buf_format(&cell->text, "%s%s", i ? " " : "", list->items[i]));
	return list->count ? NULL : put_text(cell, NULL);
}

static struct err *get_nameserver(const struct vps_info *info, struct cell *cell)
{
	return put_list(cell, &info->conf.nameservers);
}

static struct err *get_searchdomain(const struct vps_info *info, struct cell *cell)
{
	return put_list(cell, &info->conf.searchdomains);
}

static struct err *get_numproc(const struct vps_info *info, struct cell *cell)
{
	return put_number(cell, info->has_stats ? info->stats.pids : VPS_UNSET);
}

static struct err *get_numproc_limit(const struct vps_info *info, struct cell *cell)
{
	return put_number(cell, info->conf.numproc);
}

static struct err *get_physpages(const struct vps_info *info, struct cell *cell)
{
	return put_pages(cell, info->has_stats ? info->stats.memory_bytes : VPS_UNSET);
}

static struct err *get_physpages_peak(const struct vps_info *info, struct cell *cell)
{
	return put_pages(cell, info->has_stats ? info->stats.memory_peak_bytes : VPS_UNSET);
}

static struct err *get_physpages_limit(const struct vps_info *info, struct cell *cell)
{
	return put_pages(cell, info->conf.ram_bytes);
}

static struct err *get_physpages_failures(const struct vps_info *info, struct cell *cell)
{
	return put_number(cell, info->has_stats ? info->stats.memory_oom : VPS_UNSET);
}

static struct err *get_swappages(const struct vps_info *info, struct cell *cell)
{
	return put_pages(cell, info->has_stats ? info->stats.swap_bytes : VPS_UNSET);
}

static struct err *get_swappages_limit(const struct vps_info *info, struct cell *cell)
{
	return put_pages(cell, info->conf.swap_bytes);
}

static struct err *put_memory_stat(const struct vps_info *info, const char *name, struct cell *cell)
{
	const char *text = strlist_env(&info->stats.memory_stat, name);
	uint64_t bytes = VPS_UNSET;

	if (info->has_stats && text)
		TRY(parse_u64(name, text, 0, UINT64_MAX, &bytes));
	return put_number(cell, bytes);
}

static struct err *get_kmemsize(const struct vps_info *info, struct cell *cell)
{
	return put_memory_stat(info, "kernel", cell);
}

static struct err *get_uptime(const struct vps_info *info, struct cell *cell)
{
	return put_number(cell, info->pid ? info->uptime_s : VPS_UNSET);
}

static struct err *get_cpulimit(const struct vps_info *info, struct cell *cell)
{
	return put_number(cell, info->conf.cpulimit_percent);
}

static struct err *get_cpuunits(const struct vps_info *info, struct cell *cell)
{
	return put_number(cell, info->conf.cpuunits == VPS_UNSET ? 1000 : info->conf.cpuunits);
}

static struct err *get_cpus(const struct vps_info *info, struct cell *cell)
{
	return put_number(cell, info->conf.cpus);
}

static struct err *get_cpumask(const struct vps_info *info, struct cell *cell)
{
	return put_text(cell, info->conf.cpumask);
}

static struct err *get_ioprio(const struct vps_info *info, struct cell *cell)
{
	return put_number(cell, info->conf.ioprio == VPS_UNSET ? 4 : info->conf.ioprio);
}

static struct err *get_iolimit(const struct vps_info *info, struct cell *cell)
{
	return put_number(cell, info->conf.iolimit_bytes);
}

static struct err *get_iopslimit(const struct vps_info *info, struct cell *cell)
{
	return put_number(cell, info->conf.iopslimit);
}

static struct err *get_onboot(const struct vps_info *info, struct cell *cell)
{
	return put_yes_no(cell, info->conf.onboot);
}

static struct err *get_disabled(const struct vps_info *info, struct cell *cell)
{
	return put_yes_no(cell, info->conf.disabled);
}

/* Widths are vzlist's own; negative: to the left, as in printf. */
static const struct field {
	const char *name, *title;
	int width;
	cell_fn *get;
} fields[] = {
	{ "ctid", "CTID", 10, get_ctid },
	{ "veid", "CTID", 10, get_ctid },
	{ "vpsid", "CTID", 10, get_ctid },
	{ "name", "NAME", -32, get_ctid },
	{ "smart_name", "SMARTNAME", 10, get_ctid },
	{ "hostname", "HOSTNAME", -32, get_hostname },
	{ "description", "DESCRIPTION", -32, get_description },
	{ "ostemplate", "OSTEMPLATE", -32, get_ostemplate },
	{ "origin_sample", "ORIGIN_SAMPLE", -32, get_plan },
	{ "private", "PRIVATE", -32, get_private },
	{ "root", "ROOT", -32, get_private },
	{ "layout", "LAYOUT", -6, get_layout },
	{ "status", "STATUS", -9, get_status },
	{ "ip", "IP_ADDR", -15, get_ip },
	{ "nameserver", "NAMESERVER", -15, get_nameserver },
	{ "searchdomain", "SEARCHDOMAIN", -32, get_searchdomain },
	{ "numproc", "NPROC", 10, get_numproc },
	{ "nproc", "NPROC", 10, get_numproc },
	{ "numproc.b", "NPROC.B", 10, get_numproc_limit },
	{ "numproc.l", "NPROC.L", 10, get_numproc_limit },
	{ "physpages", "PHYSP", 10, get_physpages },
	{ "physpages.m", "PHYSP.M", 10, get_physpages_peak },
	{ "physpages.l", "PHYSP.L", 10, get_physpages_limit },
	{ "physpages.f", "PHYSP.F", 10, get_physpages_failures },
	{ "swappages", "SWAPP", 10, get_swappages },
	{ "swappages.l", "SWAPP.L", 10, get_swappages_limit },
	{ "kmemsize", "KMEMSIZE", 10, get_kmemsize },
	{ "uptime", "UPTIME", 15, get_uptime },
	{ "cpulimit", "CPULIM", 7, get_cpulimit },
	{ "cpuunits", "CPUUNI", 7, get_cpuunits },
	{ "cpus", "CPUS", 4, get_cpus },
	{ "cpumask", "CPUMASK", -9, get_cpumask },
	{ "ioprio", "IOP", 3, get_ioprio },
	{ "iolimit", "IOLIMIT", 10, get_iolimit },
	{ "iopslimit", "IOPSLIMIT", 10, get_iopslimit },
	{ "onboot", "ONBOOT", 6, get_onboot },
	{ "disabled", "DISABL", 6, get_disabled },
};

struct vzlist_opts {
	const char *fields, *sort, *hostname, *name, *description;
	bool all, stopped, names, no_header, no_trim, json, ids_only, list_fields;
};

#define FIELD(member) offsetof(struct vzlist_opts, member)
/* clang-format off */
static const struct opt vzlist_opt_rows[] = {
	{ "all", 'a', NULL, "stopped ones as well", FIELD(all), opt_flag },
	{ "stopped", 'S', NULL, "stopped ones alone", FIELD(stopped), opt_flag },
	{ "name", 'n', NULL, "names first", FIELD(names), opt_flag },
	{ "no-header", 'H', NULL, "no line of titles", FIELD(no_header), opt_flag },
	{ "no-trim", 't', NULL, "do not shorten the last column", FIELD(no_trim), opt_flag },
	{ "json", 'j', NULL, "an array of objects", FIELD(json), opt_flag },
	{ "output", 'o', "FIELD,...", "columns to show", FIELD(fields), opt_string },
	{ "ids", '1', NULL, "CTIDs alone", FIELD(ids_only), opt_flag },
	{ "sort", 's', "[-]FIELD", "sort by a column, - backwards", FIELD(sort), opt_string },
	{ "hostname", 'h', "PATTERN", "of this host name", FIELD(hostname), opt_string },
	{ "name_filter", 'N', "PATTERN", "of this name", FIELD(name), opt_string },
	{ "description", 'd', "PATTERN", "of this description", FIELD(description), opt_string },
	{ "list", 'L', NULL, "which fields there are", FIELD(list_fields), opt_flag },
};
/* clang-format on */

/* The chosen fields. */
struct choice {
	const struct field *fields[FIELDS_MAX];
	size_t count;
	const struct field *sort;
	bool backwards;
};

/* One VPS, as what is shown and what it is sorted by. */
struct row {
	struct cell cells[FIELDS_MAX], key;
};
struct row_list {
	struct row *items;
	size_t count;
};

static void own_row_list(struct row_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		for (size_t k = 0; k < FIELDS_MAX; k++)
			own_cell(&list->items[i].cells[k]);
		own_cell(&list->items[i].key);
	}
	free(list->items);
}

static struct err *find_field(const char *name, size_t len, const struct field **ret_field)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strlen(fields[i].name) == len && strncmp(fields[i].name, name, len) == 0) {
			*ret_field = &fields[i];
			return NULL;
		}
	return err_new(ERR_INVALID, "unknown field: %.*s", len > 40 ? 40 : (int)len, name);
}

static struct err *choose(const struct vzlist_opts *opts, struct choice *choice)
{
	const char *at = opts->ids_only ? "ctid" :
			 opts->fields	? opts->fields :
			 opts->names	? DEFAULT_FIELDS_NAMES :
					  DEFAULT_FIELDS;
	const char *sort = opts->sort ? opts->sort : opts->names ? "name" : "ctid";

	choice->backwards = *sort == '-';
	sort += choice->backwards;
	TRY(find_field(sort, strlen(sort), &choice->sort));
	if (opts->json && !opts->fields) {
		for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
			choice->fields[choice->count++] = &fields[i];
		return NULL;
	}
	while (*at) {
		size_t len = strcspn(at, ",");

		if (choice->count == FIELDS_MAX)
			return err_new(ERR_INVALID, "more than %d fields", FIELDS_MAX);
		TRY(find_field(at, len, &choice->fields[choice->count]));
		choice->count++;
		at += len + (at[len] == ',');
	}
	return NULL;
}
_Static_assert(ARRAY_SIZE(fields) <= FIELDS_MAX, "all fields at once, for JSON");

static bool fits(const char *pattern, const char *text)
{
	return !pattern || (text && fnmatch(pattern, text, 0) == 0);
}

static bool is_wanted(const struct vps_info *info, const struct vzlist_opts *opts, bool named)
{
	bool up = info->status == VPS_RUNNING || info->status == VPS_PAUSED;

	if (opts->stopped ? up : !up && !opts->all && !named)
		return false;
	return fits(opts->hostname, info->conf.hostname) && fits(opts->name, info->name) &&
	       fits(opts->description, info->conf.description);
}

static struct err *add_row(const struct vps_info *info, const struct choice *choice,
			   struct row_list *list)
{
	struct row *items = reallocarray(list->items, list->count + 1, sizeof(*items));
	struct row *row;

	if (!items)
		return err_new(ERR_SYS, "list the VPSs: out of memory");
	list->items = items;
	row = &items[list->count++];
	*row = (struct row){ 0 };
	for (size_t i = 0; i < choice->count; i++)
		TRY(choice->fields[i]->get(info, &row->cells[i]));
	return choice->sort->get(info, &row->key);
}

static struct err *collect(const struct vzlist_opts *opts, const struct opt_args *args,
			   const struct choice *choice, struct row_list *list)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(strlist) struct strlist names = { 0 };
	OWN(net_seen) struct net_seen seen = { 0 };
	const struct vps_glance glance = { VPS_WITH_STATS, &seen };

	TRY(vps_host_open(&host));
	for (size_t i = 0; i < args->count; i++)
		TRY(strlist_add(&names, args->items[i]));
	if (!args->count) {
		TRY(vps_names(&host, &names));
		vps_see_all(&seen);
	}
	for (size_t i = 0; i < names.count; i++) {
		OWN(vps_info) struct vps_info info = { 0 };
		struct err *err = vps_glance(&host, names.items[i], &glance, &info);

		if (err && err_kind(err) == ERR_NOT_FOUND) {
			log_warn(err); /* vzlist goes on with the others */
			continue;
		}
		TRY(err);
		if (!opts->json)
			vps_warn_problem(&info);
		if (is_wanted(&info, opts, args->count > 0))
			TRY(add_row(&info, choice, list));
	}
	return NULL;
}

/* CTIDs were numbers: those first and by size, then names. */
static int compare_text(const char *a, const char *b)
{
	bool a_number = *a && strspn(a, "0123456789") == strlen(a);
	bool b_number = *b && strspn(b, "0123456789") == strlen(b);

	if (a_number && b_number && strlen(a) != strlen(b))
		return strlen(a) < strlen(b) ? -1 : 1;
	if (a_number != b_number)
		return a_number ? -1 : 1;
	return strcmp(a, b);
}

static int compare_rows(const void *left, const void *right)
{
	const struct cell *a = &((const struct row *)left)->key;
	const struct cell *b = &((const struct row *)right)->key;

	if (a->is_number && b->is_number)
		return a->number < b->number ? -1 : a->number > b->number;
	return compare_text(a->text.data, b->text.data);
}

static void sort(const struct choice *choice, struct row_list *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare_rows);
	for (size_t i = 0; choice->backwards && i < list->count / 2; i++) {
		struct row kept = list->items[i];

		list->items[i] = list->items[list->count - 1 - i];
		list->items[list->count - 1 - i] = kept;
	}
}

static struct err *add_cell(const struct field *field, bool last, const char *text,
			    struct buf *line)
{
	OWN(str) char *safe = NULL;

	TRY(str_escape(text, &safe));
	/* nothing is padded after the last column but to the right of it */
	if (last && field->width < 0)
		return buf_format(line, "%s\n", safe);
	return buf_format(line, "%*s%s", field->width, safe, last ? "\n" : " ");
}

static struct err *print_table(const struct choice *choice, const struct row_list *list,
			       const struct vzlist_opts *opts)
{
	OWN(buf) struct buf text = { 0 };

	TRY(buf_add(&text, "", 0));
	for (size_t i = 0; i < choice->count && !opts->no_header && !opts->ids_only; i++)
		TRY(add_cell(choice->fields[i], i + 1 == choice->count, choice->fields[i]->title,
			     &text));
	for (size_t r = 0; r < list->count; r++)
		for (size_t i = 0; i < choice->count; i++)
			TRY(add_cell(choice->fields[i], i + 1 == choice->count,
				     list->items[r].cells[i].text.data, &text));
	return out_text(text.data, text.len);
}

static struct err *print_json(const struct choice *choice, const struct row_list *list)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(true, &out));
	json_out_array(out);
	for (size_t r = 0; r < list->count; r++) {
		json_out_object(out);
		for (size_t i = 0; i < choice->count; i++) {
			const struct cell *cell = &list->items[r].cells[i];

			json_out_key(out, choice->fields[i]->name);
			if (cell->is_number)
				json_out_u64(out, cell->number);
			else
				json_out_string(
					out, str_eq(cell->text.data, "-") ? NULL : cell->text.data);
		}
		json_out_end_object(out);
	}
	json_out_end_array(out);
	return vps_print_json(out);
}

static struct err *print_fields(void)
{
	OWN(buf) struct buf text = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		TRY(buf_format(&text, "%-15s %-15s\n", fields[i].name, fields[i].title));
	return out_text(text.data, text.len);
}

static struct err *vzlist_run(const struct cmd_call *call, int *ret_status)
{
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(row_list) struct row_list list = { 0 };
	struct vzlist_opts opts = { 0 };
	struct choice choice = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	if (opts.list_fields)
		return print_fields();
	TRY(choose(&opts, &choice));
	TRY(collect(&opts, &args, &choice, &list));
	sort(&choice, &list);
	return opts.json ? print_json(&choice, &list) : print_table(&choice, &list, &opts);
}

const struct cmd vps_cmd_vzlist = {
	.name = "vzlist",
	.args = "[NAME...]",
	.summary = "list as OpenVZ's vzlist does",
	.opts = OPT_TABLE(vzlist_opt_rows),
	.run = vzlist_run,
	.max_args = CMD_ANY_ARGS,
};
