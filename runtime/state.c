/*
 * ROOT/ID/: one directory per container, locked by flock(2) on itself, holding state.json (replaced
 * by rename), the copy of config.json that exec needs, and the socket on which init waits for
 * `start` (its presence means "created"). A directory without state.json is a create that was
 * killed at its first step.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/proc.h"
#include "runtime/birth.h"

#define STATE_MAX ((size_t)4 << 20)

static const char *const status_names[CT_STATUS_COUNT] = {
	[CT_CREATING] = "creating", [CT_CREATED] = "created", [CT_RUNNING] = "running",
	[CT_PAUSED] = "paused",	    [CT_STOPPED] = "stopped",
};

const char *ct_status_name(enum ct_status status)
{
	return status_names[status];
}

void ct_state_release(struct ct_state *state)
{
	free(state->id);
	free(state->bundle);
	free(state->rootfs);
	free(state->oci_version);
	free(state->cgroup_path);
	free(state->scope);
	free(state->rdt_group);
	free(state->notify_socket);
	strlist_release(&state->annotations);
	for (int kind = 0; kind < HOOK_KIND_COUNT; kind++)
		hook_list_release(&state->hooks[kind]);
	*state = (struct ct_state){ 0 };
}

/* --- writing --- */

static void put_string(struct json_out *out, const char *key, const char *text)
{
	if (!text)
		return;
	json_out_key(out, key);
	json_out_string(out, text);
}

static void put_u64(struct json_out *out, const char *key, uint64_t value)
{
	json_out_key(out, key);
	json_out_u64(out, value);
}

static void put_bool(struct json_out *out, const char *key, bool value)
{
	json_out_key(out, key);
	json_out_bool(out, value);
}

static void put_strlist(struct json_out *out, const char *key, const struct strlist *list)
{
	json_out_key(out, key);
	json_out_array(out);
	for (size_t i = 0; i < list->count; i++)
		json_out_string(out, list->items[i]);
	json_out_end_array(out);
}

static struct err *put_annotations(struct json_out *out, const struct strlist *annotations)
{
	json_out_key(out, "annotations");
	json_out_object(out);
	for (size_t i = 0; i < annotations->count; i++) {
		OWN(str) char *key = NULL;
		const char *value = strchr(annotations->items[i], '=');

		TRY(str_format(&key, "%.*s", (int)(value - annotations->items[i]),
			       annotations->items[i]));
		json_out_key(out, key);
		json_out_string(out, value + 1);
	}
	json_out_end_object(out);
	return NULL;
}

static void put_hooks(struct json_out *out, const struct ct_state *state)
{
	json_out_key(out, "hooks");
	json_out_object(out);
	for (int kind = 0; kind < HOOK_KIND_COUNT; kind++) {
		const struct hook_list *list = &state->hooks[kind];

		if (list->count == 0)
			continue;
		json_out_key(out, hook_kind_names[kind]);
		json_out_array(out);
		for (size_t i = 0; i < list->count; i++) {
			json_out_object(out);
			put_string(out, "path", list->items[i].path);
			put_strlist(out, "args", &list->items[i].args);
			put_strlist(out, "env", &list->items[i].env);
			put_u64(out, "timeoutMs", (uint64_t)list->items[i].timeout_ms);
			json_out_end_object(out);
		}
		json_out_end_array(out);
	}
	json_out_end_object(out);
}

struct err *ct_state_json(const struct ct_state *state, bool pretty, char **ret_text)
{
	OWN(json_out) struct json_out *out = NULL;
	OWN(str) char *owner = NULL;

	TRY(json_out_new(pretty, &out));
	TRY(str_format(&owner, "%u", state->owner));
	json_out_object(out);
	put_string(out, "ociVersion", state->oci_version);
	put_string(out, "id", state->id);
	put_u64(out, "pid", state->status == CT_STOPPED ? 0 : (uint64_t)state->pid);
	put_string(out, "status", status_names[state->status]);
	put_string(out, "bundle", state->bundle);
	put_string(out, "rootfs", state->rootfs);
	put_string(out, "created", clock_format_utc(&state->created, CLOCK_NANOSECONDS).text);
	/* runc prints "" for root, and callers compare */
	put_string(out, "owner", state->owner ? owner : "");
	if (state->annotations.count)
		TRY(put_annotations(out, &state->annotations));
	json_out_end_object(out);
	return json_out_take(out, ret_text);
}

