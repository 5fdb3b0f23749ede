/* Unit properties of annotations: whoever writes config.json writes these. */
#include <stddef.h>
#include <stdint.h>

#include "cgroups/gvariant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWN(variant) struct variant value = { 0 };

	err_drop(variant_parse((const char *)data, size, &value));
	return 0;
}
