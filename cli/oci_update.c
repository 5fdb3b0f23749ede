/*
 * cella-oci update: change the limits of a running container. The options become a LinuxResources
 * object, so that there is one reading of shares, swap and the rest: spec_parse_resources().
 */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "cli/oci.h"

/* A number as the command line gave it. */
struct amount {
	bool is_set;
	int64_t value; /* -1: unlimited */
};

struct update_opts {
	const char *resources, *cpus, *mems, *l3_schema, *mb_schema;
	struct amount memory, reservation, swap, period, quota, burst, shares, rt_period,
		rt_runtime, idle;
	struct amount blkio_weight, pids;
};

static struct err *parse_count(const struct opt *opt, const char *text, void *field)
{
	struct amount *amount = field;

	amount->is_set = true;
	return parse_i64(opt_label(opt).text, text, &amount->value);
}

static struct err *parse_size(const struct opt *opt, const char *text, void *field)
{
	struct amount *amount = field;
	uint64_t bytes;

	if (str_eq(text, "-1"))
		return parse_count(opt, text, field);
	TRY(parse_bytes(opt_label(opt).text, text, &bytes));
	if (bytes > INT64_MAX)
		return err_new(ERR_INVALID, "--%s: '%.64s' is too much", opt->name, text);
	*amount = (struct amount){ .is_set = true, .value = (int64_t)bytes };
	return NULL;
}

#define FIELD(name) offsetof(struct update_opts, name)
/* clang-format off */
static const struct opt update_opt_rows[] = {
	{ "resources", 'r', "FILE", "LinuxResources in JSON (- for stdin) instead", FIELD(resources), opt_path },
	{ "memory", 0, "BYTES", "memory limit; -1: none", FIELD(memory), parse_size },
	{ "memory-reservation", 0, "BYTES", "memory to protect from reclaim", FIELD(reservation), parse_size },
	{ "memory-swap", 0, "BYTES", "memory and swap together; -1: no limit", FIELD(swap), parse_size },
	{ "cpu-period", 0, "USEC", "length of a period", FIELD(period), parse_count },
	{ "cpu-quota", 0, "USEC", "CPU time in a period; -1: no limit", FIELD(quota), parse_count },
	{ "cpu-burst", 0, "USEC", "unused time that may pile up", FIELD(burst), parse_count },
	{ "cpu-share", 0, "SHARES", "relative weight, 2 to 262144", FIELD(shares), parse_count },
	{ "cpu-idle", 0, "0|1", "run only when nobody else does", FIELD(idle), parse_count },
	{ "cpu-rt-period", 0, "USEC", "cgroup v1 only", FIELD(rt_period), parse_count },
	{ "cpu-rt-runtime", 0, "USEC", "cgroup v1 only", FIELD(rt_runtime), parse_count },
	{ "cpuset-cpus", 0, "LIST", "CPUs such as 0-3,7", FIELD(cpus), opt_string },
	{ "cpuset-mems", 0, "LIST", "memory nodes", FIELD(mems), opt_string },
	{ "blkio-weight", 0, "WEIGHT", "relative disk weight, 10 to 1000", FIELD(blkio_weight), parse_count },
	{ "pids-limit", 0, "N", "processes and threads; -1: no limit", FIELD(pids), parse_count },
	{ "l3-cache-schema", 0, "TEXT", "resctrl cache schema: refused on a live one", FIELD(l3_schema), opt_string },
	{ "mem-bw-schema", 0, "TEXT", "resctrl bandwidth schema: refused likewise", FIELD(mb_schema), opt_string },
	{ "kernel-memory", 0, "BYTES", "accepted, no effect", 0, opt_ignored },
	{ "kernel-memory-tcp", 0, "BYTES", "accepted, no effect", 0, opt_ignored },
};

