/*
 * Templates: root file systems that VPSs start from. An archive is unpacked once per content into
 *the store, by a child that has nothing but the destination directory; a VPS gets a copy of the
 *unpacked tree. The archive's bytes, and every name and number in it, are hostile. Rests on
 *libarchive(3), user_namespaces(7), mount_setattr(2).
 *
 * The store is one directory:
 *	NAME.json		what the template NAME is (struct template); written last, so it is
 *the commit tree-sha256-DIGEST/	the unpacked tree of an archive; shared by all names with
 *that digest incoming-*		work of a running import; removed by the next one when its
 *owner died .lock			held by whoever changes the store
 */
#ifndef ROOTFS_TEMPLATE_H
#define ROOTFS_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/* Called now and then during long work; the caller embeds it in a struct of its own. total_bytes 0:
 * not known. */
struct template_progress {
	void (*report)(struct template_progress *progress, uint64_t done_bytes,
		       uint64_t total_bytes);
};

/* What an archive may cost. */
struct template_limits {
	uint64_t max_entries;
	uint64_t max_bytes; /* of all files together, holes included */
	uint64_t
		max_ratio; /* unpacked bytes per archive byte, once more than 64 MiB are unpacked */
};
extern const struct template_limits template_default_limits; /* 2 M entries, 256 GiB, 200 */

struct template_counts {
	uint64_t entries, bytes;
	uint64_t skipped; /* device nodes and sockets, which no VPS may bring along */
};

/*
 * Unpack a tar archive (plain or gzip, bzip2, xz, lzma, zstd, lz4 compressed) into the current
 * directory, which the caller has made its root. Refused with ERR_INVALID, naming the entry:
 * absolute names, "..", hard links that leave the archive's tree, writing through a symlink, ids
 * over 65535, anything over the limits, damaged archives. Device nodes and sockets are skipped and
 * counted; extended attributes other than user.*, security.capability and ACLs are dropped.
 */
MUST_CHECK struct err *template_extract(int archive_fd, const struct template_limits *limits,
					struct template_progress *progress,
					struct template_counts *ret_counts);

/*
 * template_extract() by a child in its own user (65,536 host ids from id_first), mount, network,
 * pid and IPC namespace whose root is dest_fd, mounted so that files belong to ids 0.. on disk.
 * ERR_UNSUPPORTED: the file system of dest_fd has no idmapped mounts. On failure dest_fd may hold
 * part of the tree.
 */
struct template_filter {
	/* name: as below has it, and only wants it */
	bool (*wants)(const struct template_filter *filter, const char *name, mode_t type);
};
struct template_sandbox {
	uint32_t id_first;
	const struct template_limits *limits; /* NULL: the default */
	bool is_layer; /* unpacked over what is there, whose whiteouts are obeyed */
	/* dest_fd is a detached mount of its own, not a directory: it becomes the sandbox's */
	bool dest_is_mount;
	uint32_t archive_first; /* the archive's ids are counted from this one on */
	const char *below; /* only what the archive has below this name, as the tree; NULL: all */
	const char *only;  /* of that, this path with what is below it; NULL: all */
	const struct template_filter *filter; /* NULL: all of below; else below is set */
};
MUST_CHECK struct err *template_unpack(int archive_fd, int dest_fd,
				       const struct template_sandbox *sandbox,
				       struct template_progress *progress,
				       struct template_counts *ret_counts);

/*
 * The first of some files (names: NULL-terminated) that is among the first 64 entries of an
 * archive, read by a child like the above. *ret_index: which of names; their number: none of them.
 * *ret_first: the owner of the archive's root directory, if that is before it; else 0.
 * ERR_INVALID: it is no archive, or the file is larger than TEMPLATE_PEEK_MAX.
 */
#define TEMPLATE_PEEK_MAX ((size_t)256 << 10)
MUST_CHECK struct err *template_peek(int archive_fd, uint32_t id_first, const char *const *names,
				     size_t *ret_index, uint32_t *ret_first, struct buf *text);

/*
 * Copy the contents of from_fd into the empty directory to_fd: owners, modes, times, extended
 * attributes, hard links, holes, whiteouts (character devices 0:0); blocks are shared where the
 * file system can (FICLONE). Sockets and device nodes are left out.
 */
struct template_copy {
	int from_fd, to_fd;   /* borrowed */
	uint64_t total_bytes; /* about; 0: not known */
	bool is_foreign;      /* what belongs to an id over 65535 is refused, as in an archive */
	struct template_progress *progress;
};
MUST_CHECK struct err *template_copy(const struct template_copy *request,
				     struct template_counts *ret_counts);

/* One template. Strings owned. */
struct template
{
	char *name, *digest; /* hex SHA-256 of the archive, or of what it was made from */
	char *source;	     /* file name or recipe, for people */
	char *os;	     /* PRETTY_NAME of its os-release; NULL: it has none */
	uint64_t entries, bytes;
	int64_t created_s; /* seconds since 1970 */
};
void template_release(struct template *template);
static inline __attribute__((unused)) void own_template(struct template *template)
{
	template_release(template);
}

/* The store, with its lock held while it is open for changes. */
struct template_store {
	int dir_fd, lock_fd;
};
#define TEMPLATE_STORE_INIT                 \
	{                                   \
		.dir_fd = -1, .lock_fd = -1 \
	}
enum template_access { TEMPLATE_READ, TEMPLATE_CHANGE };
/* Made when missing (0700). TEMPLATE_CHANGE waits for the lock and removes what a killed import
 * left. */
