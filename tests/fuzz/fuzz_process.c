/* The process object of `exec --process`. Links: runtime. */
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
	OWN(process_spec) struct process_spec process = { 0 };

	err_drop(spec_parse_process((const char *)data, size, &process));
	return 0;
}
