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
	bool vzctl; /* called by this name: then what differs is as vzctl does it */
};
extern const struct program vps_program;

extern const struct cmd vps_cmd_create, vps_cmd_destroy, vps_cmd_delete, vps_cmd_rebuild,
	vps_cmd_start, vps_cmd_stop, vps_cmd_restart, vps_cmd_suspend, vps_cmd_resume, vps_cmd_set,
	vps_cmd_status, vps_cmd_check_config, vps_cmd_doctor, vps_cmd_register, vps_cmd_unregister,
	vps_cmd_runscript, vps_cmd_vzlist, vps_cmd_list, vps_cmd_show, vps_cmd_exec, vps_cmd_exec2,
	vps_cmd_enter, vps_cmd_console, vps_cmd_stats, vps_cmd_top, vps_cmd_events, vps_cmd_metrics,
	vps_cmd_why, vps_cmd_traffic, vps_cmd_monitor_end, vps_cmd_monitor_look, vps_cmd_template,
	vps_cmd_snapshot, vps_cmd_snapshot_list, vps_cmd_snapshot_switch, vps_cmd_snapshot_delete,
	vps_cmd_snapshot_mount, vps_cmd_snapshot_umount, vps_cmd_clone, vps_cmd_convert,
	vps_cmd_backup, vps_cmd_backup_list, vps_cmd_backup_verify, vps_cmd_restore_backup,
	vps_cmd_export, vps_cmd_import, vps_cmd_migrate, vps_cmd_migrate_resolve,
	vps_cmd_migrate_receive, vps_cmd_completion, vps_cmd_tables;

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
/* One line on standard error when something is wrong with its definition. */
void vps_warn_problem(const struct vps_info *info);
/* Print what was written, with a newline. */
MUST_CHECK struct err *vps_print_json(struct json_out *out);
/* The whole of a VPS as one JSON object (vps_show.c). */
void vps_json(struct json_out *out, const struct vps_info *info);
/* Interfaces (vps_show_net.c). Addresses as text are separated by blanks; "" when there are none.
 */
MUST_CHECK struct err *vps_addrs_text(const struct net_ports *ports, struct buf *text);
MUST_CHECK struct err *vps_port_text(const struct net_port *port, struct buf *text);
/* Members "addresses" and "interfaces" of the open object. */
void vps_json_addrs(struct json_out *out, const struct net_ports *ports);
void vps_json_ports(struct json_out *out, const struct net_ports *ports);

/*
 * Definitions on the command line (vps_options.c): the rows that create and set share. A new option
 * is a row here and in man/cella.8, over a member of struct vps_conf with its row in
 * runtime/vps/keys.c. These put a value into the member of struct vps_conf that the row names.
 */
extern opt_parse_fn opt_vps_number, /* uint64_t */
	opt_vps_size,		    /* uint64_t bytes */
	opt_vps_bit_rate,	    /* uint64_t bits per second, or "unlimited" */
	opt_vps_bytes,		    /* uint64_t bytes, or "unlimited" */
	opt_vps_rate,	     /* uint64_t bytes per second; a bare number is MB/s, as vzctl's */
	opt_vps_space,	     /* struct vps_pair in bytes, from KiB */
	opt_vps_pair,	     /* struct vps_pair from numbers */
	opt_vps_limit,	     /* uint64_t from "limit", "barrier:limit" or "unlimited" */
	opt_vps_pages,	     /* uint64_t bytes from pages, or bytes with a suffix, likewise */
	opt_vps_best_effort, /* uint64_t = 1; "=no" makes it 0 */
	opt_vps_percent,     /* uint64_t from "150" or "150%" */
	opt_vps_yes_no,	     /* uint64_t 0 or 1 */
	opt_vps_autorestart, /* uint64_t, enum vps_autorestart */
	opt_vps_keys,	     /* struct strlist: a key, or the lines of a file of the host */
	opt_vps_kept,	     /* struct strlist: "KEY=VALUE", the option's name being the key */
	opt_vps_text,	     /* char *, owned; the last one wins */
	opt_vps_words,	     /* struct strlist, appended */
	opt_vps_net;	     /* struct strlist of "option=value", for vps_net_edit() */

