/*
 * What the commands of cella share. Each command is a value in vps_VERB.c; vps.c lists them. No
 * mechanism here: parse, call runtime/vps, print.
 */
#ifndef CLI_VPS_H
#define CLI_VPS_H

#include <stdbool.h>

#include "base/json.h"
#include "cli/cmd.h"
#include "runtime/vps/vps.h"

struct vps_globals {
	bool verbose, quiet, version;
};
extern const struct program vps_program;

extern const struct cmd vps_cmd_create, vps_cmd_destroy, vps_cmd_delete, vps_cmd_start,
	vps_cmd_stop, vps_cmd_status, vps_cmd_list, vps_cmd_show, vps_cmd_exec, vps_cmd_exec2,
	vps_cmd_enter, vps_cmd_console, vps_cmd_stats, vps_cmd_top, vps_cmd_events, vps_cmd_metrics,
	vps_cmd_why, vps_cmd_traffic, vps_cmd_monitor_end, vps_cmd_template, vps_cmd_completion,
	vps_cmd_tables;

static inline const struct vps_globals *vps_globals(const struct cmd_call *call)
{
	return call->global;
}

/* Exit status of a failed command; cmd may be NULL. */
int vps_exit_status(const struct cmd *cmd, const struct err *err);
/* The i-th row of the table of exit statuses, for the manual; NULL past the end. */
const char *vps_exit_meaning(size_t i, int *ret_status);

/* One line for people, unless --quiet. */
MUST_CHECK PRINTF(2, 3) struct err *vps_say(const struct cmd_call *call, const char *fmt, ...);
/* Of a command that looks again and again. ERR_INVALID. */
MUST_CHECK struct err *vps_check_interval(uint64_t interval_ms);
/* Print what was written, with a newline. */
MUST_CHECK struct err *vps_print_json(struct json_out *out);
/* The whole of a VPS as one JSON object (vps_show.c). */
void vps_json(struct json_out *out, const struct vps_info *info);
/* Addresses as text, separated by blanks; "" when there are none. */
MUST_CHECK struct err *vps_addrs_text(const struct vps_conf *conf, struct buf *text);

/*
 * Definitions on the command line (vps_options.c): the rows that create and set share. A new option
 * is a row here and in man/cella.8, over a member of struct vps_conf with its row in
 * runtime/vps/keys.c. These put a value into the member of struct vps_conf that the row names.
 */
extern opt_parse_fn opt_vps_bytes, /* uint64_t bytes, or "unlimited" */
	opt_vps_limit,		   /* uint64_t from "limit", "barrier:limit" or "unlimited" */
	opt_vps_percent,	   /* uint64_t from "150" or "150%" */
	opt_vps_yes_no,		   /* uint64_t 0 or 1 */
	opt_vps_autorestart,	   /* uint64_t, enum vps_autorestart */
	opt_vps_text,		   /* char *, owned; the last one wins */
	opt_vps_words,		   /* struct strlist, appended */
	opt_vps_addrs;		   /* the conf's addresses, appended */

/* clang-format off */
#define VPS_OPTION_ROWS(type, member) \
	{ "ostemplate", 0, "NAME", "template to make it from", offsetof(type, member.ostemplate), opt_vps_text }, \
	{ "ram", 0, "BYTES", "memory, as 512M or 2G", offsetof(type, member.ram_bytes), opt_vps_bytes }, \
	{ "swap", 0, "BYTES", "swap on top of it (default: none)", offsetof(type, member.swap_bytes), opt_vps_bytes }, \
	{ "cpus", 0, "NUMBER", "how many CPUs it may use", offsetof(type, member.cpus), opt_u64 }, \
	{ "cpulimit", 0, "PERCENT", "CPU time; 200 is two CPUs, 0 no limit", offsetof(type, member.cpulimit_percent), opt_vps_percent }, \
	{ "cpuunits", 0, "UNITS", "share of the CPU; 1000 is usual", offsetof(type, member.cpuunits), opt_u64 }, \
	{ "numproc", 0, "NUMBER", "processes and threads (default 4096)", offsetof(type, member.numproc), opt_vps_limit }, \
	{ "hostname", 0, "NAME", "host name inside", offsetof(type, member.hostname), opt_vps_text }, \
	{ "ipadd", 0, "ADDRESS", "routed address, repeatable", offsetof(type, member.addrs), opt_vps_addrs }, \
	{ "ip", 0, "ADDRESS", NULL, offsetof(type, member.addrs), opt_vps_addrs }, \
	{ "nameserver", 0, "ADDRESS", "for resolv.conf, repeatable", offsetof(type, member.nameservers), opt_vps_words }, \
	{ "searchdomain", 0, "NAME", "for resolv.conf, repeatable", offsetof(type, member.searchdomains), opt_vps_words }, \
	{ "rate-in", 0, "RATE", "bits a second that it gets, as 10M", offsetof(type, member.rate_in_bits), opt_bit_rate }, \
	{ "rate-out", 0, "RATE", "bits a second that it sends", offsetof(type, member.rate_out_bits), opt_bit_rate }, \
	{ "rate-burst", 0, "BYTES", "what may go at once", offsetof(type, member.rate_burst_bytes), opt_bytes }, \
	{ "pps", 0, "NUMBER", "packets a second, each way", offsetof(type, member.packets_per_s), opt_u64 }, \
	{ "group", 0, "NAME", "VPSs of one group reach each other, repeatable", offsetof(type, member.groups), opt_vps_words }, \
	{ "allow-peer", 0, "NAME", "another VPS that it reaches, repeatable", offsetof(type, member.allow_peers), opt_vps_words }, \
	{ "description", 0, "TEXT", "any text, one line", offsetof(type, member.description), opt_vps_text }, \
	{ "onboot", 0, "yes|no", "start it with the host", offsetof(type, member.onboot), opt_vps_yes_no }, \
	{ "autorestart", 0, "no|on-failure|always", "when it ends by itself", offsetof(type, member.autorestart), opt_vps_autorestart }, \
	{ "stop-timeout", 0, "SECONDS", "stop kills after this long", offsetof(type, member.stop_timeout_s), opt_u64 }, \
	{ "layout", 0, "dir", "how its disk lies on the host", offsetof(type, member.layout), opt_vps_text }
/* clang-format on */

#endif
