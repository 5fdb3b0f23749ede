/* The store of templates on disk: names, descriptions, trees by digest; see template.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/sha256.h"
#include "rootfs/template_room.h"

#define DESCRIPTION_MAX ((size_t)64 << 10)
#define OS_RELEASE_MAX ((size_t)64 << 10)
#define SUFFIX ".json"

void template_release(struct template *template)
{
	free(template->name);
	free(template->digest);
	free(template->source);
	free(template->os);
	*template = (struct template){ 0 };
}

void template_store_release(struct template_store *store)
{
	own_fd(&store->lock_fd);
	own_fd(&store->dir_fd);
	*store = (struct template_store)TEMPLATE_STORE_INIT;
}

static struct err *tree_name(const char *digest, char **ret_name)
{
	return str_format(ret_name, "tree-sha256-%s", digest);
}

static struct err *lock_store(struct template_store *store)
{
	store->lock_fd =
		openat(store->dir_fd, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (store->lock_fd < 0)
		return err_sys(errno, "open the lock of the template store");
	while (flock(store->lock_fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_sys(errno, "lock the template store");
	/* whoever holds the lock is the only one at work, so an unfinished tree is a dead one's */
	TRY(path_remove_tree(store->dir_fd, TEMPLATE_IMAGE));
	TRY(path_remove_tree(store->dir_fd, TEMPLATE_INCOMING));
	return template_sweep(store);
}

struct err *template_store_open(const char *path, enum template_access access,
				struct template_store *ret_store)
{
	OWN(template_store) struct template_store store = TEMPLATE_STORE_INIT;

	TRY(path_make_own_dirs(path, 0700));
	store.dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store.dir_fd < 0)
		return err_sys(errno, "open %s", path);
	if (access == TEMPLATE_CHANGE)
		TRY(lock_store(&store));
	*ret_store = store;
	store = (struct template_store)TEMPLATE_STORE_INIT;
	return NULL;
}

