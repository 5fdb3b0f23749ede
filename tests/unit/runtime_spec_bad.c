/* What spec_parse() refuses, and the one line that it says; beside each, what is still accepted. */
#include "tests/unit/runtime_spec.h"

#define BASE "\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"}"
#define ALL_NS                                                                             \
	"\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"network\"},{" \
	"\"type\":\"ipc\"},{\"type\":\"pid\"}]"

struct sample {
	const char *text; /* what is put into the document */
	const char *why;  /* a part of the error; NULL: accepted */
};

static void try_spec(const char *text, const char *why)
{
	OWN(err) struct err *err = NULL;
	OWN(spec) struct spec spec;

	spec_init(&spec);
	err = spec_parse(text, strlen(text), "/bundle", &spec);
	if (why)
		expect_text(err, why, text);
	else if (err)
		fail_msg("%s: %s", err_text(err), text);
}

/* Each sample stands where %s is. */
static void try_samples(const char *frame, const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		OWN(buf) struct buf text = { 0 };
		const char *hole = strstr(frame, "%s");

		assert_non_null(hole);
		assert_null(buf_add(&text, frame, (size_t)(hole - frame)));
		assert_null(buf_add(&text, samples[i].text, strlen(samples[i].text)));
		assert_null(buf_add(&text, hole + 2, strlen(hole + 2)));
		try_spec(text.data, samples[i].why);
	}
}
#define TRY_SAMPLES(frame, samples) try_samples(frame, samples, ARRAY_SIZE(samples))

static void versions(void **state)
{
	static const struct sample samples[] = {
		{ "1.0.0", NULL },
		{ "1.0.2-dev", NULL },
		{ "1.2.0+dev", NULL },
		{ "1.99.12-rc.1+x.y", NULL },
		{ "1.0.0-0", NULL },
		{ "1.0", "ociVersion: '1.0' is not a version" },
		{ "1.0.", "ociVersion" },
		{ "1.0.0.0", "ociVersion" },
		{ "01.0.0", "ociVersion" },
		{ "1.00.0", "ociVersion" },
		{ "1.0.0-", "ociVersion" },
		{ "1.0.0-a..b", "ociVersion" },
		{ "1.0.0-01", "ociVersion" },
		{ "1.0.0+", "ociVersion" },
		{ "1.0.0-a_b", "ociVersion" },
		{ "v1.0.0", "ociVersion" },
		{ "", "ociVersion" },
		{ "2.0.0", "ociVersion: '2.0.0' is not a version 1" },
		{ "0.9.0", "ociVersion" },
		{ "10.0.0", "ociVersion" },
		{ "1.0.0\\n", "ociVersion" },
	};

	(void)state;
	TRY_SAMPLES("{\"ociVersion\":\"%s\",\"root\":{\"path\":\"r\"},\"linux\":{" ALL_NS "}}",
		    samples);
}

static void top_level(void **state)
{
	static const struct sample samples[] = {
		{ "{}", "ociVersion: is missing" },
		{ "[]", "expected an object" },
		{ "{\"ociVersion\":\"1.0.0\"}", "root: is missing" },
		{ "{\"ociVersion\":\"1.0.0\",\"root\":{}}", "root.path: is missing" },
		{ "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"\"}}", "root.path: is empty" },
		{ "{" BASE ",\"linux\":{" ALL_NS "},\"unknown\":{\"x\":[1]}}", NULL },
		{ "{" BASE ",\"linux\":{" ALL_NS "},\"process\":null}", NULL },
		{ "{" BASE ",\"hostname\":\"x\",\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}}",
		  "hostname: needs a uts namespace" },
		{ "{" BASE
		  ",\"domainname\":\"x\",\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}}",
		  "domainname: needs a uts namespace" },
		{ "{" BASE ",\"hostname\":\"\",\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}}",
		  NULL },
		{ "{" BASE ",\"hostname\":\"a\\u0000b\"}", "NUL" },
		{ "{" BASE ",\"hostname\":\"a\",\"hostname\":\"b\"}", "'hostname' is given twice" },
		{ "{" BASE "}x", "JSON" },
	};

	(void)state;
	TRY_SAMPLES("%s", samples);
}

