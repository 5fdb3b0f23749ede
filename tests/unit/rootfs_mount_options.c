/* The table of mount options: every row parsed, opposites cancel, what is no option is data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "rootfs/rootfs.h"
#include "rootfs/tree.h"

/* runtime-spec config.md, "Linux mount options", all rows but idmap's, and what crun adds. */
static const char *const wanted[] = {
	"async",	  "atime",	   "bind",	   "copy-symlink",
	"defaults",	  "dest-nofollow", "dev",	   "diratime",
	"dirsync",	  "exec",	   "idmap",	   "iversion",
	"lazytime",	  "loud",	   "mand",	   "noatime",
	"nodev",	  "nodiratime",	   "noexec",	   "noiversion",
	"nolazytime",	  "nomand",	   "norelatime",   "nostrictatime",
	"nosuid",	  "nosymfollow",   "private",	   "ratime",
	"rbind",	  "rdev",	   "rdiratime",	   "relatime",
	"remount",	  "rexec",	   "ridmap",	   "rnoatime",
	"rnodev",	  "rnodiratime",   "rnoexec",	   "rnorelatime",
	"rnostrictatime", "rnosuid",	   "rnosymfollow", "ro",
	"rprivate",	  "rrelatime",	   "rro",	   "rrw",
	"rshared",	  "rslave",	   "rstrictatime", "rsuid",
	"rsymfollow",	  "runbindable",   "rw",	   "shared",
	"silent",	  "slave",	   "src-nofollow", "strictatime",
	"suid",		  "symfollow",	   "sync",	   "tmpcopyup",
	"unbindable",
};

static void add(struct mount_spec *mount, const char *option)
{
	struct err *err = mount_spec_option(mount, option);

	if (err)
		fail_msg("%s: %s", option, err_text(err));
}

static void refuse(const char *option, const char *text)
{
	struct mount_spec mount = { 0 };
	struct err *err = mount_spec_option(&mount, option);

	if (!err || !strstr(err_text(err), text))
		fail_msg("%s: '%s' has no '%s'", option, err ? err_text(err) : "no error", text);
	assert_int_equal(err_kind(err), ERR_INVALID);
	err_drop(err);
	mount_spec_release(&mount);
}

static void test_all_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct mount_spec mount = { 0 };

		if (!mount_option_name(i))
			fail_msg("%s is missing", wanted[i]);
		assert_string_equal(mount_option_name(i), wanted[i]);
		if (i > 0)
			assert_true(strcmp(wanted[i - 1], wanted[i]) < 0);
		add(&mount, wanted[i]);
		assert_null(mount.data); /* known, so not handed to the file system */
		mount_spec_release(&mount);
	}
	assert_null(mount_option_name(ARRAY_SIZE(wanted)));
	assert_null(mount_option_name(SIZE_MAX));
}

static void test_flags(void **state)
{
	static const struct {
		const char *set, *clear;
		unsigned long flag;
	} pairs[] = {
		{ "ro", "rw", MS_RDONLY },
		{ "nosuid", "suid", MS_NOSUID },
		{ "nodev", "dev", MS_NODEV },
		{ "noexec", "exec", MS_NOEXEC },
		{ "sync", "async", MS_SYNCHRONOUS },
		{ "noatime", "atime", MS_NOATIME },
		{ "nodiratime", "diratime", MS_NODIRATIME },
		{ "relatime", "norelatime", MS_RELATIME },
		{ "strictatime", "nostrictatime", MS_STRICTATIME },
		{ "mand", "nomand", MS_MANDLOCK },
		{ "silent", "loud", MS_SILENT },
		{ "iversion", "noiversion", MS_I_VERSION },
		{ "lazytime", "nolazytime", MS_LAZYTIME },
		{ "nosymfollow", "symfollow", MS_NOSYMFOLLOW },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct mount_spec mount = { 0 };

		add(&mount, pairs[i].set);
		assert_int_equal(mount.flags, pairs[i].flag);
		assert_int_equal(mount.clear_flags, 0);
		add(&mount, pairs[i].clear); /* the last one counts */
		assert_int_equal(mount.flags, 0);
		assert_int_equal(mount.clear_flags, pairs[i].flag);
		add(&mount, pairs[i].set);
		assert_int_equal(mount.flags, pairs[i].flag);
		assert_int_equal(mount.clear_flags, 0);
	}
}