/* Names sort as strcmp does, in place. */
static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct err *template_names(const struct template_store *store, struct strlist *ret_names)
{
	OWN(strlist) struct strlist names = { 0 };
	int dup_fd = openat(store->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = dup_fd >= 0 ? fdopendir(dup_fd) : NULL;
	struct dirent *entry;

	if (!dir)
		return err_sys(errno, "read the template store");
	while ((errno = 0, entry = readdir(dir))) {
		size_t len = strlen(entry->d_name), suffix = strlen(SUFFIX);

		if (len > suffix && str_eq(entry->d_name + len - suffix, SUFFIX) &&
		    entry->d_name[0] != '.')
			TRY(strlist_format(&names, "%.*s", (int)(len - suffix), entry->d_name));
	}
	if (errno)
		return err_sys(errno, "read the template store");
	if (names.count)
		qsort(names.items, names.count, sizeof(*names.items), compare_names);
	*ret_names = names;
	names = (struct strlist){ 0 };
	return NULL;
}

static struct err *not_found(const struct template_store *store, const char *name)
{
	OWN(strlist) struct strlist names = { 0 };
	OWN(buf) struct buf list = { 0 };

	TRY(template_names(store, &names));
	for (size_t i = 0; i < names.count; i++)
		TRY(buf_format(&list, "%s%s", i ? " " : "", names.items[i]));
	if (!names.count)
		return err_new(ERR_NOT_FOUND,
			       "template %s does not exist; make one with 'cella template create'",
			       name);
	return err_new(ERR_NOT_FOUND, "template %s does not exist; there are: %s", name, list.data);
}

static bool is_digest(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static struct err *parse_description(const char *name, const struct buf *text, struct template *ret)
{
	OWN(json_doc) struct json_doc *doc = NULL;
	OWN(template) struct template template = { 0 };
	const char *digest, *source, *os = NULL;
	const struct json *root;
	uint64_t created;

	TRY(json_parse(text->data, text->len, &doc));
	root = json_root(doc);
	TRY(json_string(json_get(root, "digest"), "digest", &digest));
	if (!is_digest(digest))
		return err_new(ERR_INVALID, "digest is not a SHA-256 in hex");
	TRY(json_string(json_get(root, "source"), "source", &source));
	if (json_get(root, "os"))
		TRY(json_string(json_get(root, "os"), "os", &os));
	TRY(json_u64(json_get(root, "entries"), "entries", UINT64_MAX, &template.entries));
	TRY(json_u64(json_get(root, "bytes"), "bytes", UINT64_MAX, &template.bytes));
	TRY(json_u64(json_get(root, "created"), "created", INT64_MAX, &created));
	template.created_s = (int64_t)created;
	TRY(str_dup(name, &template.name));
	TRY(str_dup(digest, &template.digest));
	TRY(str_dup(source, &template.source));
	if (os)
		TRY(str_dup(os, &template.os));
	*ret = template;
	template = (struct template){ 0 };
	return NULL;
}

struct err *template_load(const struct template_store *store, const char *name,
			  struct template *ret_template)
{
	OWN(str) char *file = NULL;
	OWN(buf) struct buf text = { 0 };
	struct err *err;

	TRY(parse_container_id(name));
	TRY(str_format(&file, "%s" SUFFIX, name));
	err = file_read(store->dir_fd, file, DESCRIPTION_MAX, &text);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* said with the names there are */
		return not_found(store, name);
	}
	if (!err)
		err = parse_description(name, &text, ret_template);
	return err ? err_wrap(err, "template %s", name) : NULL;
}

struct err *template_open_tree(const struct template_store *store, const struct template *template,
			       int *ret_fd)
{
	OWN(str) char *tree = NULL;

	TRY(tree_name(template->digest, &tree));
	return path_open_beneath(store->dir_fd, tree, O_RDONLY | O_DIRECTORY, ret_fd);
}

/* The line PRETTY_NAME="..." of the tree's os-release, NULL without one. The tree is hostile:
 * printable text only. */
static struct err *read_os(int tree_fd, char **ret_os)
{
	OWN(fd) int fd = -1;
	OWN(buf) struct buf text = { 0 };
	struct err *err =
		path_open_in(tree_fd, "etc/os-release", O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd);
	struct stat st;
	char *line;

	if (err) {
		err_drop(err); /* plenty of trees have none */
		return NULL;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)OS_RELEASE_MAX)
		return NULL;
	TRY(fd_read_all(fd, "os-release", OS_RELEASE_MAX, &text));
	line = strstr(text.data, "PRETTY_NAME=");
	if (!line || (line != text.data && line[-1] != '\n'))
		return NULL;
	line += strlen("PRETTY_NAME=");
	line += *line == '"';
	line[strcspn(line, "\"\n")] = '\0';
	return strlen(line) <= 200 ? str_escape(line, ret_os) : NULL;
}

static struct err *write_description(const struct template_store *store,
				     const struct template *template)
{
	OWN(json_out) struct json_out *out = NULL;
	OWN(str) char *text = NULL, *file = NULL;

	TRY(json_out_new(true, &out));
	json_out_object(out);
	json_out_key(out, "digest");
	json_out_string(out, template->digest);
	json_out_key(out, "source");
	json_out_string(out, template->source);
	json_out_key(out, "os");
	json_out_string(out, template->os);
	json_out_key(out, "entries");
	json_out_u64(out, template->entries);
	json_out_key(out, "bytes");
	json_out_u64(out, template->bytes);
	json_out_key(out, "created");
	json_out_i64(out, template->created_s);
	json_out_end_object(out);
	TRY(json_out_take(out, &text));
	TRY(str_format(&file, "%s" SUFFIX, template->name));
	return file_replace(store->dir_fd, file, 0600, text, strlen(text));
}

/* Does any name still stand for this digest? */
static struct err *is_used(const struct template_store *store, const char *digest, bool *ret_used)
{
	OWN(strlist) struct strlist names = { 0 };

	*ret_used = false;
	TRY(template_names(store, &names));
	for (size_t i = 0; i < names.count && !*ret_used; i++) {
		OWN(template) struct template template = { 0 };
		struct err *err = template_load(store, names.items[i], &template);

		if (err)
			log_warn(err); /* a damaged description must not keep others from being
					  removed */
		else
			*ret_used = str_eq(template.digest, digest);
	}
	return NULL;
}