MUST_CHECK struct err *template_store_open(const char *path, enum template_access access,
					   struct template_store *ret_store);
void template_store_release(struct template_store *store);
static inline __attribute__((unused)) void own_template_store(struct template_store *store)
{
	template_store_release(store);
}

/* ERR_NOT_FOUND, saying which there are. */
MUST_CHECK struct err *template_load(const struct template_store *store, const char *name,
				     struct template *ret_template);
MUST_CHECK struct err *template_open_tree(const struct template_store *store,
					  const struct template *template, int *ret_fd);
MUST_CHECK struct err *template_names(const struct template_store *store,
				      struct strlist *ret_names);
/* Forget a name; its tree goes with the last name and the last holder that had it. ERR_NOT_FOUND.
 */
MUST_CHECK struct err *template_remove(const struct template_store *store, const char *name);

/*
 * Holders: whoever goes on using a tree after it was made from a template (the layout overlay) puts
 * a file HOLD into used-sha256-DIGEST/ of the store. A hold is written down by its holder before it
 * is taken and let go of before the holder forgets it, so that a kill leaves none without holder.
 */
#define TEMPLATE_HOLD_MAX 33
struct template_hold {
	char digest[65], id[TEMPLATE_HOLD_MAX]; /* 64 and 32 hex digits */
};
/* A new id for a tree with this digest; nothing is held yet. */
MUST_CHECK struct err *template_hold_init(const char *digest, struct template_hold *ret_hold);
/* ERR_NOT_FOUND: the tree is gone. */
MUST_CHECK struct err *template_hold_take(const struct template_store *store,
					  const struct template_hold *hold);
/* A hold that is not there is success. */
MUST_CHECK struct err *template_hold_drop(const struct template_store *store,
					  const struct template_hold *hold);
MUST_CHECK struct err *template_hold_open_tree(const struct template_store *store,
					       const struct template_hold *hold, int *ret_fd);
/* One line, "DIGEST ID\n", and back. ERR_INVALID. */
MUST_CHECK struct err *template_hold_format(const struct template_hold *hold, struct buf *text);
MUST_CHECK struct err *template_hold_parse(const char *text, size_t len,
					   struct template_hold *ret_hold);
/* For the store, locked: remove the tree with this digest if no name and no hold stands for it; and
 * do so with all trees (the last hold may have gone after the last name). */
MUST_CHECK struct err *template_drop_unused(const struct template_store *store, const char *digest);
MUST_CHECK struct err *template_sweep(const struct template_store *store);
/* For the store: nobody takes a hold while *ret_fd is open. */
MUST_CHECK struct err *template_holds_lock(const struct template_store *store, int *ret_fd);
MUST_CHECK struct err *template_is_held(const struct template_store *store, const char *digest,
					bool *ret_held);

/*
 * An archive of a root file system, a container image in an archive (of docker save, podman save,
 * an OCI layout), or an OCI layout's directory, to import under name, which may exist (it is
 * replaced then; VPSs made from the old one keep their copy). Layers are compared with their
 * digests.
 */
struct template_import {
	const char *name, *source;
	const char *image; /* which of several in it; NULL: there is one */
	int archive_fd;	   /* a regular file at offset 0, or a directory; borrowed */
	struct template_sandbox sandbox;
};
MUST_CHECK struct err *template_import(const struct template_store *store,
				       const struct template_import *import,
				       struct template_progress *progress,
				       struct template_counts *ret_counts);
/* Write a tree that stands still to fd as a tar archive, compressed as the file's name says (.tar,
 * .tar.gz, .tar.xz, .tar.zst). ERR_INVALID: another name. */
struct template_export {
	const char *file_name;
	int fd;
	uint64_t total_bytes; /* about; 0: not known */
	struct template_progress *progress;
	struct template_counts *ret_counts; /* NULL: nobody wants to know */
	/* not the tree itself but a container image of it, an OCI layout, by this name; NULL: the
	 * tree */
	const char *image;
	int scratch_fd; /* for an image: a directory with room for all of the tree; borrowed */
};
/* Before anything is done: is that a name for one? ERR_INVALID. */
MUST_CHECK struct err *template_check_ending(const char *file_name);
MUST_CHECK struct err *template_export_tree(int tree_fd, const struct template_export *export);
/* The tree of a template. */
MUST_CHECK struct err *template_export(const struct template_store *store,
				       const struct template *template, const char *file_name,
				       int fd, struct template_progress *progress);
/* A tree built by us, not by an archive: fill is called with an empty directory. digest: 64 hex
 * digits. */
struct template_builder {
	struct err *(*fill)(const struct template_builder *builder, int dir_fd);
	const char *name, *source, *digest;
};
MUST_CHECK struct err *template_build(const struct template_store *store,
				      const struct template_builder *builder);

/*
 * Recipes. busybox: the host's static busybox with a small /etc, offline. debian: mmdebstrap or
 * debootstrap, run as the program it is, makes a minimal system with systemd from the
 * distribution's archive. ERR_NOT_FOUND names the package that is missing on the host.
 */
MUST_CHECK struct err *template_create_busybox(const struct template_store *store,
					       const char *name);
struct template_debian {
	const char *name, *suite; /* "debian-13", "trixie" */
	struct template_sandbox sandbox;
};
MUST_CHECK struct err *template_create_debian(const struct template_store *store,
					      const struct template_debian *recipe,
					      struct template_progress *progress,
					      struct template_counts *ret_counts);

#endif
