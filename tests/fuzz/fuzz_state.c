/* The engine's state file: root-only, but a backup may restore anything there. */
#include <stddef.h>
#include <stdint.h>

#include "runtime/birth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWN(ct_state) struct ct_state state = { 0 };

	err_drop(state_parse((const char *)data, size, &state));
	return 0;
}
