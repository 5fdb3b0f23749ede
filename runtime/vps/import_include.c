/* Files that another system's configuration includes; see import_keys.h. A configuration that comes
 * from elsewhere may name any file of this host's, and what is not taken over is told to whoever
 * asked for the import: so those beside it are read, and no other. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "runtime/vps/import_keys.h"

#define INCLUDES_MAX 64 /* a file that includes itself ends here */

#define OUTSIDE "that file is not beside the configuration and was not read: put its lines there"

/* What path is below the directory; NULL: it is not below it, by its text. */
static struct err *below(int dir_fd, const char *path, const char **ret_below)
{
	struct path_fd link = path_of_fd(dir_fd);
	char dir[PATH_MAX];
	ssize_t len;

	*ret_below = NULL;
	if (path[0] != '/') {
		*ret_below = path;
		return NULL;
	}
	len = readlink(link.text, dir, sizeof(dir));
	if (len < 0)
		return err_sys(errno, "read %s", link.text);
	if (strncmp(path, dir, (size_t)len) == 0 && path[len] == '/')
		*ret_below = path + len + 1;
	return NULL;
}

static struct err *read_file(int dir_fd, const char *path, struct buf *ret_text)
{
	OWN(fd) int fd = -1;
	struct err *err = path_open_beneath(dir_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd);
	struct stat st;

	if (err) { /* which becomes a note */
		bool is_missing = err_kind(err) == ERR_NOT_FOUND;

		err_drop(err);
		return err_new(ERR_INVALID, is_missing ? "that file is not there" : OUTSIDE);
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_new(ERR_INVALID, "that is no file");
	TRY(fd_read_all(fd, path, CONF_FILE_MAX, ret_text));
	return ret_text->data && memchr(ret_text->data, '\0', ret_text->len) ?
		       err_new(ERR_INVALID, "that file is no text") :
		       NULL;
}

struct err *import_include(struct import *import, const char *path, struct buf *ret_text)
{
	const char *name = NULL;

	if (import->dir_fd >= 0)
		TRY(below(import->dir_fd, path, &name));
	if (!name)
		return err_new(ERR_INVALID, OUTSIDE);
	if (++import->include_count > INCLUDES_MAX)
		return err_new(ERR_INVALID, "these are more than %d files", INCLUDES_MAX);
	return read_file(import->dir_fd, name, ret_text);
}
