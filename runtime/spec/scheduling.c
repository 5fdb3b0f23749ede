/* process.scheduler, process.ioPriority and process.execCPUAffinity: sched_setattr(2),
 * ioprio_set(2). */
#include <linux/ioprio.h>
#include <linux/sched.h>

#include "runtime/spec/tables.h"

#define SCHED_ISO_RESERVED 4 /* the kernel keeps the number, and refuses it */

/* clang-format off */
static const struct word policy_words[] = {
	{ "SCHED_OTHER",    SCHED_NORMAL },
	{ "SCHED_FIFO",     SCHED_FIFO },
	{ "SCHED_RR",       SCHED_RR },
	{ "SCHED_BATCH",    SCHED_BATCH },
	{ "SCHED_ISO",      SCHED_ISO_RESERVED },
	{ "SCHED_IDLE",     SCHED_IDLE },
	{ "SCHED_DEADLINE", SCHED_DEADLINE },
};
static const struct words policies = WORDS(policy_words);

static const struct word flag_words[] = {
	{ "SCHED_FLAG_RESET_ON_FORK",  SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM",        SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN",     SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_POLICY",    SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS",    SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
};
static const struct words flags = WORDS(flag_words);

static const struct field scheduler_rows[] = {
	{ "deadline", field_u64,   AT(scheduler_spec, deadline_ns) },
	{ "flags",    field_flags, AT(scheduler_spec, flags), .words = &flags },
	{ "nice",     field_int,   AT(scheduler_spec, nice), .min = -20, .max = 19 },
	{ "period",   field_u64,   AT(scheduler_spec, period_ns) },
	{ "policy",   field_word,  AT(scheduler_spec, policy), .required = true, .words = &policies },
	{ "priority", field_u32,   AT(scheduler_spec, priority), .max = 99 },
	{ "runtime",  field_u64,   AT(scheduler_spec, runtime_ns) },
};
const struct field_table scheduler_table = FIELD_TABLE(scheduler_rows);

static const struct word class_words[] = {
	{ "IOPRIO_CLASS_RT",   IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE",   IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
};
static const struct words classes = WORDS(class_words);

struct raw_io_priority {
	uint32_t class, priority;
};

static const struct field io_priority_rows[] = {
	{ "class",    field_word, AT(raw_io_priority, class), .required = true, .words = &classes },
	{ "priority", field_u32,  AT(raw_io_priority, priority), .max = 7 },
};
const struct field_table io_priority_table = FIELD_TABLE(io_priority_rows);

static const struct field affinity_rows[] = {
	{ "final",   field_cpus, AT(process_spec, affinity_final) },
	{ "initial", field_cpus, AT(process_spec, affinity_initial) },
};
const struct field_table affinity_table = FIELD_TABLE(affinity_rows);
/* clang-format on */

struct err *parse_scheduler(const struct json *value, const struct field *field, void *out)
{
	struct scheduler_spec *scheduler = out;
	bool is_static;

	TRY(fields_parse(field->table, value, scheduler));
	is_static = scheduler->policy == SCHED_FIFO || scheduler->policy == SCHED_RR;
	if (scheduler->priority && !is_static)
		return json_err(json_get(value, "priority"), ERR_INVALID,
				"only SCHED_FIFO and SCHED_RR have one");
	if (scheduler->policy != SCHED_DEADLINE &&
	    (scheduler->runtime_ns || scheduler->deadline_ns || scheduler->period_ns))
		return json_err(value, ERR_INVALID,
				"runtime, deadline and period are for SCHED_DEADLINE");
	scheduler->is_set = true;
	return NULL;
}

struct err *parse_io_priority(const struct json *value, const struct field *field, void *out)
{
	struct raw_io_priority raw = { 0 };
	struct process_spec *process = out;

	TRY(fields_parse(field->table, value, &raw));
	process->io_priority = (int)(raw.class << IOPRIO_CLASS_SHIFT | raw.priority);
	process->io_priority_set = true;
	return NULL;
}
