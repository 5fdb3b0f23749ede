/*
 * ssh host keys of a VPS: they say who it is, so no two have the same. They are made on the host,
 * by its ssh-keygen(1), so that they are there before anything runs in the VPS: a server without
 * keys does not start, and not every init makes some. No file of a VPS is read for it, and a new
 * key is on no disk but the VPS's. The tree is the tenant's and hostile, as in login.c.
 */
#include "runtime/vps/hostkeys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "runtime/vps/login.h"
#include "runtime/vps/room.h"

#define KEYGEN "/usr/bin/ssh-keygen"
#define KEYGEN_TIMEOUT_MS 120000 /* RSA takes its time on a slow machine */
#define SSH_DIR "etc/ssh"
#define KEYS_MAX 32

/* Without any of these a server gets the first. */
static const char *const types[] = { "ed25519", "ecdsa", "rsa" };

/* "ssh_host_ed25519_key", "ssh_host_ed25519_key.pub", "ssh_host_ed25519_key-cert.pub" */
static bool is_host_key(const char *file)
{
	return str_has_prefix(file, "ssh_host_") && strstr(file, "_key") &&
	       strspn(file, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == strlen(file);
}

/* Names of at most KEYS_MAX files. *ret_fd -1: there is no directory that a server could read. */
static struct err *list_keys(int tree_fd, int *ret_fd, struct strlist *ret_names)
{
	OWN(fd) int fd = -1, dup_fd = -1;
	OWN(dir) DIR *dir = NULL;
	struct dirent *entry;
	struct err *err = path_open_in(tree_fd, SSH_DIR, O_RDONLY | O_DIRECTORY, &fd);

	*ret_fd = -1;
	if (err) {
		err_drop(err);
		return NULL;
	}
	TRY(fd_dup(fd, &dup_fd));
	dir = fdopendir(dup_fd);
	if (!dir)
		return err_sys(errno, "read " SSH_DIR);
	dup_fd = -1; /* the stream's */
	while (ret_names->count < KEYS_MAX && (entry = readdir(dir)))
		if (is_host_key(entry->d_name))
			TRY(strlist_add(ret_names, entry->d_name));
	*ret_fd = fd_take(&fd);
	return NULL;
}

static struct err *remove_keys(int dir_fd, const struct strlist *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (unlinkat(dir_fd, names->items[i], 0) < 0 && errno != EISDIR && errno != ENOENT)
			return err_sys(errno, "remove " SSH_DIR "/%s", names->items[i]);
	return NULL;
}

/* --- new ones --- */

static struct err *put_file(int from_fd, const char *name, int tree_fd, mode_t mode)
{
	OWN(buf) struct buf text = { 0 };
	OWN(str) char *path = NULL;

	TRY(file_read(from_fd, name, 65536, &text));
	TRY(str_format(&path, SSH_DIR "/%s", name));
	return login_file_replace(tree_fd, path, mode, &(struct stat){ 0 }, &text);
}

/* In work_fd, which only we know: the program finds it by our descriptor. */
static struct err *run_keygen(const char *type, int work_fd, const char *name)
{
	OWN(strlist) struct strlist argv = { 0 };
	OWN(buf) struct buf output = { 0 };
	struct proc_run run = { .path = KEYGEN,
				.timeout_ms = KEYGEN_TIMEOUT_MS,
				.output = &output };
	int status;

	TRY(strlist_add(&argv, "ssh-keygen"));
	TRY(strlist_add(&argv, "-q"));
	TRY(strlist_format(&argv, "-t%s", type));
	TRY(strlist_add(&argv, "-N")); /* no pass phrase */
	TRY(strlist_add(&argv, ""));
	TRY(strlist_add(&argv, "-C")); /* no comment: it would be a user of the host */
	TRY(strlist_add(&argv, ""));
	TRY(strlist_format(&argv, "-f/proc/%d/fd/%d/%s", (int)getpid(), work_fd, name));
	run.argv = argv.items;
	TRY(proc_run(&run, &status));
	if (status == 0)
		return NULL;
	TRY(buf_add(&output, "", 0));
	return err_new(ERR_PEER, KEYGEN " -t %s ended with status %d: %.*s", type, status,
		       (int)strcspn(output.data, "\n"), output.data);
}

static struct err *make_key(const char *type, int work_fd, int tree_fd)
{
	OWN(str) char *name = NULL, *public_name = NULL;

	TRY(str_format(&name, "ssh_host_%s_key", type));
	TRY(str_format(&public_name, "%s.pub", name));
	TRY(run_keygen(type, work_fd, name));
	TRY(put_file(work_fd, name, tree_fd, 0600));
	return put_file(work_fd, public_name, tree_fd, 0644);
}

static struct err *make_keys(const struct strlist *old, int tree_fd)
{
	OWN(fd) int work_fd = -1;
	size_t made = 0;

	TRY(vps_open_empty(&work_fd));
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		OWN(str) char *name = NULL;

		TRY(str_format(&name, "ssh_host_%s_key", types[i]));
		if (!strlist_has(old, name))
			continue;
		TRY(make_key(types[i], work_fd, tree_fd));
		made++;
	}
	return made ? NULL : make_key(types[0], work_fd, tree_fd);
}

struct err *host_keys_renew(int tree_fd)
{
	OWN(strlist) struct strlist old = { 0 };
	OWN(fd) int dir_fd = -1;
	struct stat st;

	TRY(list_keys(tree_fd, &dir_fd, &old));
	if (dir_fd < 0)
		return NULL;
	TRY(remove_keys(dir_fd, &old));
	if (old.count == 0 && fstatat(dir_fd, "sshd_config", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return NULL; /* no server */
	if (access(KEYGEN, X_OK) < 0) {
		log_warning("it has no ssh host keys: there is no " KEYGEN " here; install "
			    "openssh-client, or run 'ssh-keygen -A' inside");
		return NULL;
	}
	return err_wrap(make_keys(&old, tree_fd), "ssh host keys");
}

/* --- the old ones --- */

static struct err *keep_key(const char *vps, const char *name, int old_fd, int new_fd)
{
	OWN(buf) struct buf text = { 0 };
	OWN(str) char *path = NULL;
	struct stat st;
	struct err *err;

	TRY(str_format(&path, SSH_DIR "/%s", name));
	err = login_file_read(old_fd, path, &text, &st);
	if (err) {
		log_warn(err_wrap(err, "VPS %s: %s is not kept", vps, path));
		return NULL;
	}
	if (text.len == 0)
		return NULL;
	return login_file_replace(new_fd, path, strstr(name, ".pub") ? 0644 : 0600,
				  &(struct stat){ 0 }, &text);
}

struct err *host_keys_keep(const char *vps, int old_fd, int new_fd)
{
	OWN(strlist) struct strlist old = { 0 }, new = { 0 };
	OWN(fd) int old_dir_fd = -1, new_dir_fd = -1;

	TRY(list_keys(old_fd, &old_dir_fd, &old));
	if (old.count == 0)
		return host_keys_renew(new_fd);
	TRY(list_keys(new_fd, &new_dir_fd, &new));
	if (new_dir_fd < 0)
		return NULL;
	TRY(remove_keys(new_dir_fd, &new));
	for (size_t i = 0; i < old.count; i++)
		TRY(keep_key(vps, old.items[i], old_fd, new_fd));
	return NULL;
}
