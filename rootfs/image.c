/*
 * Container images on disk, down to a list of layers with digests: OCI layouts, and the archives of
 * docker save and podman save once they are unpacked. What is read is hostile: every path goes
 * through base/path.h, every file is compared with the digest by which it is named. Sources: OCI
 * image-spec 1.1, image-layout.md, image-index.md, manifest.md; moby, image/spec/spec.md 1.2.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"
#include "base/sha256.h"
#include "rootfs/template_room.h"

#define JSON_BYTES_MAX ((size_t)8 << 20)
#define LAYERS_MAX 256
#define INDEX_DEPTH 3
#define TAG_ANNOTATION "org.opencontainers.image.ref.name"

void image_release(struct image *image)
{
	for (size_t i = 0; i < image->layer_count; i++)
		free(image->layers[i].path);
	free(image->layers);
	*image = (struct image){ 0 };
}

bool image_is_one(int dir_fd)
{
	static const char *const marks[] = { "oci-layout", "manifest.json" };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		struct stat st;

		if (fstatat(dir_fd, marks[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			return true;
	}
	return false;
}

/* --- files --- */

static struct err *open_file(int dir_fd, const char *path, int *ret_fd)
{
	OWN(fd) int fd = -1;
	struct stat st;

	TRY(path_open_in(dir_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_new(ERR_INVALID, "%.100s is not a regular file", path);
	*ret_fd = fd_take(&fd);
	return NULL;
}

static bool is_hex_digest(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

/* "sha256:HEX" to HEX. */
static struct err *digest_of(const struct json *value, char hex[SHA256_HEX_MAX])
{
	static const char prefix[] = "sha256:";
	const char *text;

	TRY(json_string(value, "digest", &text));
	if (!str_has_prefix(text, prefix) || !is_hex_digest(text + strlen(prefix)))
		return err_new(ERR_INVALID, "the digest '%.80s' is not sha256 and 64 hex digits",
			       text);
	memcpy(hex, text + strlen(prefix), SHA256_HEX_MAX);
	return NULL;
}

/* Compare, and go back to the beginning. */
static struct err *check_digest(int fd, const char *path, const char *wanted)
{
	char hex[SHA256_HEX_MAX];

	TRY(sha256_fd(fd, path, hex));
	if (!str_eq(hex, wanted))
		return err_new(ERR_INVALID,
			       "%.100s has the digest sha256:%s and not the sha256:%s "
			       "by which the image names it",
			       path, hex, wanted);
	return lseek(fd, 0, SEEK_SET) < 0 ? err_sys(errno, "rewind %s", path) : NULL;
}

struct err *image_open_layer(int dir_fd, const struct image_layer *layer, int *ret_fd)
{
	OWN(fd) int fd = -1;

	TRY(open_file(dir_fd, layer->path, &fd));
	TRY(check_digest(fd, layer->path, layer->sha256));
	*ret_fd = fd_take(&fd);
	return NULL;
}

/* digest: NULL, or what the file must have. */
static struct err *read_json(int dir_fd, const char *path, const char *digest,
			     struct json_doc **ret_doc)
{
	OWN(buf) struct buf text = { 0 };
	OWN(fd) int fd = -1;

	TRY(open_file(dir_fd, path, &fd));
	if (digest)
		TRY(check_digest(fd, path, digest));
	TRY(fd_read_all(fd, path, JSON_BYTES_MAX, &text));
	return err_wrap(json_parse(text.data, text.len, ret_doc), "%.100s", path);
}

/* path: taken over, also on failure. */
static struct err *add_layer_take_path(struct image *image, char *path, const char *sha256)
{
	struct image_layer *grown = NULL;

	if (image->layer_count < LAYERS_MAX)
		grown = reallocarray(image->layers, image->layer_count + 1, sizeof(*grown));
	if (!grown) {
		free(path);
		return err_new(ERR_INVALID, "the image has more than %d layers", LAYERS_MAX);
	}
	image->layers = grown;
	grown[image->layer_count].path = path;
	memcpy(grown[image->layer_count++].sha256, sha256, SHA256_HEX_MAX);
	return NULL;
}

/* --- OCI layouts --- */

static struct err *blob_path(const char *hex, char **ret_path)
{
	return str_format(ret_path, "blobs/sha256/%s", hex);
}

/* This machine's, in Go's words. */
const char *image_architecture(void)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" },	  { "aarch64", "arm64" },   { "i686", "386" },
		{ "armv7l", "arm" },	  { "ppc64le", "ppc64le" }, { "s390x", "s390x" },
		{ "riscv64", "riscv64" },
	};
	static struct utsname machine;

	uname(&machine);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(machine.machine, names[i][0]))
			return names[i][1];
	return machine.machine;
}

static bool is_text(const struct json *value, const char *text)
{
	return value && value->type == JSON_STRING && str_eq(value->text, text);
}

/* No platform is any platform. */
static bool suits(const struct json *descriptor, const char *tag)
{
	const struct json *platform = json_get(descriptor, "platform");
	const struct json *name = json_get(json_get(descriptor, "annotations"), TAG_ANNOTATION);

	if (platform && (!is_text(json_get(platform, "os"), "linux") ||
			 !is_text(json_get(platform, "architecture"), image_architecture())))
		return false;
	return !tag || is_text(name, tag);
}

