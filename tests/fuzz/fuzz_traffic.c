/* The file of traffic sums: what can be read is written so that it reads the same. The list of
 * classes of networks: no bit is set behind a prefix. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/vps/traffic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_classes(const char *text, size_t len)
{
	OWN(vps_classes) struct net_classes classes = { 0 };
	struct err *err = vps_classes_parse(text, len, &classes);

	err_drop(err); /* refused */
	for (size_t i = 0; i < classes.count; i++) {
		const struct net_addr *prefix = &classes.items[i].prefix;
		size_t bits = prefix->family == AF_INET ? 32 : 128;

		if (classes.items[i].class > NET_CLASS_MAX || prefix->prefix > bits)
			abort();
		for (size_t bit = prefix->prefix; bit < bits; bit++)
			if (prefix->bytes[bit / 8] & 0x80 >> bit % 8)
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vps_traffic_file file = { 0 }, again = { 0 };
	OWN(buf) struct buf text = { 0 };
	struct err *err = traffic_parse((const char *)data, size, &file);

	read_classes((const char *)data, size);
	if (err) {
		err_drop(err); /* refused */
		return 0;
	}
	if (traffic_format(&file, &text) || traffic_parse(text.data, text.len, &again) ||
	    memcmp(&file.traffic.total, &again.traffic.total, sizeof(file.traffic.total)) != 0 ||
	    file.traffic.month_count != again.traffic.month_count)
		abort();
	vps_traffic_release(&file.traffic);
	vps_traffic_release(&again.traffic);
	return 0;
}
