/* Address and interface name parsing: what is taken, what is refused, and the canonical spelling.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "netns/netns.h"

static void takes_good_addresses(void **state)
{
	static const struct {
		const char *text, *canonical;
		uint8_t prefix;
	} rows[] = {
		{ "192.0.2.7", "192.0.2.7", 32 },
		{ "192.0.2.7/24", "192.0.2.7", 24 },
		{ "192.0.2.7/255.255.255.0", "192.0.2.7", 24 },
		{ "192.0.2.7/255.255.255.255", "192.0.2.7", 32 },
		{ "2001:DB8:0::7", "2001:db8::7", 128 },
		{ "2001:db8::7/64", "2001:db8::7", 64 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct net_addr addr;
		char text[NET_ADDR_TEXT_MAX];

		assert_null(net_addr_parse("--ipadd", rows[i].text, &addr));
		net_addr_format(&addr, text);
		assert_string_equal(text, rows[i].canonical);
		assert_int_equal(addr.prefix, rows[i].prefix);
	}
}

static void refuses_bad_addresses(void **state)
{
	static const char *const bad[] = {
		"",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.4/",
		"1.2.3.4/33",
		"1.2.3.4/0",
		"1.2.3.4/255.0.255.0",
		"256.1.1.1",
		"01.2.3.4 ",
		" 1.2.3.4",
		"0.0.0.0",
		"127.0.0.1",
		"169.254.1.1",
		"224.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"fe80::1",
		"ff02::1",
		"::ffff:1.2.3.4",
		"2001:db8::7/129",
		"2001:db8::7/-1",
		"1.2.3.4\n5.6.7.8",
		"2001:db8::7%eth0",
		"1.2.3.4;reboot",
		"2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct net_addr addr;
		struct err *err = net_addr_parse("--ipadd", bad[i], &addr);

		if (!err)
			print_message("accepted: %s\n", bad[i]);
		assert_non_null(err);
		assert_int_equal(err_kind(err), ERR_INVALID);
		err_drop(err);
	}
}

static void servers_may_be_local(void **state)
{
	struct net_addr addr;
	struct err *err;

	(void)state;
	assert_null(net_addr_parse_host("--nameserver", "127.0.0.53", &addr));
	err = net_addr_parse_host("--nameserver", "192.0.2.1/24", &addr);
	assert_non_null(err);
	err_drop(err);
	err = net_addr_parse_host("--nameserver", "224.0.0.1", &addr);
	assert_non_null(err);
	err_drop(err);
}

static void checks_interface_names(void **state)
{
	static const char *const bad[] = { "",
					   ".",
					   "..",
					   "a/b",
					   "a b",
					   "a:b",
					   "a\nb",
					   "all",
					   "default",
					   "veth%d",
					   "0123456789abcdef" };

	(void)state;
	assert_null(net_name_check("eth0"));
	assert_null(net_name_check("0123456789abcde"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err *err = net_name_check(bad[i]);

		assert_non_null(err);
		err_drop(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_good_addresses),
		cmocka_unit_test(refuses_bad_addresses),
		cmocka_unit_test(servers_may_be_local),
		cmocka_unit_test(checks_interface_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
