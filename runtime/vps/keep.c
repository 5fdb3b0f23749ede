/*
 * What of a VPS's own files outlives a new root: who it is, and who may log in. Both trees are
 * hostile: the old one is the tenant's, names are resolved inside them, and files are made new.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "runtime/vps/hostkeys.h"
#include "runtime/vps/login.h"
#include "runtime/vps/rebuild.h"

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
	TRY(host_keys_keep(name, old_fd, new_fd));
	TRY(keep_login_keys(name, old_fd, new_fd));
	return keep_passwords(name, old_fd, new_fd);
}
