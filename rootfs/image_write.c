/*
 * A tree as a container image: an OCI layout in an archive, with one layer. The layer is written to
 * a file without a name first, since its digest is its name. It is not compressed by itself, so
 * that there is one digest of it, and the archive is. Sources: OCI image-spec 1.1, image-layout.md,
 * manifest.md, config.md.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "rootfs/template_room.h"

#define MEDIA "application/vnd.oci.image."
#define COPY_BYTES ((size_t)256 << 10)

OWN_KIND(entry, struct archive_entry *, archive_entry_free)

/* A file that is known by its digest. text: its content, NULL: it is in the layer's file. */
struct blob {
	const char *type;
	char *text; /* owned */
	uint64_t bytes;
	char hex[SHA256_HEX_MAX];
};

static void own_blob(struct blob *blob)
{
	free(blob->text);
}

/* out: what it says. */
static struct err *blob_of_json(struct json_out *out, struct blob *blob)
{
	struct sha256 sha;

	TRY(json_out_take(out, &blob->text));
	blob->bytes = strlen(blob->text);
	sha256_init(&sha);
	sha256_add(&sha, blob->text, blob->bytes);
	sha256_hex(&sha, blob->hex);
	return NULL;
}

/* --- what is written as JSON --- */

static void put_string(struct json_out *out, const char *key, const char *text)
{
	json_out_key(out, key);
	json_out_string(out, text);
}

static struct err *put_digest(struct json_out *out, const struct blob *blob)
{
	OWN(str) char *digest = NULL;

	TRY(str_format(&digest, "sha256:%s", blob->hex));
	json_out_string(out, digest);
	return NULL;
}

/* An open object: the caller may add to it. */
static struct err *begin_descriptor(struct json_out *out, const struct blob *blob)
{
	json_out_object(out);
	put_string(out, "mediaType", blob->type);
	json_out_key(out, "digest");
	TRY(put_digest(out, blob));
	json_out_key(out, "size");
	json_out_u64(out, blob->bytes);
	return NULL;
}

static void put_platform(struct json_out *out)
{
	put_string(out, "architecture", image_architecture());
	put_string(out, "os", "linux");
}

static struct err *make_config(const struct blob *layer, struct blob *config)
{
	OWN(json_out) struct json_out *out = NULL;
	const struct timespec now = { .tv_sec = time(NULL) };

	TRY(json_out_new(false, &out));
	json_out_object(out);
	put_string(out, "created", clock_format_utc(&now, CLOCK_SECONDS).text);
	put_platform(out);
	json_out_key(out, "config");
	json_out_object(out);
	json_out_key(out, "Cmd");
	json_out_array(out);
	json_out_string(out, "/sbin/init");
	json_out_end_array(out);
	json_out_end_object(out);
	json_out_key(out, "rootfs");
	json_out_object(out);
	put_string(out, "type", "layers");
	json_out_key(out, "diff_ids");
	json_out_array(out);
	TRY(put_digest(out, layer));
	json_out_end_array(out);
	json_out_end_object(out);
	json_out_end_object(out);
	return blob_of_json(out, config);
}

static struct err *make_manifest(const struct blob *config, const struct blob *layer,
				 struct blob *manifest)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(false, &out));
	json_out_object(out);
	json_out_key(out, "schemaVersion");
	json_out_u64(out, 2);
	put_string(out, "mediaType", manifest->type);
	json_out_key(out, "config");
	TRY(begin_descriptor(out, config));
	json_out_end_object(out);
	json_out_key(out, "layers");
	json_out_array(out);
	TRY(begin_descriptor(out, layer));
	json_out_end_object(out);
	json_out_end_array(out);
	json_out_end_object(out);
	return blob_of_json(out, manifest);
}

static struct err *make_index(const struct blob *manifest, const char *tag, char **ret_text)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(false, &out));
	json_out_object(out);
	json_out_key(out, "schemaVersion");
	json_out_u64(out, 2);
	put_string(out, "mediaType", MEDIA "index.v1+json");
	json_out_key(out, "manifests");
	json_out_array(out);
	TRY(begin_descriptor(out, manifest));
	json_out_key(out, "platform");
	json_out_object(out);
	put_platform(out);
	json_out_end_object(out);
	json_out_key(out, "annotations");
	json_out_object(out);
	put_string(out, "org.opencontainers.image.ref.name", tag);
	json_out_end_object(out);
	json_out_end_object(out);
	json_out_end_array(out);
	json_out_end_object(out);
	return json_out_take(out, ret_text);
}

/* --- the archive --- */

static struct err *begin_file(struct archive *writer, const char *name, uint64_t bytes)
{
	OWN(entry) struct archive_entry *entry = archive_entry_new();

	if (!entry)
		return err_sys(ENOMEM, "write the archive");
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t)bytes);
	return archive_write_header(writer, entry) == ARCHIVE_OK ?
		       NULL :
		       template_archive_error(writer, "write the archive");
}

static struct err *put_bytes(struct archive *writer, const void *data, size_t len)
{
	return archive_write_data(writer, data, len) == (la_ssize_t)len ?
		       NULL :
		       template_archive_error(writer, "write the archive");
}

static struct err *put_text(struct archive *writer, const char *name, const char *text)
{
	TRY(begin_file(writer, name, strlen(text)));
	return put_bytes(writer, text, strlen(text));
}

static struct err *put_layer(struct archive *writer, int layer_fd)
{
	OWN(str) char *block = malloc(COPY_BYTES);
	ssize_t len;

	if (!block)
		return err_sys(ENOMEM, "copy the layer");
	if (lseek(layer_fd, 0, SEEK_SET) < 0)
		return err_sys(errno, "rewind the layer");
	while ((len = read(layer_fd, block, COPY_BYTES)) > 0)
		TRY(put_bytes(writer, block, (size_t)len));
	return len < 0 ? err_sys(errno, "read the layer") : NULL;
}

static struct err *put_blob(struct archive *writer, const struct blob *blob, int layer_fd)
{
	OWN(str) char *name = NULL;

	TRY(str_format(&name, "blobs/sha256/%s", blob->hex));
	if (blob->text)
		return put_text(writer, name, blob->text);
	TRY(begin_file(writer, name, blob->bytes));
	return put_layer(writer, layer_fd);
}

static struct err *measure(int layer_fd, struct blob *layer)
{
	struct stat st;

	if (lseek(layer_fd, 0, SEEK_SET) < 0 || fstat(layer_fd, &st) < 0)
		return err_sys(errno, "look at the layer");
	layer->bytes = (uint64_t)st.st_size;
	return sha256_fd(layer_fd, "the layer", layer->hex);
}

struct err *image_write(struct archive *writer, int layer_fd, const char *tag)
{
	OWN(blob) struct blob layer = { .type = MEDIA "layer.v1.tar" };
	OWN(blob) struct blob config = { .type = MEDIA "config.v1+json" };
	OWN(blob) struct blob manifest = { .type = MEDIA "manifest.v1+json" };
	OWN(str) char *index = NULL;

	TRY(measure(layer_fd, &layer));
	TRY(make_config(&layer, &config));
	TRY(make_manifest(&config, &layer, &manifest));
	TRY(make_index(&manifest, tag, &index));
	TRY(put_text(writer, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"));
	TRY(put_text(writer, "index.json", index));
	TRY(put_blob(writer, &manifest, layer_fd));
	TRY(put_blob(writer, &config, layer_fd));
	return put_blob(writer, &layer, layer_fd);
}
