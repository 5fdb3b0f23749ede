/* The engine's state file, and the control groups of a checkpoint: root-only, but a backup may
 * restore anything there, and a checkpoint comes from elsewhere. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "migrate-criu/groups.h"
#include "runtime/birth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No step leads out of the container's cgroup, and what was read is written so that it reads the
 * same. */
static void groups(const char *text, size_t len)
{
	OWN(cgroup_steps) struct cgroup_steps steps = { 0 }, again = { 0 };
	OWN(str) char *written = NULL;
	struct err *err = cr_groups_parse(text, len, &steps);

	err_drop(err); /* refused */
	if (err)
		return;
	for (size_t i = 0; i < steps.count; i++) {
		const struct cgroup_step *step = &steps.items[i];

		if (step->path[0] == '/' || str_eq(step->path, "..") ||
		    str_has_prefix(step->path, "../") || strstr(step->path, "/../") ||
		    strchr(step->file, '/') || str_eq(step->file, ".."))
			abort();
	}
	err = cr_groups_format(&steps, &written);
	err_drop(err); /* a name that is not written */
	if (!err &&
	    (cr_groups_parse(written, strlen(written), &again) || again.count != steps.count))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWN(ct_state) struct ct_state state = { 0 };

	err_drop(state_parse((const char *)data, size, &state));
	groups((const char *)data, size);
	return 0;
}
