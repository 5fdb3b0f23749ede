/* NAME.conf: what is read, refused, kept and written back; every key of the table in both
 * directions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/vps/conf.h"
#include "runtime/vps/room.h"

static void must(struct err *err)
{
	if (err)
		print_message("error: %s\n", err_text(err));
	assert_null(err);
}

static void refuse(struct err *err)
{
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_INVALID);
	err_drop(err);
}

/* A file as vzctl 4 leaves it. */
static const char openvz[] = "# Copyright notice of somebody\n"
			     "\n"
			     "PHYSPAGES=\"0:131072\"   # half a gibibyte\n"
			     "SWAPPAGES='0:262144'\n"
			     "KMEMSIZE=\"14372700:14790164\"\n"
			     "NUMPROC=\"240:480\"\n"
			     "CPUUNITS=1000\n"
			     "IP_ADDRESS=\"192.0.2.7 2001:db8::7/64\"\n"
			     "NAMESERVER=\"192.0.2.1 2001:db8::1\"\n"
			     "HOSTNAME=\"one.example.org\"\n"
			     "ONBOOT=\"yes\"\n"
			     "VE_ROOT=\"/vz/root/$VEID\"\n";

static void reads_openvz(void **state)
{
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(vps_conf) struct vps_conf conf;
	OWN(strlist) struct strlist unknown = { 0 };

	(void)state;
	vps_conf_init(&conf);
	must(conf_file_parse(openvz, strlen(openvz), &file));
	must(vps_conf_read(&file, &conf));
	assert_int_equal(conf.ram_bytes, 512 << 20);
	assert_int_equal(conf.swap_bytes, 1 << 30);
	assert_int_equal(conf.numproc, 480);
	assert_int_equal(conf.cpuunits, 1000);
	assert_int_equal(conf.addr_count, 2);
	assert_int_equal(conf.addrs[1].prefix, 64);
	assert_int_equal(conf.nameservers.count, 2);
	assert_string_equal(conf.hostname, "one.example.org");
	assert_int_equal(conf.onboot, 1);
	assert_true(conf.cpus == VPS_UNSET);
	must(vps_conf_check(&conf));
	must(vps_conf_unknown(&file, &unknown));
	assert_int_equal(unknown.count, 2);
	assert_string_equal(unknown.items[0], "KMEMSIZE");
}

static void rewriting_keeps_the_rest(void **state)
{
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(vps_conf) struct vps_conf conf;
	OWN(buf) struct buf same = { 0 }, changed = { 0 };

	(void)state;
	vps_conf_init(&conf);
	must(conf_file_parse(openvz, strlen(openvz), &file));
	must(vps_conf_read(&file, &conf));
	must(vps_conf_write(&conf, &file));
	must(conf_file_format(&file, &same));
	assert_string_equal(same.data, openvz); /* nothing changed: not one byte */
	conf.ram_bytes = 1 << 30;
	conf.cpus = 2;
	must(vps_conf_write(&conf, &file));
	must(conf_file_format(&file, &changed));
	assert_non_null(strstr(changed.data,
			       "\n\nPHYSPAGES=\"0:262144\"\nSWAPPAGES='0:262144'\nKMEMSIZE="));
	assert_non_null(strstr(changed.data, "VE_ROOT=\"/vz/root/$VEID\"\nCPUS=\"2\"\n"));
}

static void unlimited_survives(void **state)
{
	static const char *const spellings[] = { "0:9223372036854775807", "unlimited",
						 "0:unlimited", "2147483647" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++) {
		OWN(conf_file) struct conf_file file = { 0 };
		OWN(vps_conf) struct vps_conf conf;

		vps_conf_init(&conf);
		must(conf_file_set(&file, "PHYSPAGES", spellings[i]));
		must(vps_conf_read(&file, &conf));
		assert_true(conf.ram_bytes == VPS_UNLIMITED);
		must(vps_conf_write(&conf, &file));
		assert_string_equal(conf_file_get(&file, "PHYSPAGES"), spellings[i]);
	}
}

