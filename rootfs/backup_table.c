/* The index of a backup in memory, to be asked by name: filled in the sandbox, in memory shared
 * with its parent, which believes only that an entry is one. See backup_room.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "rootfs/backup_room.h"

#define ENTRIES_MAX ((uint64_t)64 << 20)

struct err *index_table_new(const struct backup_info *info, struct index_table *ret_table)
{
	struct index_table table = { .capacity = (size_t)info->entries + 1 };

	if (info->entries > ENTRIES_MAX)
		return err_new(ERR_INVALID, "it says it has %ju files", (uintmax_t)info->entries);
	/* of what is not touched there is none: a lie about the number costs nothing */
	table.entries = mmap(NULL, table.capacity * sizeof(*table.entries), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (table.entries == MAP_FAILED)
		return err_sys(errno, "make room for an index");
	*ret_table = table;
	return NULL;
}

void index_table_release(struct index_table *table)
{
	if (table->entries)
		munmap(table->entries, table->capacity * sizeof(*table->entries));
	*table = (struct index_table){ 0 };
}

static int hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void hash(struct sha256 *sha, unsigned char *ret_hash)
{
	char hex[SHA256_HEX_MAX];

	sha256_hex(sha, hex);
	for (size_t i = 0; i < TABLE_HASH_BYTES; i++)
		ret_hash[i] =
			(unsigned char)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
}

/* "etc/" is "etc". */
static void hash_name(const char *name, unsigned char *ret_hash)
{
	size_t len = strlen(name);
	struct sha256 sha;

	while (len > 1 && name[len - 1] == '/')
		len--;
	sha256_init(&sha);
	sha256_add(&sha, name, len);
	hash(&sha, ret_hash);
}

static void hash_meta(const struct index_record *record, unsigned char *ret_hash)
{
	char text[256];
	struct sha256 sha;

	snprintf(text, sizeof(text), "%c %o %jd %jd %ju %jd %ld %s", record->type, record->mode,
		 (intmax_t)record->uid, (intmax_t)record->gid, (uintmax_t)record->size_bytes,
		 (intmax_t)record->mtime.s, record->mtime.ns, record->attributes);
	sha256_init(&sha);
	sha256_add(&sha, text, strlen(text) + 1);
	sha256_add(&sha, record->target, strlen(record->target));
	hash(&sha, ret_hash);
}

static int compare(const void *a, const void *b)
{
	return memcmp(((const struct table_entry *)a)->name, ((const struct table_entry *)b)->name,
		      TABLE_HASH_BYTES);
}

struct err *index_table_fill(int fd, const struct backup_info *info, struct index_table *table)
{
	OWN(index_reader) struct index_reader *reader = NULL;
	struct index_record record;
	bool more;

	TRY(index_reader_open(fd, info->index_offset, info->index_bytes, &reader));
	for (;;) {
		struct table_entry *entry = &table->entries[table->count];

		TRY(index_reader_next(reader, &record, &more));
		if (!more)
			break;
		if (table->count >= info->entries || record.in > info->depth)
			return err_new(ERR_INVALID, "the index is damaged");
		hash_name(record.name, entry->name);
		hash_meta(&record, entry->meta);
		memcpy(entry->digest, record.digest, sizeof(entry->digest));
		entry->type = record.type;
		entry->in = (unsigned char)record.in;
		entry->inode = record.inode;
		entry->ctime = record.ctime;
		table->count++;
	}
	if (table->count > 0)
		qsort(table->entries, table->count, sizeof(*table->entries), compare);
	return NULL;
}

const struct table_entry *index_table_find(const struct index_table *table, const char *name)
{
	struct table_entry key;

	hash_name(name, key.name);
	return table->count == 0 ? NULL :
				   bsearch(&key, table->entries, table->count,
					   sizeof(*table->entries), compare);
}

bool index_table_is_same(const struct table_entry *entry, const struct index_record *record)
{
	unsigned char meta[TABLE_HASH_BYTES];

	hash_meta(record, meta);
	return memcmp(meta, entry->meta, sizeof(meta)) == 0;
}
