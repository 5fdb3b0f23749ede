/* The parts of a backup's file that are not libarchive's: frames, what it is, the end. */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/parse.h"
#include "rootfs/backup_room.h"
#include "rootfs/layout.h"

#define FRAME_MAGIC 0x184D2A50U /* RFC 8878, 3.1.2: and the 15 after it */
#define MAGIC "cella-backup 1\n"
#define INFO_MAX ((uint64_t)1 << 20)
#define VERSION 2

/* The end: its frame's header, MAGIC with a NUL, the offset, 64 hex digits. */
enum { END_MAGIC = 8, END_OFFSET = 24, END_DIGEST = 32 };
_Static_assert(END_MAGIC + sizeof(MAGIC) == END_OFFSET && END_DIGEST + 64 == BACKUP_END_BYTES,
	       "the parts of the end follow each other");

void backup_info_release(struct backup_info *info)
{
	free(info->name);
	free(info->layout);
	free(info->conf);
	free(info->base);
	*info = (struct backup_info){ 0 };
}

void backup_chain_release(struct backup_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++) {
		own_fd(&chain->links[i].fd);
		free(chain->links[i].path);
		backup_info_release(&chain->links[i].info);
	}
	*chain = (struct backup_chain){ 0 };
}

const struct backup_link *backup_chain_last(const struct backup_chain *chain)
{
	return &chain->links[chain->count - 1];
}

static void put_u32(unsigned char *to, uint32_t value)
{
	value = htole32(value);
	memcpy(to, &value, sizeof(value));
}

struct err *frame_header(enum backup_frame frame, uint64_t len, struct frame_header *ret_header)
{
	if (len > UINT32_MAX)
		return err_new(ERR_UNSUPPORTED, "the tree has too many files for a backup's index");
	put_u32(ret_header->bytes, FRAME_MAGIC + (uint32_t)frame);
	put_u32(ret_header->bytes + 4, (uint32_t)len);
	return NULL;
}

bool backup_is_digest(const char *text)
{
	return strspn(text, "0123456789abcdef") == SHA256_HEX_MAX - 1 && !text[SHA256_HEX_MAX - 1];
}

struct err *backup_end_format(uint64_t info_offset, const char *digest, char *end)
{
	uint64_t offset = htole64(info_offset);
	struct frame_header header;

	TRY(frame_header(FRAME_END, BACKUP_END_BYTES - FRAME_HEADER_BYTES, &header));
	memcpy(end, header.bytes, sizeof(header.bytes));
	memcpy(end + END_MAGIC, MAGIC, sizeof(MAGIC));
	memcpy(end + END_OFFSET, &offset, sizeof(offset));
	memcpy(end + END_DIGEST, digest, SHA256_HEX_MAX - 1);
	return NULL;
}

struct err *backup_end_parse(const char *end, size_t len, uint64_t *ret_info_offset,
			     char *ret_digest)
{
	struct frame_header header;
	uint64_t offset;

	TRY(frame_header(FRAME_END, BACKUP_END_BYTES - FRAME_HEADER_BYTES, &header));
	if (len != BACKUP_END_BYTES || memcmp(end, header.bytes, sizeof(header.bytes)) != 0 ||
	    memcmp(end + END_MAGIC, MAGIC, sizeof(MAGIC)) != 0)
		return err_new(ERR_INVALID, "no backup, or not a whole one");
	memcpy(&offset, end + END_OFFSET, sizeof(offset));
	*ret_info_offset = le64toh(offset);
	memcpy(ret_digest, end + END_DIGEST, SHA256_HEX_MAX - 1);
	ret_digest[SHA256_HEX_MAX - 1] = '\0';
	return backup_is_digest(ret_digest) ? NULL :
					      err_new(ERR_INVALID, "no backup, or not a whole one");
}

/* --- what it is --- */

static const struct number {
	const char *key;
	size_t offset;
} numbers[] = {
	{ "created", offsetof(struct backup_info, created_ns) },
	{ "depth", offsetof(struct backup_info, depth) },
	{ "entries", offsetof(struct backup_info, entries) },
	{ "bytes", offsetof(struct backup_info, bytes) },
	{ "sparseBytes", offsetof(struct backup_info, sparse_bytes) },
	{ "skipped", offsetof(struct backup_info, skipped) },
	{ "indexOffset", offsetof(struct backup_info, index_offset) },
	{ "indexBytes", offsetof(struct backup_info, index_bytes) },
};

struct err *backup_info_format(const struct backup_info *info, char **ret_text)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(false, &out));
	json_out_object(out);
	json_out_key(out, "version");
	json_out_u64(out, VERSION);
	json_out_key(out, "name");
	json_out_string(out, info->name);
	json_out_key(out, "layout");
	json_out_string(out, info->layout);
	if (info->base) {
		json_out_key(out, "base");
		json_out_string(out, info->base);
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		json_out_key(out, numbers[i].key);
		json_out_u64(out, *(const uint64_t *)(const void *)((const char *)info +
								    numbers[i].offset));
	}
	json_out_end_object(out);
	return json_out_take(out, ret_text);
}

static struct err *read_string(const struct json *root, const char *key, char **ret_text)
{
	const struct json *member = json_get(root, key);
	const char *text;

	if (!member)
		return err_new(ERR_INVALID, "%s is missing", key);
	TRY(json_string(member, key, &text));
	return str_dup(text, ret_text);
}

