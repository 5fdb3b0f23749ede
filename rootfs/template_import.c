/* Into the store from an archive or an image; see template.h. The only part of the store that
 * unpacks, so that who merely reads it is not linked with libarchive and all that this brings
 * along. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "base/path.h"
#include "base/sha256.h"
#include "rootfs/template_room.h"

/* The tree of an archive that was unpacked before, under whatever name. */
static struct err *find_same(const struct template_store *store, const char *digest,
			     struct template *ret)
{
	OWN(strlist) struct strlist names = { 0 };

	TRY(template_names(store, &names));
	for (size_t i = 0; i < names.count; i++) {
		OWN(template) struct template template = { 0 };
		OWN(fd) int tree_fd = -1;
		struct err *err = template_load(store, names.items[i], &template);

		if (!err && str_eq(template.digest, digest))
			err = template_open_tree(store, &template, &tree_fd);
		if (!err && tree_fd >= 0) {
			*ret = template;
			template = (struct template){ 0 };
			return NULL;
		}
		err_drop(err); /* not usable is the same as not there: unpack again */
	}
	return NULL;
}

static bool is_directory(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Of an archive its bytes', of a directory the image's. Of several images in an archive each is
 * another content. */
static struct err *digest_of_source(const struct template_import *import, char *hex)
{
	OWN(image) struct image image = { 0 };
	struct sha256 sha;

	if (is_directory(import->archive_fd)) {
		if (!image_is_one(import->archive_fd))
			return err_new(ERR_INVALID,
				       "the directory is no OCI layout: it has no file "
				       "oci-layout");
		TRY(image_read(import->archive_fd, import->image, &image));
		memcpy(hex, image.digest, sizeof(image.digest));
		return NULL;
	}
	TRY(sha256_fd(import->archive_fd, import->source, hex));
	if (!import->image)
		return NULL;
	sha256_init(&sha);
	sha256_add(&sha, hex, strlen(hex));
	sha256_add(&sha, import->image, strlen(import->image));
	sha256_hex(&sha, hex);
	return NULL;
}

/* The layers of the image in image_fd, one over the other, into a new TEMPLATE_INCOMING. */
static struct err *unpack_layers(const struct template_store *store,
				 const struct template_import *import, int image_fd,
				 struct template_progress *progress,
				 struct template_counts *ret_counts)
{
	struct template_limits left =
		import->sandbox.limits ? *import->sandbox.limits : template_default_limits;
	struct template_sandbox sandbox = { .id_first = import->sandbox.id_first,
					    .limits = &left,
					    .is_layer = true };
	struct template_counts sum = { 0 };
	OWN(image) struct image image = { 0 };
	OWN(fd) int dest_fd = -1;

	TRY(image_read(image_fd, import->image, &image));
	TRY(template_open_incoming(store, &dest_fd));
	for (size_t i = 0; i < image.layer_count; i++) {
		struct template_counts counts = { 0 };
		OWN(fd) int layer_fd = -1;

		TRY(image_open_layer(image_fd, &image.layers[i], &layer_fd));
		TRY(err_wrap(template_unpack(layer_fd, dest_fd, &sandbox, progress, &counts),
			     "layer %zu of %zu", i + 1, image.layer_count));
		sum.entries += counts.entries;
		sum.bytes += counts.bytes;
		sum.skipped += counts.skipped;
		left.max_entries -= counts.entries;
		left.max_bytes -= counts.bytes;
	}
	*ret_counts = sum;
	return NULL;
}

/* What was unpacked is no tree but an image, with its layers in it. */
static struct err *unpack_image_in_archive(const struct template_store *store,
					   const struct template_import *import,
					   struct template_progress *progress,
					   struct template_counts *ret_counts)
{
	OWN(fd) int image_fd = -1;
	struct err *err;

	TRY(path_remove_tree(store->dir_fd, TEMPLATE_IMAGE));
	if (renameat(store->dir_fd, TEMPLATE_INCOMING, store->dir_fd, TEMPLATE_IMAGE) < 0)
		return err_sys(errno, "put the image aside");
	err = path_open_beneath(store->dir_fd, TEMPLATE_IMAGE, O_RDONLY | O_DIRECTORY, &image_fd);
	if (!err)
		err = unpack_layers(store, import, image_fd, progress, ret_counts);
	return err_first(err, path_remove_tree(store->dir_fd, TEMPLATE_IMAGE));
}

static struct err *unpack_new(const struct template_store *store,
			      const struct template_import *import,
			      struct template_progress *progress,
			      struct template_counts *ret_counts)
{
	OWN(fd) int dest_fd = -1;
	struct err *err;

	if (is_directory(import->archive_fd)) {
		err = unpack_layers(store, import, import->archive_fd, progress, ret_counts);
		return err ? err_first(err, path_remove_tree(store->dir_fd, TEMPLATE_INCOMING)) :
			     NULL;
	}
	if (lseek(import->archive_fd, 0, SEEK_SET) < 0)
		return err_sys(errno, "rewind %s", import->source);
	TRY(template_open_incoming(store, &dest_fd));
	err = template_unpack(import->archive_fd, dest_fd, &import->sandbox, progress, ret_counts);
	if (!err && image_is_one(dest_fd))
		err = unpack_image_in_archive(store, import, progress, ret_counts);
	if (!err)
		return NULL;
	return err_first(err, path_remove_tree(store->dir_fd, TEMPLATE_INCOMING));
}

struct err *template_import(const struct template_store *store,
			    const struct template_import *import,
			    struct template_progress *progress, struct template_counts *ret_counts)
{
	OWN(template) struct template template = { 0 }, same = { 0 };
	OWN(fd) int tree_fd = -1;
	struct template_counts counts = { 0 };
	char digest[SHA256_HEX_MAX];
	struct err *err;

	TRY(parse_container_id(import->name));
	TRY(digest_of_source(import, digest));
	TRY(str_dup(import->name, &template.name));
	TRY(str_dup(digest, &template.digest));
	TRY(str_escape(import->source, &template.source));
	TRY(find_same(store, digest, &same));
	if (same.digest) {
		counts = (struct template_counts){ .entries = same.entries, .bytes = same.bytes };
		TRY(template_open_tree(store, &same, &tree_fd));
	} else {
		TRY(unpack_new(store, import, progress, &counts));
		TRY(path_open_beneath(store->dir_fd, TEMPLATE_INCOMING, O_RDONLY | O_DIRECTORY,
				      &tree_fd));
	}
	template.entries = counts.entries;
	template.bytes = counts.bytes;
	err = template_publish(store, tree_fd, &template);
	if (err)
		return err_first(err, path_remove_tree(store->dir_fd, TEMPLATE_INCOMING));
	*ret_counts = counts;
	return NULL;
}
