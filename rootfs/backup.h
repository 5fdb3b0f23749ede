/*
 * Backups: one file for a VPS's tree and definition, written in one pass, readable by "tar --zstd".
 *
 *	zstd frame		pax archive: cella/conf, then the tree as root/...
 *	skippable frame		index, by zstd: a record per entry (backup_room.h)
 *	skippable frame		NAME.conf's text
 *	skippable frame		what the backup is, as JSON
 *	skippable frame		fixed size: where the JSON is, digest of all bytes before it
 *
 * An increment's archive has only what is not in the backup it builds upon, its base, and all
 * directories and second names; its index is of the whole tree and says which one has what.
 *
 * Every byte of a backup may be hostile when it is read: libarchive reads it in the sandbox of
 * template_unpack() alone. Rests on RFC 8878 (3.1.2, skippable frames) and libarchive(3).
 */
#ifndef ROOTFS_BACKUP_H
#define ROOTFS_BACKUP_H

#include "rootfs/template.h"

/* What a backup is. All strings owned. */
struct backup_info {
	char *name;	     /* of the VPS */
	char *layout;	     /* that its disk had */
	char *conf;	     /* its definition */
	char *base;	     /* digest of the backup that it builds upon; NULL: it is a full one */
	uint64_t depth;	     /* so many increments after a full one; 0: that */
	uint64_t created_ns; /* since 1970: the state of then is in it */
	uint64_t entries;
	uint64_t bytes;	       /* of the files, without holes */
	uint64_t sparse_bytes; /* with holes */
	uint64_t skipped;      /* sockets and device nodes, which are not in it */
	uint64_t index_offset, index_bytes, file_bytes;
	char digest[65]; /* that the file says it has: 64 hex digits */
};
void backup_info_release(struct backup_info *info);
static inline __attribute__((unused)) void own_backup_info(struct backup_info *info)
{
	backup_info_release(info);
}

/* A backup and those that it builds on: the first is a full one, the last the one that is meant. */
#define BACKUP_CHAIN_MAX 32
struct backup_link {
	int fd;	    /* owned, like the rest */
	char *path; /* for errors */
	struct backup_info info;
};
struct backup_chain {
	struct backup_link links[BACKUP_CHAIN_MAX];
	size_t count;
};
void backup_chain_release(struct backup_chain *chain);
static inline __attribute__((unused)) void own_backup_chain(struct backup_chain *chain)
{
	backup_chain_release(chain);
}
/* The one that is meant; borrowed. */
const struct backup_link *backup_chain_last(const struct backup_chain *chain);

/* What an increment needs of its base: its index, read in the sandbox. id_first: as there. */
struct backup_base;
MUST_CHECK struct err *backup_base_open(const struct backup_link *link, uint32_t id_first,
					struct backup_base **ret_base);
void backup_base_close(struct backup_base *base);
static inline __attribute__((unused)) void own_backup_base(struct backup_base **base)
{
	if (*base)
		backup_base_close(*base);
}

/* Takes a backup as it is written; the caller embeds it in a struct of its own. */
struct backup_sink {
	struct err *(*put)(struct backup_sink *sink, const void *data, size_t len);
};
/* A tree that moves while it is used goes in rounds, each a backup upon the one before. */
enum backup_what {
	BACKUP_ALONE, /* of a tree that stands still */
	/* of one that others change meanwhile: files that changed are in it as they were found, and
	   the next round has them again */
	BACKUP_ROUND,
	BACKUP_LAST_ROUND /* it stands still now */
};
struct backup_write {
	enum backup_what what;
	int tree_fd; /* the root of the tree, ids as on disk; open for reading */
	int fd;	     /* an empty file, for writing; -1: not to a file, but to sink */
	struct backup_sink *sink;
	uint64_t total_bytes;		/* about so much is in the tree; 0: not known */
	uint64_t bytes_per_s;		/* read it not faster than this; 0: as fast as can be */
	const struct backup_base *base; /* NULL: a full one */
	struct template_progress *progress;
	int *ret_index_fd; /* the index as a file of its own, for the next round; NULL: not wanted
			    */
};
/* Write a backup: name, layout, conf and created_ns of info are given, the rest is filled in. The
 * file is synced. ERR_SYS; ERR_INVALID: libarchive cannot read or write something. */
MUST_CHECK struct err *backup_write(const struct backup_write *request, struct backup_info *info);

/* ERR_INVALID: no backup, or not a whole one. The digest is not compared. */
MUST_CHECK struct err *backup_read_info(int fd, const char *path, struct backup_info *ret_info);

/*
 * Read all of a backup and of those it builds on: their digests, every entry's metadata and content
 * against the index, and each index against that of its base. id_first: as in struct
 * template_sandbox. ERR_INVALID names what is damaged.
 */
MUST_CHECK struct err *backup_verify(const struct backup_chain *chain, uint32_t id_first,
				     struct template_progress *progress);

/*
 * Unpack the tree of a backup into dest_fd, as template_unpack() does. dest: see there. only: a
 * path of the tree, with what is below it; NULL: all of the tree. ERR_NOT_FOUND: no such path in
 * it.
 */
struct backup_unpack {
	const struct backup_chain *chain;
	int dest_fd;
	uint32_t id_first;
	bool dest_is_mount;
	const char *only;
	struct template_progress *progress;
};
MUST_CHECK struct err *backup_unpack(const struct backup_unpack *request);

/* The tree in dest_fd is that of the backup which the last of the chain builds upon, and becomes
 * that of the last; the others of the chain are not read, and need not be in it. only is NULL. On
 * failure it is neither. */
MUST_CHECK struct err *backup_apply(const struct backup_unpack *request);

#endif
