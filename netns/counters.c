/* Traffic counters of an interface, from sysfs; see netns.h. */
#include <fcntl.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/str.h"
#include "netns/netns.h"

static const struct counter {
	const char *file;
	size_t offset;
} counters[] = {
	{ "rx_bytes", offsetof(struct net_counters, rx_bytes) },
	{ "rx_packets", offsetof(struct net_counters, rx_packets) },
	{ "rx_dropped", offsetof(struct net_counters, rx_dropped) },
	{ "tx_bytes", offsetof(struct net_counters, tx_bytes) },
	{ "tx_packets", offsetof(struct net_counters, tx_packets) },
	{ "tx_dropped", offsetof(struct net_counters, tx_dropped) },
};

struct err *net_counters_read(const char *name, struct net_counters *ret_counters)
{
	struct net_counters values = { 0 };

	TRY(net_name_check(name));
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		OWN(str) char *path = NULL;
		OWN(buf) struct buf text = { 0 };

		TRY(str_format(&path, "/sys/class/net/%s/statistics/%s", name, counters[i].file));
		TRY(file_read(AT_FDCWD, path, 64, &text));
		if (text.len && text.data[text.len - 1] == '\n')
			text.data[--text.len] = '\0';
		TRY(parse_u64(path, text.data, 0, UINT64_MAX,
			      (uint64_t *)(void *)((char *)&values + counters[i].offset)));
	}
	*ret_counters = values;
	return NULL;
}
