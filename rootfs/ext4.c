/* ext4 in an image file: made, checked and shrunk by the programs of e2fsprogs, which know how; its
 * numbers read from the superblock. Rests on mke2fs(8), e2fsck(8), resize2fs(8), ext4(5). */
#include <endian.h>
#include <inttypes.h>
#include <string.h>

#include "base/proc.h"
#include "rootfs/disk.h"

#define TIMEOUT_MS (60 * 60 * 1000)
#define SUPERBLOCK_OFFSET 1024
#define SUPERBLOCK_LEN 1024
#define MAGIC 0xef53

static char *const program_env[] = { (char[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" },
				     (char[]){ "LC_ALL=C.UTF-8" }, NULL };

/* Where Debian 12, Debian 13 and others have them. */
static struct err *find_program(const char *name, char **ret_path)
{
	static const char *const dirs[] = { "/usr/sbin", "/sbin" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		OWN(str) char *path = NULL;

		TRY(str_format(&path, "%s/%s", dirs[i], name));
		if (access(path, X_OK) != 0)
			continue;
		*ret_path = TAKE(path);
		return NULL;
	}
	return err_new(ERR_UNSUPPORTED,
		       "%s is not installed; the layout image needs the package e2fsprogs", name);
}

/* The last line that says something: what went wrong. */
static const char *last_line(const struct buf *output)
{
	char *end = output->data ? output->data + output->len : NULL;

	while (end && end > output->data && (end[-1] == '\n' || end[-1] == ' '))
		*--end = '\0';
	if (!end || end == output->data)
		return "it said nothing";
	while (end > output->data && end[-1] != '\n')
		end--;
	return end;
}

/* argv[0] names the program. Status over max_good is an error of the kind. */
static struct err *run(const struct strlist *argv, int max_good, enum err_kind kind)
{
	OWN(str) char *path = NULL;
	OWN(buf) struct buf output = { 0 };
	struct proc_run run = { .argv = argv->items,
				.envp = program_env,
				.output = &output,
				.timeout_ms = TIMEOUT_MS };
	int status;

	TRY(find_program(argv->items[0], &path));
	run.path = path;
	TRY(proc_run(&run, &status));
	if (status <= max_good)
		return NULL;
	return err_new(kind, "%s ended with status %d: %.300s", path, status, last_line(&output));
}

static struct err *add_words(struct strlist *argv, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		TRY(strlist_add(argv, words[i]));
	return NULL;
}

struct err *ext4_make(const char *image, uint64_t inodes)
{
	/* no blocks kept for root: its tenant is root. 4 KiB blocks whatever the size. */
	static const char *const words[] = { "mke2fs", "-q", "-F", "-t",   "ext4",
					     "-m",     "0",  "-b", "4096", NULL };
	OWN(strlist) struct strlist argv = { 0 };

	TRY(add_words(&argv, words));
	if (inodes) {
		TRY(strlist_add(&argv, "-N"));
		TRY(strlist_format(&argv, "%" PRIu64, inodes));
	}
	TRY(strlist_add(&argv, "--"));
	TRY(strlist_add(&argv, image));
	return run(&argv, 0, ERR_PEER);
}

struct err *ext4_check(const char *image, enum ext4_check how)
{
	OWN(strlist) struct strlist argv = { 0 };
	struct err *err;

	TRY(strlist_add(&argv, "e2fsck"));
	TRY(strlist_add(&argv, "-p"));
	if (how == EXT4_CHECK_ALL)
		TRY(strlist_add(&argv, "-f"));
	TRY(strlist_add(&argv, "--"));
	TRY(strlist_add(&argv, image));
	/* 1: errors were corrected; 2: and a reboot is due, were it the root file system */
	err = run(&argv, 3, ERR_STATE);
	if (err && err_kind(err) == ERR_STATE)
		return err_wrap(err, "the disk needs an operator ('e2fsck -f %s')", image);
	return err;
}

struct err *ext4_shrink(const char *image, uint64_t blocks)
{
	OWN(strlist) struct strlist argv = { 0 };

	TRY(strlist_add(&argv, "resize2fs"));
	TRY(strlist_add(&argv, "--"));
	TRY(strlist_add(&argv, image));
	TRY(strlist_format(&argv, "%" PRIu64, blocks)); /* of the file system's own blocks */
	return run(&argv, 0, ERR_STATE);
}

static uint32_t word_at(const unsigned char *super, size_t offset)
{
	uint32_t word;

	memcpy(&word, super + offset, sizeof(word));
	return le32toh(word);
}

/* Offsets: ext4(5) and Documentation/filesystems/ext4/super.rst. */
struct err *ext4_parse(const void *data, size_t len, struct ext4_numbers *ret_numbers)
{
	const unsigned char *super = (const unsigned char *)data + SUPERBLOCK_OFFSET;
	struct ext4_numbers numbers;
	uint32_t log_block;

	if (len < SUPERBLOCK_OFFSET + SUPERBLOCK_LEN || (word_at(super, 0x38) & 0xffff) != MAGIC)
		return err_new(ERR_INVALID, "this is no ext4 file system");
	log_block = word_at(super, 0x18);
	if (log_block > 6)
		return err_new(ERR_INVALID, "this is no ext4 file system");
	numbers = (struct ext4_numbers){
		.block_bytes = UINT64_C(1024) << log_block,
		.blocks = (uint64_t)word_at(super, 0x150) << 32 | word_at(super, 0x4),
		.free_blocks = (uint64_t)word_at(super, 0x158) << 32 | word_at(super, 0xc),
		.overhead = word_at(super, 0x248),
		.inodes = word_at(super, 0x0),
		.free_inodes = word_at(super, 0x10),
	};
	if (numbers.overhead + numbers.free_blocks > numbers.blocks ||
	    numbers.free_inodes > numbers.inodes)
		return err_new(ERR_INVALID, "the superblock of the ext4 is damaged");
	*ret_numbers = numbers;
	return NULL;
}