static void processes(void **state)
{
	static const struct sample samples[] = {
		{ "\"args\":[\"x\"]", NULL },
		{ "\"args\":[]", "process.args: needs at least one entry" },
		{ "\"args\":null", "process.args: is missing" },
		{ "\"args\":[\"x\"],\"cwd\":\"\"", "given twice" },
		{ "\"args\":[\"x\"],\"env\":[\"A=1\",\"B\"]",
		  "process.env[1]: 'B' is not NAME=VALUE" },
		{ "\"args\":[\"x\"],\"env\":[\"=1\"]", "process.env[0]" },
		{ "\"args\":[\"x\"],\"env\":[\"A=\"]", NULL },
		{ "\"args\":[\"x\"],\"user\":{\"uid\":4294967295}", "process.user.uid" },
		{ "\"args\":[\"x\"],\"user\":{\"uid\":4294967294}", NULL },
		{ "\"args\":[\"x\"],\"user\":{\"additionalGids\":[1,-1]}",
		  "process.user.additionalGids[1]" },
		{ "\"args\":[\"x\"],\"capabilities\":{\"bounding\":[\"CAP_NO_SUCH\",\"7\"]}",
		  NULL },
		{ "\"args\":[\"x\"],\"rlimits\":[{\"type\":\"RLIMIT_X\",\"soft\":1,\"hard\":1}]",
		  "process.rlimits[0].type: 'RLIMIT_X' is not one of RLIMIT_AS, " },
		{ "\"args\":[\"x\"],\"rlimits\":[{\"type\":\"RLIMIT_AS\",\"soft\":2,\"hard\":1}]",
		  "process.rlimits[0]: soft limit 2 is above" },
		{ "\"args\":[\"x\"],\"rlimits\":[{\"type\":\"RLIMIT_AS\",\"soft\":1,\"hard\":1},"
		  "{\"type\":\"RLIMIT_AS\",\"soft\":1,\"hard\":1}]",
		  "process.rlimits[1]: type RLIMIT_AS is given twice" },
		{ "\"args\":[\"x\"],\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"priority\":1}",
		  "process.scheduler.priority: only" },
		{ "\"args\":[\"x\"],\"scheduler\":{\"policy\":\"SCHED_FIFO\",\"priority\":99}",
		  NULL },
		{ "\"args\":[\"x\"],\"scheduler\":{\"policy\":\"SCHED_FIFO\",\"period\":1}",
		  "process.scheduler: runtime, deadline and period" },
		{ "\"args\":[\"x\"],\"scheduler\":{\"policy\":\"SCHED_RR\",\"flags\":[\"X\"]}",
		  "process.scheduler.flags[0]: 'X' is not one of" },
		{ "\"args\":[\"x\"],\"execCPUAffinity\":{\"initial\":\"3-1\"}",
		  "process.execCPUAffinity.initial" },
		{ "\"args\":[\"x\"],\"execCPUAffinity\":{\"initial\":\"1,\"}", "initial" },
		{ "\"args\":[\"x\"],\"execCPUAffinity\":{\"initial\":\"-1\"}", "initial" },
		{ "\"args\":[\"x\"],\"execCPUAffinity\":{\"initial\":\"0, 2-3\"}", NULL },
		{ "\"args\":[\"x\"],\"execCPUAffinity\":{\"initial\":\"\"}", NULL },
		{ "\"args\":[\"x\"],\"execCPUAffinity\":{\"initial\":\"99999999999999999999\"}",
		  "initial" },
		{ "\"args\":[\"x\"],\"apparmorProfile\":\"a\\nb\"", "process.apparmorProfile" },
	};

	(void)state;
	TRY_SAMPLES("{" BASE ",\"linux\":{" ALL_NS "},\"process\":{\"cwd\":\"/\",%s}}", samples);
	try_spec("{" BASE ",\"process\":{\"args\":[\"x\"],\"cwd\":\"a\"}}",
		 "process.cwd: 'a' is not an absolute path");
	try_spec("{" BASE ",\"process\":{\"args\":[\"x\"],\"cwd\":\"\"}}", "process.cwd: is empty");
}