/* clang-format off */
#define VPS_OPTION_ROWS(type, member) \
	{ "ostemplate", 0, "NAME", "template to make it from", offsetof(type, member.ostemplate), opt_vps_text }, \
	{ "ram", 0, "BYTES", "memory, as 512M or 2G", offsetof(type, member.ram_bytes), opt_vps_bytes }, \
	{ "swap", 0, "BYTES", "swap on top of it (default: none)", offsetof(type, member.swap_bytes), opt_vps_bytes }, \
	{ "cpus", 0, "NUMBER", "how many CPUs it may use", offsetof(type, member.cpus), opt_vps_number }, \
	{ "ram-min", 0, "BYTES", "memory that is never taken from it", offsetof(type, member.ram_min_bytes), opt_vps_bytes }, \
	{ "ram-soft", 0, "BYTES", "memory above which it is slowed down", offsetof(type, member.ram_soft_bytes), opt_vps_bytes }, \
	{ "oom-group", 0, "yes|no", "out of memory, kill all of it", offsetof(type, member.oom_group), opt_vps_yes_no }, \
	{ "physpages", 0, "PAGES", NULL, offsetof(type, member.ram_bytes), opt_vps_pages }, \
	{ "swappages", 0, "PAGES", NULL, offsetof(type, member.swap_bytes), opt_vps_pages }, \
	{ "cpulimit", 0, "PERCENT", "CPU time; 200 is two CPUs, 0 no limit", offsetof(type, member.cpulimit_percent), opt_vps_percent }, \
	{ "cpu-burst", 0, "PERCENT", "CPU time it may save up", offsetof(type, member.cpu_burst_percent), opt_vps_percent }, \
	{ "cpuunits", 0, "UNITS", "share of the CPU; 1000 is usual", offsetof(type, member.cpuunits), opt_vps_number }, \
	{ "cpumask", 0, "CPUS", "CPUs it may run on, as 0-3,7; all; auto", offsetof(type, member.cpumask), opt_vps_text }, \
	{ "nodemask", 0, "NODES", "memory nodes it may use, as 0-1; all", offsetof(type, member.nodemask), opt_vps_text }, \
	{ "numproc", 0, "NUMBER", "processes and threads (default 4096)", offsetof(type, member.numproc), opt_vps_limit }, \
	{ "ioprio", 0, "0-7", "share of the disk; 4 is usual", offsetof(type, member.ioprio), opt_vps_number }, \
	{ "iolimit", 0, "RATE", "disk throughput per second, as 10M; 0: no limit", offsetof(type, member.iolimit_bytes), opt_vps_rate }, \
	{ "iopslimit", 0, "NUMBER", "disk operations per second; 0: no limit", offsetof(type, member.iopslimit), opt_vps_number }, \
	{ "best-effort", 0, NULL, "do without limits that the host cannot enforce", offsetof(type, member.best_effort), opt_vps_best_effort }, \
	{ "hostname", 0, "NAME", "host name inside", offsetof(type, member.hostname), opt_vps_text }, \
	{ "timezone", 0, "ZONE", "time zone inside, as Europe/Berlin", offsetof(type, member.timezone), opt_vps_text }, \
	{ "nameserver", 0, "ADDRESS", "for resolv.conf, repeatable", offsetof(type, member.nameservers), opt_vps_words }, \
	{ "publish", 0, "PORT:PORT[/udp]", "host's port for one behind NAT", offsetof(type, member.publish), opt_vps_words }, \
	{ "searchdomain", 0, "NAME", "for resolv.conf, repeatable", offsetof(type, member.searchdomains), opt_vps_words }, \
	{ "rate-in", 0, "RATE", "bits a second that it gets, as 10M", offsetof(type, member.rate_in_bits), opt_vps_bit_rate }, \
	{ "rate-out", 0, "RATE", "bits a second that it sends", offsetof(type, member.rate_out_bits), opt_vps_bit_rate }, \
	{ "rate-burst", 0, "BYTES", "what may go at once", offsetof(type, member.rate_burst_bytes), opt_vps_size }, \
	{ "pps", 0, "NUMBER", "packets a second, each way", offsetof(type, member.packets_per_s), opt_vps_number }, \
	{ "traffic-quota", 0, "SIZE:ACTION", "a month's; then warn, throttle, stop, hook", offsetof(type, member.traffic_quota), opt_vps_text }, \
	{ "group", 0, "NAME", "VPSs of one group reach each other, repeatable", offsetof(type, member.groups), opt_vps_words }, \
	{ "allow-peer", 0, "NAME", "another VPS that it reaches, repeatable", offsetof(type, member.allow_peers), opt_vps_words }, \
	{ "features", 0, "NAME:on|off", "nesting: containers of its own", offsetof(type, member.features), opt_vps_words }, \
	{ "description", 0, "TEXT", "any text, one line", offsetof(type, member.description), opt_vps_text }, \
	{ "onboot", 0, "yes|no", "start it with the host", offsetof(type, member.onboot), opt_vps_yes_no }, \
	{ "bootorder", 0, "NUMBER", "the higher, the earlier", offsetof(type, member.bootorder), opt_vps_number }, \
	{ "after", 0, "NAME", "another that is up first, repeatable", offsetof(type, member.after), opt_vps_words }, \
	{ "autorestart", 0, "no|on-failure|always", "when it ends by itself", offsetof(type, member.autorestart), opt_vps_autorestart }, \
	{ "stop-timeout", 0, "SECONDS", "stop kills after this long", offsetof(type, member.stop_timeout_s), opt_vps_number }, \
	{ "diskspace", 0, "SOFT:HARD", "its size; KiB, or as 10G", offsetof(type, member.disk_bytes), opt_vps_space }, \
	{ "diskinodes", 0, "SOFT:HARD", "files and directories", offsetof(type, member.disk_inodes), opt_vps_pair }, \
	{ "quotatime", 0, "SECONDS", "how long over a soft limit", offsetof(type, member.quota_time_s), opt_vps_number }

