/* What the files about templates share with each other and nobody else. */
#ifndef ROOTFS_TEMPLATE_ROOM_H
#define ROOTFS_TEMPLATE_ROOM_H

#include <archive.h>
#include <archive_entry.h>

#include "base/sha256.h"
#include "rootfs/template.h"

/* --- template_store.c --- */

#define TEMPLATE_INCOMING "incoming"	/* a tree that is being made */
#define TEMPLATE_IMAGE "incoming-image" /* an image whose layers are being unpacked */

/* A new, empty TEMPLATE_INCOMING. */
MUST_CHECK struct err *template_open_incoming(const struct template_store *store, int *ret_fd);
/* TEMPLATE_INCOMING, or a tree of the same digest that is there, becomes the template. */
MUST_CHECK struct err *template_publish(const struct template_store *store, int tree_fd,
					struct template *template);

/* --- template_archive.c --- */

/* Only formats and filters that run inside libarchive. Owned: archive_read_free(). */
MUST_CHECK struct err *template_open_reader(int archive_fd, struct archive **ret_reader);
MUST_CHECK struct err *template_archive_error(struct archive *archive, const char *act);
/* A name or hard link target: relative, no "..", not empty. shown: of the entry, for the error. */
MUST_CHECK struct err *template_check_name(const char *name, const char *shown);

/* --- template_unpack.c: the sandbox --- */

#define SANDBOX_MORE_MAX 32
/* What the child has. */
struct sandbox_inside {
	int archive_fd;
	int more_fd; /* the first of job's more_fds; the others follow it */
	int root_fd; /* its root, and current directory */
	struct template_progress *progress;
};
struct sandbox_job {
	int archive_fd;
	int dest_fd;	     /* -1: an empty root, read-only */
	const int *more_fds; /* what else it reads */
	size_t more_count;
	const struct template_sandbox *sandbox;
	/* what the child does */
	struct err *(*run)(const struct sandbox_job *job, const struct sandbox_inside *inside,
			   struct template_counts *ret_counts);
	const void *context; /* for run() */
	void *result;	     /* likewise; memory that both share */
};
MUST_CHECK struct err *template_in_sandbox(const struct sandbox_job *job,
					   struct template_progress *progress,
					   struct template_counts *ret_counts);
/* template_extract() as the sandbox says: of a layer over those below it, or of a part. */
MUST_CHECK struct err *template_extract_in(const struct sandbox_inside *inside,
					   const struct template_sandbox *sandbox,
					   struct template_counts *ret_counts);

/* --- template_shift.c, in the sandbox --- */

/* Count the ids of an entry from first on; one below it becomes negative. ERR_INVALID: one of an
 * ACL is none of the 65,536. */
MUST_CHECK struct err *template_shift(struct archive_entry *entry, uint32_t first);
/* The same of security.capability in place; returns its new length. */
size_t template_shift_capability(void *value, size_t len, uint32_t first);

/* --- template_select.c, in the sandbox --- */

/* "./etc/x" and "etc/x" are the same name; borrowed. */
const char *template_plain_name(const char *name);

/* Is the entry wanted by below and only of the sandbox? Its names are those below then; *matched
 * becomes true when it is one that was asked for, not a directory on the way there. ERR_INVALID: a
 * hard link to what is not wanted. */
MUST_CHECK struct err *template_select(const struct template_sandbox *sandbox,
				       struct archive_entry *entry, bool *ret_wanted,
				       bool *matched);

/* --- template_pack.c --- */