static struct err *format_state(const struct ct_state *state, char **ret_text)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(false, &out));
	json_out_object(out);
	put_string(out, "ociVersion", state->oci_version);
	put_string(out, "id", state->id);
	put_u64(out, "pid", (uint64_t)state->pid);
	put_u64(out, "pidStartTicks", state->pid_start_ticks);
	put_u64(out, "pidfdInode", state->pidfd_inode);
	put_string(out, "bundle", state->bundle);
	put_string(out, "rootfs", state->rootfs);
	put_u64(out, "createdSec", (uint64_t)state->created.tv_sec);
	put_u64(out, "createdNsec", (uint64_t)state->created.tv_nsec);
	put_u64(out, "owner", state->owner);
	put_string(out, "cgroupPath", state->cgroup_path);
	put_string(out, "scope", state->scope);
	put_u64(out, "cgroupDriver", state->driver);
	put_bool(out, "hasProcess", state->has_process);
	put_bool(out, "ownPidNamespace", state->own_pid_ns);
	put_u64(out, "namespaces", state->namespaces);
	put_string(out, "rdtGroup", state->rdt_group);
	put_string(out, "notifySocket", state->notify_socket);
	TRY(put_annotations(out, &state->annotations));
	put_hooks(out, state);
	json_out_end_object(out);
	return json_out_take(out, ret_text);
}

struct err *state_save(int dir_fd, const struct ct_state *state)
{
	OWN(str) char *text = NULL;

	TRY(format_state(state, &text));
	return file_replace(dir_fd, STATE_FILE, 0600, text, strlen(text));
}

/* --- reading --- */

static struct err *get_string(const struct json *root, const char *key, char **ret_text)
{
	const struct json *value = json_get(root, key);
	const char *text;

	if (!value)
		return NULL;
	TRY(json_string(value, key, &text));
	return str_dup(text, ret_text);
}

static struct err *get_u64(const struct json *root, const char *key, uint64_t max,
			   uint64_t *ret_value)
{
	const struct json *value = json_get(root, key);

	if (!value)
		return err_new(ERR_INVALID, "%s is missing", key);
	return json_u64(value, key, max, ret_value);
}

static struct err *get_bool(const struct json *root, const char *key, bool *ret_value)
{
	const struct json *value = json_get(root, key);

	if (!value)
		return err_new(ERR_INVALID, "%s is missing", key);
	return json_bool(value, key, ret_value);
}

static struct err *get_hook(const struct json *item, struct hook *ret_hook)
{
	uint64_t timeout_ms;

	TRY(get_string(item, "path", &ret_hook->path));
	if (!ret_hook->path)
		return err_new(ERR_INVALID, "hooks: path is missing");
	if (json_get(item, "args"))
		TRY(json_strlist(json_get(item, "args"), "hooks.args", &ret_hook->args));
	if (json_get(item, "env"))
		TRY(json_strlist(json_get(item, "env"), "hooks.env", &ret_hook->env));
	TRY(get_u64(item, "timeoutMs", INT32_MAX, &timeout_ms));
	ret_hook->timeout_ms = (int)timeout_ms;
	return NULL;
}

static struct err *get_hooks(const struct json *root, struct ct_state *state)
{
	const struct json *hooks = json_get(root, "hooks");

	for (int kind = 0; kind < HOOK_KIND_COUNT; kind++) {
		const struct json *items = json_get(hooks, hook_kind_names[kind]);
		struct hook_list *list = &state->hooks[kind];

		if (!items)
			continue;
		if (items->type != JSON_ARRAY)
			return err_new(ERR_INVALID, "hooks.%s is no array", hook_kind_names[kind]);
		list->items = calloc(items->count ? items->count : 1, sizeof(*list->items));
		if (!list->items)
			return err_sys(ENOMEM, "read hooks");
		for (const struct json *item = items->child; item; item = item->next) {
			/* counted first: a half-read hook is released with the list */
			list->count++;
			TRY(get_hook(item, &list->items[list->count - 1]));
		}
	}
	return NULL;
}

static struct err *get_annotations(const struct json *root, struct strlist *list)
{
	const struct json *annotations = json_get(root, "annotations");

	if (!annotations)
		return NULL;
	if (annotations->type != JSON_OBJECT)
		return err_new(ERR_INVALID, "annotations is no object");
	for (const struct json *item = annotations->child; item; item = item->next) {
		const char *text;

		TRY(json_string(item, item->key, &text));
		TRY(strlist_format(list, "%s=%s", item->key, text));
	}
	return NULL;
}

static struct err *get_numbers(const struct json *root, struct ct_state *state)
{
	uint64_t pid, sec, nsec, owner, driver;

