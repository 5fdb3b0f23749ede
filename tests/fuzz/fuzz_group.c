/* group(5) of a container: every byte of it is the tenant's. */
#include <stddef.h>
#include <stdint.h>

#include "runtime/process/process.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWN(groups) gid_t *groups = NULL;
	size_t count = 0;
	gid_t gid = 0;

	err_drop(group_find((const char *)data, size, "audio", &gid));
	err_drop(group_list_of((const char *)data, size, "alice", &groups, &count));
	for (size_t i = 0; i < count; i++)
		if (groups[i] == (gid_t)-1)
			abort();
	if (gid == (gid_t)-1)
		abort();
	return 0;
}
