/* Which CPUs and memory nodes this host has. Source: Documentation/ABI/stable/sysfs-devices-node,
 * ABI/testing/sysfs-devices-system-cpu; cpuset(7), "List format". */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "runtime/vps/room.h"

#define NODE_DIR "/sys/devices/system/node"
#define CPU_ONLINE "/sys/devices/system/cpu/online"
#define INDEX_COUNT 8192

struct index_set {
	bool has[INDEX_COUNT];
};

/* A well-formed list; keys.c and the kernel see to that. */
static void add_list(const char *list, struct index_set *set)
{
	while (*list) {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (unsigned long i = first; i <= last && i < INDEX_COUNT; i++)
			set->has[i] = true;
		list = *end ? end + 1 : end;
	}
}

static struct err *read_list(const char *path, char **ret_list)
{
	OWN(buf) struct buf text = { 0 };

	TRY(file_read(AT_FDCWD, path, 65536, &text));
	TRY(buf_add(&text, "", 0));
	text.data[strcspn(text.data, "\n")] = '\0';
	return buf_take(&text, ret_list);
}

/* what: "CPU" or "memory node" */
static struct err *check_there(const char *option, const char *what, const char *list,
			       const char *path)
{
	OWN(str) char *online = NULL;
	struct index_set wanted = { 0 }, there = { 0 };

	TRY(read_list(path, &online));
	add_list(list, &wanted);
	add_list(online, &there);
	for (size_t i = 0; i < INDEX_COUNT; i++)
		if (wanted.has[i] && !there.has[i])
			return err_new(ERR_INVALID, "%s: this host has no %s %zu; it has %s",
				       option, what, i, online);
	return NULL;
}

static bool names_some(const char *list)
{
	return list && !str_eq(list, "all") && !str_eq(list, "auto");
}

struct err *cpus_check(const struct vps_conf *conf)
{
	if (names_some(conf->cpumask))
		TRY(check_there("--cpumask", "CPU", conf->cpumask, CPU_ONLINE));
	if (names_some(conf->nodemask))
		TRY(check_there("--nodemask", "memory node", conf->nodemask,
				NODE_DIR "/has_memory"));
	return NULL;
}

struct err *cpus_online(char **ret_list)
{
	return read_list(CPU_ONLINE, ret_list);
}

struct err *nodes_online(char **ret_list)
{
	return read_list(NODE_DIR "/has_memory", ret_list);
}

struct err *nodes_cpus(const char *nodes, char **ret_cpus)
{
	struct index_set wanted = { 0 };
	OWN(buf) struct buf cpus = { 0 };

	add_list(nodes, &wanted);
	TRY(buf_add(&cpus, "", 0));
	for (size_t i = 0; i < INDEX_COUNT; i++) {
		OWN(str) char *path = NULL, *list = NULL;

		if (!wanted.has[i])
			continue;
		TRY(str_format(&path, NODE_DIR "/node%zu/cpulist", i));
		TRY(read_list(path, &list));
		if (*list)
			TRY(buf_format(&cpus, "%s%s", cpus.len ? "," : "", list));
	}
	return buf_take(&cpus, ret_cpus);
}