static void mounts(void **state)
{
	static const struct sample samples[] = {
		{ "{\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"size=1m\"]}", NULL },
		{ "{\"destination\":\"\"}", "mounts[0].destination: is empty" },
		{ "{\"type\":\"tmpfs\"}", "mounts[0].destination: is missing" },
		{ "{\"destination\":\"/a\",\"options\":[\"bind\"]}", "mounts[0]" },
		{ "{\"destination\":\"/a\",\"source\":\"x\",\"options\":[\"rbind\",5]}",
		  "mounts[0].options[1]: expected a string" },
		{ "{\"destination\":\"/a\",\"source\":\"x\",\"options\":[\"rbind\",\"idmap\"]}",
		  "mounts[0]: mount on /a: idmap without mappings needs" },
		{ "{\"destination\":\"/a\",\"source\":\"x\",\"options\":[\"rbind\",\"idmap\"],"
		  "\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]}",
		  "mounts[0]: uidMappings and gidMappings" },
		{ "{\"destination\":\"/a\",\"source\":\"x\",\"options\":[\"rbind\"],"
		  "\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],"
		  "\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]}",
		  NULL },
		{ "{\"destination\":\"/a\",\"source\":\"x\",\"options\":[\"rbind\",\"idmap\"],"
		  "\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":0}],"
		  "\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]}",
		  "mounts[0].uidMappings[0]: size must not be 0" },
	};

	(void)state;
	TRY_SAMPLES("{" BASE ",\"linux\":{" ALL_NS "},\"mounts\":[%s]}", samples);
}

static void namespaces(void **state)
{
	static const struct sample samples[] = {
		{ "\"namespaces\":[{\"type\":\"mount\",\"path\":\"\"}]", NULL },
		{ "\"namespaces\":[{\"type\":\"foo\"}]",
		  "linux.namespaces[0].type: 'foo' is not one of " },
		{ "\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"pid\","
		  "\"path\":"
		  "\"/x\"}]",
		  "linux.namespaces[2]: type pid is given twice" },
		{ "\"namespaces\":[{\"type\":\"pid\",\"path\":\"x\"}]",
		  "linux.namespaces[0].path: 'x' is not an absolute path" },
		{ "\"namespaces\":[{}]", "linux.namespaces[0].type: is missing" },
		{ "\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\"}]", "linux: " },
		{ ALL_NS ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]",
		  "linux: id mappings" },
		{ ALL_NS ",\"uidMappings\":[{\"containerID\":4294967295,\"hostID\":1,\"size\":1}]",
		  "linux.uidMappings[0]: reaches beyond" },
		{ ALL_NS ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":4294967295}]",
		  "linux.uidMappings[0]: reaches beyond" },
		{ ALL_NS ",\"timeOffsets\":{\"monotonic\":{\"secs\":1}}", "linux: time offsets" },
		{ ALL_NS ",\"timeOffsets\":{\"realtime\":{\"secs\":1}}",
		  "linux.timeOffsets.realtime: is not a clock" },
		/* containerd sends the mappings of a namespace that it has made itself */
		{ "\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\",\"path\":\"/proc/7/ns/"
		  "user\"}]"
		  ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]"
		  ",\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]",
		  NULL },
	};

	(void)state;
	TRY_SAMPLES("{" BASE ",\"linux\":{%s}}", samples);
}