/* How a tree is read. */
enum pack_walk {
	PACK_STILL, /* it stands still */
	/* Others change it meanwhile: what is gone is left out, what cannot be read is zeros, and
	 * torn. */
	PACK_LIVE,
	PACK_SETTLED /* as before, but it stands still now: each error is one */
};
/* A tree on its way into an archive. */
struct pack {
	struct archive *writer; /* open, of pack_format(); borrowed */
	const char *prefix;	/* what the tree is called in the archive; NULL: "." */
	enum pack_walk walk;
	struct template_progress *progress;
	uint64_t total_bytes; /* for the progress; 0: not known */
	uint64_t bytes_per_s; /* not faster than this; 0: as fast as can be */
	/* Called before each entry: *ret_leave_out: it is not written, nor noted. NULL: all are. */
	struct err *(*ask)(struct pack *pack, struct archive_entry *entry, bool *ret_leave_out);
	/* Called after each entry; digest: of a file's content, else NULL. NULL: nobody wants to
	 * know. */
	struct err *(*note)(struct pack *pack, struct archive_entry *entry, const char *digest);
	struct template_counts counts; /* the result; bytes: holes included */
	uint64_t done_bytes;	       /* the result: without holes */
	uint64_t left_out_bytes;       /* counted by ask() */
	bool torn;		       /* for note(): its content was not read as it is */
	/* private */
	uint64_t read_bytes;
	struct sha256 sha;
	int64_t began_ns;
};
/* The bytes of a file: the current one of disk, or (NULL) fd. */
struct pack_source {
	struct archive *disk;
	int fd;
};
/* One entry, "./NAME". *entry may become another one, which is the caller's like the first. */
MUST_CHECK struct err *pack_put(struct pack *pack, struct archive_entry_linkresolver *links,
				struct archive_entry **entry, const struct pack_source *source);
/* The format of what is written: names, numbers and times as they are. */
MUST_CHECK struct err *pack_format(struct archive *writer);
/* So much was read, also by ask(): wait if that was too fast. */
void pack_pace(struct pack *pack, uint64_t len);
/*
 * Write all of a tree that stands still, as it looks to us: owners, modes, times, ACLs, extended
 * attributes, hard links, holes, whiteouts. Sockets and device nodes are left out and counted.
 */
MUST_CHECK struct err *pack_tree(struct pack *pack, int tree_fd);

/* --- template_walk.c --- */

/* pack_tree() for PACK_LIVE and PACK_SETTLED: name by name from its directory, no link is followed
 * that came into a name's place meanwhile. */
MUST_CHECK struct err *pack_walk(struct pack *pack, int tree_fd);

/* --- template_layer.c, in the sandbox --- */

/* Is it a whiteout, which is no file of the tree? */
bool layer_is_whiteout(const char *name);
/*
 * Before a layer is unpacked over those below it: remove what its whiteouts name, what its opaque
 * directories hid, and what would be in the way of an entry of another type. root_fd: the tree.
 */
MUST_CHECK struct err *layer_prepare(int archive_fd, int root_fd);

/* --- image.c --- */

/* A container image on disk: an OCI layout, or what docker save and podman save put into an
 * archive. */
struct image_layer {
	char *path;	     /* below the image's directory */
	char sha256[64 + 1]; /* of the file's bytes */
};
struct image {
	char digest[64 + 1];	    /* of its manifest, or of docker's config */
	struct image_layer *layers; /* lowest first; owned */
	size_t layer_count;
};
void image_release(struct image *image);
static inline __attribute__((unused)) void own_image(struct image *image)
{
	image_release(image);
}
/* Does the directory hold an image? */
bool image_is_one(int dir_fd);
/* tag: which of several, NULL: the only one. Every byte is hostile. ERR_INVALID, ERR_NOT_FOUND. */
MUST_CHECK struct err *image_read(int dir_fd, const char *tag, struct image *ret_image);
/* Open a layer and compare its digest; the offset is 0. */
MUST_CHECK struct err *image_open_layer(int dir_fd, const struct image_layer *layer, int *ret_fd);
/* This machine's, in the words of images. */
const char *image_architecture(void);

/* --- image_write.c --- */

/* Write an image with one layer, a tar archive that is not compressed, to an open archive. tag:
 * what it is called in it. */
MUST_CHECK struct err *image_write(struct archive *writer, int layer_fd, const char *tag);

#endif