/* The one descriptor that suits. */
static struct err *choose(const struct json *index, const char *tag, const struct json **ret_chosen)
{
	const struct json *manifests = json_get(index, "manifests"), *chosen = NULL;

	if (!manifests || manifests->type != JSON_ARRAY)
		return err_new(ERR_INVALID, "the image's index has no manifests");
	for (const struct json *one = manifests->child; one; one = one->next) {
		if (!suits(one, tag))
			continue;
		if (chosen)
			return err_new(ERR_INVALID,
				       "there are several images of linux/%s in it: "
				       "say which with --image TAG",
				       image_architecture());
		chosen = one;
	}
	if (!chosen)
		return err_new(ERR_NOT_FOUND, "there is no image%s%s for linux/%s in it",
			       tag ? " " : "", tag ? tag : "", image_architecture());
	*ret_chosen = chosen;
	return NULL;
}

static struct err *read_manifest(const struct json *manifest, struct image *image)
{
	const struct json *layers = json_get(manifest, "layers");

	if (!layers || layers->type != JSON_ARRAY)
		return err_new(ERR_INVALID, "the image's manifest has no layers");
	for (const struct json *one = layers->child; one; one = one->next) {
		char hex[SHA256_HEX_MAX];
		char *path;

		TRY(digest_of(json_get(one, "digest"), hex));
		TRY(blob_path(hex, &path));
		TRY(add_layer_take_path(image, path, hex));
	}
	return NULL;
}

/* index.json names a manifest, or another index, one per platform. */
static struct err *read_layout(int dir_fd, const char *tag, struct image *image)
{
	OWN(json_doc) struct json_doc *doc = NULL;

	TRY(read_json(dir_fd, "index.json", NULL, &doc));
	for (int depth = 0; depth < INDEX_DEPTH; depth++) {
		OWN(str) char *path = NULL;
		struct json_doc *next = NULL;
		const struct json *chosen;

		TRY(choose(json_root(doc), depth == 0 ? tag : NULL, &chosen));
		TRY(digest_of(json_get(chosen, "digest"), image->digest));
		TRY(blob_path(image->digest, &path));
		TRY(read_json(dir_fd, path, image->digest, &next));
		json_doc_free(doc);
		doc = next;
		if (!json_get(json_root(doc), "manifests"))
			return read_manifest(json_root(doc), image);
	}
	return err_new(ERR_INVALID, "the image's indices are nested too deep");
}

/* --- docker's archives --- */

static bool has_tag(const struct json *one, const char *tag)
{
	const struct json *tags = json_get(one, "RepoTags");

	if (!tag)
		return true;
	for (const struct json *name = tags && tags->type == JSON_ARRAY ? tags->child : NULL; name;
	     name = name->next)
		if (is_text(name, tag))
			return true;
	return false;
}

static struct err *choose_docker(const struct json *list, const char *tag,
				 const struct json **ret_chosen)
{
	const struct json *chosen = NULL;

	TRY(json_expect(list, JSON_ARRAY));
	for (const struct json *one = list->child; one; one = one->next) {
		if (!has_tag(one, tag))
			continue;
		if (chosen)
			return err_new(
				ERR_INVALID,
				"there are several images in it: say which with --image TAG");
		chosen = one;
	}
	if (!chosen)
		return err_new(ERR_NOT_FOUND, "there is no image%s%s in it", tag ? " " : "",
			       tag ? tag : "");
	*ret_chosen = chosen;
	return NULL;
}

/* manifest.json names the files, the config their digests: layers lie there uncompressed. */
static struct err *read_docker(int dir_fd, const char *tag, struct image *image)
{
	OWN(json_doc) struct json_doc *doc = NULL, *config = NULL;
	const struct json *chosen, *path, *diff_id;
	const char *config_path;
	OWN(fd) int fd = -1;

	TRY(read_json(dir_fd, "manifest.json", NULL, &doc));
	TRY(choose_docker(json_root(doc), tag, &chosen));
	TRY(json_string(json_get(chosen, "Config"), "Config", &config_path));
	TRY(open_file(dir_fd, config_path, &fd));
	TRY(sha256_fd(fd, config_path, image->digest));
	TRY(read_json(dir_fd, config_path, NULL, &config));
	path = json_get(chosen, "Layers");
	diff_id = json_get(json_get(json_root(config), "rootfs"), "diff_ids");
	if (!path || !diff_id || path->count != diff_id->count)
		return err_new(ERR_INVALID, "the image's layers and their digests do not match");
	for (path = path->child, diff_id = diff_id->child; path && diff_id;
	     path = path->next, diff_id = diff_id->next) {
		char hex[SHA256_HEX_MAX];
		const char *text;
		char *copy;

		TRY(json_string(path, "Layers", &text));
		TRY(digest_of(diff_id, hex));
		TRY(str_dup(text, &copy));
		TRY(add_layer_take_path(image, copy, hex));
	}
	return NULL;
}

struct err *image_read(int dir_fd, const char *tag, struct image *ret_image)
{
	OWN(image) struct image image = { 0 };
	struct stat st;

	if (fstatat(dir_fd, "oci-layout", &st, AT_SYMLINK_NOFOLLOW) == 0)
		TRY(read_layout(dir_fd, tag, &image));
	else
		TRY(read_docker(dir_fd, tag, &image));
	if (!image.layer_count)
		return err_new(ERR_INVALID, "the image has no layers");
	*ret_image = image;
	image = (struct image){ 0 };
	return NULL;
}