static void linux_members(void **state)
{
	static const struct sample samples[] = {
		{ "\"cgroupsPath\":\"/a/../b\"", "linux.cgroupsPath: '/a/../b' must not contain" },
		{ "\"cgroupsPath\":\"..\"", "linux.cgroupsPath" },
		{ "\"cgroupsPath\":\"a..b/...\"", NULL },
		{ "\"cgroupsPath\":\"\"", NULL },
		{ "\"maskedPaths\":[\"/x\",\"y\"]",
		  "linux.maskedPaths[1]: 'y' is not an absolute" },
		{ "\"readonlyPaths\":[\"\"]", "linux.readonlyPaths[0]: is empty" },
		{ "\"rootfsPropagation\":\"x\"", "linux.rootfsPropagation: 'x' is not one of" },
		{ "\"rootfsPropagation\":\"rslave\"", NULL },
		{ "\"rootfsPropagation\":\"\"", NULL },
		{ "\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1}]",
		  "linux.devices[0]: major and minor are required" },
		{ "\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":-1,\"minor\":1}]",
		  "linux.devices[0].major" },
		{ "\"devices\":[{\"path\":\"/dev/x\",\"type\":\"p\"}]", NULL },
		{ "\"devices\":[{\"path\":\"dev/x\",\"type\":\"p\"}]", "linux.devices[0].path" },
		{ "\"netDevices\":{\"eth0\":{\"name\":\"a/b\"}}", "linux.netDevices.eth0.name" },
		{ "\"netDevices\":{\"0123456789abcdef\":{}}", "linux.netDevices.0123456789abcdef" },
		{ "\"netDevices\":{\"..\":{}}", "linux.netDevices" },
		{ "\"netDevices\":{\"e%d\":{}}", "linux.netDevices.e%d" },
		{ "\"netDevices\":{\"a\":{\"name\":\"n%s\"}}", "linux.netDevices.a.name" },
		{ "\"netDevices\":{\"a\":{\"name\":\"n%d\"},\"b\":{\"name\":\"n%d\"}}", NULL },
		{ "\"netDevices\":{\"a\":{},\"b\":{\"name\":\"a\"}}",
		  "linux.netDevices.b: another" },
		{ "\"sysctl\":{\"vm.swappiness\":\"1\"}", "linux.sysctl" },
		{ "\"sysctl\":{\"\":\"1\"}", "linux.sysctl: a name is empty" },
		{ "\"sysctl\":{\"net.x=y\":\"1\"}", "must not contain '='" },
		{ "\"sysctl\":{\"net.ipv4.ip_forward\":1}",
		  "linux.sysctl.net.ipv4.ip_forward: expected a string" },
		{ "\"personality\":{\"domain\":\"LINUX\",\"flags\":[\"X\"]}",
		  "linux.personality.flags" },
		{ "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\"}",
		  "linux.memoryPolicy: MPOL_BIND needs" },
		{ "\"memoryPolicy\":{\"mode\":\"MPOL_LOCAL\",\"nodes\":\"0\"}",
		  "linux.memoryPolicy.nodes: MPOL_LOCAL takes no nodes" },
		{ "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"x\"}",
		  "linux.memoryPolicy.nodes: 'x' is not a list" },
		{ "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":"
		  "[\"MPOL_F_STATIC_NODES\",\"MPOL_F_RELATIVE_NODES\"]}",
		  "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and" },
		{ "\"memoryPolicy\":{\"mode\":\"MPOL_PREFERRED\"}", NULL },
		{ "\"intelRdt\":{\"closID\":\"a/b\"}", "linux.intelRdt.closID" },
		{ "\"intelRdt\":{\"closID\":\"..\"}", "linux.intelRdt.closID" },
		{ "\"intelRdt\":{\"closID\":\"/\"}", NULL },
		{ "\"intelRdt\":{\"memBwSchema\":\"L3:0=1\"}", "linux.intelRdt.memBwSchema" },
		{ "\"intelRdt\":{\"schemata\":[\"a\\nb\"]}", "linux.intelRdt.schemata[0]" },
	};

	(void)state;
	TRY_SAMPLES("{" BASE ",\"linux\":{" ALL_NS ",%s}}", samples);
	try_spec("{" BASE
		 ",\"linux\":{\"namespaces\":[{\"type\":\"mount\"}],\"netDevices\":{\"a\":{}}}}",
		 "linux.netDevices: needs a network namespace");
}

