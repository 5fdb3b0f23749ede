/* Snapshots as files; see snapshot.h. */
#include "runtime/vps/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/path.h"

#define INFO_MAX ((size_t)64 << 10)
#define ID_MAX 128
#define CURRENT "current"

void snapshots_release(struct snapshots *snapshots)
{
	own_fd(&snapshots->dir_fd);
	free(snapshots->path);
	*snapshots = (struct snapshots)SNAPSHOTS_INIT;
}

void vps_snapshot_release(struct vps_snapshot *snapshot)
{
	free(snapshot->id);
	free(snapshot->parent);
	free(snapshot->name);
	free(snapshot->description);
	free(snapshot->layout);
	free(snapshot->mounted_on);
	*snapshot = (struct vps_snapshot){ 0 };
}

void vps_snapshot_list_release(struct vps_snapshot_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		vps_snapshot_release(&list->items[i]);
	free(list->items);
	*list = (struct vps_snapshot_list){ 0 };
}

struct err *snapshot_path(const struct snapshots *snapshots, const char *dir, char **ret_path)
{
	return str_format(ret_path, "%s/%s", snapshots->path, dir);
}

/* A half made or half removed one: the disk by its own rules, then the files. */
static struct err *remove_rest(const struct vps_host *host, const struct snapshots *snapshots,
			       const char *dir)
{
	OWN(str) char *path = NULL;
	struct stat st;

	if (fstatat(snapshots->dir_fd, dir, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? NULL : err_sys(errno, "look at %s", dir);
	TRY(snapshot_path(snapshots, dir, &path));
	TRY(disk_remove(&(struct disk){
		.parent = path, .name = "disk", .template_dir = host->template_dir }));
	return path_remove_tree(snapshots->dir_fd, dir);
}

struct err *snapshots_clear(const struct vps_host *host, const struct snapshots *snapshots)
{
	TRY(file_sweep(snapshots->dir_fd, CURRENT));
	TRY(remove_rest(host, snapshots, SNAPSHOT_NEW));
	return remove_rest(host, snapshots, SNAPSHOT_OLD);
}

struct err *snapshots_open(const struct vps_host *host, const char *name,
			   struct snapshots *ret_snapshots)
{
	OWN(snapshots) struct snapshots snapshots = SNAPSHOTS_INIT;
	OWN(fd) int all_fd = open(host->snapshot_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (all_fd < 0)
		return err_sys(errno, "open %s", host->snapshot_dir);
	TRY(parse_container_id(name));
	TRY(str_format(&snapshots.path, "%s/%s", host->snapshot_dir, name));
	if (mkdirat(all_fd, name, 0700) < 0 && errno != EEXIST)
		return err_sys(errno, "make %s", snapshots.path);
	TRY(path_open_beneath(all_fd, name, O_RDONLY | O_DIRECTORY, &snapshots.dir_fd));
	*ret_snapshots = snapshots;
	snapshots = (struct snapshots)SNAPSHOTS_INIT;
	return NULL;
}

struct err *snapshot_make_id(char **ret_id)
{
	unsigned char r[16];

	if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return err_sys(errno, "make a random id");
	r[6] = (r[6] & 0x0f) | 0x40; /* RFC 4122: version 4, variant 1 */
	r[8] = (r[8] & 0x3f) | 0x80;
	return str_format(ret_id,
			  "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			  r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11],
			  r[12], r[13], r[14], r[15]);
}

/* --- info.json --- */

static void put_text(struct json_out *out, const char *key, const char *text)
{
	json_out_key(out, key);
	json_out_string(out, text);
}

struct err *snapshot_save(const struct snapshots *snapshots, const char *dir,
			  const struct vps_snapshot *snapshot)
{
	OWN(json_out) struct json_out *out = NULL;
	OWN(str) char *text = NULL;
	OWN(fd) int dir_fd = -1;

	TRY(json_out_new(true, &out));
	json_out_object(out);
	put_text(out, "parent", snapshot->parent);
	put_text(out, "name", snapshot->name);
	put_text(out, "description", snapshot->description);
	put_text(out, "layout", snapshot->layout);
	json_out_key(out, "createdNanoseconds");
	json_out_u64(out, snapshot->created_ns);
	json_out_end_object(out);
	TRY(json_out_take(out, &text));
	TRY(path_open_beneath(snapshots->dir_fd, dir, O_RDONLY | O_DIRECTORY, &dir_fd));
	return file_replace(dir_fd, "info.json", 0600, text, strlen(text));
}

/* Missing and null are NULL. */
static struct err *copy_member(const struct json *root, const char *key, char **ret_text)
{
	const struct json *member = json_get(root, key);
	const char *text;

	if (!member || member->type == JSON_NULL)
		return NULL;
	TRY(json_string(member, key, &text));
	return str_dup(text, ret_text);
}

static struct err *parse_info(const struct buf *text, struct vps_snapshot *snapshot)
{
	OWN(json_doc) struct json_doc *doc = NULL;
	const struct json *root;

	TRY(json_parse(text->data, text->len, &doc));
	root = json_root(doc);
	TRY(copy_member(root, "parent", &snapshot->parent));
	TRY(copy_member(root, "name", &snapshot->name));
	TRY(copy_member(root, "description", &snapshot->description));
	TRY(copy_member(root, "layout", &snapshot->layout));
	return json_u64(json_get(root, "createdNanoseconds"), "createdNanoseconds", INT64_MAX,
			&snapshot->created_ns);
}

/* *ret_text stays NULL when there is no such file. */
static struct err *read_line(int dir_fd, const char *file, char **ret_text)
{
	OWN(buf) struct buf text = { 0 };
	struct err *err = file_read(dir_fd, file, INFO_MAX, &text);

	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* that is an answer */
		return NULL;
	}
	if (err)
		return err;
	return str_format(ret_text, "%.*s", (int)strcspn(text.data ? text.data : "", "\n"),
			  text.data ? text.data : "");
}

static struct err *load(const struct snapshots *snapshots, const char *id,
			struct vps_snapshot *snapshot)
{
	OWN(fd) int dir_fd = -1;
	OWN(buf) struct buf text = { 0 };
	OWN(str) char *current = NULL;

	TRY(path_open_beneath(snapshots->dir_fd, id, O_RDONLY | O_DIRECTORY, &dir_fd));
	TRY(str_dup(id, &snapshot->id));
	TRY(file_read(dir_fd, "info.json", INFO_MAX, &text));
	TRY(parse_info(&text, snapshot));
	TRY(read_line(dir_fd, "mounted", &snapshot->mounted_on));
	TRY(snapshot_current(snapshots, &current));
	snapshot->is_current = str_eq(current, id);
	return NULL;
}

static void own_snapshot(struct vps_snapshot *snapshot)
{
	vps_snapshot_release(snapshot);
}

struct err *snapshot_load(const struct snapshots *snapshots, const char *id,
			  struct vps_snapshot *ret_snapshot)
{
	OWN(snapshot) struct vps_snapshot snapshot = { 0 };
	struct err *err;

	TRY(err_wrap(parse_container_id(id), "--id"));
	err = load(snapshots, id, &snapshot);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* said in the operator's words */
		return err_new(ERR_NOT_FOUND, "there is no snapshot %s", id);
	}
	if (err)
		return err_wrap(err, "snapshot %s", id);
	*ret_snapshot = snapshot;
	snapshot = (struct vps_snapshot){ 0 };
	return NULL;
}

struct err *snapshot_read_conf(const struct snapshots *snapshots, const char *id,
			       struct conf_file *ret_file)
{
	OWN(buf) struct buf text = { 0 };
	OWN(fd) int dir_fd = -1;

	TRY(path_open_beneath(snapshots->dir_fd, id, O_RDONLY | O_DIRECTORY, &dir_fd));
	TRY(file_read(dir_fd, "conf", CONF_FILE_MAX, &text));
	return err_wrap(conf_file_parse(text.data ? text.data : "", text.len, ret_file),
			"snapshot %s", id);
}

struct err *snapshot_current(const struct snapshots *snapshots, char **ret_id)
{
	return read_line(snapshots->dir_fd, CURRENT, ret_id);
}

struct err *snapshot_set_current(const struct snapshots *snapshots, const char *id)
{
	OWN(str) char *text = NULL;

	TRY(str_format(&text, "%s\n", id));
	return file_replace(snapshots->dir_fd, CURRENT, 0600, text, strlen(text));
}

/* --- all of them --- */

static int compare_age(const void *a, const void *b)
{
	const struct vps_snapshot *x = a, *y = b;

	if (x->created_ns != y->created_ns)
		return x->created_ns < y->created_ns ? -1 : 1;
	return strcmp(x->id, y->id);
}

static struct err *add(const struct snapshots *snapshots, const char *id,
		       struct vps_snapshot_list *list)
{
	struct vps_snapshot *items = reallocarray(list->items, list->count + 1, sizeof(*items));

	if (!items)
		return err_sys(ENOMEM, "list snapshots");
	list->items = items;
	items[list->count] = (struct vps_snapshot){ 0 };
	TRY(snapshot_load(snapshots, id, &items[list->count]));
	list->count++;
	return NULL;
}

static bool is_snapshot(const struct snapshots *snapshots, const char *name)
{
	struct stat st;

	return name[0] != '.' && !strchr(name, '~') &&
	       fstatat(snapshots->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

struct err *snapshots_list(const struct snapshots *snapshots, struct vps_snapshot_list *ret_list)
{
	int dup_fd = openat(snapshots->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = dup_fd >= 0 ? fdopendir(dup_fd) : NULL;
	struct vps_snapshot_list list = { 0 };
	struct dirent *entry;
	struct err *err = NULL;

	if (!dir)
		return err_sys(errno, "read %s", snapshots->path);
	while (!err && (entry = readdir(dir)))
		if (is_snapshot(snapshots, entry->d_name))
			err = add(snapshots, entry->d_name, &list);
	if (err) {
		vps_snapshot_list_release(&list);
		return err;
	}
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), compare_age);
	*ret_list = list;
	return NULL;
}
