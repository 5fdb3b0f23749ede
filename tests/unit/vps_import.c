/* Other systems' configurations: what is taken over, what is told instead, what is refused. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/path.h"
#include "runtime/vps/import_keys.h"

static void must(struct err *err)
{
	if (err)
		print_message("error: %s\n", err_text(err));
	assert_null(err);
}

static void read_text(struct import *import, const char *text)
{
	const struct import_system *system;

	import_init(import);
	must(import_recognise(text, strlen(text), &system));
	must(import_read(import, system, text, strlen(text)));
	must(vps_conf_check(&import->conf));
}

/* The notes' lines, one after the other. */
static void check_notes(const struct import *import, const char *const *lines)
{
	size_t i = 0;

	for (; lines[i] && i < import->report.note_count; i++)
		assert_string_equal(import->report.notes[i].line, lines[i]);
	assert_null(lines[i]);
	assert_int_equal(import->report.note_count, i);
}

static void check_conf(const struct import *import, const char *wanted)
{
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(buf) struct buf text = { 0 };

	must(vps_conf_write(&import->conf, &file));
	must(conf_file_format(&file, &text));
	assert_string_equal(text.data ? text.data : "", wanted);
}

static void reads_openvz(void **state)
{
	OWN(import) struct import import;

	(void)state;
	read_text(
		&import,
		"# a comment\nPHYSPAGES=\"0:1000\"\nPHYSPAGES=\"0:131072\"\nNUMFILE=\"9312:9312\"\n"
		"LOCAL_UID=\"100000\"\nVE_ROOT=\"/vz/root/$VEID\"\nHOSTNAME=\"-bad\"\n"
		"NETIF=\"ifname=eth0,bridge=br0\"\nMINE=\"x\"\nNAMESERVER=\"\"\n");
	assert_string_equal(import.report.system, "OpenVZ");
	check_conf(&import, "NETIF=\"ifname=eth0,bridge=br0\"\nPHYSPAGES=\"0:131072\"\n");
	check_notes(&import, (const char *const[]){ "NUMFILE=\"9312:9312\"", "HOSTNAME=\"-bad\"",
						    "MINE=\"x\"", NULL });
}

/* Of before there was a limit of memory. */
static void takes_old_memory(void **state)
{
	OWN(import) struct import import;

	(void)state;
	read_text(&import, "PHYSPAGES=\"0:9223372036854775807\"\nPRIVVMPAGES=\"65536:69632\"\n");
	check_conf(&import, "PHYSPAGES=\"0:69632\"\n");
	check_notes(&import, (const char *const[]){ "PRIVVMPAGES=\"65536:69632\"", NULL });
}

static void reads_lxc(void **state)
{
	static const char text[] =
		"lxc.uts.name = web\nlxc.rootfs.path = dir:/var/lib/lxc/web/rootfs\n"
		"lxc.net.0.type = veth\nlxc.net.0.link=lxcbr0\nlxc.net.0.flags = up\n"
		"lxc.net.0.hwaddr = 00:16:3e:11:22:33\nlxc.net.0.ipv4.address = 192.0.2.9/24\n"
		"lxc.net.0.ipv4.gateway = auto\nlxc.net.3.type = macvlan\nlxc.net.3.link = eth0\n"
		"lxc.net.1.type = phys\nlxc.net.1.link = eth3\n"
		"lxc.cgroup2.memory.max = 1G\nlxc.cgroup2.memory.swap.max = max\n"
		"lxc.cgroup2.cpu.max = 150000 100000\nlxc.cgroup2.cpu.weight = 50\n"
		"lxc.cgroup2.pids.max = 500\nlxc.cgroup.cpuset.cpus = 0-1\nlxc.start.auto = 1\n"
		"lxc.cap.drop = mac_admin\nlxc.new.key = 1\nwhat\n";
	OWN(import) struct import import;

	(void)state;
	read_text(&import, text);
	assert_string_equal(import.report.system, "LXC");
	assert_string_equal(import.root, "/var/lib/lxc/web/rootfs");
	check_conf(&import,
		   "CPULIMIT=\"150\"\nCPUMASK=\"0-1\"\nCPUUNITS=\"500\"\nHOSTNAME=\"web\"\n"
		   "NETIF=\"ifname=eth0,bridge=lxcbr0,mac=00:16:3e:11:22:33,ip=192.0.2.9/24;"
		   "ifname=eth3,mode=macvlan,link=eth0\"\n"
		   "NUMPROC=\"500:500\"\nONBOOT=\"yes\"\nPHYSPAGES=\"0:262144\"\n"
		   "SWAPPAGES=\"0:unlimited\"\n");
	check_notes(&import, (const char *const[]){ "lxc.net.0.ipv4.gateway = auto",
						    "lxc.cap.drop = mac_admin", "lxc.new.key = 1",
						    "what", "interface 1 of type phys", NULL });
}

/* Names from before LXC 2.1. */
static void reads_old_lxc(void **state)
{
	OWN(import) struct import import;

	(void)state;
	read_text(&import,
		  "lxc.utsname = old\nlxc.network.type = veth\nlxc.network.link = br0\n"
		  "lxc.network.type = empty\nlxc.network.type = veth\nlxc.network.name = lan\n"
		  "lxc.rootfs = overlayfs:/a:/b\nlxc.cgroup.cpu.shares = 2048\n");
	assert_null(import.root);
	check_conf(&import, "CPUUNITS=\"2000\"\nHOSTNAME=\"old\"\n"
			    "NETIF=\"ifname=eth0,bridge=br0;ifname=lan\"\n");
	check_notes(&import, (const char *const[]){ "lxc.rootfs = overlayfs:/a:/b",
						    "interface 1 of type empty", NULL });
}

