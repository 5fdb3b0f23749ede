/* SHA-256 (FIPS 180-4): names for content, in caches and templates. Not for secrets. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sha256 {
	uint32_t state[8];
	uint64_t len_bytes;
	uint8_t block[64];
};

#define SHA256_HEX_MAX 65 /* 64 digits and a NUL */

void sha256_init(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *data, size_t len);
/* Ends the computation; hex gets 64 lower-case digits and a NUL. */
void sha256_hex(struct sha256 *sha, char *hex);
/* Digest of everything from the file's current offset to its end. */
MUST_CHECK struct err *sha256_fd(int fd, const char *what, char *hex);

#endif
