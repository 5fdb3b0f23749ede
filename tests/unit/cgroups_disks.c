/* Which disks lie below a device, by a directory that plays sysfs, and what is read from mountinfo.
 */
#include "cgroups/disks.h"
#include "tests/unit/cgroups_fake.h"

static void put(const char *root, const char *path, const char *text)
{
	char whole[256], *slash;
	FILE *file;

	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	for (slash = strchr(whole + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(whole, 0755);
		*slash = '/';
	}
	file = fopen(whole, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void expect(struct fake *fake, const char *device, const char *wanted)
{
	struct strlist disks = { 0 };
	char text[128] = "";
	struct err *err = disks_below_device(fake->fd, device, &disks);

	if (err)
		snprintf(text, sizeof(text), "%s", err_text(err));
	err_drop(err);
	for (size_t i = 0; i < disks.count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 disks.items[i]);
	assert_string_equal(text, wanted);
	strlist_release(&disks);
}

static void devices(void **state)
{
	struct fake fake;

	(void)state;
	fake_make(&fake);
	put(fake.path, "dev/block/8:0/dev", "8:0\n");
	put(fake.path, "dev/block/8:16/dev", "8:16\n");
	/* sysfs has a link there, to a directory inside the disk's */
	put(fake.path, "dev/block/dev", "8:0\n");
	put(fake.path, "dev/block/8:1/partition", "1\n");
	put(fake.path, "dev/block/8:1/dev", "8:1\n");
	put(fake.path, "dev/block/253:0/slaves/sda/dev", "8:0\n");
	put(fake.path, "dev/block/253:0/slaves/sdb/dev", "8:16\n");
	put(fake.path, "dev/block/253:0/dev", "253:0\n");
	put(fake.path, "dev/block/253:1/slaves/dm-0/dev", "253:0\n");
	put(fake.path, "dev/block/253:1/dev", "253:1\n");
	put(fake.path, "dev/block/253:2/slaves/dm-2/dev", "253:2\n");
	expect(&fake, "8:16", "8:16");
	expect(&fake, "8:1", "8:0");
	expect(&fake, "253:2", "block devices are stacked deeper than 16");
	expect(&fake, "9:9", "there is no block device 9:9 in /sys");
	fake_remove(&fake);
}

/* readdir's order is the file system's: as a set */
static void stacked(void **state)
{
	struct strlist disks = { 0 };
	struct fake fake;

	(void)state;
	fake_make(&fake);
	put(fake.path, "dev/block/8:0/dev", "8:0\n");
	put(fake.path, "dev/block/8:16/dev", "8:16\n");
	put(fake.path, "dev/block/253:0/slaves/sda/dev", "8:0\n");
	put(fake.path, "dev/block/253:0/slaves/sdb/dev", "8:16\n");
	put(fake.path, "dev/block/253:1/slaves/dm-0/dev", "253:0\n");
	put(fake.path, "dev/block/253:1/slaves/sda/dev", "8:0\n");
	assert_null(disks_below_device(fake.fd, "253:1", &disks));
	assert_int_equal(disks.count, 2);
	assert_true(strlist_has(&disks, "8:0") && strlist_has(&disks, "8:16"));
	strlist_release(&disks);
	fake_remove(&fake);
}

static void mounts(void **state)
{
	static const char text[] = "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
				   "31 22 0:44 /a /mnt/b rw - btrfs /dev/loop0 rw,subvol=/a\n"
				   "32 22 0:45 / /merged rw - overlay overlay "
				   "rw,lowerdir=/l,upperdir=/up/per,workdir=/w\n"
				   "33 22\n";
	OWN(mount_found) struct mount_found found = { 0 };
	struct err *err;

	(void)state;
	assert_null(mount_find(text, 31, &found));
	assert_string_equal(found.type, "btrfs");
	assert_string_equal(found.source, "/dev/loop0");
	assert_null(found.upper_dir);
	mount_found_release(&found);
	assert_null(mount_find(text, 32, &found));
	assert_string_equal(found.upper_dir, "/up/per");
	mount_found_release(&found);
	err = mount_find(text, 33, &found);
	assert_int_equal(err_kind(err), ERR_NOT_FOUND);
	err_drop(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices),
		cmocka_unit_test(stacked),
		cmocka_unit_test(mounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
