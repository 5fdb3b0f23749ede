/* Cleaned paths: absolute, without "//", "." and "..", and cleaning them again changes nothing. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWN(str) char *text = strndup((const char *)data, size);
	OWN(str) char *clean = NULL, *again = NULL, *framed = NULL;

	err_drop(path_clean(text, &clean));
	err_drop(path_clean(clean, &again));
	err_drop(str_format(&framed, "%s/", clean));
	if (clean[0] != '/' || !str_eq(clean, again) || strlen(clean) > size + 1)
		abort();
	if (strstr(clean, "//") || strstr(framed, "/./") || strstr(framed, "/../"))
		abort();
	return 0;
}
