/* A file of the cache of compiled filters: damaged, cut off, or somebody else's. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "runtime/process/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWN(seccomp_filter) struct seccomp_filter filter = { 0 };
	OWN(buf) struct buf again = { 0 };
	struct err *err = filter_cache_parse((const char *)data, size, "key", &filter);

	/* what is accepted is what formatting gives: no byte of the file is without a meaning */
	if (!err && !filter_cache_format("key", &filter, &again) &&
	    (again.len != size || memcmp(again.data, data, size) != 0))
		abort();
	err_drop(err);
	return 0;
}
