/* passwd(5) of a container: every byte of it is the tenant's. The first byte chooses how to search.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "runtime/process/process.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWN(passwd_entry) struct passwd_entry entry = { 0 };
	const uid_t uid = 1000;
	bool by_name = size > 0 && data[0] & 1;
	struct err *err;

	if (size == 0)
		return 0;
	err = passwd_find((const char *)data + 1, size - 1, by_name ? "alice" : NULL, &uid, &entry);
	/* whoever was found is the one that was asked for, and never uid_t's "unchanged" */
	if (!err && (by_name ? strcmp(entry.name, "alice") != 0 : entry.uid != uid))
		abort();
	if (!err && (entry.uid == (uid_t)-1 || entry.gid == (gid_t)-1))
		abort();
	err_drop(err);
	return 0;
}
