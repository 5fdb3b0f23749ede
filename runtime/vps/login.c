/*
 * Passwords and ssh keys from outside, in the VPS's own files. The tree is the tenant's and
 * hostile: names are resolved inside it, files are made new and renamed. A password is hashed at
 * once, never logged, and wiped. Sources: passwd(5), shadow(5), crypt(5), sshd(8) "AUTHORIZED_KEYS
 * FILE FORMAT".
 */
#include "runtime/vps/login.h"

#include <crypt.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/path.h"

#define OLD_FILE_MAX ((size_t)1 << 20)
#define PASSWORD_MAX 512
#define DAY_S 86400

/* --- what is asked for --- */

struct err *login_check_password(const char *text)
{
	size_t user = strcspn(text, ":");

	/* names as useradd(8) takes them */
	if (user == 0 || user > 32 || text[user] != ':' || text[0] == '-' ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") !=
		    user)
		return err_new(ERR_INVALID, "--userpasswd: not USER:PASSWORD with a user name of "
					    "letters, digits, '_', '.' and '-'");
	text += user + 1;
	if (!*text || strlen(text) > PASSWORD_MAX)
		return err_new(ERR_INVALID, "--userpasswd: a password has 1 to %d bytes",
			       PASSWORD_MAX);
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return err_new(ERR_INVALID,
				       "--userpasswd: a control character in the password");
	return NULL;
}

struct err *login_check_key(const char *key)
{
	static const char *const types[] = { "ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-" };
	const char *blank = strchr(key, ' ');
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		known |= str_has_prefix(key, types[i]);
	if (!known || !blank || strlen(key) > 16384 ||
	    strspn(blank + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=") <
		    16)
		return err_new(ERR_INVALID,
			       "--sshkey: '%.20s' is not a public key such as 'ssh-ed25519 AAAA... "
			       "name'",
			       key);
	for (const char *at = key; *at; at++)
		if (iscntrl((unsigned char)*at))
			return err_new(ERR_INVALID, "--sshkey: a control character in the key");
	return NULL;
}

/* --- files of the tree --- */

struct err *login_file_read(int root_fd, const char *path, struct buf *text, struct stat *ret_st)
{
	OWN(fd) int fd = -1;

	*ret_st = (struct stat){ 0 };
	TRY(buf_add(text, "", 0));
	TRY(path_find_in(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, &fd));
	if (fd < 0)
		return NULL;
	if (fstat(fd, ret_st) < 0 || !S_ISREG(ret_st->st_mode)) {
		*ret_st = (struct stat){ 0 };
		return NULL;
	}
	return fd_read_all(fd, path, OLD_FILE_MAX, text);
}

struct err *login_file_replace(int root_fd, const char *path, mode_t mode, const struct stat *old,
			       const struct buf *text)
{
	OWN(fd) int parent_fd = -1, dir_fd = -1;
	const char *name;

	if (old->st_mode)
		mode = old->st_mode & 0640;
	TRY(path_open_parent_in(root_fd, path, &parent_fd, &name));
	/* an O_PATH descriptor cannot be synced */
	dir_fd = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_sys(errno, "open the directory of %s", path);
	return file_put(dir_fd, &(struct file_new){ .name = name,
						    .mode = mode,
						    .owner = old->st_mode ? old : NULL,
						    .data = text->data,
						    .len = text->len });
}

/* The line of user, up to its end; NULL: none. */
static const char *find_user(const char *text, const char *user, size_t len)
{
	for (const char *line = text; *line;) {
		size_t line_len = strcspn(line, "\n");

		if (strncmp(line, user, len) == 0 && line[len] == ':')
			return line;
		line += line_len + (line[line_len] == '\n');
	}
	return NULL;
}

/* One line replaced, or added at the end. */
static struct err *put_line(const char *old, const char *at, const struct buf *line,
			    struct buf *ret_text)
{
	size_t rest;

	if (!at) {
		size_t len = strlen(old);

		return buf_format(ret_text, "%s%s%s\n", old,
				  len && old[len - 1] != '\n' ? "\n" : "", line->data);
	}
	rest = strcspn(at, "\n");
	TRY(buf_add(ret_text, old, (size_t)(at - old)));
	TRY(buf_add(ret_text, line->data, line->len));
	TRY(buf_format(ret_text, "%s", at[rest] ? at + rest : "\n"));
	return NULL;
}

struct err *login_shadow(const char *old, const char *user, const char *hash, uint64_t day,
			 struct buf *ret_text)
{
	const char *at = find_user(old, user, strlen(user)), *rest = NULL;
	OWN(buf) struct buf line = { 0 };
	int colons = 0;

	/* user:hash:day of change: and what ages it, which stays */
	for (const char *c = at; c && *c && *c != '\n' && !rest; c++)
		if (*c == ':' && ++colons == 3)
			rest = c;
	TRY(buf_format(&line, "%s:%s:%llu", user, hash, (unsigned long long)day));
	if (rest)
		TRY(buf_add(&line, rest, strcspn(rest, "\n")));
	else
		TRY(buf_format(&line, ":0:99999:7:::"));
	return put_line(old, at, &line, ret_text);
}

/* Busybox without shadow passwords has the hash here. */
struct err *login_passwd(const char *old, const char *user, const char *hash, struct buf *ret_text)
{
	const char *at = find_user(old, user, strlen(user)), *rest;
	OWN(buf) struct buf line = { 0 };

