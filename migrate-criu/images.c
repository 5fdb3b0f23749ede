/* The directory of a checkpoint's images and what we read and write there besides CRIU. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "migrate-criu/place.h"

#define DESCRIPTORS "descriptors.json"
#define INVENTORY "inventory.img" /* CRIU writes it with every dump */
#define CONFIG_ANNOTATION "org.criu.config"
#define CONFIG_DEFAULT "/etc/criu/runc.conf"
#define DESCRIPTORS_MAX 65536

void cr_dirs_release(struct cr_dirs *dirs)
{
	own_fd(&dirs->images_fd);
	own_fd(&dirs->work_fd);
	*dirs = (struct cr_dirs)CR_DIRS_INIT;
}

static struct err *open_dir(const char *what, const char *path, bool make, int *ret_fd)
{
	if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(errno, "%s: make directory %s", what, path);
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0)
		return err_sys(errno, "%s: open directory %s", what, path);
	return NULL;
}

/* CRIU makes a link of it in the images' directory and says nothing of use if it leads nowhere. */
static struct err *check_parent(int images_fd, const char *parent)
{
	OWN(fd) int fd = -1;

	if (parent[0] == '/')
		return err_new(ERR_INVALID, "--parent-path: %s is not relative to the image path",
			       parent);
	fd = openat(images_fd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(errno, "--parent-path: open directory %s below the image path",
			       parent);
	return NULL;
}

struct err *cr_dirs_open(const struct cr_options *options, enum criu_verb verb,
			 struct cr_dirs *ret_dirs)
{
	OWN(cr_dirs) struct cr_dirs dirs = CR_DIRS_INIT;
	const char *path = options->image_path ? options->image_path : "checkpoint";

	TRY(open_dir("--image-path", path, verb != CRIU_RESTORE, &dirs.images_fd));
	if (verb == CRIU_RESTORE && faccessat(dirs.images_fd, INVENTORY, F_OK, 0) < 0)
		return err_new(ERR_INVALID,
			       "--image-path: %s has no " INVENTORY ": it is no checkpoint", path);
	if (options->parent_path)
		TRY(check_parent(dirs.images_fd, options->parent_path));
	dirs.log_path = path;
	if (options->work_path) {
		TRY(open_dir("--work-path", options->work_path, true, &dirs.work_fd));
		dirs.log_path = options->work_path;
	}
	*ret_dirs = dirs;
	dirs = (struct cr_dirs)CR_DIRS_INIT;
	return NULL;
}

/* Mount a directory over itself, its ids mapped. */
static struct err *map_dir(int userns_fd, int *fd)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns_fd };
	OWN(fd)
	int tree_fd = open_tree(*fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	int mapped_fd;

	if (tree_fd < 0)
		return err_sys(errno, "clone the mount of the images");
	if (mount_setattr(tree_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(errno,
			       "map the ids of the images, which the file system must support");
	if (move_mount(tree_fd, "", *fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(errno, "mount the images");
	mapped_fd = openat(tree_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mapped_fd < 0)
		return err_sys(errno, "open the mounted images");
	own_fd(fd);
	*fd = mapped_fd;
	return NULL;
}

struct err *cr_dirs_map(struct cr_dirs *dirs, const struct id_maps *maps)
{
	OWN(fd) int userns_fd = -1;

	if (dirs->work_fd < 0)
		TRY(fd_dup(dirs->images_fd, &dirs->work_fd));
	TRY(id_maps_open_userns(maps, &userns_fd));
	return map_dir(userns_fd, &dirs->images_fd);
}

void cr_dirs_name(const struct cr_dirs *dirs, struct criu_request *request)
{
	request->images_fd = dirs->images_fd;
	request->work_fd = dirs->work_fd;
	request->log_level = log_wants_debug() ? 4 : 2;
	request->log_file = request->verb == CRIU_RESTORE ? "restore.log" : "dump.log";
}

struct err *cr_explain(struct err *err, const struct cr_dirs *dirs, const char *log_file)
{
	if (!err || err_kind(err) != ERR_PEER)
		return err;
	return err_wrap(err, "see %s/%s", dirs->log_path, log_file);
}

/* --- descriptors.json --- */

struct err *cr_descriptors_save(int images_fd, pid_t pid)
{
	OWN(json_out) struct json_out *out = NULL;
	OWN(str) char *text = NULL;

	TRY(json_out_new(false, &out));
	json_out_array(out);
	for (int fd = 0; fd < 3; fd++) {
		OWN(str) char *path = NULL;
		char target[4096];
		ssize_t len;

		TRY(str_format(&path, "/proc/%d/fd/%d", (int)pid, fd));
		len = readlink(path, target, sizeof(target) - 1);
		target[len < 0 ? 0 : len] = '\0'; /* closed: nothing to join */
		json_out_string(out, target);
	}
	json_out_end_array(out);
	TRY(json_out_take(out, &text));
	return file_replace(images_fd, DESCRIPTORS, 0600, text, strlen(text));
}

struct err *cr_descriptors_parse(const char *text, size_t len, struct criu_request *request)
{
	OWN(json_doc) struct json_doc *doc = NULL;
	OWN(strlist) struct strlist links = { 0 };

	TRY(json_parse(text, len, &doc));
	TRY(json_strlist(json_root(doc), "descriptors", &links));
	for (size_t fd = 0; fd < links.count && fd < 3; fd++)
		if (str_has_prefix(links.items[fd], "pipe:"))
			TRY(criu_request_inherit(request, links.items[fd], (int)fd));
	return NULL;
}

struct err *cr_descriptors_load(int images_fd, struct criu_request *request)
{
	OWN(buf) struct buf text = { 0 };
	struct err *err = file_read(images_fd, DESCRIPTORS, DESCRIPTORS_MAX, &text);

	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* made by criu alone: no pipe to join */
		return NULL;
	}
	if (!err)
		err = cr_descriptors_parse(text.data, text.len, request);
	return err_wrap(err, "%s", DESCRIPTORS);
}

const char *cr_config_file(const struct strlist *annotations)
{
	const char *path = strlist_env(annotations, CONFIG_ANNOTATION);

	if (!path)
		return CONFIG_DEFAULT;
	return *path ? path : NULL;
}
