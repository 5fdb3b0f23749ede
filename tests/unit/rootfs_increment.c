/*
 * Increments: the tree arrives as it was at the last one whatever happened to its files, little is
 * moved when little changed, a chain that does not fit is found. Needs the right to make idmapped
 * mounts (root), else skips and says so.
 */
#include <errno.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/unit/rootfs_chain.h"

#define LINKS 3

/* What the tree has and what happens to it before each backup; the time of what stays is old. */
static void backdate(int tree_fd, const char *name)
{
	const struct timespec times[2] = { { 1, 2 }, { 1234567890, 987654321 } };

	assert_int_equal(utimensat(tree_fd, name, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void write_random(int tree_fd, const char *name, size_t bytes)
{
	OWN(fd) int fd = openat(tree_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	OWN(fd) int random_fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	char block[4096];

	for (size_t at = 0; at < bytes; at += sizeof(block)) {
		assert_int_equal(read(random_fd, block, sizeof(block)), sizeof(block));
		must(fd_write_all(fd, name, block, sizeof(block)));
	}
}

static void note(int tree_fd, const char *name)
{
	OWN(fd) int fd = openat(tree_fd, name, O_RDONLY | O_CLOEXEC);

	assert_int_equal(fsetxattr(fd, "user.note", "1", 1, 0), 0);
}

static void begin(int tree_fd)
{
	static const char *const files[] = { "same",   "edited", "same-size", "chmod",
					     "chown",  "noted",	 "deleted",   "old-name",
					     "to-dir", "first",	 "replaced" };

	assert_int_equal(mkdirat(tree_fd, "dir", 0750), 0);
	assert_int_equal(mkdirat(tree_fd, "to-file", 0700), 0);
	assert_int_equal(mkdirat(tree_fd, "quiet", 0711), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		make_file(tree_fd, files[i], 0644, files[i]);
	make_file(tree_fd, "to-file/inner", 0600, "inner");
	make_file(tree_fd, "quiet/big", 0600, "");
	make_file(tree_fd, "dir/stays", 0600, "stays");
	note(tree_fd, "quiet");
	make_file(tree_fd, "pair", 0600, "pair");
	assert_int_equal(linkat(tree_fd, "pair", tree_fd, "dir/pair", 0), 0);
	backdate(tree_fd, "pair");
	write_random(tree_fd, "quiet/big", 1 << 20);
	assert_int_equal(linkat(tree_fd, "first", tree_fd, "dir/second", 0), 0);
	assert_int_equal(symlinkat("here", tree_fd, "link"), 0);
	assert_int_equal(symlinkat("same", tree_fd, "link-same"), 0);
	assert_int_equal(mkfifoat(tree_fd, "fifo", 0620), 0);
	assert_int_equal(mknodat(tree_fd, "whiteout", S_IFCHR, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		backdate(tree_fd, files[i]);
	backdate(tree_fd, "quiet");
}

static void rewrite(int tree_fd, const char *name, const char *text)
{
	OWN(fd) int fd = openat(tree_fd, name, O_WRONLY | O_TRUNC | O_CLOEXEC);

	must(fd_write_all(fd, name, text, strlen(text)));
}

static void change(int tree_fd)
{
	OWN(fd) int quiet_fd = openat(tree_fd, "quiet", O_RDONLY | O_CLOEXEC);

	assert_int_equal(fremovexattr(quiet_fd, "user.note"), 0);
	rewrite(tree_fd, "edited", "longer than it was");
	rewrite(tree_fd, "same-size", "SAME-SIZE");
	backdate(tree_fd, "same-size"); /* all but its change time says it is as it was */
	assert_int_equal(fchmodat(tree_fd, "chmod", 04711, 0), 0);
	assert_int_equal(fchownat(tree_fd, "chown", 7, 8, 0), 0);
	note(tree_fd, "noted");
	assert_int_equal(unlinkat(tree_fd, "deleted", 0), 0);
	assert_int_equal(renameat(tree_fd, "old-name", tree_fd, "dir/new-name"), 0);
	assert_int_equal(unlinkat(tree_fd, "to-dir", 0), 0);
	assert_int_equal(mkdirat(tree_fd, "to-dir", 0755), 0);
	make_file(tree_fd, "to-dir/inner", 0600, "now in a directory");
	must(path_remove_tree(tree_fd, "to-file"));
	make_file(tree_fd, "to-file", 0600, "now a file");
	assert_int_equal(linkat(tree_fd, "same", tree_fd, "dir/third", 0), 0);
	assert_int_equal(unlinkat(tree_fd, "link", 0), 0);
	assert_int_equal(symlinkat("there", tree_fd, "link"), 0);
	assert_int_equal(unlinkat(tree_fd, "replaced", 0), 0);
	assert_int_equal(mknodat(tree_fd, "replaced", S_IFCHR, 0), 0);
}

static void change_again(int tree_fd)
{
	assert_int_equal(unlinkat(tree_fd, "first", 0), 0); /* the second name stays */
	make_file(tree_fd, "deleted", 0600, "there again");
	rewrite(tree_fd, "pair", "PAIR");
	backdate(tree_fd, "pair"); /* its second name is as it was, in all that is said of one */
	rewrite(tree_fd, "dir/new-name", "renamed and edited");
	assert_int_equal(unlinkat(tree_fd, "whiteout", 0), 0);
	backdate(tree_fd, "quiet");
}

/* The next backup of the tree, upon the last one; base_fd -1: a full one. */
static int back_up(const char *file, struct backup_write *request, int base_fd,
		   struct backup_info *info)
{
	OWN(backup_base) struct backup_base *base = NULL;
	OWN(backup_chain) struct backup_chain chain = { 0 };

	if (base_fd >= 0) {
		must(chain_of(&base_fd, 1, &chain));
		must(backup_base_open(&chain.links[0], id_first, &base));
	}
	request->base = base;
	return write_as(file, request, info);
}

struct scene {
	int tree_fd, fds[LINKS];
	struct backup_info infos[LINKS];
};
static void own_scene(struct scene *scene)
{
	own_fd(&scene->tree_fd);
	for (size_t i = 0; i < LINKS; i++) {
		own_fd(&scene->fds[i]);
		backup_info_release(&scene->infos[i]);
	}
}

static const enum backup_what alone[LINKS],
	rounds[LINKS] = { BACKUP_ROUND, BACKUP_ROUND, BACKUP_LAST_ROUND };

static void make_chain(struct scene *scene, const enum backup_what *whats)
{
	static void (*const steps[LINKS])(int tree_fd) = { begin, change, change_again };
	static const char *const files[LINKS] = { "full", "one", "two" };

	*scene = (struct scene){ .tree_fd = fresh_dir("tree") };
	for (size_t i = 0; i < LINKS; i++) {
		struct backup_write request = { .what = whats[i], .tree_fd = scene->tree_fd };

		steps[i](scene->tree_fd);
		scene->fds[i] = back_up(files[i], &request, i > 0 ? scene->fds[i - 1] : -1,
					&scene->infos[i]);
	}
}

static void same_content(int a_fd, int b_fd, const char *name)
{
	OWN(fd) int a = openat(a_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	OWN(fd) int b = openat(b_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char digests[2][SHA256_HEX_MAX];

	must(sha256_fd(a, name, digests[0]));
	must(sha256_fd(b, name, digests[1]));
	if (!str_eq(digests[0], digests[1]))
		fail_msg("%s has another content", name);
}

static const char *const dirs[] = { ".", "dir", "to-dir", "quiet" };
static const char *const regular[] = { "same",	    "edited",	    "same-size",    "chmod",
				       "chown",	    "noted",	    "deleted",	    "to-file",
				       "dir/third", "dir/new-name", "to-dir/inner", "dir/second",
				       "quiet/big", "dir/stays",    "pair",	    "dir/pair" };
static const char *const special[] = { "link", "link-same", "fifo", "replaced" };
static const char *const gone[] = { "first", "old-name", "whiteout", "to-file/inner" };

static void same_tree(int tree_fd, int copy_fd)
{
	OWN(fd) int noted_fd = openat(copy_fd, "noted", O_RDONLY | O_CLOEXEC);
	OWN(fd) int quiet_fd = openat(copy_fd, "quiet", O_RDONLY | O_CLOEXEC);
	struct stat st, other;
	char text[16] = "";

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		same_entry(tree_fd, copy_fd, dirs[i]);
	for (size_t i = 0; i < ARRAY_SIZE(special); i++)
		same_entry(tree_fd, copy_fd, special[i]);
	for (size_t i = 0; i < ARRAY_SIZE(regular); i++) {
		same_entry(tree_fd, copy_fd, regular[i]);
		same_content(tree_fd, copy_fd, regular[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		assert_int_equal(fstatat(copy_fd, gone[i], &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fstatat(copy_fd, "same", &st, 0), 0);
	assert_int_equal(fstatat(copy_fd, "dir/third", &other, 0), 0);
	assert_int_equal(st.st_ino, other.st_ino);
	assert_int_equal(readlinkat(copy_fd, "link", text, sizeof(text)), 5);
	assert_string_equal(text, "there");
	assert_int_equal(fgetxattr(noted_fd, "user.note", text, sizeof(text)), 1);
	assert_int_equal(fgetxattr(quiet_fd, "user.note", text, sizeof(text)), -1);
}

static void the_tree_arrives_as_it_was_last(void **state)
{
	OWN(scene) struct scene scene;
	OWN(backup_chain) struct backup_chain chain = { 0 };
	OWN(fd) int copy_fd = fresh_dir("copy");
	const struct backup_unpack request = { .chain = &chain,
					       .dest_fd = copy_fd,
					       .id_first = id_first };

	(void)state;
	make_chain(&scene, alone);
	must(chain_of(scene.fds, LINKS, &chain));
	must(backup_verify(&chain, id_first, NULL));
	must(backup_unpack(&request));
	same_tree(scene.tree_fd, copy_fd);
}

/* As it was at the first of these backups, and then at each of the others. */
static void arrive(const int *fds, size_t count, int copy_fd)
{
	for (size_t i = 0; i < count; i++) {
		OWN(backup_chain) struct backup_chain chain = { 0 };
		const struct backup_unpack request = { .chain = &chain,
						       .dest_fd = copy_fd,
						       .id_first = id_first };

		must(chain_of(&fds[i], 1, &chain));
		must(i == 0 ? backup_unpack(&request) : backup_apply(&request));
	}
}

static void rounds_arrive_one_by_one(void **state)
{
	OWN(scene) struct scene scene;
	OWN(backup_chain) struct backup_chain chain = { 0 };
	OWN(fd) int copy_fd = fresh_dir("copy");

	(void)state;
	make_chain(&scene, rounds);
	must(chain_of(scene.fds, LINKS, &chain));
	must(backup_verify(&chain, id_first, NULL));
	arrive(scene.fds, LINKS, copy_fd);
	same_tree(scene.tree_fd, copy_fd);
}

/* Called in the middle of its only large file. */
struct meddler {
	struct template_progress base;
	int tree_fd;
	bool done;
};

static void meddle(struct template_progress *base, uint64_t done_bytes, uint64_t total_bytes)
{
	struct meddler *meddler = (void *)base;
	OWN(fd) int fd = openat(meddler->tree_fd, "quiet/big", O_WRONLY | O_CLOEXEC);

	(void)total_bytes;
	if (meddler->done || done_bytes < 65536)
		return;
	meddler->done = true;
	assert_int_equal(ftruncate(fd, 1000), 0);
	assert_int_equal(unlinkat(meddler->tree_fd, "deleted", 0), 0);
	must(path_remove_tree(meddler->tree_fd, "to-file"));
	assert_int_equal(symlinkat("/etc", meddler->tree_fd, "to-file"), 0);
	make_file(meddler->tree_fd, "dir/came", 0600, "came");
}

static void what_changes_meanwhile_arrives_with_the_next_round(void **state)
{
	OWN(fd) int tree_fd = fresh_dir("tree"), copy_fd = fresh_dir("copy");
	struct backup_info infos[2] = { 0 };
	struct meddler meddler = { .base.report = meddle, .tree_fd = tree_fd };
	struct backup_write first = { .what = BACKUP_ROUND,
				      .tree_fd = tree_fd,
				      .progress = &meddler.base };
	struct backup_write last = { .what = BACKUP_LAST_ROUND, .tree_fd = tree_fd };
	int fds[2];
	struct stat st;

	(void)state;
	begin(tree_fd);
	fds[0] = back_up("first", &first, -1, &infos[0]);
	fds[1] = back_up("last", &last, fds[0], &infos[1]);
	assert_true(meddler.done);
	arrive(fds, 2, copy_fd);
	same_entry(tree_fd, copy_fd, "quiet/big");
	same_content(tree_fd, copy_fd, "quiet/big");
	same_entry(tree_fd, copy_fd, "to-file");
	same_content(tree_fd, copy_fd, "dir/came");
	assert_int_equal(fstatat(copy_fd, "deleted", &st, AT_SYMLINK_NOFOLLOW), -1);
	for (size_t i = 0; i < 2; i++) {
		close(fds[i]);
		backup_info_release(&infos[i]);
	}
}

static void little_is_moved(void **state)
{
	OWN(scene) struct scene scene;

	(void)state;
	make_chain(&scene, alone);
	assert_true(scene.infos[0].file_bytes > 1 << 20);
	assert_true(scene.infos[1].file_bytes < 16 << 10);
	assert_int_equal(scene.infos[2].depth, 2);
	assert_string_equal(scene.infos[2].base, scene.infos[1].digest);
	/* both say what all of the tree has */
	assert_true(scene.infos[2].bytes > 1 << 20 && scene.infos[2].sparse_bytes > 1 << 20);
}

/* A file whose inode and change time are those that the base saw is not read: here, where they lie
 * because it was written to behind the file system's back, that shows. */
static void what_was_not_touched_is_not_read(void **state)
{
	OWN(fd) int tree_fd = fresh_dir("tree"), fd = -1;
	OWN(backup_info) struct backup_info info = { 0 };
	OWN(backup_chain) struct backup_chain chain = { 0 };
	OWN(backup_base) struct backup_base *base = NULL;
	struct index_record record = { .type = 'f', .mode = 0600, .name = "file", .target = "" };
	uint64_t read_bytes;
	struct stat st;
	bool has;

	(void)state;
	make_file(tree_fd, "file", 0600, "text");
	assert_int_equal(fstatat(tree_fd, "file", &st, 0), 0);
	fd = write_backup("old", tree_fd, NULL, &info); /* made in 2023, as it says */
	must(chain_of(&fd, 1, &chain));
	must(backup_base_open(&chain.links[0], id_first, &base));
	record.size_bytes = 4;
	record.inode = st.st_ino;
	record.mtime = (struct index_time){ st.st_mtim.tv_sec, st.st_mtim.tv_nsec };
	record.ctime = (struct index_time){ st.st_ctim.tv_sec, st.st_ctim.tv_nsec };
	memcpy(record.attributes, "-", sizeof("-"));
	must(backup_base_has(base, tree_fd, &record, &has, &read_bytes));
	assert_true(has && read_bytes == 4); /* it changed after the backup was made: read */
	own_backup_base(&base);
	base = NULL;
	chain.links[0].info.created_ns = ((uint64_t)st.st_ctim.tv_sec + 3) * 1000000000;
	must(backup_base_open(&chain.links[0], id_first, &base));
	must(backup_base_has(base, tree_fd, &record, &has, &read_bytes));
	assert_true(has && read_bytes == 0);
	record.inode++;
	must(backup_base_has(base, tree_fd, &record, &has, &read_bytes));
	assert_true(has && read_bytes == 4);
	rewrite(tree_fd, "file", "TEXT");
	must(backup_base_has(base, tree_fd, &record, &has, &read_bytes));
	assert_true(!has && read_bytes == 4);
	record.mode = 0644;
	must(backup_base_has(base, tree_fd, &record, &has, &read_bytes));
	assert_true(!has && read_bytes == 0);
}

static void a_part_arrives_from_each(void **state)
{
	OWN(scene) struct scene scene;
	OWN(backup_chain) struct backup_chain chain = { 0 };
	OWN(fd) int copy_fd = fresh_dir("part");
	struct backup_unpack request = { .chain = &chain,
					 .dest_fd = copy_fd,
					 .id_first = id_first };

	(void)state;
	make_chain(&scene, alone);
	must(chain_of(scene.fds, LINKS, &chain));
	for (size_t i = 0; i < ARRAY_SIZE(regular); i++) {
		request.only = regular[i];
		if (strstr("same dir/third pair dir/pair", request.only))
			continue; /* one of two names */
		must(backup_unpack(&request));
		same_content(scene.tree_fd, copy_fd, regular[i]);
	}
	request.only = "old-name"; /* an earlier one has it */
	refused(backup_unpack(&request), ERR_NOT_FOUND, "no old-name");
}

static void a_chain_that_does_not_fit_is_found(void **state)
{
	OWN(scene) struct scene scene;
	OWN(backup_info) struct backup_info other = { 0 };
	OWN(backup_chain) struct backup_chain chain = { 0 }, broken = { 0 };
	OWN(fd) int fd = -1;
	char byte;

	(void)state;
	make_chain(&scene, alone);
	fd = write_backup("other", scene.tree_fd, NULL, &other); /* of now, not of then */
	must(chain_of((int[]){ fd, scene.fds[1] }, 2, &chain));
	refused(backup_verify(&chain, id_first, NULL), ERR_INVALID, "that this one builds upon");
	assert_int_equal(pread(scene.fds[0], &byte, 1, 1000), 1);
	byte ^= 1;
	assert_int_equal(pwrite(scene.fds[0], &byte, 1, 1000), 1);
	must(chain_of(scene.fds, 2, &broken));
	refused(backup_verify(&broken, id_first, NULL), ERR_INVALID, "backup 0: it is damaged");
}

static bool may_idmap(void)
{
	OWN(backup_info) struct backup_info info = { 0 };
	OWN(fd) int tree_fd = fresh_dir("tree"), copy_fd = fresh_dir("probe");
	OWN(fd) int fd = write_backup("probe-file", tree_fd, NULL, &info);
	OWN(backup_chain) struct backup_chain chain = { 0 };
	const struct backup_unpack request = { .chain = &chain,
					       .dest_fd = copy_fd,
					       .id_first = id_first };
	struct err *err;

	must(chain_of(&fd, 1, &chain));
	err = backup_unpack(&request);
	if (!err)
		return true;
	printf("1..0 # SKIP rootfs_increment: %s\n", err_text(err));
	err_drop(err); /* said */
	return false;
}

static bool is_root(void)
{
	if (geteuid() == 0)
		return true;
	printf("1..0 # SKIP rootfs_increment: only root makes idmapped mounts\n");
	return false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tree_arrives_as_it_was_last),
		cmocka_unit_test(rounds_arrive_one_by_one),
		cmocka_unit_test(what_changes_meanwhile_arrives_with_the_next_round),
		cmocka_unit_test(little_is_moved),
		cmocka_unit_test(what_was_not_touched_is_not_read),
		cmocka_unit_test(a_part_arrives_from_each),
		cmocka_unit_test(a_chain_that_does_not_fit_is_found),
	};
	int failed = 0;

	if (!mkdtemp(scratch))
		return 1;
	scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (is_root() && may_idmap())
		failed = cmocka_run_group_tests(tests, NULL, NULL);
	must(path_remove_tree(AT_FDCWD, scratch));
	return failed;
}