/* In OpenVZ's words, with those of its samples. */
static void pairs_are_soft_and_hard(void **state)
{
	static const struct {
		const char *text;
		enum vps_pair_unit unit;
		uint64_t soft, hard;
		const char *written;
	} cases[] = {
		{ "1048576:1153434", VPS_PAIR_KIB, UINT64_C(1) << 30, UINT64_C(1181116416),
		  "1048576:1153434" },
		{ "2G:2.2G", VPS_PAIR_KIB, UINT64_C(2) << 30, UINT64_C(2362232012),
		  "2097152:2306868" },
		{ "10G", VPS_PAIR_KIB, UINT64_C(10) << 30, UINT64_C(10) << 30,
		  "10485760:10485760" },
		{ "1G:unlimited", VPS_PAIR_KIB, UINT64_C(1) << 30, VPS_UNLIMITED,
		  "1048576:unlimited" },
		{ "9223372036854775807", VPS_PAIR_KIB, VPS_UNLIMITED, VPS_UNLIMITED,
		  "unlimited:unlimited" },
		{ "200000:220000", VPS_PAIR_COUNT, 200000, 220000, "200000:220000" },
	};
	static const char *const bad[] = {
		"",	      ":",	 "1:", "2:1",	"1.G",
		"1.2",	      "1.2345G", "-1", "1G:2X", "18446744073709551615",
		"unlimited:1"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *key = cases[i].unit == VPS_PAIR_KIB ? "DISKSPACE" : "DISKINODES";
		OWN(conf_file) struct conf_file file = { 0 }, again = { 0 };
		OWN(vps_conf) struct vps_conf conf;
		struct vps_pair pair;

		vps_conf_init(&conf);
		must(vps_pair_parse("it", cases[i].text, cases[i].unit, &pair));
		assert_true(pair.soft == cases[i].soft);
		assert_true(pair.hard == cases[i].hard);
		must(conf_file_set(&file, key, cases[i].text));
		must(vps_conf_read(&file, &conf));
		must(vps_conf_write(&conf, &again));
		assert_string_equal(conf_file_get(&again, key), cases[i].written);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct vps_pair pair;
		struct err *err = vps_pair_parse("it", bad[i], VPS_PAIR_KIB, &pair);

		if (!err)
			print_message("accepted: '%s'\n", bad[i]);
		refuse(err);
	}
}

static void layouts_of_openvz_are_ours(void **state)
{
	(void)state;
	assert_string_equal(vps_layout_of("simfs"), "dir");
	assert_string_equal(vps_layout_of("ploop:expanded"), "image");
	assert_string_equal(vps_layout_of("overlay"), "overlay");
	assert_string_equal(vps_layout_of("ploopy"), "ploopy");
}

static void refuses_bad_lines(void **state)
{
	static const char *const bad[] = { "KEY",	 "KEY =1",     "=1",
					   "1KEY=1",	 "KEY=\"open", "KEY=a b",
					   "KEY=\"a\"b", "KEY=a\x01",  "KEY=\"a\x1b[0m\"",
					   "KEY='a\"",	 "A-B=1",      "rm -rf /" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct conf_file file = { 0 };

		refuse(conf_file_parse(bad[i], strlen(bad[i]), &file));
	}
	struct conf_file file = { 0 };

	refuse(conf_file_parse("A=1\0B=2", 7, &file));
}