	TRY(get_u64(root, "pid", INT32_MAX, &pid));
	TRY(get_u64(root, "pidStartTicks", UINT64_MAX, &state->pid_start_ticks));
	if (json_get(root, "pidfdInode")) /* not in the state of an older version */
		TRY(get_u64(root, "pidfdInode", UINT64_MAX, &state->pidfd_inode));
	TRY(get_u64(root, "createdSec", INT64_MAX, &sec));
	TRY(get_u64(root, "createdNsec", 999999999, &nsec));
	TRY(get_u64(root, "owner", UINT32_MAX, &owner));
	TRY(get_u64(root, "cgroupDriver", CGROUP_DISABLED, &driver));
	TRY(get_bool(root, "hasProcess", &state->has_process));
	TRY(get_bool(root, "ownPidNamespace", &state->own_pid_ns));
	TRY(get_u64(root, "namespaces", UINT64_MAX, &state->namespaces));
	state->pid = (pid_t)pid;
	state->created = (struct timespec){ .tv_sec = (time_t)sec, .tv_nsec = (long)nsec };
	state->owner = (uid_t)owner;
	state->driver = (enum cgroup_driver)driver;
	return NULL;
}

static struct err *get_state(const struct json *root, struct ct_state *state)
{
	const struct {
		const char *key;
		char **field;
		bool required;
	} strings[] = {
		{ "id", &state->id, true },
		{ "ociVersion", &state->oci_version, true },
		{ "bundle", &state->bundle, true },
		{ "rootfs", &state->rootfs, true },
		{ "cgroupPath", &state->cgroup_path, false },
		{ "scope", &state->scope, false },
		{ "rdtGroup", &state->rdt_group, false },
		{ "notifySocket", &state->notify_socket, false },
	};

	if (root->type != JSON_OBJECT)
		return err_new(ERR_INVALID, "not an object");
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		TRY(get_string(root, strings[i].key, strings[i].field));
		if (strings[i].required && !*strings[i].field)
			return err_new(ERR_INVALID, "%s is missing", strings[i].key);
	}
	TRY(get_numbers(root, state));
	TRY(get_annotations(root, &state->annotations));
	return get_hooks(root, state);
}

struct err *state_parse(const char *text, size_t len, struct ct_state *ret_state)
{
	OWN(json_doc) struct json_doc *doc = NULL;
	OWN(ct_state) struct ct_state state = { 0 };

	TRY(json_parse(text, len, &doc));
	TRY(get_state(json_root(doc), &state));
	*ret_state = state;
	state = (struct ct_state){ 0 };
	return NULL;
}

/* --- directories --- */

struct err *ct_root_open(const char *path, struct ct_root *ret_root)
{
	OWN(fd) int fd = -1;
	OWN(str) char *copy = NULL;
	struct stat st;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		TRY(path_make_own_dirs(path, 0700));
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_sys(errno, "open state root %s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(errno, "look at state root %s", path);
	/* whoever may write here decides which processes we signal */
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return err_new(
			ERR_INVALID,
			"state root %s must belong to user %u and be writable by nobody else", path,
			geteuid());
	TRY(str_dup(path, &copy));
	*ret_root = (struct ct_root){ .dir_fd = fd_take(&fd), .path = TAKE(copy) };
	return NULL;
}

void ct_root_release(struct ct_root *root)
{
	own_fd(&root->dir_fd);
	free(root->path);
	*root = (struct ct_root)CT_ROOT_INIT;
}

struct err *state_open_dir(const struct ct_root *root, const char *id, int *ret_dir_fd)
{
	struct err *err;

	TRY(parse_container_id(id));
	err = path_open_beneath(root->dir_fd, id, O_RDONLY | O_DIRECTORY, ret_dir_fd);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* said in the words that callers look for */
		return err_new(ERR_NOT_FOUND, "container '%s' does not exist", id);
	}
	return err;
}

struct err *state_lock_dir(const struct ct_root *root, const char *id, int *ret_dir_fd)
{
	OWN(fd) int fd = -1;
	struct stat st;

	TRY(state_open_dir(root, id, &fd));
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_sys(errno, "lock container '%s'", id);
	if (fstat(fd, &st) < 0)
		return err_sys(errno, "look at container '%s'", id);
	if (st.st_nlink == 0)
		return err_new(ERR_NOT_FOUND, "container '%s' does not exist", id);
	*ret_dir_fd = fd_take(&fd);
	return NULL;
}

