/* What the files about backups share with each other and nobody else. */
#ifndef ROOTFS_BACKUP_ROOM_H
#define ROOTFS_BACKUP_ROOM_H

#include "rootfs/backup.h"
#include "rootfs/template_room.h"

#define BACKUP_TREE "root"	 /* the tree's name in the archive */
#define BACKUP_CONF "cella/conf" /* of the definition */

/* --- backup_file.c: frames --- */

enum backup_frame { FRAME_INDEX, FRAME_CONF, FRAME_INFO, FRAME_END };
#define FRAME_HEADER_BYTES 8
struct frame_header {
	unsigned char bytes[FRAME_HEADER_BYTES];
};
/* ERR_INVALID: more than a frame can hold. */
MUST_CHECK struct err *frame_header(enum backup_frame frame, uint64_t len,
				    struct frame_header *ret_header);

/* Is it 64 hex digits? */
bool backup_is_digest(const char *text);

#define BACKUP_END_BYTES 96
/* The last bytes of the file; digest: 64 hex digits. */
MUST_CHECK struct err *backup_end_format(uint64_t info_offset, const char *digest, char *end);
/* ERR_INVALID. ret_digest: SHA256_HEX_MAX bytes. */
MUST_CHECK struct err *backup_end_parse(const char *end, size_t len, uint64_t *ret_info_offset,
					char *ret_digest);
/* Everything but conf, as JSON, and back. ERR_INVALID. */
MUST_CHECK struct err *backup_info_format(const struct backup_info *info, char **ret_text);
MUST_CHECK struct err *backup_info_parse(const char *text, size_t len,
					 struct backup_info *ret_info);

/* --- backup_index.c --- */

/*
 * What the index says of an entry: a line of numbers, its name below the tree, and what it links
 * to (empty: nothing), each with a NUL:
 *
 *	TYPE MODE UID GID SIZE MTIME CTIME INODE SHA256 ATTRIBUTES IN\0NAME\0TARGET\0
 *
 * TYPE is f d l p c, or h for another name of a file before it. The numbers are decimal, MODE
 * octal, the times seconds.nanoseconds; SHA256 is of a file's content, ATTRIBUTES of extended
 * attributes and ACLs, else "-". IN is the depth of the backup whose archive has the entry.
 */
struct index_time {
	int64_t s;
	long ns;
};
struct index_record {
	char type;
	unsigned int mode;
	int64_t uid, gid;
	uint64_t size_bytes, inode;
	struct index_time mtime, ctime;
	char digest[SHA256_HEX_MAX];	 /* "-": none */
	char attributes[SHA256_HEX_MAX]; /* likewise */
	unsigned int in;
	const char *name, *target; /* borrowed */
};
MUST_CHECK struct err *index_record_format(const struct index_record *record, struct buf *text);
/* *ret_used 0: the record is not whole yet. ERR_INVALID. */
MUST_CHECK struct err *index_record_parse(const char *data, size_t len,
					  struct index_record *ret_record, size_t *ret_used);
/* Of an entry of the archive, whose strings it borrows. digest: NULL: none. */
struct index_record index_record_of(struct archive_entry *entry, const char *digest);
/* Of all extended attributes and ACLs of an entry; hex: SHA256_HEX_MAX bytes. */
MUST_CHECK struct err *index_attributes_of(struct archive_entry *entry, char *hex);
/* What differs, in a word; NULL: nothing. inode and ctime, which no archive keeps, do not count. */
const char *index_record_differs(const struct index_record *a, const struct index_record *b);

/* The index of a backup, record by record. Reads hostile bytes: in the sandbox alone. */
struct index_reader;
MUST_CHECK struct err *index_reader_open(int fd, uint64_t offset, uint64_t len,
					 struct index_reader **ret_reader);
void index_reader_close(struct index_reader *reader);
/* *ret_record is good until the next call; *ret_more false: that was the last one. */
MUST_CHECK struct err *index_reader_next(struct index_reader *reader,
					 struct index_record *ret_record, bool *ret_more);
OWN_KIND(index_reader, struct index_reader *, index_reader_close)

/* --- backup_table.c: an index in memory, to be asked by name --- */

#define TABLE_HASH_BYTES 16
struct table_entry {
	/* the beginning of SHA-256: of the name, and of all that differs() compares but the content
	 * and the name */
	unsigned char name[TABLE_HASH_BYTES], meta[TABLE_HASH_BYTES];
	char digest[SHA256_HEX_MAX];
	char type;
	unsigned char in;
	uint64_t inode;
	struct index_time ctime;
};
struct index_table {
	struct table_entry *entries;
	size_t count, capacity;
};
/* In the sandbox: all of an index, whose entries are in backups of this depth or less. entries of
 * the table: room for capacity of them. ERR_INVALID. */
MUST_CHECK struct err *index_table_fill(int fd, const struct backup_info *info,
					struct index_table *table);
/* Room for as many as info says: shared with children. ERR_INVALID: it says too many. */
MUST_CHECK struct err *index_table_new(const struct backup_info *info,
				       struct index_table *ret_table);
void index_table_release(struct index_table *table);
static inline __attribute__((unused)) void own_index_table(struct index_table *table)
{
	index_table_release(table);
}
/* NULL: there is none of that name. */
const struct table_entry *index_table_find(const struct index_table *table, const char *name);
/* Is all but the content the same? */
bool index_table_is_same(const struct table_entry *entry, const struct index_record *record);

/* --- backup_unpack.c --- */

/* What is wanted of one archive of a chain. */
struct backup_choice {
	struct template_filter base; /* filled in */
	const struct index_table *table;
	unsigned int in;
	bool only_dirs;
};
/* In the sandbox: unpack that. ERR_NOT_FOUND: there is nothing of the sandbox's only. */
MUST_CHECK struct err *backup_extract(const struct sandbox_inside *inside,
				      const struct template_sandbox *whole,
				      struct backup_choice *choice,
				      struct template_counts *ret_counts);

/* --- backup_base.c --- */

/* What an increment upon it says of itself; base NULL: nothing. */
MUST_CHECK struct err *backup_base_say(const struct backup_base *base, struct backup_info *info);

/* An entry of the tree: has the base the same? Then *ret_record, of the entry, says where and with
 * which content. tree_fd: to read it, if need be; *ret_read_bytes: so much was. */
MUST_CHECK struct err *backup_base_has(const struct backup_base *base, int tree_fd,
				       struct index_record *record, bool *ret_has,
				       uint64_t *ret_read_bytes);

#endif
