/* The sums of traffic: nothing is added twice, nothing is lost, and the file says what was meant.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "runtime/vps/traffic.h"

static struct vps_flow flow(uint64_t n)
{
	return (struct vps_flow){ n, n + 1, n + 2, n + 3 };
}

static void add(struct vps_traffic_file *file, const char *life, uint64_t n, const char *month)
{
	struct vps_flow now = flow(n);
	bool changed;

	assert_null(traffic_add(file, life, &now, month, &changed));
}

/* What a file is after it was written and read. */
static void reread(struct vps_traffic_file *file)
{
	OWN(buf) struct buf text = { 0 };

	assert_null(traffic_format(file, &text));
	vps_traffic_release(&file->traffic);
	assert_null(traffic_parse(text.data, text.len, file));
}

static void nothing_is_added_twice(void **state)
{
	struct vps_traffic_file file = { 0 };
	struct vps_flow now = flow(1500);
	bool changed;

	(void)state;
	add(&file, "boot.1", 1000, "2026-11");
	reread(&file);
	add(&file, "boot.1", 1500, "2026-11");
	reread(&file);
	assert_null(traffic_add(&file, "boot.1", &now, "2026-12", &changed));
	assert_false(changed); /* the same count again */
	add(&file, "boot.2", 100, "2026-12");
	add(&file, "boot.2", 40, "2026-12"); /* went back: it began anew */
	reread(&file);
	assert_int_equal(file.traffic.total.received_bytes, 1640);
	assert_int_equal(file.traffic.total.sent_packets, 1503 + 103 + 43);
	assert_int_equal(file.traffic.month_count, 2);
	assert_string_equal(file.traffic.months[0].name, "2026-11");
	assert_int_equal(file.traffic.months[0].flow.received_bytes, 1500);
	assert_string_equal(file.traffic.months[1].name, "2026-12");
	assert_int_equal(file.traffic.months[1].flow.received_bytes, 140);
	assert_string_equal(file.life, "boot.2");
	assert_int_equal(file.seen.received_bytes, 40);
	vps_traffic_release(&file.traffic);
}

/* Of two interfaces, one of which was there earlier. */
static void sums_are_added(void **state)
{
	struct vps_traffic_file a = { 0 }, b = { 0 };
	OWN(vps_traffic) struct vps_traffic all = { 0 };

	(void)state;
	add(&a, "boot.1", 100, "2026-12");
	add(&b, "boot.2", 10, "2026-11");
	add(&b, "boot.2", 30, "2026-12");
	assert_null(traffic_merge(&a.traffic, &all));
	assert_null(traffic_merge(&b.traffic, &all));
	assert_int_equal(all.total.received_bytes, 130);
	assert_int_equal(all.month_count, 2);
	assert_string_equal(all.months[0].name, "2026-11");
	assert_int_equal(all.months[0].flow.received_bytes, 10);
	assert_int_equal(all.months[1].flow.received_bytes, 120);
	vps_traffic_release(&a.traffic);
	vps_traffic_release(&b.traffic);
}

static void bad_files_are_refused(void **state)
{
	static const char *const bad[] = {
		"TOTAL=\"1 2 3\"\n",
		"TOTAL=\"1 2 3 4 5\"\n",
		"TOTAL=\"1 2 3 -4\"\n",
		"MONTH_2026_1=\"1 2 3 4\"\n",
		"OTHER=\"1\"\n",
		"MONTH_202611=\"1 2 3 4\"\n",
		"MONTH_2026_111=\"1 2 3 4\"\n",
		"SEEN=\n",
		"no line\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct vps_traffic_file file = { 0 };
		struct err *err = traffic_parse(bad[i], strlen(bad[i]), &file);

		if (!err)
			print_message("taken: %s", bad[i]);
		assert_non_null(err);
		assert_int_equal(err_kind(err), ERR_INVALID);
		err_drop(err);
	}
}

