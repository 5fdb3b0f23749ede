/*
 * config-linux.md "Control groups": the words of cgroup version 1 to the files of version 2. What
 * has no file there is refused when it asks for something. Block I/O is in block_io.c, device rules
 * in devices.c.
 */
#include <string.h>

#include "runtime/spec/tables.h"

static struct err *parse_memory(const struct json *value, const struct field *field, void *out);
static struct err *parse_cpu(const struct json *value, const struct field *field, void *out);
static struct err *parse_hugepages(const struct json *value, const struct field *field, void *out);
static struct err *parse_page_size(const struct json *value, const struct field *field, void *out);
static struct err *parse_pids_limit(const struct json *value, const struct field *field, void *out);
static struct err *parse_rdma(const struct json *value, const struct field *field, void *out);
static struct err *parse_unified(const struct json *value, const struct field *field, void *out);

struct raw_memory {
	int64_t limit, reservation, swap; /* bytes; 0: not given, -1: unlimited */
	bool check_usage;
};

struct raw_cpu {
	uint64_t shares, burst_us, period_us;
	int64_t quota_us;
	int64_t idle;		 /* -1: not given */
	const char *cpus, *mems; /* borrowed */
};

struct raw_hugepages {
	const char *page_size; /* borrowed */
	uint64_t limit_bytes;
};

struct raw_rdma {
	int64_t handles, objects; /* -1: not given */
};

#define NOT_IN_V2 "cgroup version 2 has no such limit"
#define WHY_KERNEL_MEMORY \
	"version 2 counts kernel memory with the rest; deprecated by the specification"

/* clang-format off */
static const struct field memory_rows[] = {
	{ "checkBeforeUpdate", field_bool,   AT(raw_memory, check_usage) },
	{ "disableOOMKiller",  field_refuse, .harmless = "false", .why = "cgroup version 2 cannot switch the OOM killer off" },
	{ "kernel",            NULL,         .why = WHY_KERNEL_MEMORY },
	{ "kernelTCP",         NULL,         .why = WHY_KERNEL_MEMORY },
	{ "limit",             field_i64,    AT(raw_memory, limit),       .min = -1, .max = INT64_MAX },
	{ "reservation",       field_i64,    AT(raw_memory, reservation), .min = -1, .max = INT64_MAX },
	{ "swap",              field_i64,    AT(raw_memory, swap),        .min = -1, .max = INT64_MAX },
	{ "swappiness",        field_refuse, .why = "cgroup version 2 has no swappiness" },
	{ "useHierarchy",      NULL,         .why = "cgroup version 2 is always hierarchical" },
};
static const struct field_table memory_table = FIELD_TABLE(memory_rows);

static const struct field cpu_rows[] = {
	{ "burst",           field_u64,    AT(raw_cpu, burst_us) },
	{ "cpus",            field_borrowed, AT(raw_cpu, cpus) },
	{ "idle",            field_i64,    AT(raw_cpu, idle), .min = 0, .max = 1 },
	{ "mems",            field_borrowed, AT(raw_cpu, mems) },
	{ "period",          field_u64,    AT(raw_cpu, period_us) },
	{ "quota",           field_i64,    AT(raw_cpu, quota_us), .min = -1, .max = INT64_MAX },
	{ "realtimePeriod",  field_refuse, .harmless = "0", .why = NOT_IN_V2 },
	{ "realtimeRuntime", field_refuse, .harmless = "0", .why = NOT_IN_V2 },
	{ "shares",          field_u64,    AT(raw_cpu, shares) },
};
static const struct field_table cpu_table = FIELD_TABLE(cpu_rows);

static const struct field hugepage_rows[] = {
	{ "limit",    field_u64,       AT(raw_hugepages, limit_bytes), .required = true },
	{ "pageSize", parse_page_size, AT(raw_hugepages, page_size),   .required = true },
};
static const struct field_table hugepage_table = FIELD_TABLE(hugepage_rows);

static const struct field network_rows[] = {
	{ "classID",    field_refuse, .harmless = "0", .why = "cgroup version 2 has no net_cls; use nftables" },
	{ "priorities", field_refuse, .why = "cgroup version 2 has no net_prio; use tc" },
};
static const struct field_table network_table = FIELD_TABLE(network_rows);