struct err *state_load(int dir_fd, const char *id, struct ct_state *ret_state)
{
	OWN(buf) struct buf text = { 0 };
	OWN(ct_state) struct ct_state state = { 0 };
	struct err *err = file_read(dir_fd, STATE_FILE, STATE_MAX, &text);

	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* a create that has only just begun, or was killed there */
		TRY(str_dup(id, &state.id));
		TRY(str_dup(OCI_VERSION, &state.oci_version));
		TRY(str_dup("", &state.bundle));
		TRY(str_dup("", &state.rootfs));
		state.driver = CGROUP_DISABLED;
	} else if (err) {
		return err_wrap(err, "container '%s'", id);
	} else {
		TRY(err_wrap(state_parse(text.data, text.len, &state), "container '%s': %s", id,
			     STATE_FILE));
		if (!str_eq(state.id, id))
			return err_new(ERR_INVALID, "container '%s': %s is of '%s'", id, STATE_FILE,
				       state.id);
	}
	*ret_state = state;
	state = (struct ct_state){ 0 };
	return NULL;
}

/* Without a pid: being created right now (its creator holds the lock), or the rest of a killed
 * create. */
static enum ct_status status_without_pid(int dir_fd)
{
	OWN(fd) int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return CT_CREATING;
	return CT_STOPPED;
}

struct err *state_look_paused(struct ct_state *state, const struct cgroup *cgroup)
{
	bool paused = false;

	if (state->status != CT_RUNNING || cgroup->dir_fd < 0)
		return NULL;
	TRY(cgroup_is_frozen(cgroup, &paused));
	if (paused)
		state->status = CT_PAUSED;
	return NULL;
}

struct err *state_open_cgroup(const struct ct_state *state, struct cgroup *ret_cgroup)
{
	struct err *err;

	if (!state->cgroup_path || state->driver == CGROUP_DISABLED)
		return NULL;
	err = cgroup_open(state->cgroup_path, state->scope, state->driver, ret_cgroup);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* not made yet, or gone with its last process: the caller sees
				  dir_fd -1 */
		return NULL;
	}
	return err;
}

struct err *ct_open_init(const struct ct_state *state, int *ret_pidfd)
{
	if (state->pidfd_inode)
		return proc_open_inode(state->pid, state->pidfd_inode, ret_pidfd);
	return proc_open(state->pid, state->pid_start_ticks, ret_pidfd);
}

struct err *state_look(int dir_fd, struct ct_state *state, int *ret_pidfd)
{
	OWN(fd) int pidfd = -1;
	struct err *err;

	if (ret_pidfd)
		*ret_pidfd = -1;
	if (state->pid == 0) {
		state->status = status_without_pid(dir_fd);
		return NULL;
	}
	err = ct_open_init(state, &pidfd);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* that is what stopped means */
		state->status = CT_STOPPED;
		return NULL;
	}
	if (err)
		return err;
	state->status = faccessat(dir_fd, START_SOCKET, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ?
				CT_CREATED :
				CT_RUNNING;
	if (ret_pidfd)
		*ret_pidfd = fd_take(&pidfd);
	return NULL;
}

struct err *ct_load(const struct ct_root *root, const char *id, struct ct_state *ret_state)
{
	OWN(fd) int dir_fd = -1;
	OWN(ct_state) struct ct_state state = { 0 };

	TRY(state_open_dir(root, id, &dir_fd));
	TRY(state_load(dir_fd, id, &state));
	TRY(state_look(dir_fd, &state, NULL));
	if (state.status == CT_RUNNING) {
		struct cgroup cgroup = CGROUP_INIT;
		struct err *err = state_open_cgroup(&state, &cgroup);

		if (!err)
			err = state_look_paused(&state, &cgroup);
		cgroup_release(&cgroup);
		TRY(err);
	}
	*ret_state = state;
	state = (struct ct_state){ 0 };
	return NULL;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct err *ct_list(const struct ct_root *root, struct strlist *ret_ids)
{
	OWN(strlist) struct strlist ids = { 0 };
	OWN(dir) DIR *dir = NULL;
	struct dirent *entry;
	int fd = openat(root->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(errno, "open state root %s", root->path);
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return err_sys(errno, "read state root %s", root->path);
	}
	while ((errno = 0, entry = readdir(dir))) {
		/* container names never begin with a dot; our own directories do */
		if (entry->d_name[0] != '.' && entry->d_type == DT_DIR)
			TRY(strlist_add(&ids, entry->d_name));
	}
	if (errno)
		return err_sys(errno, "read state root %s", root->path);
	if (ids.count)
		qsort(ids.items, ids.count, sizeof(*ids.items), compare_names);
	*ret_ids = ids;
	ids = (struct strlist){ 0 };
	return NULL;
}