static void resources(void **state)
{
	static const struct sample samples[] = {
		{ "\"memory\":{\"limit\":-1}", NULL },
		{ "\"memory\":{\"limit\":-2}", "linux.resources.memory.limit" },
		{ "\"memory\":{\"limit\":100,\"swap\":99}", "linux.resources.memory: swap 99" },
		{ "\"memory\":{\"limit\":100,\"swap\":100}", NULL },
		{ "\"memory\":{\"swap\":100}", "linux.resources.memory: swap needs limit" },
		{ "\"memory\":{\"swap\":-1}", NULL },
		{ "\"memory\":{\"limit\":-1,\"swap\":100}", NULL },
		{ "\"memory\":{\"swappiness\":60}", "linux.resources.memory.swappiness" },
		{ "\"memory\":{\"swappiness\":0}", "linux.resources.memory.swappiness" },
		{ "\"memory\":{\"disableOOMKiller\":true}",
		  "linux.resources.memory.disableOOMKiller" },
		{ "\"memory\":{\"kernel\":5}", NULL },
		{ "\"cpu\":{\"quota\":100000,\"burst\":100001}", "linux.resources.cpu: burst" },
		{ "\"cpu\":{\"quota\":-1,\"period\":100000}", NULL },
		{ "\"cpu\":{\"realtimeRuntime\":1}", "linux.resources.cpu.realtimeRuntime" },
		{ "\"cpu\":{\"idle\":2}", "linux.resources.cpu.idle" },
		{ "\"cpu\":{\"cpus\":\"0\\n1\"}", "linux.resources.cpu.cpus" },
		{ "\"blockIO\":{\"weight\":9}", "linux.resources.blockIO.weight" },
		{ "\"blockIO\":{\"weight\":1001}", "linux.resources.blockIO.weight" },
		{ "\"blockIO\":{\"leafWeight\":10}", "linux.resources.blockIO.leafWeight" },
		{ "\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0}]}",
		  "linux.resources.blockIO.weightDevice[0]: weight: is missing" },
		{ "\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":5}]}",
		  "linux.resources.blockIO.weightDevice[0].weight" },
		{ "\"hugepageLimits\":[{\"pageSize\":\"2M\",\"limit\":1}]",
		  "linux.resources.hugepageLimits[0].pageSize: '2M' is not a size" },
		{ "\"hugepageLimits\":[{\"pageSize\":\"../MB\",\"limit\":1}]", "pageSize" },
		{ "\"hugepageLimits\":[{\"pageSize\":\"\",\"limit\":1}]", "pageSize" },
		{ "\"hugepageLimits\":[{\"pageSize\":\"02MB\",\"limit\":1}]", "pageSize" },
		{ "\"hugepageLimits\":[{\"pageSize\":\"2\",\"limit\":1}]", "pageSize" },
		{ "\"hugepageLimits\":[{\"pageSize\":\"64KB\",\"limit\":1}]", NULL },
		{ "\"network\":{\"classID\":1}", "linux.resources.network.classID" },
		{ "\"network\":{\"classID\":0,\"priorities\":[]}", NULL },
		{ "\"network\":{\"priorities\":[{\"name\":\"e\",\"priority\":1}]}",
		  "linux.resources.network.priorities" },
		{ "\"pids\":{\"limit\":-2}", "linux.resources.pids.limit" },
		{ "\"rdma\":{\"x\":{}}", "linux.resources.rdma.x: needs hcaHandles or hcaObjects" },
		{ "\"rdma\":{\"x y\":{\"hcaHandles\":1}}", "linux.resources.rdma.x y" },
		{ "\"unified\":{\"a/b.c\":\"1\"}", "linux.resources.unified.a/b.c" },
		{ "\"unified\":{\"..\":\"1\"}", "linux.resources.unified" },
		{ "\"unified\":{\"tasks\":\"1\"}", "linux.resources.unified.tasks" },
		{ "\"unified\":{\"a.b=c\":\"1\"}", "linux.resources.unified" },
		{ "\"devices\":[{\"access\":\"rwm\"}]",
		  "linux.resources.devices[0].allow: is missing" },
		{ "\"devices\":[{\"allow\":true,\"access\":\"rwx\"}]",
		  "linux.resources.devices[0].access: 'rwx' is not made of" },
		{ "\"devices\":[{\"allow\":true,\"type\":\"u\"}]",
		  "linux.resources.devices[0].type" },
		{ "\"devices\":[{\"allow\":true,\"type\":\"c\",\"major\":-1,\"minor\":-1}]", NULL },
	};

	(void)state;
	TRY_SAMPLES("{" BASE ",\"linux\":{" ALL_NS ",\"resources\":{%s}}}", samples);
}