/* Those of the network, whose order counts: all go to one list. The long tail has no line in --help,
 * but in the manual. */
#define VPS_NET_ROWS(type, member) \
	{ "ipadd", 0, "ADDRESS", "address or auto; routed unless --ifname", offsetof(type, member), opt_vps_net }, \
	{ "ip", 0, "ADDRESS", NULL, offsetof(type, member), opt_vps_net }, \
	{ "netif_add", 0, "IFNAME[,...]", "interface: ,MAC,HOST_IFNAME,HOST_MAC,BRIDGE", offsetof(type, member), opt_vps_net }, \
	{ "ifname", 0, "IFNAME", "the interface that what follows is about", offsetof(type, member), opt_vps_net }, \
	{ "mac", 0, "MAC", NULL, offsetof(type, member), opt_vps_net }, \
	{ "host_ifname", 0, "NAME", NULL, offsetof(type, member), opt_vps_net }, \
	{ "host_mac", 0, "MAC", NULL, offsetof(type, member), opt_vps_net }, \
	{ "bridge", 0, "NAME", NULL, offsetof(type, member), opt_vps_net }, \
	{ "vlan", 0, "ID", NULL, offsetof(type, member), opt_vps_net }, \
	{ "mtu", 0, "BYTES", NULL, offsetof(type, member), opt_vps_net }, \
	{ "gateway", 0, "ADDRESS", NULL, offsetof(type, member), opt_vps_net }, \
	{ "mac_filter", 0, "on|off", NULL, offsetof(type, member), opt_vps_net }, \
	{ "ip_filter", 0, "on|off", NULL, offsetof(type, member), opt_vps_net }, \
	{ "isolated", 0, "on|off", NULL, offsetof(type, member), opt_vps_net }

/* struct vps_login */
#define VPS_LOGIN_ROWS(type, member) \
	{ "userpasswd", 0, "USER:PASSWORD", "password of a user inside", offsetof(type, member.password), opt_string }, \
	{ "sshkey", 0, "KEY|FILE", "public key for root, repeatable", offsetof(type, member.keys), opt_vps_keys }, \
	{ "ssh-key", 0, "KEY|FILE", NULL, offsetof(type, member.keys), opt_vps_keys }

/* OpenVZ's parameters without effect, kept in NAME.conf: "KEY=VALUE" into a struct strlist. */
#define VPS_KEPT_ROW(type, member, name) { name, 0, "BARRIER:LIMIT", NULL, offsetof(type, member), opt_vps_kept }
#define VPS_KEPT_ROWS(type, member) \
	VPS_KEPT_ROW(type, member, "avnumproc"), VPS_KEPT_ROW(type, member, "dcachesize"), \
	VPS_KEPT_ROW(type, member, "dgramrcvbuf"), VPS_KEPT_ROW(type, member, "kmemsize"), \
	VPS_KEPT_ROW(type, member, "lockedpages"), VPS_KEPT_ROW(type, member, "numfile"), \
	VPS_KEPT_ROW(type, member, "numflock"), VPS_KEPT_ROW(type, member, "numiptent"), \
	VPS_KEPT_ROW(type, member, "numothersock"), VPS_KEPT_ROW(type, member, "numpty"), \
	VPS_KEPT_ROW(type, member, "numsiginfo"), VPS_KEPT_ROW(type, member, "numtcpsock"), \
	VPS_KEPT_ROW(type, member, "oomguarpages"), VPS_KEPT_ROW(type, member, "othersockbuf"), \
	VPS_KEPT_ROW(type, member, "privvmpages"), VPS_KEPT_ROW(type, member, "shmpages"), \
	VPS_KEPT_ROW(type, member, "tcprcvbuf"), VPS_KEPT_ROW(type, member, "tcpsndbuf"), \
	VPS_KEPT_ROW(type, member, "vmguarpages"), VPS_KEPT_ROW(type, member, "vm_overcommit")
/* clang-format on */
/* A line that says which of them were given; nothing when none was. */
MUST_CHECK struct err *vps_warn_kept(const struct strlist *pairs);

#endif