struct err *template_drop_unused(const struct template_store *store, const char *digest)
{
	OWN(str) char *tree = NULL;
	OWN(fd) int lock_fd = -1;
	bool used;

	TRY(is_used(store, digest, &used));
	if (used)
		return NULL;
	TRY(template_holds_lock(store, &lock_fd));
	TRY(template_is_held(store, digest, &used));
	if (used)
		return NULL;
	TRY(tree_name(digest, &tree));
	/* out of sight first, so that a killed removal leaves no half tree under a good name */
	if (renameat(store->dir_fd, tree, store->dir_fd, TEMPLATE_INCOMING) < 0)
		return errno == ENOENT ? NULL : err_sys(errno, "move %s away", tree);
	return path_remove_tree(store->dir_fd, TEMPLATE_INCOMING);
}

struct err *template_remove(const struct template_store *store, const char *name)
{
	OWN(template) struct template template = { 0 };
	OWN(str) char *file = NULL;

	TRY(template_load(store, name, &template));
	TRY(str_format(&file, "%s" SUFFIX, name));
	if (unlinkat(store->dir_fd, file, 0) < 0)
		return err_sys(errno, "remove template %s", name);
	if (fsync(store->dir_fd) < 0)
		return err_sys(errno, "sync the template store");
	return template_drop_unused(store, template.digest);
}

struct err *template_open_incoming(const struct template_store *store, int *ret_fd)
{
	TRY(path_remove_tree(store->dir_fd, TEMPLATE_INCOMING));
	if (mkdirat(store->dir_fd, TEMPLATE_INCOMING, 0755) < 0)
		return err_sys(errno, "make the directory to unpack into");
	return path_open_beneath(store->dir_fd, TEMPLATE_INCOMING, O_RDONLY | O_DIRECTORY, ret_fd);
}

/* A VPS cannot start from just anything: it needs a first program. */
static struct err *check_tree(int tree_fd)
{
	static const char *const programs[] = { "sbin/init", "etc/init", "bin/init", "bin/sh" };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		OWN(fd) int fd = -1;
		struct err *err = path_open_in(tree_fd, programs[i], O_PATH, &fd);

		if (!err)
			return NULL;
		err_drop(err); /* the next one, then */
	}
	return err_new(ERR_INVALID,
		       "this is no root file system: it has neither /sbin/init nor /bin/sh");
}

/* The finished tree under its digest, then the description: the moment at which the template
 * exists. */
struct err *template_publish(const struct template_store *store, int tree_fd,
			     struct template *template)
{
	OWN(template) struct template old = { 0 };
	OWN(str) char *tree = NULL;
	struct err *err;

	TRY(check_tree(tree_fd));
	TRY(read_os(tree_fd, &template->os));
	TRY(tree_name(template->digest, &tree));
	if (syncfs(tree_fd) < 0)
		return err_sys(errno, "sync the unpacked tree");
	/* there already, from an earlier import of the same content: that one stays */
	if (renameat(store->dir_fd, TEMPLATE_INCOMING, store->dir_fd, tree) < 0 &&
	    errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT)
		return err_sys(errno, "put the tree into the template store");
	err = template_load(store, template->name, &old);
	if (err) {
		err_drop(err); /* the name is new, or its old description was damaged */
		old = (struct template){ 0 };
	}
	template->created_s = time(NULL);
	TRY(write_description(store, template));
	TRY(path_remove_tree(store->dir_fd, TEMPLATE_INCOMING));
	return old.digest ? template_drop_unused(store, old.digest) : NULL;
}

struct err *template_build(const struct template_store *store,
			   const struct template_builder *builder)
{
	OWN(template) struct template template = { 0 };
	OWN(fd) int dest_fd = -1;
	struct err *err;

	TRY(parse_container_id(builder->name));
	TRY(str_dup(builder->name, &template.name));
	TRY(str_dup(builder->digest, &template.digest));
	TRY(str_dup(builder->source, &template.source));
	TRY(template_open_incoming(store, &dest_fd));
	err = builder->fill(builder, dest_fd);
	if (!err)
		err = template_publish(store, dest_fd, &template);
	return err ? err_first(err, path_remove_tree(store->dir_fd, TEMPLATE_INCOMING)) : NULL;
}
