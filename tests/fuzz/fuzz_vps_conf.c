/* NAME.conf: what is parsed is written so that it parses to the same again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/vps/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWN(conf_file) struct conf_file file = { 0 }, again = { 0 };
	OWN(vps_conf) struct vps_conf conf;
	OWN(buf) struct buf first = { 0 }, second = { 0 };
	struct err *err = conf_file_parse((const char *)data, size, &file);

	vps_conf_init(&conf);
	if (!err)
		err = vps_conf_read(&file, &conf);
	if (!err)
		err = vps_conf_write(&conf, &file);
	if (!err)
		err = conf_file_format(&file, &first);
	if (err || !first.data) {
		err_drop(err); /* most inputs are refused */
		return 0;
	}
	if (conf_file_parse(first.data, first.len, &again) || conf_file_format(&again, &second) ||
	    strcmp(first.data, second.data) != 0)
		abort();
	return 0;
}
