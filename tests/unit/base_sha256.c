/* sha256.h against the vectors of FIPS 180-4's examples and every padding length against a split
 * feed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha256.h"

static void digest(const char *text, size_t len, size_t step, char *hex)
{
	struct sha256 sha;

	sha256_init(&sha);
	for (size_t at = 0; at < len; at += step)
		sha256_add(&sha, text + at, len - at < step ? len - at : step);
	sha256_hex(&sha, hex);
}

static void knows_the_vectors(void **state)
{
	static const struct {
		const char *text, *hex;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char hex[SHA256_HEX_MAX];

		digest(rows[i].text, strlen(rows[i].text), 64, hex);
		assert_string_equal(hex, rows[i].hex);
	}
}

static void a_million_letters(void **state)
{
	static char letters[1000000];
	char hex[SHA256_HEX_MAX];

	(void)state;
	memset(letters, 'a', sizeof(letters));
	digest(letters, sizeof(letters), 4096, hex);
	assert_string_equal(hex,
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void pieces_do_not_matter(void **state)
{
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	for (size_t len = 0; len <= sizeof(text); len++) {
		char whole[SHA256_HEX_MAX], pieces[SHA256_HEX_MAX];

		digest(text, len, sizeof(text), whole);
		digest(text, len, 7, pieces);
		assert_string_equal(whole, pieces);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_vectors),
		cmocka_unit_test(a_million_letters),
		cmocka_unit_test(pieces_do_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