static const struct field pids_rows[] = {
	{ "limit", parse_pids_limit, AT(cgroup_limits, pids_max), .min = -1, .max = INT64_MAX },
};
static const struct field_table pids_table = FIELD_TABLE(pids_rows);

static const struct field rdma_rows[] = {
	{ "hcaHandles", field_i64, AT(raw_rdma, handles), .min = 0, .max = INT32_MAX },
	{ "hcaObjects", field_i64, AT(raw_rdma, objects), .min = 0, .max = INT32_MAX },
};
static const struct field_table rdma_table = FIELD_TABLE(rdma_rows);

static const struct field resources_rows[] = {
	{ "blockIO",        field_object,       AT(cgroup_spec, limits), .table = &block_io_table },
	{ "cpu",            parse_cpu,          AT(cgroup_spec, limits), .table = &cpu_table },
	{ "devices",        parse_device_rules, .table = &device_rule_table, .shape = FIELD_LIST },
	{ "hugepageLimits", parse_hugepages,    AT(cgroup_spec, limits.hugetlb), .table = &hugepage_table, .shape = FIELD_LIST },
	{ "memory",         parse_memory,       AT(cgroup_spec, limits), .table = &memory_table },
	{ "network",        field_object,       .table = &network_table },
	{ "pids",           field_object,       AT(cgroup_spec, limits), .table = &pids_table },
	{ "rdma",           parse_rdma,         AT(cgroup_spec, limits.rdma), .table = &rdma_table, .shape = FIELD_MAP },
	{ "unified",        parse_unified,      AT(cgroup_spec, limits.unified) },
};
const struct field_table resources_table = FIELD_TABLE(resources_rows);
/* clang-format on */

/* 0: not given, -1: unlimited, as callers written for version 1 mean them. */
static uint64_t limit_of(int64_t number)
{
	if (number == 0)
		return CGROUP_UNSET;
	return number < 0 ? CGROUP_MAX : (uint64_t)number;
}

/* Version 1 counts memory and swap together, version 2 swap alone. */
static struct err *set_swap(const struct json *value, const struct raw_memory *raw,
			    struct cgroup_limits *limits)
{
	if (raw->limit == -1 && raw->swap == 0) {
		/* "no limit" meant both in version 1 */
		limits->swap_max_bytes = CGROUP_MAX;
		return NULL;
	}
	if (raw->swap <= 0 || raw->limit == -1) {
		limits->swap_max_bytes = limit_of(raw->swap);
		return NULL;
	}
	if (raw->limit == 0)
		return json_err(value, ERR_INVALID,
				"swap needs limit: it is the sum of memory and swap");
	if (raw->swap < raw->limit)
		return json_err(value, ERR_INVALID,
				"swap %jd is the sum of memory and swap, but below limit %jd",
				(intmax_t)raw->swap, (intmax_t)raw->limit);
	limits->swap_max_bytes = (uint64_t)(raw->swap - raw->limit);
	return NULL;
}

static struct err *parse_memory(const struct json *value, const struct field *field, void *out)
{
	struct cgroup_limits *limits = out;
	struct raw_memory raw = { 0 };

	TRY(fields_parse(field->table, value, &raw));
	limits->memory_max_bytes = limit_of(raw.limit);
	limits->memory_low_bytes = limit_of(raw.reservation);
	limits->memory_check_usage = raw.check_usage;
	return set_swap(value, &raw, limits);
}

/* Shares outside 2..262144 were clamped by version 1. */
static uint64_t weight_of(uint64_t shares)
{
	if (shares == 0)
		return CGROUP_UNSET;
	return cgroup_weight_from_shares(shares < 2 ? 2 : shares > 262144 ? 262144 : shares);
}

