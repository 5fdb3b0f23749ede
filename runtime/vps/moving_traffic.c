/* The sums of traffic go with a VPS that moves; see moving.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "runtime/vps/moving.h"
#include "runtime/vps/traffic.h"

static struct err *export_file(int dir_fd, const char *file, struct strlist *pairs)
{
	OWN(buf) struct buf text = { 0 };

	TRY(file_read(dir_fd, file, TRAFFIC_FILE_MAX, &text));
	TRY(strlist_add(pairs, file + strlen(TRAFFIC_FILE_PREFIX)));
	return strlist_add(pairs, text.data ? text.data : "");
}

struct err *traffic_export(const struct vps_host *host, const char *name, struct strlist *ret_pairs)
{
	OWN(str) char *path = NULL;
	OWN(dir) DIR *dir = NULL;
	struct dirent *entry;

	TRY(str_format(&path, "%s/%s", host->traffic_dir, name));
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? NULL : err_sys(errno, "read %s", path);
	while ((errno = 0, entry = readdir(dir)))
		if (str_has_prefix(entry->d_name, TRAFFIC_FILE_PREFIX))
			TRY(export_file(dirfd(dir), entry->d_name, ret_pairs));
	return errno ? err_sys(errno, "read %s", path) : NULL;
}

/* What is written is what was understood, not what came. */
static struct err *import_file(int dir_fd, const char *part_name, const char *sums)
{
	struct traffic_part part;
	struct vps_traffic_file file = { 0 };
	OWN(buf) struct buf text = { 0 };
	struct err *err;

	if (!traffic_part_parse(part_name, &part))
		return err_new(ERR_INVALID, "'%.20s' is no name of an interface", part_name);
	err = traffic_parse(sums, strlen(sums), &file);
	if (!err)
		err = traffic_format(&file, &text);
	vps_traffic_release(&file.traffic);
	if (!err)
		err = file_replace(dir_fd, traffic_part_file(&part).text, 0600, text.data,
				   text.len);
	return err;
}

struct err *traffic_import(const struct vps_host *host, const char *name,
			   const struct strlist *pairs)
{
	OWN(str) char *path = NULL;
	OWN(fd) int fd = -1;

	if (pairs->count % 2)
		return err_new(ERR_INVALID, "traffic: an interface without its sums");
	TRY(str_format(&path, "%s/%s", host->traffic_dir, name));
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(errno, "make %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(errno, "open %s", path);
	for (size_t i = 0; i < pairs->count; i += 2)
		TRY(err_wrap(import_file(fd, pairs->items[i], pairs->items[i + 1]), "traffic"));
	return NULL;
}
