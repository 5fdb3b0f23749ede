/* config.json as the caller of `create` writes it. Seeds: tests/data/config/. Links: runtime. */
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
	struct spec spec;

	spec_init(&spec);
	err_drop(spec_parse((const char *)data, size, "/bundle", &spec));
	spec_release(&spec);
	return 0;
}