static void seccomp(void **state)
{
	static const struct sample samples[] = {
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\"", NULL },
		{ "\"defaultAction\":\"SCMP_ACT_X\"", "linux.seccomp.defaultAction: " },
		{ "\"syscalls\":[]", "linux.seccomp.defaultAction: is missing" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":1",
		  "linux.seccomp.defaultErrnoRet: only" },
		{ "\"defaultAction\":\"SCMP_ACT_NOTIFY\"",
		  "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerMetadata\":\"x\"",
		  "linux.seccomp.listenerMetadata: needs listenerPath" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"X86\"]",
		  "linux.seccomp.architectures[0]" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"X\"]",
		  "linux.seccomp.flags[0]" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[],\"action\":"
		  "\"SCMP_ACT_LOG\"}]",
		  "linux.seccomp.syscalls[0].names: needs at least one" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\",\"\"],"
		  "\"action\":"
		  "\"SCMP_ACT_LOG\"}]",
		  "linux.seccomp.syscalls[0].names[1]: is empty" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],"
		  "\"action\":"
		  "\"SCMP_ACT_LOG\",\"errnoRet\":0}]",
		  "linux.seccomp.syscalls[0].errnoRet: only" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],"
		  "\"action\":"
		  "\"SCMP_ACT_TRACE\",\"errnoRet\":4096}]",
		  "linux.seccomp.syscalls[0].errnoRet" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\","
		  "\"write\"],"
		  "\"action\":\"SCMP_ACT_NOTIFY\"}]",
		  "linux.seccomp.syscalls[0]: SCMP_ACT_NOTIFY cannot be used for write" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],"
		  "\"action\":"
		  "\"SCMP_ACT_LOG\",\"args\":[{\"index\":6,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]}]",
		  "linux.seccomp.syscalls[0].args[0].index" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],"
		  "\"action\":"
		  "\"SCMP_ACT_LOG\",\"args\":[{\"index\":5,\"value\":0,\"op\":\"EQ\"}]}]",
		  "linux.seccomp.syscalls[0].args[0].op" },
		{ "\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],"
		  "\"action\":"
		  "\"SCMP_ACT_LOG\",\"args\":[{\"index\":5,\"op\":\"SCMP_CMP_EQ\"}]}]",
		  "linux.seccomp.syscalls[0].args[0].value: is missing" },
	};

	(void)state;
	TRY_SAMPLES("{" BASE ",\"linux\":{" ALL_NS ",\"seccomp\":{%s}}}", samples);
}

static void hooks(void **state)
{
	static const struct sample samples[] = {
		{ "\"poststop\":[{\"path\":\"/a\"}]", NULL },
		{ "\"poststop\":[{\"path\":\"a\"}]",
		  "hooks.poststop[0].path: 'a' is not an absolute" },
		{ "\"poststop\":[{\"path\":\"\"}]", "hooks.poststop[0].path: is empty" },
		{ "\"poststop\":[{\"args\":[\"a\"]}]", "hooks.poststop[0].path: is missing" },
		{ "\"prestart\":[{\"path\":\"/a\",\"timeout\":0}]",
		  "hooks.prestart[0].timeout: 0 is not" },
		{ "\"prestart\":[{\"path\":\"/a\",\"timeout\":3000000}]",
		  "hooks.prestart[0].timeout" },
		{ "\"prestart\":[null]", "hooks.prestart[0]: expected an object, found null" },
		{ "\"poststop\":null", NULL },
	};

	(void)state;
	TRY_SAMPLES("{" BASE ",\"linux\":{" ALL_NS "},\"hooks\":{%s}}", samples);
}