static void test_recursive(void **state)
{
	static const struct {
		const char *set, *clear;
		uint64_t attr;
	} pairs[] = {
		{ "rro", "rrw", MOUNT_ATTR_RDONLY },
		{ "rnosuid", "rsuid", MOUNT_ATTR_NOSUID },
		{ "rnodev", "rdev", MOUNT_ATTR_NODEV },
		{ "rnoexec", "rexec", MOUNT_ATTR_NOEXEC },
		{ "rnodiratime", "rdiratime", MOUNT_ATTR_NODIRATIME },
		{ "rnosymfollow", "rsymfollow", MOUNT_ATTR_NOSYMFOLLOW },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct mount_spec mount = { 0 };

		add(&mount, pairs[i].set);
		assert_int_equal(mount.rec_set, pairs[i].attr);
		assert_int_equal(mount.rec_clear, 0);
		add(&mount, pairs[i].clear);
		assert_int_equal(mount.rec_set, 0);
		assert_int_equal(mount.rec_clear, pairs[i].attr);
		add(&mount, pairs[i].set);
		assert_int_equal(mount.rec_set, pairs[i].attr);
		assert_int_equal(mount.rec_clear, 0);
	}
}

/* The kernel wants the whole atime field cleared whenever a part of it changes. */
static void test_recursive_atime(void **state)
{
	static const struct {
		const char *option;
		uint64_t set;
	} rows[] = {
		{ "rnoatime", MOUNT_ATTR_NOATIME },
		{ "rstrictatime", MOUNT_ATTR_STRICTATIME },
		{ "rrelatime", 0 },
		{ "ratime", 0 },
		{ "rnostrictatime", 0 },
	};
	struct mount_spec mount = { 0 };

	(void)state;
	add(&mount, "rro");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		add(&mount, rows[i].option);
		assert_int_equal(mount.rec_set, rows[i].set | MOUNT_ATTR_RDONLY);
		assert_int_equal(mount.rec_clear, MOUNT_ATTR__ATIME);
	}
}

static void test_others(void **state)
{
	struct mount_spec mount = { 0 };

	(void)state;
	add(&mount, "rbind");
	assert_int_equal(mount.flags, MS_BIND | MS_REC);
	add(&mount, "rslave");
	add(&mount, "shared");
	assert_int_equal(mount.propagation, MS_SHARED);
	add(&mount, "runbindable");
	assert_int_equal(mount.propagation, MS_UNBINDABLE | MS_REC);
	add(&mount, "tmpcopyup");
	add(&mount, "copy-symlink");
	add(&mount, "src-nofollow");
	add(&mount, "dest-nofollow");
	assert_true(mount.copy_up && mount.copy_symlink);
	assert_true(mount.source_nofollow && mount.dest_nofollow);
	add(&mount, "size=64k");
	add(&mount, "mode=755");
	add(&mount, "ROdent"); /* names are exact */
	add(&mount, "");
	assert_string_equal(mount.data, "size=64k,mode=755,ROdent");
	mount_spec_release(&mount);
	assert_null(mount.data);
}

static void test_idmap(void **state)
{
	struct mount_spec mount = { 0 };

	(void)state;
	add(&mount, "idmap=uids=0-1-10#10-11-20;gids=@0-100-30");
	assert_int_equal(mount.idmap, MOUNT_IDMAP);
	assert_int_equal(mount.maps.uid_count, 2);
	assert_int_equal(mount.maps.gid_count, 1);
	assert_int_equal(mount.maps.uids[1].inside, 10);
	assert_int_equal(mount.maps.uids[1].outside, 11);
	assert_int_equal(mount.maps.uids[1].count, 20);
	assert_false(mount.uids_relative);
	assert_true(mount.gids_relative);
	mount_spec_release(&mount);
	add(&mount, "ridmap=uids=@0-1-1#@5-6-7;gids=0-1-1");
	assert_int_equal(mount.idmap, MOUNT_RIDMAP);
	assert_int_equal(mount.maps.uids[1].count, 7);
	mount_spec_release(&mount);

	refuse("idmap=", "both");
	refuse("idmap=uids=0-1-1", "both");
	refuse("idmap=uids=0-1;gids=0-1-1", "COUNT");
	refuse("idmap=uids=0-1-0;gids=0-1-1", "0");
	refuse("idmap=uids=0-1-1-1;gids=0-1-1", "follows");
	refuse("idmap=uids=0-1-4294967296;gids=0-1-1", "4294967296");
	refuse("idmap=uids=;gids=0-1-1", "idmap");
	refuse("idmap=uids=0-1-1#@0-1-1;gids=0-1-1", "idmap");
	refuse("idmap=pids=0-1-1", "neither");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_names), cmocka_unit_test(test_flags),
		cmocka_unit_test(test_recursive), cmocka_unit_test(test_recursive_atime),
		cmocka_unit_test(test_others),	  cmocka_unit_test(test_idmap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
