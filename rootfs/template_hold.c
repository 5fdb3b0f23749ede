/* Who uses the trees of the store; see template.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/path.h"
#include "rootfs/template.h"

#define DIGEST_LEN 64
#define ID_LEN 32

static bool is_hex(const char *text, size_t len)
{
	return strspn(text, "0123456789abcdef") == len && text[len] == '\0';
}

struct err *template_hold_init(const char *digest, struct template_hold *ret_hold)
{
	unsigned char random[ID_LEN / 2];

	if (!is_hex(digest, DIGEST_LEN))
		return err_new(ERR_INVALID, "'%.70s' is no digest", digest);
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_sys(errno, "make a random id");
	memcpy(ret_hold->digest, digest, DIGEST_LEN + 1);
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(ret_hold->id + 2 * i, 3, "%02x", random[i]);
	return NULL;
}

struct err *template_hold_format(const struct template_hold *hold, struct buf *text)
{
	return buf_format(text, "%s %s\n", hold->digest, hold->id);
}

struct err *template_hold_parse(const char *text, size_t len, struct template_hold *ret_hold)
{
	struct template_hold hold;

	if (len != DIGEST_LEN + 1 + ID_LEN + 1 || text[DIGEST_LEN] != ' ' || text[len - 1] != '\n')
		return err_new(ERR_INVALID, "this names no tree of a template");
	snprintf(hold.digest, sizeof(hold.digest), "%.*s", DIGEST_LEN, text);
	snprintf(hold.id, sizeof(hold.id), "%.*s", ID_LEN, text + DIGEST_LEN + 1);
	if (!is_hex(hold.digest, DIGEST_LEN) || !is_hex(hold.id, ID_LEN))
		return err_new(ERR_INVALID, "this names no tree of a template");
	*ret_hold = hold;
	return NULL;
}

struct err *template_holds_lock(const struct template_store *store, int *ret_fd)
{
	OWN(fd)
	int fd = openat(store->dir_fd, ".used.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			0600);

	if (fd < 0)
		return err_sys(errno, "open the lock of used templates");
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_sys(errno, "lock the used templates");
	*ret_fd = fd_take(&fd);
	return NULL;
}

static struct err *holders_name(const char *digest, char **ret_name)
{
	return str_format(ret_name, "used-sha256-%s", digest);
}

struct err *template_hold_open_tree(const struct template_store *store,
				    const struct template_hold *hold, int *ret_fd)
{
	struct template template = { .digest = (char *)(uintptr_t)hold->digest };

	return template_open_tree(store, &template, ret_fd);
}

struct err *template_hold_take(const struct template_store *store, const struct template_hold *hold)
{
	OWN(fd) int lock_fd = -1, tree_fd = -1, hold_fd = -1;
	OWN(str) char *dir = NULL, *path = NULL;

	TRY(holders_name(hold->digest, &dir));
	TRY(str_format(&path, "%s/%s", dir, hold->id));
	TRY(template_holds_lock(store, &lock_fd));
	TRY(template_hold_open_tree(store, hold, &tree_fd));
	if (mkdirat(store->dir_fd, dir, 0700) < 0 && errno != EEXIST)
		return err_sys(errno, "make %s in the template store", dir);
	hold_fd = openat(store->dir_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (hold_fd < 0)
		return err_sys(errno, "make %s in the template store", path);
	return fsync(hold_fd) < 0 ? err_sys(errno, "sync %s", path) : NULL;
}

struct err *template_hold_drop(const struct template_store *store, const struct template_hold *hold)
{
	OWN(fd) int lock_fd = -1;
	OWN(str) char *dir = NULL, *path = NULL;

	TRY(holders_name(hold->digest, &dir));
	TRY(str_format(&path, "%s/%s", dir, hold->id));
	TRY(template_holds_lock(store, &lock_fd));
	if (unlinkat(store->dir_fd, path, 0) < 0 && errno != ENOENT)
		return err_sys(errno, "remove %s from the template store", path);
	/* with the last holder; not empty and not there are both right */
	(void)unlinkat(store->dir_fd, dir, AT_REMOVEDIR);
	return NULL;
}

struct err *template_is_held(const struct template_store *store, const char *digest, bool *ret_held)
{
	OWN(str) char *dir = NULL;

	TRY(holders_name(digest, &dir));
	*ret_held = unlinkat(store->dir_fd, dir, AT_REMOVEDIR) < 0 && errno != ENOENT;
	return NULL;
}

struct err *template_sweep(const struct template_store *store)
{
	static const char prefix[] = "tree-sha256-";
	int dup_fd = openat(store->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = dup_fd >= 0 ? fdopendir(dup_fd) : NULL;
	struct dirent *entry;

	if (!dir)
		return err_sys(errno, "read the template store");
	while ((entry = readdir(dir)))
		if (str_has_prefix(entry->d_name, prefix) &&
		    is_hex(entry->d_name + strlen(prefix), DIGEST_LEN))
			TRY(template_drop_unused(store, entry->d_name + strlen(prefix)));
	return NULL;
}
