/*
 * Fuzz the unpacking of archives: the loop of template_archive.c in a directory alone in another,
 * so that whatever an input manages to write elsewhere is seen. An input is either the bytes of an
 * archive or, as no mutation hits a tar's checksums, a list of entries that libarchive writes down:
 *
 *   byte 0   what it is and how it is unpacked: the bits of enum how
 *   entries  kind, mode, owner, content (a byte each), name, link if it is one (see text_of()),
 * flags
 *
 * Links: rootfs, base.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "rootfs/template_room.h"

enum how {
	IS_RAW = 1,	/* the rest is an archive as it is */
	IS_SHIFTED = 2, /* its ids are counted from 100000 on */
	IS_LAYER = 4,	/* unpacked a second time, over itself, with its whiteouts obeyed */
	IS_PART = 8,	/* only what is below "a" */
	IS_SINGLE = 16, /* and of that only "b" */
};

#define ELSEWHERE "/tmp/cella-fuzz-elsewhere"

static const struct template_limits limits = { .max_entries = 200,
					       .max_bytes = 1 << 20,
					       .max_ratio = 50 };

/* --- from an input to an archive --- */

struct input {
	const uint8_t *data;
	size_t len;
};

static uint8_t byte_of(struct input *in)
{
	if (in->len == 0)
		return 0;
	in->len--;
	return *in->data++;
}

/* Names of few letters, so that entries meet: a byte says how many parts there are, one each which.
 * Borrowed from text. */
static const char *text_of(struct input *in, struct buf *text)
{
	static const char *const parts[] = {
		"a",   "b",	    "l",     "/",  "..",	"../",	    "./",    ".",
		"a/",  "l/",	    ".wh.",  "b/", "\n",	"\xff\xfe", "a/b/c", "//",
		"w/.", ".wh..wh..", ".opq/", "",   "%s\\x1b[m", "user.",    "w",     " ",
	};
	size_t count = byte_of(in) & 7;

	for (size_t i = 0; i < count; i++) {
		uint8_t which = byte_of(in);
		const char *part = i == 0 && which == 0xff ?
					   ELSEWHERE :
					   parts[which % (sizeof(parts) / sizeof(*parts))];

		if (buf_add(text, part, strlen(part)))
			abort();
	}
	return text->data ? text->data : "";
}

static mode_t type_of(uint8_t kind)
{
	static const mode_t types[] = { S_IFREG, S_IFDIR, S_IFLNK, S_IFREG,
					S_IFCHR, S_IFIFO, S_IFBLK, S_IFSOCK };

	return types[kind & 7];
}

/* What few entries have: the flags tell which. */
static void add_extras(struct input *in, struct archive_entry *entry)
{
	OWN(buf) struct buf name = { 0 };
	uint8_t flags = byte_of(in);

	if (flags & 1)
		archive_entry_xattr_add_entry(entry, text_of(in, &name), in->data,
					      in->len < 20 ? in->len : 20);
	if (flags & 2)
		archive_entry_xattr_add_entry(entry, "security.capability", in->data,
					      in->len < 24 ? in->len : 24);
	if (flags & 4)
		archive_entry_acl_add_entry(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, 7,
					    ARCHIVE_ENTRY_ACL_USER, byte_of(in) * 300, NULL);
	if (flags & 8)
		archive_entry_set_mtime(entry, (int8_t)byte_of(in) * 1000000000L, 5);
	if (flags & 16)
		archive_entry_set_uid(entry, (int64_t)byte_of(in) << 12);
	if (flags & 32)
		archive_entry_sparse_add_entry(entry, 512, byte_of(in));
	if (flags & 64)
		archive_entry_set_rdev(entry, byte_of(in));
}

/* Such names make libarchive's own writer (3.6.2) read beside its buffer. */
static bool is_writable(const char *name)
{
	return !name || *name != '/' || name[strspn(name, "/.")] != '\0';
}

