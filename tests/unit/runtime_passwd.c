/* passwd.c: which line of the container's files is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <limits.h>
#include <string.h>

#include "runtime/process/process.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "\n"
			     "# comment:x:5:5::/:\n"
			     "+nis:x:6:6::/nis:/bin/sh\n"
			     "short:x:7\n"
			     "minus:x:-1:0::/:/bin/sh\n"
			     "huge:x:4294967296:0::/:/bin/sh\n"
			     "nobody4:x:4294967295:0::/:/bin/sh\n"
			     "plus:x:+0:0::/:/bin/sh\n"
			     "blank:x: 0:0::/:/bin/sh\n"
			     "1000:x:77:77::/odd:/bin/sh\n"
			     "alice:x:1000:100:Alice,,,:/home/alice:/bin/sh:extra\n"
			     "alice:x:0:0::/root:/bin/sh\n"
			     "bare:x:8:9\n"
			     "last:x:4294967294:1::/last:";

static const char group[] = "root:x:0:\n"
			    "audio:x:29:alice,bob\n"
			    "video:x:44:bob,alice\n"
			    "again:x:29:alice\n"
			    "alicex:x:45:alicex,xalice\n"
			    "wrong:x:4294967296:alice\n"
			    "-nis:x:46:alice\n"
			    "three:x:47\n"
			    "end:x:48:carol,alice";

static bool found(const char *name, struct passwd_entry *ret_entry)
{
	struct err *err = passwd_find(passwd, sizeof(passwd) - 1, name, NULL, ret_entry);
	bool good = !err;

	if (err)
		assert_int_equal(err_kind(err), ERR_NOT_FOUND);
	err_drop(err);
	return good;
}

static void users_are_found_by_name(void **state)
{
	OWN(passwd_entry) struct passwd_entry alice = { 0 }, last = { 0 }, bare = { 0 };

	(void)state;
	assert_true(found("alice", &alice));
	assert_int_equal(alice.uid, 1000); /* the first of the two */
	assert_int_equal(alice.gid, 100);
	assert_string_equal(alice.home, "/home/alice");
	assert_true(found("last", &last)); /* no newline, empty shell */
	assert_true(last.uid == 4294967294U);
	assert_string_equal(last.home, "/last");
	assert_true(found("bare", &bare));
	assert_string_equal(bare.home, "");
}

static void malformed_lines_name_nobody(void **state)
{
	static const char *const names[] = { "",	"comment", "# comment", "+nis",
					     "nis",	"short",   "minus",	"huge",
					     "nobody4", "plus",	   "blank",	"alic",
					     "alicee",	"root:x",  "x",		"ALICE" };
	struct passwd_entry entry;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_false(found(names[i], &entry));
}

static void users_are_found_by_number(void **state)
{
	OWN(passwd_entry) struct passwd_entry entry = { 0 };
	uid_t uid = 1000, absent = 5;
	struct err *err;

	(void)state;
	assert_null(passwd_find(passwd, sizeof(passwd) - 1, NULL, &uid, &entry));
	assert_string_equal(entry.name, "alice"); /* not the user whose name is 1000 */
	err = passwd_find(passwd, sizeof(passwd) - 1, NULL, &absent, &entry);
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_NOT_FOUND);
	err_drop(err);
}

static void a_nul_byte_hides_its_line_only(void **state)
{
	static const char text[] =
		"ev\0il:x:0:0::/:\nbob\0:x:0:0::/:\nbob:x:1:1::/a\0b:\nbob:x:3:3::/b:\n";
	OWN(passwd_entry) struct passwd_entry entry = { 0 };

	(void)state;
	assert_null(passwd_find(text, sizeof(text) - 1, "bob", NULL, &entry));
	assert_int_equal(entry.uid, 3);
}

static void long_lines_are_refused(void **state)
{
	const size_t len = (32 << 10) + 2;
	char *text = malloc(len + 32);
	struct passwd_entry entry;
	uid_t uid = 3;
	struct err *err;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	memcpy(text + len, "\nbob:x:3:3::/:\n", sizeof("\nbob:x:3:3::/:\n"));
	err = passwd_find(text, strlen(text), NULL, &uid, &entry);
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_INVALID);
	err_drop(err);
	/* two bytes less are a line like any other */
	assert_null(passwd_find(text + 2, strlen(text + 2), NULL, &uid, &entry));
	passwd_entry_release(&entry);
	free(text);
}

static void groups_are_found_by_name(void **state)
{
	static const char *const absent[] = { "", "wrong", "-nis", "nis", "audi", "audio:x" };
	gid_t gid = 7;

	(void)state;
	assert_null(group_find(group, sizeof(group) - 1, "video", &gid));
	assert_int_equal(gid, 44);
	assert_null(group_find(group, sizeof(group) - 1, "three", &gid));
	assert_int_equal(gid, 47);
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
		struct err *err = group_find(group, sizeof(group) - 1, absent[i], &gid);

		assert_non_null(err);
		assert_int_equal(err_kind(err), ERR_NOT_FOUND);
		err_drop(err);
	}
	assert_int_equal(gid, 47);
}

static void members_are_whole_names(void **state)
{
	OWN(groups) gid_t *groups = NULL, *none = NULL;
	size_t count;

	(void)state;
	assert_null(group_list_of(group, sizeof(group) - 1, "alice", &groups, &count));
	assert_int_equal(count, 3);
	assert_int_equal(groups[0], 29);
	assert_int_equal(groups[1], 44);
	assert_int_equal(groups[2], 48);
	assert_null(group_list_of(group, sizeof(group) - 1, "x", &none, &count));
	assert_int_equal(count, 0);
}

static void a_group_list_has_an_end(void **state)
{
	OWN(groups) gid_t *groups = NULL;
	size_t count = 0;
	struct err *err = NULL;

	(void)state;
	/* from the top down, so that the search for twins is over at once */
	groups = calloc(NGROUPS_MAX, sizeof(*groups));
	assert_non_null(groups);
	for (count = 0; count < NGROUPS_MAX; count++)
		groups[count] = (gid_t)count;
	assert_null(group_list_add(&groups, &count, 5));
	assert_int_equal(count, NGROUPS_MAX);
	err = group_list_add(&groups, &count, NGROUPS_MAX + 5);
	assert_non_null(err);
	err_drop(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_are_found_by_name),
		cmocka_unit_test(malformed_lines_name_nobody),
		cmocka_unit_test(users_are_found_by_number),
		cmocka_unit_test(a_nul_byte_hides_its_line_only),
		cmocka_unit_test(long_lines_are_refused),
		cmocka_unit_test(groups_are_found_by_name),
		cmocka_unit_test(members_are_whole_names),
		cmocka_unit_test(a_group_list_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
