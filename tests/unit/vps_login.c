/* New texts of shadow and passwd, and what is taken for a password and a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "runtime/vps/login.h"

static void expect_shadow(const char *old, const char *user, const char *wanted)
{
	OWN(buf) struct buf text = { 0 };

	assert_null(login_shadow(old, user, "$y$hash", 20000, &text));
	assert_string_equal(text.data, wanted);
}

static void shadow(void **state)
{
	(void)state;
	expect_shadow("", "root", "root:$y$hash:20000:0:99999:7:::\n");
	expect_shadow("root:*:1:0:99999:7:::\nbin:!:1::::::\n", "root",
		      "root:$y$hash:20000:0:99999:7:::\nbin:!:1::::::\n");
	expect_shadow("bin:!:1::::::\nroot:*:1:5:6:7:8:9:x", "root",
		      "bin:!:1::::::\nroot:$y$hash:20000:5:6:7:8:9:x\n");
	expect_shadow("bin:!:1::::::", "root", "bin:!:1::::::\nroot:$y$hash:20000:0:99999:7:::\n");
	expect_shadow("rootkit:*:1::::::\n", "root",
		      "rootkit:*:1::::::\nroot:$y$hash:20000:0:99999:7:::\n");
	expect_shadow("root:*\n", "root", "root:$y$hash:20000:0:99999:7:::\n");
}

static void passwd(void **state)
{
	static const char old[] = "a:x:1:1::/:/bin/sh\nroot::0:0:root:/root:/bin/sh\n";
	OWN(buf) struct buf text = { 0 }, none = { 0 };
	struct err *err;

	(void)state;
	assert_null(login_passwd(old, "root", "HASH", &text));
	assert_string_equal(text.data, "a:x:1:1::/:/bin/sh\nroot:HASH:0:0:root:/root:/bin/sh\n");
	err = login_passwd(old, "ro", "HASH", &none);
	assert_int_equal(err_kind(err), ERR_NOT_FOUND);
	err_drop(err);
	err = login_passwd("root\n", "root", "HASH", &none);
	assert_non_null(err);
	err_drop(err);
	err = login_passwd("root:x\n", "root", "HASH", &none);
	assert_int_equal(err_kind(err), ERR_INVALID);
	err_drop(err);
}

static void kept_passwords(void **state)
{
	static const struct {
		const char *old_passwd, *old_shadow, *passwd, *shadow; /* before */
		const char *new_passwd, *new_shadow; /* the days of change are D */
	} cases[] = {
		{ "root:x:0\n", "root:H:1:::\n", "root:x:0\n", "root:*:2:::\n", "root:x:0\n",
		  "root:H:D:::\n" },
		/* without shadow, to and fro */
		{ "root:H:0\n", "", "root:x:0\n", "", "root:x:0\n", "root:H:D:0:99999:7:::\n" },
		{ "root:x:0\n", "root:H:1:::\n", "root::0\n", "", "root:H:0\n", "" },
		/* users of one alone */
		{ "root:x:0\nold:x:1\n", "root:H:1:::\nold:O:1:::\n", "root:x:0\nnew:x:1\n",
		  "root:*:2:::\nnew:!:2:::\n", "root:x:0\nnew:x:1\n", "root:H:D:::\nnew:!:2:::\n" },
		/* what is no passwd keeps nothing, and a hash that is not there is none */
		{ "garbage\n::\n", "\n:\n", "root:x:0\n", "root:*:2:::\n", "root:x:0\n",
		  "root:*:2:::\n" },
		{ "root:x:0\n", "", "root:x:0\n", "root:*:2:::\n", "root:x:0\n", "root:*:2:::\n" },
		{ "root:x:0\n", "root:H:1:::\n", "", "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		OWN(buf) struct buf passwd = { 0 }, shadow = { 0 };
		char today[32], *day;

		assert_null(buf_format(&passwd, "%s", cases[i].passwd));
		assert_null(buf_format(&shadow, "%s", cases[i].shadow));
		assert_null(login_keep_passwords(cases[i].old_passwd, cases[i].old_shadow, &passwd,
						 &shadow));
		assert_string_equal(passwd.data, cases[i].new_passwd);
		snprintf(today, sizeof(today), ":%lld:", (long long)time(NULL) / 86400);
		day = strstr(shadow.data, today);
		if (day) {
			day[1] = 'D';
			memmove(day + 2, day + strlen(today) - 1,
				strlen(day + strlen(today) - 1) + 1);
		}
		assert_string_equal(shadow.data, cases[i].new_shadow);
	}
}

static void words(void **state)
{
	static const char *const bad_passwords[] = { "",      "root",	":x",	    "root:",
						     "a b:x", "-r:x",	"a/b:x",    "root:\n",
						     "r\n:x", "../x:y", "root:\x7f" };
	static const char *const bad_keys[] = { "",
						"ssh-rsa",
						"ssh-rsa ",
						"ssh-rsa AAAA",
						"command=\"x\" ssh-rsa AAAABBBBCCCCDDDD",
						"ssh-rsa AAAABBBBCCCCDDDD\nx" };

	(void)state;
	assert_null(login_check_password("root:a:b \"'$%s"));
	assert_null(login_check_key("ssh-rsa AAAABBBBCCCCDDDD== me@here"));
	for (size_t i = 0; i < ARRAY_SIZE(bad_passwords); i++) {
		struct err *err = login_check_password(bad_passwords[i]);

		assert_int_equal(err_kind(err), ERR_INVALID);
		assert_null(strstr(err_text(err), "root:"));
		err_drop(err);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad_keys); i++) {
		struct err *err = login_check_key(bad_keys[i]);

		assert_int_equal(err_kind(err), ERR_INVALID);
		err_drop(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shadow),
		cmocka_unit_test(passwd),
		cmocka_unit_test(kept_passwords),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
