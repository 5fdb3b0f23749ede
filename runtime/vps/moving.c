/* The journal of a move: text, file and lock; see moving.h. */
#include "runtime/vps/moving.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/parse.h"

#define JOURNAL_MAX ((size_t)4096)
#define VERSION 1
#define ID_BYTES 16

static const char *const state_names[MOVING_STATE_COUNT] = {
	[MOVING_NONE] = "unknown",	  [MOVING_SENDING] = "sending",
	[MOVING_COMMITTED] = "committed", [MOVING_REMOVING] = "removing",
	[MOVING_GONE] = "gone",		  [MOVING_RETURNING] = "returning",
	[MOVING_RETURNED] = "returned",	  [MOVING_RECEIVING] = "receiving",
	[MOVING_PREPARED] = "prepared",	  [MOVING_ACTIVE] = "active",
	[MOVING_DONE] = "done",		  [MOVING_DISCARDED] = "discarded",
};

const char *moving_state_name(enum moving_state state)
{
	return state_names[state];
}

struct err *moving_state_parse(const char *text, enum moving_state *ret_state)
{
	for (size_t i = 0; i < MOVING_STATE_COUNT; i++)
		if (str_eq(text, state_names[i])) {
			*ret_state = (enum moving_state)i;
			return NULL;
		}
	return err_new(ERR_INVALID, "'%.40s' is no state of a move", text);
}

struct err *moving_id_new(char *ret_id)
{
	unsigned char bytes[ID_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(errno, "get random bytes");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret_id + 2 * i, 3, "%02x", bytes[i]);
	return NULL;
}

bool moving_is_id(const char *text)
{
	return strlen(text) == MOVING_ID_MAX - 1 &&
	       strspn(text, "0123456789abcdef") == MOVING_ID_MAX - 1;
}

/* --- text --- */

static struct err *read_text(const struct json *value, size_t room, char *ret_text)
{
	const char *text;

	TRY(json_string(value, NULL, &text));
	if (strlen(text) >= room)
		return json_err(value, ERR_INVALID, "it is longer than %zu bytes", room - 1);
	memcpy(ret_text, text, strlen(text) + 1);
	return NULL;
}

static struct err *read_members(const struct json *root, struct moving *moving)
{
	char state[16];
	uint64_t version;

	TRY(json_expect(root, JSON_OBJECT));
	TRY(json_u64(json_get(root, "version"), "version", VERSION, &version));
	TRY(read_text(json_get(root, "state"), sizeof(state), state));
	TRY(moving_state_parse(state, &moving->state));
	TRY(read_text(json_get(root, "id"), sizeof(moving->id), moving->id));
	TRY(read_text(json_get(root, "peer"), sizeof(moving->peer), moving->peer));
	TRY(json_bool(json_get(root, "wasRunning"), "wasRunning", &moving->was_running));
	TRY(json_u64(json_get(root, "since"), "since", INT64_MAX, &moving->since_s));
	if (version != VERSION || !moving_is_id(moving->id) || moving->state == MOVING_NONE)
		return err_new(ERR_INVALID, "it is no journal of a move");
	return NULL;
}

struct err *moving_parse(const char *text, size_t len, struct moving *ret_moving)
{
	static const char *const members[] = { "version", "state",	"id",
					       "peer",	  "wasRunning", "since" };
	OWN(json_doc) struct json_doc *doc = NULL;
	struct moving moving = { 0 };
	const struct json *root;

	TRY(json_parse(text, len, &doc));
	root = json_root(doc);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (!json_get(root, members[i]))
			return err_new(ERR_INVALID, "it has no %s", members[i]);
	TRY(read_members(root, &moving));
	*ret_moving = moving;
	return NULL;
}

struct err *moving_format(const struct moving *moving, char **ret_text)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(true, &out));
	json_out_object(out);
	json_out_key(out, "version");
	json_out_u64(out, VERSION);
	json_out_key(out, "state");
	json_out_string(out, state_names[moving->state]);
	json_out_key(out, "id");
	json_out_string(out, moving->id);
	json_out_key(out, "peer");
	json_out_string(out, moving->peer);
	json_out_key(out, "wasRunning");
	json_out_bool(out, moving->was_running);
	json_out_key(out, "since");
	json_out_u64(out, moving->since_s);
	json_out_end_object(out);
	return json_out_take(out, ret_text);
}

/* --- file --- */

static struct err *file_name(const char *name, char **ret_name)
{
	TRY(parse_container_id(name));
	return str_format(ret_name, "%s.json", name);
}

static struct err *open_dir(const struct vps_host *host, int *ret_fd)
{
	*ret_fd = open(host->moving_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(errno, "open %s", host->moving_dir) : NULL;
}

struct err *moving_read(const struct vps_host *host, const char *name, struct moving *ret_moving)
{
	OWN(str) char *file = NULL;
	OWN(buf) struct buf text = { 0 };
	OWN(fd) int dir_fd = -1;
	struct err *err;

	TRY(file_name(name, &file));
	TRY(open_dir(host, &dir_fd));
	err = file_read(dir_fd, file, JOURNAL_MAX, &text);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* the usual case */
		*ret_moving = (struct moving){ .state = MOVING_NONE };
		return NULL;
	}
	if (!err)
		err = moving_parse(text.data ? text.data : "", text.len, ret_moving);
	return err_wrap(err, "%s/%s", host->moving_dir, file);
}

struct err *moving_write(const struct vps_host *host, const char *name, struct moving *moving,
			 enum moving_state state)
{
	OWN(str) char *file = NULL, *text = NULL;
	OWN(fd) int dir_fd = -1;
	struct moving next = *moving;

	next.state = state;
	next.since_s = (uint64_t)time(NULL);
	TRY(file_name(name, &file));
	TRY(open_dir(host, &dir_fd));
	TRY(moving_format(&next, &text));
	TRY(file_replace(dir_fd, file, 0600, text, strlen(text)));
	*moving = next;
	return NULL;
}

struct err *moving_forget(const struct vps_host *host, const char *name)
{
	OWN(str) char *file = NULL;
	OWN(fd) int dir_fd = -1;

	TRY(file_name(name, &file));
	TRY(open_dir(host, &dir_fd));
	if (unlinkat(dir_fd, file, 0) < 0)
		return errno == ENOENT ? NULL :
					 err_sys(errno, "remove %s/%s", host->moving_dir, file);
	return fsync(dir_fd) < 0 ? err_sys(errno, "sync %s", host->moving_dir) : NULL;
}

struct err *moving_lock(const struct vps_host *host, const char *name, int *ret_fd)
{
	OWN(str) char *path = NULL;
	OWN(fd) int fd = -1;

	TRY(parse_container_id(name));
	TRY(str_format(&path, "%s/%s.move", host->monitor_dir, name));
	*ret_fd = -1;
	/* the file stays: it is empty, and lies in /run */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(errno, "open lock %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? NULL : err_sys(errno, "lock %s", path);
	*ret_fd = fd_take(&fd);
	return NULL;
}
