/* Which views of lxcfs a VPS has, from a text of the form of /proc/PID/mountinfo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "base/str.h"
#include "runtime/vps/views.h"

/* "-": nothing, "c": the lxcfs that runs, 0:51, "s": a stale one, "o": something else. */
static const char signs[] = {
	[VIEW_NONE] = '-', [VIEW_CURRENT] = 'c', [VIEW_STALE] = 's', [VIEW_OTHER] = 'o'
};

/* wanted: a sign for each of cpuinfo diskstats loadavg meminfo stat swaps uptime. */
static void finds(const char *text, const char *wanted)
{
	const struct views_device current = { "0:51" };
	char found[VIEWS_MAX + 1] = "";
	OWN(str) char *copy = NULL;
	struct views views;

	assert_null(str_dup(text, &copy));
	views_parse(copy, &current, &views);
	for (size_t i = 0; i < VIEWS_MAX; i++)
		found[i] = signs[views.of[i]];
	assert_string_equal(found, wanted);
}

/* clang-format off */
#define ROOT "700 600 0:44 / / rw,relatime shared:3 master:1 - overlay overlay rw,lowerdir=/a\n"
#define PROC "701 700 0:45 / /proc rw,nosuid - proc proc rw\n"
#define ON(id, parent, device, file) \
	id " " parent " " device " /proc/" file " /proc/" file " rw,nosuid - fuse.lxcfs lxcfs rw\n"
#define VIEW(device, file) ON("65" file, "701", device, file)
/* clang-format on */

static void each_file_has_one(void **state)
{
	(void)state;
	finds("", "-------");
	finds(ROOT PROC, "-------");
	finds(ROOT PROC VIEW("0:51", "cpuinfo") VIEW("0:51", "uptime"), "c-----c");
	finds(ROOT PROC VIEW("0:50", "meminfo") VIEW("0:51", "stat"), "---sc--");
	finds(ROOT PROC VIEW("0:5", "meminfo") VIEW("0:510", "stat"), "---ss--");
	/* in front of what it lies on, as trees that were opened early are */
	finds(ROOT VIEW("0:51", "cpuinfo") VIEW("0:50", "stat") PROC, "c---s--");
	/* with no line break at the end, and optional fields */
	finds(PROC "1 701 0:51 /x /proc/swaps rw shared:1 master:2 - fuse.lxcfs lxcfs rw",
	      "-----c-");
}

static void the_topmost_counts(void **state)
{
	(void)state;
	finds(PROC ON("1", "701", "0:50", "stat") ON("2", "1", "0:51", "stat"), "----c--");
	finds(PROC ON("2", "1", "0:51", "stat") ON("1", "701", "0:50", "stat"), "----c--");
	finds(PROC ON("1", "2", "0:50", "stat") ON("2", "701", "0:51", "stat"), "----s--");
	finds(PROC "8 1 0:9 /x /proc/stat rw - tmpfs x rw\n" ON("1", "701", "0:50", "stat"),
	      "----o--");
	/* another file system on all of /proc, and a view on that */
	finds("9 701 0:46 / /proc rw - proc proc rw\n" PROC VIEW("0:50", "meminfo"), "-------");
	finds(PROC VIEW("0:50", "meminfo") "9 701 0:46 / /proc rw - proc proc rw\n" ON(
		      "3", "9", "0:51", "stat"),
	      "----c--");
}

/* A tenant's mounts, and lines that no kernel writes. */
static void others_are_passed_over(void **state)
{
	(void)state;
	finds(PROC "1 701 0:50 / /mnt/proc/meminfo rw - fuse.lxcfs lxcfs rw\n", "-------");
	finds(PROC "1 701 0:50 / /proc/meminfo/x rw - fuse.lxcfs lxcfs rw\n", "-------");
	finds(PROC "1 701 0:50 / /proc/mem rw - fuse.lxcfs lxcfs rw\n", "-------");
	finds(PROC "1 701 0:50 / /proc/\\040meminfo rw - fuse.lxcfs lxcfs rw\n", "-------");
	finds(PROC "1 701 0:50 / /proc/meminfo rw - fuse.evil fuse.lxcfs rw\n", "---o---");
	finds(PROC "1 701 0:50 / /proc/meminfo rw fuse.lxcfs\n", "-------");
	finds(VIEW("0:50", "meminfo"), "-------");
	finds(PROC " - \n - fuse.lxcfs\n1 2 - \n\n1 701 0:50 - fuse.lxcfs", "-------");
	/* each the other's parent */
	finds(PROC ON("1", "2", "0:50", "stat") ON("2", "1", "0:50", "stat"), "-------");
	finds("1 2 0:1 / /proc rw - proc x rw\n2 1 0:1 / /proc rw - proc x rw\n", "-------");
	finds(PROC ON("1", "1", "0:50", "stat") ON("701", "701", "0:50", "stat"), "----s--");
}

static void more_than_there_is_room_for(void **state)
{
	OWN(buf) struct buf text = { 0 };

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		assert_null(buf_format(&text, "%zu %zu 0:9 / /proc/stat rw - tmpfs x rw\n", i + 702,
				       i + 701));
	assert_null(buf_format(&text, PROC));
	finds(text.data, "-------");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_file_has_one),
		cmocka_unit_test(the_topmost_counts),
		cmocka_unit_test(others_are_passed_over),
		cmocka_unit_test(more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
