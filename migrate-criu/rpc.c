/* Our structs to protobuf messages and back. */
#include "migrate-criu/rpc.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "migrate-criu/rpc.pb-c.h"

static const Criu__Verb verbs[CRIU_VERB_COUNT] = {
	[CRIU_DUMP] = CRIU__VERB__DUMP,
	[CRIU_PRE_DUMP] = CRIU__VERB__PRE_DUMP,
	[CRIU_RESTORE] = CRIU__VERB__RESTORE,
};
static const Criu__CgroupMode cgroup_modes[] = {
	[CR_CGROUPS_SOFT] = CRIU__CGROUP_MODE__SOFT,
	[CR_CGROUPS_FULL] = CRIU__CGROUP_MODE__FULL,
	[CR_CGROUPS_STRICT] = CRIU__CGROUP_MODE__STRICT,
	[CR_CGROUPS_IGNORE] = CRIU__CGROUP_MODE__IGNORE,
};
static const Criu__NetworkLock network_locks[] = {
	[CR_LOCK_IPTABLES] = CRIU__NETWORK_LOCK__IPTABLES,
	[CR_LOCK_NFTABLES] = CRIU__NETWORK_LOCK__NFTABLES,
	[CR_LOCK_SKIP] = CRIU__NETWORK_LOCK__SKIP,
};

void criu_request_release(struct criu_request *request)
{
	strlist_release(&request->external);
	for (size_t i = 0; i < request->inherited_count; i++)
		free(request->inherited[i].key);
	*request = (struct criu_request)CRIU_REQUEST_INIT;
}

struct err *criu_request_inherit(struct criu_request *request, const char *key, int fd)
{
	struct criu_inherited *next = &request->inherited[request->inherited_count];

	if (request->inherited_count == CRIU_INHERITED_MAX)
		return err_new(ERR_INVALID, "more than %d descriptors for criu",
			       CRIU_INHERITED_MAX);
	TRY(str_dup(key, &next->key));
	next->fd = fd;
	request->inherited_count++;
	return NULL;
}

/* Messages below the one that is packed; they hold pointers into the request. */
struct parts {
	Criu__Options options;
	Criu__PageServer page_server;
	Criu__CgroupRoot cgroup_root, *cgroup_roots[1];
	Criu__Inherited inherited[CRIU_INHERITED_MAX], *inherited_list[CRIU_INHERITED_MAX];
	Criu__Joined joined[CRIU_JOINED_MAX], *joined_list[CRIU_JOINED_MAX];
};

/* protobuf-c's strings are not const, and it does not write to them. */
static char *text_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

#define SET(name, value) (o->has_##name = true, o->name = (value))
#define SET_IF(name, value)                 \
	do {                                \
		if (value)                  \
			SET(name, (value)); \
	} while (0)

/* What the caller chose. */
static void set_choices(const struct cr_options *from, Criu__Options *o)
{
	SET_IF(leave_running, from->leave_running);
	SET_IF(ext_unix_sk, from->ext_unix_sk);
	SET_IF(tcp_established, from->tcp_established);
	SET_IF(tcp_skip_in_flight, from->tcp_skip_in_flight);
	SET_IF(tcp_close, from->tcp_close);
	SET_IF(shell_job, from->shell_job);
	SET_IF(file_locks, from->file_locks);
	SET_IF(link_remap, from->link_remap);
	SET_IF(auto_dedup, from->auto_dedup);
	SET_IF(ghost_limit, from->ghost_limit_bytes);
	if (from->empty_network)
		SET(empty_namespaces, CLONE_NEWNET);
	SET(manage_cgroups, true); /* older than the mode, and still looked at */
	SET(cgroup_mode, cgroup_modes[from->cgroups]);
	if (from->network_lock != CR_LOCK_DEFAULT)
		SET(network_lock, network_locks[from->network_lock]);
	o->parent = text_of(from->parent_path);
	o->lsm_profile = text_of(from->lsm_profile);
	o->lsm_mount_context = text_of(from->lsm_mount_context);
}

