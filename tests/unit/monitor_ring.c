/* The ring keeps the last bytes in order and begins with a whole line once it has lost some. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/monitor/monitor.h"

static char text[2 * RING_BYTES];

static size_t contents(const struct ring *ring)
{
	struct ring_piece pieces[2];

	ring_pieces(ring, pieces);
	memcpy(text, pieces[0].data, pieces[0].len);
	memcpy(text + pieces[0].len, pieces[1].data, pieces[1].len);
	return pieces[0].len + pieces[1].len;
}

static void keeps_what_fits(void **state)
{
	static struct ring ring;

	(void)state;
	assert_int_equal(contents(&ring), 0);
	ring_add(&ring, "one\ntwo", 7);
	assert_int_equal(contents(&ring), 7);
	assert_memory_equal(text, "one\ntwo", 7);
}

static void full_to_the_byte(void **state)
{
	static struct ring ring;
	static char data[RING_BYTES];

	(void)state;
	memset(data, 'x', sizeof(data));
	ring_add(&ring, data, sizeof(data));
	assert_int_equal(contents(&ring), RING_BYTES);
}

static void begins_with_a_line_once_it_lost_some(void **state)
{
	static struct ring ring;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		char line[sizeof("line -2147483648\n")];

		snprintf(line, sizeof(line), "line %06d\n", i);
		ring_add(&ring, line, strlen(line));
	}
	assert_int_equal(contents(&ring), RING_BYTES / 12 * 12);
	assert_memory_equal(text, "line ", 5);
	assert_memory_equal(text + RING_BYTES / 12 * 12 - 12, "line 004999\n", 12);
}

static void more_than_fits_at_once(void **state)
{
	static struct ring ring;
	static char data[RING_BYTES + 100];

	(void)state;
	memset(data, 'a', sizeof(data));
	data[150] = '\n';
	ring_add(&ring, data, sizeof(data));
	assert_int_equal(contents(&ring), RING_BYTES - 51);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_fits),
		cmocka_unit_test(full_to_the_byte),
		cmocka_unit_test(begins_with_a_line_once_it_lost_some),
		cmocka_unit_test(more_than_fits_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
