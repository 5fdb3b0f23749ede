/* The resources object of `update --resources`. Links: runtime. */
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "runtime/spec.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct log_config quiet = { .fd = -1, .level = LOG_LEVEL_ERROR };

	(void)argc;
	(void)argv;
	log_setup(&quiet);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cgroup_spec cgroup;

	cgroup_spec_init(&cgroup);
	err_drop(spec_parse_resources((const char *)data, size, &cgroup));
	cgroup_spec_release(&cgroup);
	return 0;
}
