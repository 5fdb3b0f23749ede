/* Private to runtime/vps: passwords and keys in a VPS's own files. root_fd: its root, borrowed. */
#ifndef RUNTIME_VPS_LOGIN_H
#define RUNTIME_VPS_LOGIN_H

#include <stdint.h>

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

/* The new text of /etc/shadow (day: days since 1970) and of /etc/passwd. */
MUST_CHECK struct err *login_shadow(const char *old, const char *user, const char *hash,
				    uint64_t day, struct buf *ret_text);
MUST_CHECK struct err *login_passwd(const char *old, const char *user, const char *hash,
				    struct buf *ret_text);

#endif