/* Where a value stands in LinuxResources; rows of one section stand together. */
static const struct {
	const char *section, *key;
	size_t amount; /* offset of a struct amount, or */
	size_t text;   /* of a string, when not 0 */
} resource_rows[] = {
	{ "memory",  "limit",           .amount = FIELD(memory) },
	{ "memory",  "reservation",     .amount = FIELD(reservation) },
	{ "memory",  "swap",            .amount = FIELD(swap) },
	{ "cpu",     "period",          .amount = FIELD(period) },
	{ "cpu",     "quota",           .amount = FIELD(quota) },
	{ "cpu",     "burst",           .amount = FIELD(burst) },
	{ "cpu",     "shares",          .amount = FIELD(shares) },
	{ "cpu",     "idle",            .amount = FIELD(idle) },
	{ "cpu",     "realtimePeriod",  .amount = FIELD(rt_period) },
	{ "cpu",     "realtimeRuntime", .amount = FIELD(rt_runtime) },
	{ "cpu",     "cpus",            .text = FIELD(cpus) },
	{ "cpu",     "mems",            .text = FIELD(mems) },
	{ "blockIO", "weight",          .amount = FIELD(blkio_weight) },
	{ "pids",    "limit",           .amount = FIELD(pids) },
};
/* clang-format on */

static void put_section(const struct update_opts *opts, size_t start, struct json_out *out)
{
	const char *section = resource_rows[start].section;

	json_out_key(out, section);
	json_out_object(out);
	for (size_t i = start; i < ARRAY_SIZE(resource_rows); i++) {
		const char *base = (const char *)opts;
		const struct amount *amount = (const void *)(base + resource_rows[i].amount);
		const char *const *text = (const void *)(base + resource_rows[i].text);

		if (!str_eq(resource_rows[i].section, section))
			break;
		if (resource_rows[i].text ? !*text : !amount->is_set)
			continue;
		json_out_key(out, resource_rows[i].key);
		if (resource_rows[i].text)
			json_out_string(out, *text);
		else
			json_out_i64(out, amount->value);
	}
	json_out_end_object(out);
}

static struct err *resources_of(const struct update_opts *opts, char **ret_text)
{
	OWN(json_out) struct json_out *out = NULL;
	const char *section = "";

	TRY(json_out_new(false, &out));
	json_out_object(out);
	for (size_t i = 0; i < ARRAY_SIZE(resource_rows); i++) {
		if (!str_eq(resource_rows[i].section, section))
			put_section(opts, i, out);
		section = resource_rows[i].section;
	}
	json_out_end_object(out);
	return json_out_take(out, ret_text);
}

/* OCI counts memory and swap together: without a new memory limit the present one is needed. */
static struct err *complete_swap(const struct oci_target *target, struct update_opts *opts)
{
	struct cgroup_stats stats = { 0 };

	if (!opts->swap.is_set || opts->memory.is_set || opts->swap.value == -1)
		return NULL;
	TRY(ct_stats(&target->root, target->id, &stats));
	opts->memory.is_set = stats.memory_max_bytes <= INT64_MAX;
	opts->memory.value = (int64_t)stats.memory_max_bytes;
	cgroup_stats_release(&stats);
	return NULL;
}

static struct err *read_changes(const struct oci_target *target, struct update_opts *opts,
				struct cgroup_spec *ret_changes)
{
	OWN(buf) struct buf file = { 0 };
	OWN(str) char *text = NULL;

	if (opts->resources) {
		TRY(oci_read_input(opts->resources, &file));
		return err_wrap(spec_parse_resources(file.data, file.len, ret_changes), "%s",
				opts->resources);
	}
	if (opts->l3_schema || opts->mb_schema)
		return err_new(ERR_UNSUPPORTED, "--l3-cache-schema, --mem-bw-schema: resctrl "
						"groups are set at create only");
	TRY(complete_swap(target, opts));
	TRY(resources_of(opts, &text));
	return spec_parse_resources(text, strlen(text), ret_changes);
}

static struct err *update_run(const struct cmd_call *call, int *ret_status)
{
	OWN(oci_target) struct oci_target target = OCI_TARGET_INIT;
	OWN(cgroup_spec) struct cgroup_spec changes;
	struct update_opts opts = { 0 };

	(void)ret_status;
	cgroup_spec_init(&changes);
	TRY(oci_target_parse(call, &opts, &target));
	TRY(read_changes(&target, &opts, &changes));
	return ct_update(&target.root, target.id, &changes);
}

const struct cmd oci_cmd_update = {
	.name = "update",
	.args = "CONTAINER",
	.summary = "change its limits",
	.opts = OPT_TABLE(update_opt_rows),
	.run = update_run,
	.min_args = 1,
	.max_args = 1,
};
