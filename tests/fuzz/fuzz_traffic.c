/* The file of traffic sums: what can be read is written so that it reads the same. */
#include <stdlib.h>
#include <string.h>

#include "runtime/vps/traffic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vps_traffic_file file = { 0 }, again = { 0 };
	OWN(buf) struct buf text = { 0 };
	struct err *err = traffic_parse((const char *)data, size, &file);

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
