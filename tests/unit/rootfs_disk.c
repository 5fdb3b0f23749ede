/* Disks without a kernel's help: the superblock of an image, holds on templates, the names of
 * layouts. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/path.h"
#include "rootfs/disk.h"

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void must(struct err *err)
{
	if (err)
		print_message("error: %s\n", err_text(err));
	assert_null(err);
}

static void refuse(struct err *err, enum err_kind kind)
{
	assert_non_null(err);
	assert_int_equal(err_kind(err), kind);
	err_drop(err);
}

static void put_word(unsigned char *image, size_t offset, uint32_t word)
{
	for (int i = 0; i < 4; i++)
		image[1024 + offset + (size_t)i] = (unsigned char)(word >> (8 * i));
}

/* Block size 4 KiB, 100,000 blocks, 2,000 of them ext4's own, 90,000 free. */
static void make_super(unsigned char *image)
{
	memset(image, 0, 2048);
	put_word(image, 0x0, 25000);
	put_word(image, 0x4, 100000);
	put_word(image, 0xc, 90000);
	put_word(image, 0x10, 24000);
	put_word(image, 0x18, 2);
	put_word(image, 0x38, 0xef53);
	put_word(image, 0x248, 2000);
}

static void reads_a_superblock(void **state)
{
	unsigned char image[2048];
	struct ext4_numbers numbers;

	(void)state;
	make_super(image);
	must(ext4_parse(image, sizeof(image), &numbers));
	assert_int_equal(numbers.block_bytes, 4096);
	assert_int_equal(numbers.blocks, 100000);
	assert_int_equal(numbers.overhead, 2000);
	assert_int_equal(numbers.free_blocks, 90000);
	assert_int_equal(numbers.inodes, 25000);
	assert_int_equal(numbers.free_inodes, 24000);
	put_word(image, 0x150, 1);
	must(ext4_parse(image, sizeof(image), &numbers));
	assert_int_equal(numbers.blocks, (UINT64_C(1) << 32) + 100000);
}

static void refuses_what_is_no_superblock(void **state)
{
	static const struct {
		size_t offset;
		uint32_t word;
	} damage[] = {
		{ 0x38, 0xef54 }, /* magic */
		{ 0x18, 30 },	  /* block size */
		{ 0xc, 100001 },  /* more free than there is */
		{ 0x248, 20000 }, /* overhead and free blocks together */
		{ 0x10, 25001 },  /* free inodes */
	};
	unsigned char image[2048];
	struct ext4_numbers numbers;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(damage); i++) {
		make_super(image);
		put_word(image, damage[i].offset, damage[i].word);
		refuse(ext4_parse(image, sizeof(image), &numbers), ERR_INVALID);
	}
	make_super(image);
	refuse(ext4_parse(image, 2047, &numbers), ERR_INVALID);
}

static void holds_read_back(void **state)
{
	struct template_hold hold, again;
	OWN(buf) struct buf text = { 0 };

	(void)state;
	must(template_hold_init(DIGEST, &hold));
	must(template_hold_format(&hold, &text));
	must(template_hold_parse(text.data, text.len, &again));
	assert_string_equal(again.digest, DIGEST);
	assert_string_equal(again.id, hold.id);
	refuse(template_hold_parse(text.data, text.len - 1, &again), ERR_INVALID);
	text.data[3] = '/';
	refuse(template_hold_parse(text.data, text.len, &again), ERR_INVALID);
	refuse(template_hold_init("../" DIGEST, &hold), ERR_INVALID);
}

/* A tree stays as long as somebody holds it, and not longer. */
static void a_held_tree_stays(void **state)
{
	char path[] = "/tmp/cella-unit.XXXXXX";
	OWN(template_store) struct template_store store = TEMPLATE_STORE_INIT;
	struct template_hold one, two;
	bool held;

	(void)state;
	assert_non_null(mkdtemp(path));
	must(template_store_open(path, TEMPLATE_READ, &store));
	must(template_hold_init(DIGEST, &one));
	must(template_hold_init(DIGEST, &two));
	refuse(template_hold_take(&store, &one), ERR_NOT_FOUND); /* no such tree */
	assert_int_equal(mkdirat(store.dir_fd, "tree-sha256-" DIGEST, 0755), 0);
	must(template_is_held(&store, DIGEST, &held));
	assert_false(held);
	must(template_hold_take(&store, &one));
	must(template_hold_take(&store, &two));
	must(template_hold_drop(&store, &one));
	must(template_is_held(&store, DIGEST, &held));
	assert_true(held);
	must(template_hold_drop(&store, &two));
	must(template_hold_drop(&store, &two)); /* twice is once */
	must(template_is_held(&store, DIGEST, &held));
	assert_false(held);
	must(path_remove_tree(AT_FDCWD, path));
}

static void removing_nothing_is_success(void **state)
{
	const struct disk disk = { .parent = "/tmp",
				   .name = ".cella-unit-no-such-disk",
				   .template_dir = "/tmp" };

	(void)state;
	must(disk_remove(&disk));
}

static void figures_when_more_is_used_than_allowed(void **state)
{
	const struct quota_usage usage = { .bytes = 5 << 20, .inodes = 100 };
	struct quota_limits limits = { .hard_bytes = 4 << 20, .hard_inodes = QUOTA_UNLIMITED };
	struct err *err = disk_check_fits(&usage, &limits);

	(void)state;
	assert_int_equal(err_kind(err), ERR_STATE);
	assert_non_null(strstr(err_text(err), "5120 KiB"));
	assert_non_null(strstr(err_text(err), "4096 KiB"));
	err_drop(err);
	limits = (struct quota_limits){ .hard_bytes = 5 << 20, .hard_inodes = 99 };
	refuse(disk_check_fits(&usage, &limits), ERR_STATE);
	limits.hard_inodes = 100;
	must(disk_check_fits(&usage, &limits));
}

static void layouts_have_names(void **state)
{
	size_t count = 0;

	(void)state;
	while (layout_name(count))
		assert_true(layout_is_known(layout_name(count++)));
	assert_int_equal(count, 3);
	assert_false(layout_is_known("zfs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_superblock),
		cmocka_unit_test(refuses_what_is_no_superblock),
		cmocka_unit_test(holds_read_back),
		cmocka_unit_test(a_held_tree_stays),
		cmocka_unit_test(removing_nothing_is_success),
		cmocka_unit_test(figures_when_more_is_used_than_allowed),
		cmocka_unit_test(layouts_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