static struct err *read_number(const struct json *root, const struct number *number,
			       struct backup_info *info)
{
	const struct json *member = json_get(root, number->key);
	uint64_t *field = (void *)((char *)info + number->offset);

	if (!member)
		return err_new(ERR_INVALID, "%s is missing", number->key);
	return json_u64(member, number->key, INT64_MAX, field);
}

/* A full one has none, an increment within bounds has one. */
static struct err *read_base(const struct json *root, struct backup_info *info)
{
	if (info->depth >= BACKUP_CHAIN_MAX)
		return err_new(ERR_INVALID, "it says it is increment %ju, and there are %d at most",
			       (uintmax_t)info->depth, BACKUP_CHAIN_MAX - 1);
	if (!json_get(root, "base") && info->depth == 0)
		return NULL;
	TRY(read_string(root, "base", &info->base));
	return info->depth > 0 && backup_is_digest(info->base) ?
		       NULL :
		       err_new(ERR_INVALID, "what it says of its base is damaged");
}

static struct err *check_version(const struct json *root)
{
	const struct json *member = json_get(root, "version");
	uint64_t version = 0;

	if (member)
		TRY(json_u64(member, "version", INT64_MAX, &version));
	return version == VERSION ?
		       NULL :
		       err_new(ERR_UNSUPPORTED,
			       "a backup of version %" PRIu64 ", which this cella does not know",
			       version);
}

struct err *backup_info_parse(const char *text, size_t len, struct backup_info *ret_info)
{
	OWN(backup_info) struct backup_info info = { 0 };
	OWN(json_doc) struct json_doc *doc = NULL;
	const struct json *root;

	TRY(json_parse(text, len, &doc));
	root = json_root(doc);
	TRY(json_expect(root, JSON_OBJECT));
	TRY(check_version(root));
	TRY(read_string(root, "name", &info.name));
	TRY(parse_container_id(info.name));
	TRY(read_string(root, "layout", &info.layout));
	if (!layout_is_known(info.layout))
		return err_new(ERR_UNSUPPORTED, "a layout that this cella does not know");
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		TRY(read_number(root, &numbers[i], &info));
	TRY(read_base(root, &info));
	*ret_info = info;
	info = (struct backup_info){ 0 };
	return NULL;
}

/* --- of a file --- */

static struct err *read_at(int fd, uint64_t offset, size_t len, struct buf *buf)
{
	OWN(str) char *data = malloc(len ? len : 1);
	ssize_t got;

	if (!data)
		return err_sys(ENOMEM, "read a backup");
	got = pread(fd, data, len, (off_t)offset);
	if (got < 0)
		return err_sys(errno, "read");
	if ((size_t)got != len)
		return err_new(ERR_INVALID, "no backup, or not a whole one");
	return buf_add(buf, data, len);
}

/* The content of a frame, which must be of this kind and end at the offset limit. */
static struct err *read_frame(int fd, enum backup_frame frame, uint64_t offset, uint64_t limit,
			      struct buf *buf)
{
	OWN(buf) struct buf head = { 0 };
	struct frame_header header;
	uint64_t len = limit - offset - FRAME_HEADER_BYTES;

	if (offset > limit || limit - offset < FRAME_HEADER_BYTES || len > INFO_MAX)
		return err_new(ERR_INVALID, "its parts do not fit together");
	TRY(frame_header(frame, len, &header));
	TRY(read_at(fd, offset, FRAME_HEADER_BYTES, &head));
	if (memcmp(head.data, header.bytes, FRAME_HEADER_BYTES) != 0)
		return err_new(ERR_INVALID, "its parts do not fit together");
	return read_at(fd, offset + FRAME_HEADER_BYTES, (size_t)len, buf);
}

static struct err *read_info(int fd, uint64_t file_bytes, struct backup_info *info)
{
	OWN(buf) struct buf end = { 0 }, text = { 0 }, conf = { 0 };
	char digest[SHA256_HEX_MAX];
	uint64_t info_offset, conf_offset;

	if (file_bytes < BACKUP_END_BYTES)
		return err_new(ERR_INVALID, "no backup, or not a whole one");
	TRY(read_at(fd, file_bytes - BACKUP_END_BYTES, BACKUP_END_BYTES, &end));
	TRY(backup_end_parse(end.data, end.len, &info_offset, digest));
	TRY(read_frame(fd, FRAME_INFO, info_offset, file_bytes - BACKUP_END_BYTES, &text));
	TRY(backup_info_parse(text.data, text.len, info));
	if (info->index_offset > info_offset || info->index_bytes > info_offset)
		return err_new(ERR_INVALID, "its parts do not fit together");
	conf_offset = info->index_offset + info->index_bytes;
	TRY(read_frame(fd, FRAME_CONF, conf_offset, info_offset, &conf));
	if (memchr(conf.data ? conf.data : "", '\0', conf.len))
		return err_new(ERR_INVALID, "its definition has a NUL");
	info->file_bytes = file_bytes;
	memcpy(info->digest, digest, sizeof(digest));
	return str_dup(conf.data ? conf.data : "", &info->conf);
}

struct err *backup_read_info(int fd, const char *path, struct backup_info *ret_info)
{
	OWN(backup_info) struct backup_info info = { 0 };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(errno, "look at %s", path);
	if (!S_ISREG(st.st_mode))
		return err_new(ERR_INVALID, "%s is not a file", path);
	TRY(err_wrap(read_info(fd, (uint64_t)st.st_size, &info), "%s", path));
	*ret_info = info;
	info = (struct backup_info){ 0 };
	return NULL;
}
