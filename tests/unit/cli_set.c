/*
 * A bad value for each option that `cella set` has: one line with option, value and what is
 * allowed, and a definition that is as it was.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/path.h"
#include "cli/vps.h"

static char world[] = "/tmp/cella-set-XXXXXX";

static const char definition[] = "# as it was\n"
				 "LOCAL_UID=\"1879113728\"\n"
				 "VE_LAYOUT=\"dir\"\n"
				 "PHYSPAGES=\"0:16384\"\n"
				 "NETIF=\"ifname=eth1,bridge=br0,mac=02:00:00:00:00:11,host_ifname="
				 "vset1,host_mac=02:00:00:00:00:12\"\n";

/* clang-format off */
static const struct bad {
	const char *option, *value, *allowed;
	const char *shown; /* of the value; NULL: all of it */
} bads[] = {
	{ "ostemplate", "../x", "use 1 to 128 of A-Z" },
	{ "ram", "12x", "a size such as 512M or 2G in the range 4M or more" },
	{ "ram", "1K", "not in the range 4M or more" },
	{ "ram", "", "4M or more" },
	{ "swap", "-1", "0 or more" },
	{ "cpus", "0", "1 to 4096" },
	{ "cpus", "4097", "1 to 4096" },
	{ "cpus", "two", "1 to 4096" },
	{ "ram-min", "1e3", "0 to 1048576T" },
	{ "ram-soft", "1023K", "1M or more" },
	{ "oom-group", "perhaps", "neither yes nor no" },
	{ "physpages", "y", "4M or more" },
	{ "physpages", "36028797018963968", "4M or more" },
	{ "swappages", "x", "0 or more" },
	{ "cpulimit", "100001", "0 to 100000" },
	{ "cpulimit", "x%", "0 to 100000", "'x'" },
	{ "cpu-burst", "100001", "0 to 100000" },
	{ "cpuunits", "7", "8 to 500000" },
	{ "cpumask", "0-", "CPUs from 0 to 8191" },
	{ "nodemask", "zero", "memory nodes such as 0-1" },
	{ "numproc", "4194305", "1 to 4194304" },
	{ "numproc", "many", "1 to 4194304" },
	{ "ioprio", "8", "0 to 7" },
	{ "iolimit", "fast", "0 to 1024T" },
	{ "iolimit", "1025T", "0 to 1024T" },
	{ "iopslimit", "4294967295", "0 to 4294967294" },
	{ "best-effort", "perhaps", "neither yes nor no" },
	{ "hostname", "a..b", "'-' or '.' at the edge of a label" },
	{ "hostname", "a_b/c", "letters, digits, '-' and '.'" },
	{ "timezone", "../../etc/shadow", "a zone such as Europe/Berlin" },
	{ "nameserver", "example.org", "an IPv4 or IPv6 address" },
	{ "publish", "0:80", "1 to 65535", "'0'" },
	{ "publish", "80", "HOSTPORT:PORT[/tcp|/udp]" },
	{ "searchdomain", "a;b", "letters, digits, '-' and '.'" },
	{ "rate-in", "7", "8K to 400G" },
	{ "rate-out", "fast", "8K to 400G" },
	{ "rate-burst", "1999", "2000 to 1G" },
	{ "pps", "100000001", "0 to 100000000" },
	{ "traffic-quota", "1T:explode", "500G:ACTION, with warn, throttle, stop or hook" },
	{ "group", "a/b", "use 1 to 128 of A-Z" },
	{ "allow-peer", "../x", "use 1 to 128 of A-Z" },
	{ "features", "nesting:maybe", "NAME:on or NAME:off" },
	{ "description", "a\"b", "quotes, backquotes, $ and backslashes cannot stand" },
	{ "onboot", "perhaps", "neither yes nor no" },
	{ "bootorder", "1000001", "0 to 1000000" },
	{ "after", "a/b", "use 1 to 128 of A-Z" },
	{ "autorestart", "maybe", "no, on-failure, always" },
	{ "stop-timeout", "86401", "0 to 86400" },
	{ "diskspace", "big", "1M to 1048576T" },
	{ "diskspace", "1", "1M to 1048576T" }, /* KiB */
	{ "diskspace", "2G:1G", "SOFT:HARD, the smaller one first in the range 1M to 1048576T" },
	{ "diskinodes", "15", "16 to 1099511627776" },
	{ "diskinodes", "many", "16 to 1099511627776" },
	{ "quotatime", "315360001", "0 to 315360000" },
	{ "ipadd", "1.2.3", "an IPv4 or IPv6 address" },
	{ "ip", "10.0.0.1/33", "1 to 32", "'33'" },
	{ "netif_add", "averyveryverylongname", "1 to 15 bytes", "'averyveryverylong" },
	{ "ifname", "eth7", "--netif_add eth7 gives it one" },
	{ "mac", "01:00:00:00:00:01", "no interface can have the address" },
	{ "host_ifname", "a/b", "1 to 15 bytes" },
	{ "host_mac", "zz", "a MAC address (02:00" },
	{ "bridge", "a/b", "1 to 15 bytes" },
	{ "vlan", "4095", "1 to 4094" },
	{ "mtu", "67", "68 to 65535" },
	{ "gateway", "nobody", "an IPv4 or IPv6 address" },
	{ "mac_filter", "maybe", "neither yes nor no" },
	{ "ip_filter", "maybe", "neither yes nor no" },
	{ "isolated", "maybe", "neither yes nor no" },
	{ "ipdel", "192.0.2.1", "not an address of the VPS" },
	{ "netif_del", "eth7", "no interface" },
	{ "userpasswd", "nobody", "USER:PASSWORD", "" } /* a password is shown nowhere */,
	{ "sshkey", "ssh-rsa", "ssh-ed25519 AAAA" },
	{ "ssh-key", "ssh-rsa", "ssh-ed25519 AAAA" },
	{ "applyconfig", "nosuch", "there is no plan" },
	{ "unset", "NOTHING", "there is no key" },
	{ "setmode", "perhaps", "there is: ignore" },
};
/* clang-format on */