static void refuses_bad_values(void **state)
{
	static const char *const bad[][2] = {
		{ "PHYSPAGES", "12x" },	   { "PHYSPAGES", "0:18446744073709551615" },
		{ "NUMPROC", "-1" },	   { "IP_ADDRESS", "1.2.3" },
		{ "ONBOOT", "maybe" },	   { "CPUS", "0" },
		{ "CPUUNITS", "7" },	   { "LOCAL_UID", "4294967295" },
		{ "STOP_TIMEOUT", "1 2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		OWN(conf_file) struct conf_file file = { 0 };
		OWN(vps_conf) struct vps_conf conf;
		struct err *err;

		vps_conf_init(&conf);
		must(conf_file_set(&file, bad[i][0], bad[i][1]));
		err = vps_conf_read(&file, &conf);
		if (!err)
			print_message("accepted: %s=%s\n", bad[i][0], bad[i][1]);
		assert_non_null(strstr(err_text(err), bad[i][0]));
		refuse(err);
	}
}

static void errors_name_the_line(void **state)
{
	static const struct {
		const char *text, *read, *checked; /* NULL: it is good as far as this goes */
	} files[] = {
		{ "# ours\nCPUS=2\nCPUS=two\n", "line 3: CPUS", NULL },
		{ "\nCPUS=2\nHOSTNAME=a..b\n", NULL, "line 3: --hostname" },
		{ "CPUS=2\n", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		OWN(conf_file) struct conf_file file = { 0 };
		OWN(vps_conf) struct vps_conf conf;
		struct err *err;

		vps_conf_init(&conf);
		must(conf_file_parse(files[i].text, strlen(files[i].text), &file));
		err = vps_conf_read(&file, &conf);
		if (files[i].read)
			assert_non_null(strstr(err_text(err), files[i].read));
		if (!err)
			err = vps_conf_check_file(&conf, &file);
		if (files[i].checked)
			assert_non_null(strstr(err_text(err), files[i].checked));
		if (files[i].read || files[i].checked)
			refuse(err);
		else
			must(err);
	}
}

static void writer_refuses_what_shells_would_run(void **state)
{
	static const char *const bad[] = {
		"a\nB=2", "a\"; reboot; \"", "$(reboot)", "`reboot`", "a\\", "a\rb", "'"
	};
	OWN(conf_file) struct conf_file file = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(conf_file_set(&file, "DESCRIPTION", bad[i]));
	assert_int_equal(file.count, 0);
}

static void check_names_the_option(void **state)
{
	static const char *const bad[] = { "",	   "-a",  "a-",	 "a..b",	".a", "a b",
					   "a\nb", "a;b", "a/b", "caf\xc3\xa9", "a.", "x%sy" };
	char label[70];

	(void)state;
	memset(label, 'a', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	for (size_t i = 0; i <= ARRAY_SIZE(bad); i++) {
		OWN(vps_conf) struct vps_conf conf;
		struct err *err;

		vps_conf_init(&conf);
		must(str_dup(i < ARRAY_SIZE(bad) ? bad[i] : label, &conf.hostname));
		err = vps_conf_check(&conf);
		if (!err)
			print_message("accepted: '%s'\n", conf.hostname);
		assert_non_null(err);
		assert_non_null(strstr(err_text(err), "--hostname"));
		refuse(err);
	}
}

static void merge_replaces_what_is_set(void **state)
{
	OWN(vps_conf) struct vps_conf over, conf;

	(void)state;
	vps_conf_init(&over);
	vps_conf_init(&conf);
	conf.ram_bytes = 1 << 30;
	conf.cpus = 4;
	over.cpus = 2;
	over.numproc = VPS_UNLIMITED;
	must(str_dup("web", &over.hostname));
	must(vps_conf_merge(&over, &conf));
	assert_int_equal(conf.ram_bytes, 1 << 30);
	assert_int_equal(conf.cpus, 2);
	assert_true(conf.numproc == VPS_UNLIMITED);
	assert_string_equal(conf.hostname, "web");
}

static void keys_are_sorted_and_unique(void **state)
{
	const char *meaning, *before = "";

	(void)state;
	for (size_t i = 0; vps_conf_key(i, &meaning); i++) {
		assert_true(strcmp(before, vps_conf_key(i, &meaning)) < 0);
		assert_true(meaning && *meaning);
		before = vps_conf_key(i, &meaning);
	}
}

/* One value for each key, whatever its kind, that differs from "not said". */
static void fill_all(struct vps_conf *conf, struct conf_file *file)
{
	static const char *const values[] = { "3",	   "65536",   "0:65536",     "yes",
					      "192.0.2.1", "8080:80", "ifname=eth1", "eth0:1:8000",
					      "one",	   "always" };
	const char *meaning, *key;

	for (size_t i = 0; (key = vps_conf_key(i, &meaning)); i++) {
		struct err *err = NULL;

		for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
			struct conf_file single = { 0 };

			err_drop(err);
			must(conf_file_set(&single, key, values[k]));
			err = vps_conf_read(&single, conf);
			conf_file_release(&single);
			if (!err) {
				must(conf_file_set(file, key, values[k]));
				break;
			}
		}
		must(err);
	}
}

static void every_key_is_copied_and_compared(void **state)
{
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(vps_conf) struct vps_conf full, none, copy;
	const char *meaning, *key;
	size_t count = 0;

	(void)state;
	vps_conf_init(&full);
	vps_conf_init(&none);
	fill_all(&full, &file);
	must(vps_conf_dup(&none, &copy));
	for (size_t i = 0; (key = vps_conf_key(i, &meaning)); i++, count++) {
		OWN(strlist) struct strlist before = { 0 }, after = { 0 };

		must(vps_conf_diff(&full, &copy, &before));
		must(vps_conf_copy_key(key, &full, &copy));
		must(vps_conf_diff(&full, &copy, &after));
		/* LOCAL_UID and LOCAL_GID are one value */
		assert_true(after.count < before.count || str_eq(key, "LOCAL_UID"));
		assert_false(strlist_has(&after, key));
	}
	for (size_t i = 0; (key = vps_conf_key(i, &meaning)); i++)
		must(vps_conf_copy_key(key, &none, &copy));
	must(vps_conf_write(&copy, &file)); /* what is not said is taken out */
	for (size_t i = 0; i < count; i++)
		assert_null(conf_file_get(&file, vps_conf_key(i, &meaning)));
}

static void every_key_can_be_set_or_waits(void **state)
{
	const char *meaning, *key;

	(void)state;
	for (size_t i = 0; (key = vps_conf_key(i, &meaning)); i++)
		if (!live_knows(key))
			fail_msg("%s is in no row of live.c, or in both tables", key);
}

static void lists_of_cpus(void **state)
{
	static const char *const good[] = { "0", "0-3", "0-3,7", "1,2,3", "8191", "all", "auto" };
	static const char *const bad[] = { ",",	 "0-",	"-1", "3-1",   "8192",
					   "0,", "0 1", "a",  "0-1-2", "99999999999999999999",
					   "0x1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good) + ARRAY_SIZE(bad); i++) {
		bool is_good = i < ARRAY_SIZE(good);
		OWN(vps_conf) struct vps_conf conf;
		struct err *err;

		vps_conf_init(&conf);
		must(str_dup(is_good ? good[i] : bad[i - ARRAY_SIZE(good)], &conf.cpumask));
		err = vps_conf_check(&conf);
		if (!err != is_good)
			fail_msg("%s", conf.cpumask);
		err_drop(err);
	}
}

static void values_hold_together(void **state)
{
	OWN(vps_conf) struct vps_conf conf;

	(void)state;
	vps_conf_init(&conf);
	conf.cpu_burst_percent = 50;
	refuse(vps_conf_check_together(&conf));
	conf.cpus = 2;
	must(vps_conf_check_together(&conf));
	conf.cpulimit_percent = 40;
	refuse(vps_conf_check_together(&conf));
	conf.cpu_burst_percent = 40;
	conf.ram_bytes = 1 << 30;
	conf.ram_min_bytes = conf.ram_soft_bytes = 1 << 30;
	must(vps_conf_check_together(&conf));
	conf.ram_min_bytes++;
	refuse(vps_conf_check_together(&conf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_openvz),
		cmocka_unit_test(rewriting_keeps_the_rest),
		cmocka_unit_test(unlimited_survives),
		cmocka_unit_test(pairs_are_soft_and_hard),
		cmocka_unit_test(layouts_of_openvz_are_ours),
		cmocka_unit_test(refuses_bad_lines),
		cmocka_unit_test(errors_name_the_line),
		cmocka_unit_test(refuses_bad_values),
		cmocka_unit_test(writer_refuses_what_shells_would_run),
		cmocka_unit_test(check_names_the_option),
		cmocka_unit_test(merge_replaces_what_is_set),
		cmocka_unit_test(keys_are_sorted_and_unique),
		cmocka_unit_test(every_key_is_copied_and_compared),
		cmocka_unit_test(every_key_can_be_set_or_waits),
		cmocka_unit_test(lists_of_cpus),
		cmocka_unit_test(values_hold_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