/* False: the archive cannot have such an entry, or there is no more. */
static bool write_entry(struct input *in, struct archive *writer, struct archive_entry *entry)
{
	static const char content[255 * 200];
	OWN(buf) struct buf name = { 0 }, link = { 0 };
	uint8_t kind = byte_of(in);
	size_t size;

	archive_entry_set_filetype(entry, type_of(kind));
	archive_entry_set_perm(entry, byte_of(in) * 16 + 7);
	archive_entry_set_uid(entry, byte_of(in));
	size = byte_of(in) * (size_t)200;
	archive_entry_set_pathname(entry, text_of(in, &name));
	if (type_of(kind) == S_IFLNK)
		archive_entry_set_symlink(entry, text_of(in, &link));
	else if ((kind & 7) == 3)
		archive_entry_set_hardlink(entry, text_of(in, &link));
	else if (type_of(kind) == S_IFREG)
		archive_entry_set_size(entry, (la_int64_t)size);
	add_extras(in, entry);
	if (!is_writable(archive_entry_pathname(entry)) ||
	    archive_write_header(writer, entry) < ARCHIVE_WARN)
		return false;
	if (archive_entry_size(entry) > 0)
		archive_write_data(writer, content, size);
	return in->len > 0;
}

static void write_archive(struct input *in, int fd)
{
	struct archive *writer = archive_write_new();
	struct archive_entry *entry = archive_entry_new();

	if (!writer || !entry || archive_write_set_format_pax(writer) != ARCHIVE_OK ||
	    archive_write_open_fd(writer, fd) != ARCHIVE_OK)
		abort();
	while (write_entry(in, writer, entry))
		archive_entry_clear(entry);
	archive_entry_free(entry);
	archive_write_free(writer);
}

/* --- unpacking it --- */

/* A directory whose only entry is the one that is unpacked into; left behind empty, as fuzzers are
 * killed. */
static int make_cage(void)
{
	static char cage[] = "/tmp/fuzz-template-XXXXXX";
	int fd = mkdtemp(cage) ? open(cage, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd < 0)
		abort();
	return fd;
}

static void check_alone(int cage_fd)
{
	int fd = openat(cage_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), entries = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		abort();
	while (readdir(dir))
		entries++;
	closedir(dir);
	if (entries != 3) /* ".", ".." and "w" */
		abort();
	if (faccessat(AT_FDCWD, ELSEWHERE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		abort();
}

static void extract(int archive_fd, enum how how)
{
	OWN(fd) int root_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct sandbox_inside inside = { .archive_fd = archive_fd, .root_fd = root_fd };
	struct template_sandbox sandbox = { .limits = &limits };
	struct template_counts counts;

	if (how & IS_SHIFTED)
		sandbox.archive_first = 100000;
	if (how & (IS_PART | IS_SINGLE))
		sandbox.below = "a";
	if (how & IS_SINGLE)
		sandbox.only = "b";
	err_drop(template_extract_in(&inside, &sandbox, &counts)); /* most inputs are refused */
	if (!(how & IS_LAYER))
		return;
	sandbox.is_layer = true;
	if (lseek(archive_fd, 0, SEEK_SET) < 0)
		abort();
	err_drop(template_extract_in(&inside, &sandbox, &counts)); /* likewise */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int cage_fd = -1;
	OWN(fd) int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct input in = { .data = data, .len = len };
	uint8_t how = byte_of(&in);

	if (cage_fd < 0)
		cage_fd = make_cage();
	if (fd < 0)
		abort();
	if (!(how & IS_RAW))
		write_archive(&in, fd);
	else if (write(fd, in.data, in.len) != (ssize_t)in.len)
		abort();
	if (lseek(fd, 0, SEEK_SET) < 0 || fchdir(cage_fd) < 0 || mkdir("w", 0755) < 0 ||
	    chdir("w") < 0)
		abort();
	extract(fd, how);
	check_alone(cage_fd);
	err_drop(path_remove_tree(cage_fd, "w")); /* what it could not remove, mkdir finds */
	return 0;
}