static struct err *finish_cpu(const struct json *value, const struct raw_cpu *raw,
			      struct cgroup_limits *limits)
{
	if (raw->cpus)
		TRY(str_dup(raw->cpus, &limits->cpuset_cpus));
	if (raw->mems)
		TRY(str_dup(raw->mems, &limits->cpuset_mems));
	if (raw->quota_us > 0 && raw->burst_us > (uint64_t)raw->quota_us)
		return json_err(value, ERR_INVALID, "burst %ju is above quota %jd",
				(uintmax_t)raw->burst_us, (intmax_t)raw->quota_us);
	limits->cpu_weight = weight_of(raw->shares);
	limits->cpu_quota_us = limit_of(raw->quota_us);
	if (raw->period_us)
		limits->cpu_period_us = raw->period_us;
	if (json_get(value, "burst"))
		limits->cpu_burst_us = raw->burst_us;
	if (raw->idle >= 0)
		limits->cpu_idle = (uint64_t)raw->idle;
	return NULL;
}

static struct err *parse_cpu(const struct json *value, const struct field *field, void *out)
{
	struct raw_cpu raw = { .idle = -1 };

	TRY(fields_parse(field->table, value, &raw));
	return finish_cpu(value, &raw, out);
}

/* The kernel names its files hugetlb.2MB.max: digits without leading zeros, then KB, MB or GB. */
static struct err *parse_page_size(const struct json *value, const struct field *field, void *out)
{
	size_t digits;

	TRY(json_expect(value, JSON_STRING));
	digits = strspn(value->text, "0123456789");
	if (digits == 0 || digits > 4 || *value->text == '0' ||
	    !strchr("KMG", value->text[digits]) || !str_eq(value->text + digits + 1, "B"))
		return json_err(value, ERR_INVALID,
				"'%.64s' is not a size such as 64KB, 2MB or 1GB", value->text);
	return field_borrowed(value, field, out);
}

static struct err *parse_hugepages(const struct json *value, const struct field *field, void *out)
{
	TRY(json_expect(value, JSON_ARRAY));
	for (const struct json *item = value->child; item; item = item->next) {
		struct raw_hugepages raw = { 0 };

		TRY(fields_parse(field->table, item, &raw));
		TRY(strlist_format(out, "%s=%ju", raw.page_size, (uintmax_t)raw.limit_bytes));
	}
	return NULL;
}

static struct err *parse_pids_limit(const struct json *value, const struct field *field, void *out)
{
	int64_t number;

	TRY(field_i64(value, field, &number));
	*(uint64_t *)out = number < 0 ? CGROUP_MAX : (uint64_t)number;
	return NULL;
}

/* A line of rdma.max: "mlx5_1 hca_handle=3 hca_object=max". */
static struct err *add_rdma(const struct json *item, const struct field *field,
			    struct strlist *lines)
{
	struct raw_rdma raw = { -1, -1 };
	char handles[40] = "", objects[40] = "";

	TRY(fields_parse(field->table, item, &raw));
	if (raw.handles < 0 && raw.objects < 0)
		return json_err(item, ERR_INVALID, "needs hcaHandles or hcaObjects");
	if (!*item->key || item->key[strcspn(item->key, " \t\n/")])
		return json_err(item, ERR_INVALID, "is not the name of an RDMA device");
	if (raw.handles >= 0)
		snprintf(handles, sizeof(handles), " hca_handle=%jd", (intmax_t)raw.handles);
	if (raw.objects >= 0)
		snprintf(objects, sizeof(objects), " hca_object=%jd", (intmax_t)raw.objects);
	return strlist_format(lines, "%s%s%s", item->key, handles, objects);
}

static struct err *parse_rdma(const struct json *value, const struct field *field, void *out)
{
	TRY(json_expect(value, JSON_OBJECT));
	for (const struct json *item = value->child; item; item = item->next)
		TRY(add_rdma(item, field, out));
	return NULL;
}

/* File names of cgroup version 2 are CONTROLLER.NAME; nothing that leads out of the cgroup's
 * directory. */
static struct err *parse_unified(const struct json *value, const struct field *field, void *out)
{
	TRY(json_expect(value, JSON_OBJECT));
	for (const struct json *item = value->child; item; item = item->next)
		if (strpbrk(item->key, "/=\n") || !strchr(item->key, '.') || *item->key == '.')
			return json_err(item, ERR_INVALID, "is not the name of a cgroup file");
	return parse_pairs(value, field, out);
}