/* Those of one network interface, which stands before them. */
static bool is_of_interface(const char *option)
{
	static const char *const options[] = { "mac",	    "host_ifname", "host_mac", "bridge",
					       "vlan",	    "mtu",	   "gateway",  "mac_filter",
					       "ip_filter", "isolated" };

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (str_eq(options[i], option))
			return true;
	return false;
}

/* The error of "set one --OPTION=VALUE"; NULL: it went well. */
static struct err *set(const char *option, const char *value)
{
	static const struct vps_globals globals = { .quiet = true };
	OWN(strlist) struct strlist words = { 0 };
	struct cmd_call call = { .program = &vps_program, .cmd = &vps_cmd_set, .global = &globals };
	int status = 0;

	TRY(strlist_add(&words, "one"));
	if (is_of_interface(option))
		TRY(strlist_add(&words, "--ifname=eth1"));
	TRY(strlist_format(&words, "--%s=%s", option, value));
	call.argv = call.full_argv = words.items;
	return vps_cmd_set.run(&call, &status);
}

static void is_refused(const struct bad *bad)
{
	OWN(err) struct err *err = set(bad->option, bad->value);
	const char *option = bad->option, *value = bad->value, *allowed = bad->allowed;
	OWN(buf) struct buf text = { 0 };
	OWN(str) char *path = NULL, *label = NULL;

	if (!err || err_kind(err) != ERR_INVALID)
		fail_msg("--%s=%s: %s", option, value, err ? err_text(err) : "it is taken");
	assert_null(str_format(&label, "--%s", str_eq(option, "ssh-key") ? "sshkey" : option));
	if (!strstr(err_text(err), label) ||
	    !strstr(err_text(err), bad->shown ? bad->shown : value) ||
	    !strstr(err_text(err), allowed) || strchr(err_text(err), '\n') ||
	    strlen(err_text(err)) > 250)
		fail_msg("--%s=%s: '%s', and not '%s'", option, value, err_text(err), allowed);
	assert_null(str_format(&path, "%s/etc/cella/conf/one.conf", world));
	assert_null(file_read(AT_FDCWD, path, 4096, &text));
	assert_null(buf_add(&text, "", 0));
	assert_string_equal(text.data, definition);
}

static void bad_values_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bads); i++)
		is_refused(&bads[i]);
}

/* Those of OpenVZ, all of one form. */
static bool is_kept(const struct opt *opt)
{
	return opt->parse == opt_vps_kept;
}

static void no_option_is_left_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < vps_cmd_set.opts.count; i++) {
		const struct opt *opt = &vps_cmd_set.opts.rows[i];
		bool found = !opt->metavar;

		for (size_t k = 0; k < ARRAY_SIZE(bads) && !found; k++)
			found = str_eq(bads[k].option, opt->name);
		if (is_kept(opt))
			is_refused(&(struct bad){ opt->name, "1:2:3", "BARRIER:LIMIT" });
		else if (!found)
			fail_msg("--%s has no bad value here", opt->name);
	}
}

static int make_world(void **state)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(str) char *path = NULL;

	(void)state;
	if (!mkdtemp(world) || setenv("CELLA_ROOT", world, 1) < 0)
		return -1;
	assert_null(vps_host_open(&host));
	assert_null(str_format(&path, "%s/one.conf", host.conf_dir));
	assert_null(file_replace(AT_FDCWD, path, 0644, definition, strlen(definition)));
	return 0;
}

static int remove_world(void **state)
{
	(void)state;
	assert_null(path_remove_tree(AT_FDCWD, world));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_values_are_named),
		cmocka_unit_test(no_option_is_left_out),
	};

	return cmocka_run_group_tests(tests, make_world, remove_world);
}