	if (!at)
		return err_new(ERR_NOT_FOUND, "no user %s", user);
	rest = strchr(at + strlen(user) + 1, ':');
	if (!rest)
		return err_new(ERR_INVALID, "etc/passwd: the line of %s is damaged", user);
	TRY(buf_format(&line, "%s:%s", user, hash));
	TRY(buf_add(&line, rest, strcspn(rest, "\n")));
	return put_line(old, at, &line, ret_text);
}

static struct err *make_hash(const char *password, struct crypt_data *data, const char **ret_hash)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	/* the library's best method, and random bytes of the kernel's */
	if (!crypt_gensalt_rn(NULL, 0, NULL, 0, setting, sizeof(setting)))
		return err_sys(errno, "make a salt");
	*ret_hash = crypt_rn(password, setting, data, sizeof(*data));
	return *ret_hash ? NULL : err_sys(errno, "hash a password");
}

static struct err *write_hash(int root_fd, const char *user, const char *hash)
{
	OWN(buf) struct buf passwd = { 0 }, shadow = { 0 }, text = { 0 };
	struct stat passwd_st, shadow_st;
	const char *line;

	TRY(login_file_read(root_fd, "etc/passwd", &passwd, &passwd_st));
	line = find_user(passwd.data, user, strlen(user));
	if (!line)
		return err_new(
			ERR_INVALID,
			"--userpasswd: the VPS has no user %s; make it with 'cella exec NAME "
			"useradd'",
			user);
	TRY(login_file_read(root_fd, "etc/shadow", &shadow, &shadow_st));
	if (!shadow_st.st_mode && line[strlen(user) + 1] != 'x') {
		TRY(login_passwd(passwd.data, user, hash, &text));
		return login_file_replace(root_fd, "etc/passwd", 0644, &(struct stat){ 0 }, &text);
	}
	TRY(login_shadow(shadow.data, user, hash, (uint64_t)time(NULL) / DAY_S, &text));
	return login_file_replace(root_fd, "etc/shadow", 0600, &shadow_st, &text);
}

/* NULL: the user has none, or is not there. */
static struct err *hash_of(const char *passwd, const char *shadow, const char *user,
			   char **ret_hash)
{
	const char *line = find_user(shadow, user, strlen(user));
	size_t len;

	if (!line)
		line = find_user(passwd, user, strlen(user));
	if (!line)
		return NULL;
	line += strlen(user) + 1;
	len = strcspn(line, ":\n");
	if (len == 1 && *line == 'x')
		return NULL; /* it would be in shadow */
	return str_format(ret_hash, "%.*s", (int)len, line);
}

/* The same user's hash into the new texts, wherever these have it. */
static struct err *keep_hash(const char *hash, const char *user, struct buf *passwd,
			     struct buf *shadow)
{
	const char *line = find_user(passwd->data, user, strlen(user));
	OWN(buf) struct buf text = { 0 };
	struct buf *in = line[strlen(user) + 1] == 'x' || shadow->len ? shadow : passwd;

	TRY(in == shadow ?
		    login_shadow(shadow->data, user, hash, (uint64_t)time(NULL) / DAY_S, &text) :
		    login_passwd(passwd->data, user, hash, &text));
	buf_release(in);
	*in = text;
	text = (struct buf){ 0 };
	return NULL;
}

struct err *login_keep_passwords(const char *old_passwd, const char *old_shadow, struct buf *passwd,
				 struct buf *shadow)
{
	OWN(str) char *users = NULL;

	TRY(str_dup(passwd->data, &users));
	for (char *rest = users, *line; (line = strsep(&rest, "\n"));) {
		OWN(str) char *hash = NULL;
		char *end = strchr(line, ':');

		if (!end || end == line)
			continue;
		*end = '\0';
		TRY(hash_of(old_passwd, old_shadow, line, &hash));
		if (hash)
			TRY(keep_hash(hash, line, passwd, shadow));
	}
	return NULL;
}

struct err *login_set_password(int root_fd, const char *user_and_password)
{
	struct crypt_data data = { 0 };
	OWN(str) char *user = NULL;
	const char *hash, *password = strchr(user_and_password, ':') + 1;
	struct err *err;

	TRY(str_format(&user, "%.*s", (int)(password - 1 - user_and_password), user_and_password));
	err = make_hash(password, &data, &hash);
	if (!err)
		err = write_hash(root_fd, user, hash);
	explicit_bzero(&data, sizeof(data));
	return err;
}

struct err *login_add_keys(int root_fd, const struct strlist *keys)
{
	OWN(fd) int dir_fd = -1;
	OWN(buf) struct buf text = { 0 };
	struct stat st;

	if (keys->count == 0)
		return NULL;
	TRY(path_make_dir_in(root_fd, "root/.ssh", 0700, &dir_fd));
	TRY(login_file_read(root_fd, "root/.ssh/authorized_keys", &text, &st));
	for (size_t i = 0; i < keys->count; i++) {
		if (strstr(text.data, keys->items[i]))
			continue; /* it has it already */
		if (text.len && text.data[text.len - 1] != '\n')
			TRY(buf_add(&text, "\n", 1));
		TRY(buf_format(&text, "%s\n", keys->items[i]));
	}
	return login_file_replace(root_fd, "root/.ssh/authorized_keys", 0600, &st, &text);
}

struct err *login_check(const struct vps_login *login)
{
	if (!login)
		return NULL;
	if (login->password)
		TRY(login_check_password(login->password));
	for (size_t i = 0; i < login->keys.count; i++)
		TRY(login_check_key(login->keys.items[i]));
	return NULL;
}

struct err *login_write(int root_fd, const struct vps_login *login)
{
	if (!login)
		return NULL;
	if (login->password)
		TRY(login_set_password(root_fd, login->password));
	return login_add_keys(root_fd, &login->keys);
}
