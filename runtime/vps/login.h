/* Private to runtime/vps: passwords and keys in a VPS's own files. root_fd: its root, borrowed. */
#ifndef RUNTIME_VPS_LOGIN_H
#define RUNTIME_VPS_LOGIN_H

#include <stdint.h>
#include <sys/stat.h>

#include "runtime/vps/vps.h"

/* Both below, of what was asked for; NULL is nothing. */
MUST_CHECK struct err *login_check(const struct vps_login *login);
MUST_CHECK struct err *login_write(int root_fd, const struct vps_login *login);
/* "USER:PASSWORD"; ERR_INVALID without a word of the password. */
MUST_CHECK struct err *login_check_password(const char *user_and_password);
/* One line of authorized_keys. */
MUST_CHECK struct err *login_check_key(const char *key);
/* What was checked; ERR_INVALID: the VPS has no such user. */
MUST_CHECK struct err *login_set_password(int root_fd, const char *user_and_password);
/* Added to root's authorized_keys, each once. */
MUST_CHECK struct err *login_add_keys(int root_fd, const struct strlist *keys);

/*
 * A regular file of a tree, and a new one in its place. text is never NULL; ret_st.st_mode 0: there
 * is none, or nothing that is a file. The new one has the old one's owner and at most 0640 of its
 * mode; of none (st_mode 0) it is root's, with mode.
 */
MUST_CHECK struct err *login_file_read(int root_fd, const char *path, struct buf *text,
				       struct stat *ret_st);
MUST_CHECK struct err *login_file_replace(int root_fd, const char *path, mode_t mode,
					  const struct stat *old, const struct buf *text);
/* The new text of /etc/shadow (day: days since 1970) and of /etc/passwd. */
MUST_CHECK struct err *login_shadow(const char *old, const char *user, const char *hash,
				    uint64_t day, struct buf *ret_text);
MUST_CHECK struct err *login_passwd(const char *old, const char *user, const char *hash,
				    struct buf *ret_text);
/* The users of the new texts get the hashes that they have in the old ones, whose other users they
 * do not get. All are texts, "" where there is no such file. */
MUST_CHECK struct err *login_keep_passwords(const char *old_passwd, const char *old_shadow,
					    struct buf *passwd, struct buf *shadow);

#endif