static void quotas_are_a_size_and_an_action(void **state)
{
	static const struct row {
		const char *text;
		uint64_t bytes;
		enum vps_quota_action action;
	} rows[] = {
		{ "500G:warn", UINT64_C(500) << 30, VPS_QUOTA_WARN },
		{ "1T:throttle", UINT64_C(1) << 40, VPS_QUOTA_THROTTLE },
		{ "4096:stop", 4096, VPS_QUOTA_STOP },
		{ "7K:hook", 7168, VPS_QUOTA_HOOK },
		{ "unlimited", VPS_UNLIMITED, VPS_QUOTA_WARN },
	};
	static const char *const bad[] = { "",	    "5G",      "5G:",	  "5G:drop",
					   ":stop", "5X:stop", "5G:stop " };
	struct vps_traffic_quota quota;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_null(vps_traffic_quota_parse("x", rows[i].text, &quota));
		assert_int_equal(quota.bytes, rows[i].bytes);
		assert_int_equal(quota.action, rows[i].action);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err *err = vps_traffic_quota_parse("x", bad[i], &quota);

		assert_non_null(err);
		assert_int_equal(err_kind(err), ERR_INVALID);
		err_drop(err);
	}
}

static void classes_are_lines(void **state)
{
	static const char text[] = "# as OpenVZ has it\n\n1 0.0.0.0/0\n 2\t10.1.2.3/12 # ours\r\n"
				   "15 2001:db8::1/33\n0 192.0.2.7";
	static const char *const bad[] = {
		"1",
		"1 10.0.0.0/8 more",
		"16 10.0.0.0/8",
		"-1 10.0.0.0/8",
		"one 10.0.0.0/8",
		"1 10.0.0.0/33",
		"1 10.0.0/8",
		"1 10.0.0.0/",
		"1 ::1/129",
		"1 10.0.0.0/8\n2 10.9.0.0/8",
	};
	OWN(vps_classes) struct net_classes classes = { 0 };

	(void)state;
	assert_null(vps_classes_parse(text, strlen(text), &classes));
	assert_int_equal(classes.count, 4);
	assert_int_equal(classes.items[0].prefix.prefix, 0);
	assert_int_equal(classes.items[1].class, 2);
	assert_memory_equal(classes.items[1].prefix.bytes, ((uint8_t[16]){ 10 }), 16);
	assert_int_equal(classes.items[2].prefix.family, AF_INET6);
	assert_memory_equal(classes.items[2].prefix.bytes, ((uint8_t[16]){ 0x20, 1, 0x0d, 0xb8 }),
			    16);
	assert_int_equal(classes.items[3].prefix.prefix, 32);
	assert_true(classes_have(&classes, 15));
	assert_false(classes_have(&classes, 3));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct net_classes none = { 0 };
		struct err *err = vps_classes_parse(bad[i], strlen(bad[i]), &none);

		if (!err)
			print_message("taken: %s\n", bad[i]);
		assert_non_null(err);
		assert_int_equal(err_kind(err), ERR_INVALID);
		err_drop(err);
	}
}

static void files_are_of_an_interface_and_a_class(void **state)
{
	static const char *const bad[] = {
		"", "eth0:0", "eth0:16", "eth0:x", "eth0:", "a/b", ":1"
	};
	struct traffic_part part;

	(void)state;
	assert_true(traffic_part_parse("eth0", &part));
	assert_string_equal(traffic_part_file(&part).text, "if.eth0");
	assert_true(traffic_part_parse("abcdefghijklmno:15", &part));
	assert_int_equal(part.class, 15);
	assert_string_equal(traffic_part_file(&part).text, "if.abcdefghijklmno:15");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(traffic_part_parse(bad[i], &part));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotas_are_a_size_and_an_action),
		cmocka_unit_test(nothing_is_added_twice),
		cmocka_unit_test(sums_are_added),
		cmocka_unit_test(bad_files_are_refused),
		cmocka_unit_test(classes_are_lines),
		cmocka_unit_test(files_are_of_an_interface_and_a_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
