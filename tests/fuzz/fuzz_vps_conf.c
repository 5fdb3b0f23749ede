/* NAME.conf: what is parsed is written so that it parses to the same again. Other systems'
 * configurations: what is taken over is good, and can stand in NAME.conf. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/vps/import_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void import(const char *text, size_t len)
{
	const struct import_system *system;
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(import) struct import got;
	struct err *err = import_recognise(text, len, &system);

	import_init(&got);
	if (!err)
		err = import_read(&got, system, text, len);
	if (!err && (vps_conf_check(&got.conf) || vps_conf_write(&got.conf, &file)))
		abort();
	err_drop(err); /* many inputs are refused */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWN(conf_file) struct conf_file file = { 0 }, again = { 0 };
	OWN(vps_conf) struct vps_conf conf;
	OWN(buf) struct buf first = { 0 }, second = { 0 };
	struct err *err = conf_file_parse((const char *)data, size, &file);

	import((const char *)data, size);
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