static void set_place(const struct criu_request *request, Criu__Options *o)
{
	o->images_fd = request->images_fd;
	if (request->work_fd >= 0)
		SET(work_fd, request->work_fd);
	SET_IF(pid, request->pid);
	SET(log_level, request->log_level);
	SET(notify, true);
	SET(orphan_pts_master, true);
	o->log_file = text_of(request->log_file);
	o->root = text_of(request->root);
	o->freeze_cgroup = text_of(request->freeze_cgroup);
	o->config_file = text_of(request->config_file);
	o->external = request->external.items;
	o->n_external = request->external.count;
	if (request->verb == CRIU_RESTORE) {
		/* our child, not CRIU's: it is we who wait for it */
		SET(as_sibling, true);
		SET(evasive_devices, true);
	} else {
		SET_IF(track_memory, request->verb == CRIU_PRE_DUMP || o->parent);
	}
}

static void set_parts(const struct criu_request *request, struct parts *parts)
{
	Criu__Options *o = &parts->options;

	if (request->options->page_server_address) {
		criu__page_server__init(&parts->page_server);
		parts->page_server.address = text_of(request->options->page_server_address);
		parts->page_server.has_port = true;
		parts->page_server.port = request->options->page_server_port;
		o->page_server = &parts->page_server;
	}
	if (request->cgroup_root) {
		criu__cgroup_root__init(&parts->cgroup_root);
		parts->cgroup_root.path = text_of(request->cgroup_root);
		parts->cgroup_roots[0] = &parts->cgroup_root;
		o->cgroup_root = parts->cgroup_roots;
		o->n_cgroup_root = 1;
	}
	for (size_t i = 0; i < request->inherited_count; i++) {
		criu__inherited__init(&parts->inherited[i]);
		parts->inherited[i].key = request->inherited[i].key;
		parts->inherited[i].fd = request->inherited[i].fd;
		parts->inherited_list[i] = &parts->inherited[i];
	}
	o->inherited = parts->inherited_list;
	o->n_inherited = request->inherited_count;
	for (size_t i = 0; i < request->joined_count; i++) {
		criu__joined__init(&parts->joined[i]);
		parts->joined[i].kind = text_of(request->joined[i].kind);
		parts->joined[i].path = text_of(request->joined[i].path);
		parts->joined_list[i] = &parts->joined[i];
	}
	o->joined = parts->joined_list;
	o->n_joined = request->joined_count;
}

static struct err *pack(const Criu__Request *message, struct buf *bytes)
{
	size_t len = criu__request__get_packed_size(message);
	uint8_t *data = malloc(len);
	struct err *err;

	if (!data)
		return err_sys(ENOMEM, "make a message to criu");
	criu__request__pack(message, data);
	err = buf_add(bytes, data, len);
	free(data);
	return err;
}

struct err *criu_request_format(const struct criu_request *request, struct buf *ret_bytes)
{
	Criu__Request message = CRIU__REQUEST__INIT;
	struct parts parts;

	criu__options__init(&parts.options);
	set_choices(request->options, &parts.options);
	set_place(request, &parts.options);
	set_parts(request, &parts);
	message.verb = verbs[request->verb];
	message.options = &parts.options;
	return pack(&message, ret_bytes);
}

struct err *criu_answer_format(bool success, struct buf *ret_bytes)
{
	Criu__Request message = CRIU__REQUEST__INIT;

	message.verb = CRIU__VERB__NOTIFY;
	message.has_notify_success = true;
	message.notify_success = success;
	return pack(&message, ret_bytes);
}

static void read_response(const Criu__Response *response, struct criu_message *message)
{
	const Criu__Notice *notice = response->notice;

	message->is_notice = response->verb == CRIU__VERB__NOTIFY;
	message->is_success = response->success;
	if (notice && notice->event)
		snprintf(message->event, sizeof(message->event), "%s", notice->event);
	if (notice && notice->has_pid)
		message->pid = notice->pid;
	if (response->restored)
		message->pid = response->restored->pid;
	if (response->has_error_number)
		message->error_number = response->error_number;
	if (response->error_text)
		snprintf(message->error_text, sizeof(message->error_text), "%s",
			 response->error_text);
}

struct err *criu_message_parse(const void *data, size_t len, struct criu_message *ret_message)
{
	Criu__Response *response = criu__response__unpack(NULL, len, data);

	if (!response)
		return err_new(ERR_PEER, "criu said something that is no message of its protocol");
	*ret_message = (struct criu_message){ 0 };
	read_response(response, ret_message);
	criu__response__free_unpacked(response, NULL);
	return NULL;
}