static void reads_proxmox(void **state)
{
	static const char text[] =
		"#text\narch: amd64\ncores: 2\ncpulimit: 1.5\ncpuunits: 200\nhostname: "
		"shop.example\n"
		"memory: 512\nmp0: data:vm-1,mp=/srv,size=4G\nnameserver: 192.0.2.53 2001:db8::53\n"
		"net0: name=eth0,bridge=vmbr0,firewall=1,gw=192.0.2.1,hwaddr=BC:24:11:00:00:01,"
		"ip=192.0.2.9/24,ip6=auto,type=veth,tag=7\nonboot: 1\n"
		"rootfs: local:vm-0,size=8G\nswap: 256\nunprivileged: 1\nlxc.cap.drop: sys_module\n"
		"timezone: host\n\n[before]\nmemory: 1\n";
	OWN(import) struct import import;

	(void)state;
	read_text(&import, text);
	assert_string_equal(import.report.system, "Proxmox");
	check_conf(
		&import,
		"CPULIMIT=\"150\"\nCPUS=\"2\"\nCPUUNITS=\"2000\"\nDISKSPACE=\"8388608:8388608\"\n"
		"HOSTNAME=\"shop.example\"\nNAMESERVER=\"192.0.2.53 2001:db8::53\"\n"
		"NETIF=\"ifname=eth0,bridge=vmbr0,mac=bc:24:11:00:00:01,vlan=7,ip=192.0.2.9/24,"
		"gateway=192.0.2.1\"\nONBOOT=\"yes\"\nPHYSPAGES=\"0:131072\"\n"
		"SWAPPAGES=\"0:65536\"\n");
	check_notes(&import, (const char *const[]){ "arch: amd64", "mp0: data:vm-1,mp=/srv,size=4G",
						    "net0: firewall=1", "lxc.cap.drop: sys_module",
						    "timezone: host", "[...]", NULL });
}

/* A value that cannot stand beside the others, or in NAME.conf, is told and not taken. */
static void bad_values_are_told(void **state)
{
	OWN(import) struct import import;

	(void)state;
	read_text(&import, "description: say \"hello\"\nnet0: name=lo,hwaddr=01:00:00:00:00:00\n"
			   "net1: name=a,bridge=b,hwaddr=02:00:00:00:00:01\n"
			   "net2: name=a,bridge=b\nnetx: name=c\nmemory: -1\ncpulimit: 1e3\n");
	check_conf(&import, "NETIF=\"ifname=eth0;ifname=a,bridge=b,mac=02:00:00:00:00:01\"\n");
	check_notes(&import,
		    (const char *const[]){ "description: say \"hello\"", "net0: name=lo",
					   "net0: hwaddr=01:00:00:00:00:00", "netx: name=c",
					   "memory: -1", "cpulimit: 1e3", "interface 2", NULL });
}

static void refuses_what_is_none(void **state)
{
	static const char *const texts[] = { "", "\n#only\n", "hello\n", "\x89PNG" };
	const struct import_system *system;
	OWN(import) struct import import;
	struct err *err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		err = import_recognise(texts[i], strlen(texts[i]), &system);
		assert_non_null(err);
		assert_int_equal(err_kind(err), ERR_INVALID);
		err_drop(err);
	}
	import_init(&import);
	err = import_read(&import, &import_lxc, "lxc.uts.name = a\0b", 18);
	assert_non_null(err);
	err_drop(err);
}

/* Of a file in a new directory; from and to: what stands before and after the directory's name, or
 * to NULL: from alone. Every note says why. */
static void check_include(const char *from, const char *to, const char *why)
{
	OWN(import) struct import import;
	char dir[] = "/tmp/vps_import.XXXXXX", text[200];
	FILE *file;

	assert_non_null(mkdtemp(dir));
	import_init(&import);
	import.dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	file = fdopen(openat(import.dir_fd, "more", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), "w");
	fprintf(file, "lxc.uts.name = included\nlxc.include = %s/more\n", dir);
	fclose(file);
	assert_int_equal(mkdirat(import.dir_fd, "dir", 0700), 0);
	assert_int_equal(symlinkat("more", import.dir_fd, "link"), 0);
	snprintf(text, sizeof(text), "lxc.include = %s%s%s\n", from, to ? dir : "", to ? to : "");
	must(import_read(&import, &import_lxc, text, strlen(text)));
	assert_int_equal(import.report.note_count, 1);
	assert_non_null(strstr(import.report.notes[0].why, why));
	assert_int_equal(!import.conf.hostname, !strstr(text, "more"));
	must(path_remove_tree(AT_FDCWD, dir));
}

static void includes_what_lies_beside(void **state)
{
	(void)state;
	/* one that includes itself: the last one is too much */
	check_include("more", NULL, "more than 64");
	check_include("", "/more", "more than 64");
	check_include("dir", NULL, "no file");
	check_include("none", NULL, "not there");
	check_include("link", NULL, "not beside");
	check_include("../passwd", NULL, "not beside");
	check_include("/etc/passwd", NULL, "not beside");
	check_include("", "x/y", "not beside");
	check_include("", "/../passwd", "not beside");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_openvz),
		cmocka_unit_test(takes_old_memory),
		cmocka_unit_test(reads_lxc),
		cmocka_unit_test(reads_old_lxc),
		cmocka_unit_test(reads_proxmox),
		cmocka_unit_test(bad_values_are_told),
		cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(includes_what_lies_beside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