static void annotations(void **state)
{
	static const struct sample samples[] = {
		{ "\"a\":\"b=c\"", NULL },
		{ "\"\":\"b\"", "annotations: a name is empty" },
		{ "\"a=b\":\"c\"", "annotations.a=b: a name must not contain '='" },
		{ "\"a\":1", "annotations.a: expected a string" },
		{ "\"org.systemd.property.\":\"c\"",
		  "annotations.org.systemd.property.: '' is not" },
		{ "\"org.systemd.property.A B\":\"c\"", "annotations.org.systemd.property.A B" },
		{ "\"org.systemd.property\":\"c\"", NULL },
		{ "\"run.oci.seccomp.receiver\":\"x\"", "annotations.run.oci.seccomp.receiver" },
	};

	(void)state;
	TRY_SAMPLES("{" BASE ",\"linux\":{" ALL_NS "},\"annotations\":{%s}}", samples);
}

static void lone_objects(void **state)
{
	static const char process[] = "{\"args\":[\"x\"],\"cwd\":\"/\",\"terminal\":true}";
	static const char resources_text[] = "{\"pids\":{\"limit\":0},\"memory\":{\"limit\":5}}";
	OWN(process_spec) struct process_spec got = { 0 };
	OWN(err) struct err *bad_process = NULL, *bad_resources = NULL;
	struct cgroup_spec cgroup;

	(void)state;
	assert_null(spec_parse_process(process, strlen(process), &got));
	assert_true(got.terminal && !got.caps.is_set);
	bad_process = spec_parse_process("{\"args\":[]}", 11, &got);
	expect_text(bad_process, "cwd: is missing", "");
	assert_int_equal(got.args.count, 1); /* untouched */
	assert_null(spec_parse_resources(resources_text, strlen(resources_text), &cgroup));
	assert_int_equal(cgroup.limits.pids_max, 0);
	assert_int_equal(cgroup.limits.memory_max_bytes, 5);
	assert_false(cgroup.device_filter);
	cgroup_spec_release(&cgroup);
	bad_resources = spec_parse_resources("{\"pids\":{\"limit\":\"x\"}}", 22, &cgroup);
	expect_text(bad_resources, "pids.limit: expected a number", "");
}

static void capability_names(void **state)
{
	unsigned int cap = 99;

	(void)state;
	assert_null(spec_parse_capability("CAP_SYS_ADMIN", &cap));
	assert_int_equal(cap, 21);
	assert_null(spec_parse_capability("chown", &cap));
	assert_int_equal(cap, 0);
	for (size_t i = 0; i < 6; i++) {
		static const char *const bad[] = {
			"", "5", "CAP_", "CAP_X", "cap_5", "CAP_CHOWN "
		};
		OWN(err) struct err *err = spec_parse_capability(bad[i], &cap);

		expect_text(err, "is not a capability", bad[i]);
	}
}

static void many_variables_stay_fast_and_ordered(void **state)
{
	OWN(strlist) struct strlist env = { 0 };

	(void)state;
	for (int i = 0; i < 20000; i++)
		assert_null(strlist_format(&env, "V%d=%d", i % 10000, i));
	assert_null(env_drop_shadowed(&env));
	assert_int_equal(env.count, 10000);
	assert_string_equal(env.items[0], "V0=10000");
	assert_string_equal(env.items[9999], "V9999=19999");
	assert_null(env.items[10000]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions),
		cmocka_unit_test(top_level),
		cmocka_unit_test(processes),
		cmocka_unit_test(mounts),
		cmocka_unit_test(namespaces),
		cmocka_unit_test(linux_members),
		cmocka_unit_test(resources),
		cmocka_unit_test(seccomp),
		cmocka_unit_test(hooks),
		cmocka_unit_test(annotations),
		cmocka_unit_test(lone_objects),
		cmocka_unit_test(capability_names),
		cmocka_unit_test(many_variables_stay_fast_and_ordered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
