/*
 * What of a VPS's own files outlives a new root: who it is, and who may log in. Both trees are
 * hostile: the old one is the tenant's, names are resolved inside them, and files are made new.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "runtime/vps/login.h"
#include "runtime/vps/rebuild.h"

#define HOST_KEYS_MAX 32

/* The old file's text; nothing of what cannot be read, which its owner may have wanted. */
static void read_old(const char *name, int old_fd, const char *path, struct buf *text)
{
	struct stat st;
	struct err *err = login_file_read(old_fd, path, text, &st);

	if (!err)
		return;
	log_warn(err_wrap(err, "VPS %s: %s is not kept", name, path));
	buf_release(text);
}

static struct err *keep_file(const char *name, int old_fd, int new_fd, const char *path,
			     mode_t mode)
{
	OWN(buf) struct buf text = { 0 };

	read_old(name, old_fd, path, &text);
	if (text.len == 0)
		return NULL;
	return login_file_replace(new_fd, path, mode, &(struct stat){ 0 }, &text);
}

/* "ssh_host_ed25519_key", "ssh_host_ed25519_key.pub" */
static bool is_host_key(const char *file)
{
	return str_has_prefix(file, "ssh_host_") && strstr(file, "_key") &&
	       strspn(file, "abcdefghijklmnopqrstuvwxyz0123456789_.") == strlen(file);
}

static struct err *list_host_keys(int old_fd, struct strlist *ret_paths)
{
	OWN(fd) int fd = -1;
	OWN(dir) DIR *dir = NULL;
	struct dirent *entry;

	TRY(path_find_in(old_fd, "etc/ssh", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, &fd));
	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (!dir)
		return err_sys(errno, "read etc/ssh");
	fd = -1; /* the stream's */
	while (ret_paths->count < HOST_KEYS_MAX && (entry = readdir(dir)))
		if (is_host_key(entry->d_name))
			TRY(strlist_format(ret_paths, "etc/ssh/%s", entry->d_name));
	return NULL;
}

static struct err *keep_host_keys(const char *name, int old_fd, int new_fd)
{
	OWN(strlist) struct strlist paths = { 0 };
	OWN(fd) int fd = -1;
	struct err *err = list_host_keys(old_fd, &paths);

	if (err)
		log_warn(err_wrap(err, "VPS %s: ssh host keys are not kept", name));
	TRY(path_find_in(new_fd, "etc/ssh", O_PATH | O_DIRECTORY, &fd));
	for (size_t i = 0; i < paths.count && fd >= 0; i++)
		TRY(keep_file(name, old_fd, new_fd, paths.items[i],
			      strstr(paths.items[i], ".pub") ? 0644 : 0600));
	return NULL;
}

static struct err *keep_login_keys(const char *name, int old_fd, int new_fd)
{
	static const char path[] = "root/.ssh/authorized_keys";
	OWN(buf) struct buf text = { 0 };
	OWN(fd) int dir_fd = -1;

	read_old(name, old_fd, path, &text);
	if (text.len == 0)
		return NULL;
	TRY(path_make_dir_in(new_fd, "root/.ssh", 0700, &dir_fd));
	return login_file_replace(new_fd, path, 0600, &(struct stat){ 0 }, &text);
}

static struct err *keep_passwords(const char *name, int old_fd, int new_fd)
{
	OWN(buf) struct buf old_passwd = { 0 }, old_shadow = { 0 }, passwd = { 0 }, shadow = { 0 };
	struct stat passwd_st, shadow_st;

	read_old(name, old_fd, "etc/passwd", &old_passwd);
	read_old(name, old_fd, "etc/shadow", &old_shadow);
	TRY(login_file_read(new_fd, "etc/passwd", &passwd, &passwd_st));
	TRY(login_file_read(new_fd, "etc/shadow", &shadow, &shadow_st));
	TRY(login_keep_passwords(old_passwd.data ? old_passwd.data : "",
				 old_shadow.data ? old_shadow.data : "", &passwd, &shadow));
	if (passwd.len)
		TRY(login_file_replace(new_fd, "etc/passwd", 0644, &(struct stat){ 0 }, &passwd));
	return shadow.len ? login_file_replace(new_fd, "etc/shadow", 0600, &shadow_st, &shadow) :
			    NULL;
}

struct err *keep_credentials(const char *name, int old_fd, int new_fd)
{
	TRY(keep_file(name, old_fd, new_fd, "etc/machine-id", 0444));
	TRY(keep_host_keys(name, old_fd, new_fd));
	TRY(keep_login_keys(name, old_fd, new_fd));
	return keep_passwords(name, old_fd, new_fd);
}
