/* Definitions on disk: NAME.conf, read, checked and replaced; see vps.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"
#include "runtime/vps/room.h"

#define SUFFIX ".conf"

static struct err *conf_path(const struct vps_host *host, const char *name, char **ret_path)
{
	TRY(parse_container_id(name));
	return str_format(ret_path, "%s/%s" SUFFIX, host->conf_dir, name);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "NAME.conf" to "NAME"; false for other files, hidden ones and names that could not be ours. */
static bool is_definition(const char *file, char *name, size_t room)
{
	size_t len = strlen(file), suffix = strlen(SUFFIX);
	struct err *err;

	if (len <= suffix || len - suffix >= room || !str_eq(file + len - suffix, SUFFIX))
		return false;
	memcpy(name, file, len - suffix);
	name[len - suffix] = '\0';
	err = parse_container_id(name);
	err_drop(err); /* only whether, not why */
	return !err;
}

struct err *vps_names(const struct vps_host *host, struct strlist *ret_names)
{
	OWN(strlist) struct strlist names = { 0 };
	OWN(dir) DIR *dir = opendir(host->conf_dir);
	struct dirent *entry;
	char name[256];

	if (!dir)
		return err_sys(errno, "read %s", host->conf_dir);
	while ((errno = 0, entry = readdir(dir)))
		if (is_definition(entry->d_name, name, sizeof(name)))
			TRY(strlist_add(&names, name));
	if (errno)
		return err_sys(errno, "read %s", host->conf_dir);
	if (names.count)
		qsort(names.items, names.count, sizeof(*names.items), compare_names);
	*ret_names = names;
	names = (struct strlist){ 0 };
	return NULL;
}

struct err *store_read(const struct vps_host *host, const char *name, struct conf_file *ret_file)
{
	OWN(str) char *path = NULL;
	OWN(buf) struct buf text = { 0 };
	struct err *err;

	TRY(conf_path(host, name, &path));
	err = file_read(AT_FDCWD, path, CONF_FILE_MAX, &text);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* said in the operator's words */
		return err_new(ERR_NOT_FOUND, "VPS %s does not exist (no %s)", name, path);
	}
	if (!err)
		err = err_wrap(conf_file_parse(text.data, text.len, ret_file), "%s", path);
	return err;
}

struct err *store_exists(const struct vps_host *host, const char *name, bool *ret_exists)
{
	OWN(str) char *path = NULL;

	TRY(conf_path(host, name, &path));
	*ret_exists = access(path, F_OK) == 0;
	return NULL;
}

struct err *vps_load(const struct vps_host *host, const char *name, struct vps_conf *ret_conf)
{
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(vps_conf) struct vps_conf conf;
	struct err *err;

	vps_conf_init(&conf);
	TRY(store_read(host, name, &file));
	TRY(vps_conf_merge(&host->defaults, &conf));
	err = vps_conf_read(&file, &conf);
	if (!err)
		err = vps_conf_check_file(&conf, &file);
	if (err)
		return err_wrap(err, "%s/%s" SUFFIX, host->conf_dir, name);
	*ret_conf = conf;
	vps_conf_init(&conf);
	return NULL;
}

/* What we are about to write must read back as what we mean: CVE-2026-23953 was a line break in a
 * value. */
static struct err *check_reads_back(const struct conf_file *file, const struct buf *text)
{
	OWN(conf_file) struct conf_file again = { 0 };

	TRY(conf_file_parse(text->data, text->len, &again));
	for (size_t i = 0; i < file->count; i++) {
		const char *key = file->lines[i].key;
		const char *meant = key ? conf_file_get(file, key) : NULL;
		const char *read = key ? conf_file_get(&again, key) : NULL;

		if (key && (!read || !str_eq(meant, read)))
			return err_new(ERR_INVALID,
				       "the value of %s would not read back as it is meant", key);
	}
	return NULL;
}

static struct err *open_dir(const struct vps_host *host, int *ret_fd)
{
	*ret_fd = open(host->conf_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(errno, "open %s", host->conf_dir) : NULL;
}

struct err *store_write(const struct vps_host *host, const char *name, const struct conf_file *file)
{
	OWN(buf) struct buf text = { 0 };
	OWN(str) char *base = NULL;
	OWN(fd) int dir_fd = -1;

	TRY(open_dir(host, &dir_fd));
	TRY(parse_container_id(name));
	TRY(conf_file_format(file, &text));
	TRY(check_reads_back(file, &text));
	TRY(str_format(&base, "%s" SUFFIX, name));
	TRY(file_sweep(dir_fd, base));
	return file_replace(dir_fd, base, 0644, text.data ? text.data : "", text.len);
}

/* Synced: what follows takes away the disk, which may be on another file system than this, and a
 * definition that comes back after a power cut would have none. */
struct err *store_retire(const struct vps_host *host, const char *name)
{
	OWN(str) char *base = NULL, *retired = NULL;
	OWN(fd) int dir_fd = -1;

	TRY(open_dir(host, &dir_fd));
	TRY(parse_container_id(name));
	TRY(str_format(&base, "%s" SUFFIX, name));
	TRY(str_format(&retired, "%s.destroyed", base));
	TRY(file_sweep(dir_fd, base));
	if (renameat(dir_fd, base, dir_fd, retired) < 0 && errno != ENOENT)
		return err_sys(errno, "rename %s/%s to %s", host->conf_dir, base, retired);
	return fsync(dir_fd) < 0 ? err_sys(errno, "sync %s", host->conf_dir) : NULL;
}
