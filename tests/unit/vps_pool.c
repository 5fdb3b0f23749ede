/* Pools of addresses: what is read and refused, which address is next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/str.h"
#include "runtime/vps/pool.h"

static struct net_addr address(const char *text)
{
	struct net_addr addr;

	assert_null(net_addr_parse("test", text, &addr));
	return addr;
}

/* The next address of the pool when those of taken (NULL-terminated) are; "none". */
static void next_is(const char *pool_text, int family, const char *const *taken, const char *wanted)
{
	struct net_addr addrs[16], addr;
	struct pool pool;
	char text[NET_ADDR_TEXT_MAX] = "none";
	size_t count = 0;

	assert_null(pool_parse("test", pool_text, &pool));
	for (; taken && *taken; taken++)
		addrs[count++] = address(*taken);
	if (pool_choose(&pool, family, addrs, count, &addr))
		net_addr_format(&addr, text);
	assert_string_equal(text, wanted);
}

#define TAKEN(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void chooses_the_lowest(void **state)
{
	(void)state;
	next_is("192.0.2.0/24", AF_INET, NULL, "192.0.2.1");
	next_is("192.0.2.77/24", AF_INET, NULL, "192.0.2.1");
	next_is("192.0.2.0/24", AF_INET, TAKEN("192.0.2.2", "192.0.2.1"), "192.0.2.3");
	next_is("192.0.2.0/24", AF_INET, TAKEN("192.0.2.3", "192.0.2.1", "2001:db8::1"),
		"192.0.2.2");
	next_is("192.0.2.0/30", AF_INET, TAKEN("192.0.2.1", "192.0.2.2"), "none");
	next_is("192.0.2.0/31", AF_INET, TAKEN("192.0.2.0"), "192.0.2.1");
	next_is("192.0.2.9", AF_INET, NULL, "192.0.2.9");
	next_is("192.0.2.9", AF_INET, TAKEN("192.0.2.9", "192.0.2.9"), "none");
	next_is("192.0.2.9-192.0.2.10 198.51.100.0/24", AF_INET, TAKEN("192.0.2.9", "192.0.2.10"),
		"198.51.100.1");
	next_is("192.0.2.0/24 2001:db8::/64", AF_INET6, TAKEN("192.0.2.1"), "2001:db8::1");
	next_is("192.0.2.0/24", AF_INET6, NULL, "none");
	next_is("2001:db8:ffff:ffff:ffff:ffff:ffff:fffe-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
		AF_INET6, TAKEN("2001:db8:ffff:ffff:ffff:ffff:ffff:fffe"),
		"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void refuses(void **state)
{
	static const char *const bad[] = { "192.0.2",
					   "192.0.2.9-192.0.2.1",
					   "192.0.2.1-2001:db8::1",
					   "192.0.2.0/24-192.0.2.9",
					   "127.0.0.0/8",
					   "-",
					   "192.0.2.1-" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pool pool;
		struct err *err = pool_parse("IP_POOL", bad[i], &pool);

		assert_non_null(err);
		assert_int_equal(err_kind(err), ERR_INVALID);
		err_drop(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_the_lowest),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
