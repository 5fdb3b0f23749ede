/* What the host and init halves of a birth work on. Init has a copy of it, made by the clone.
 * Private to runtime/. */
#ifndef RUNTIME_BIRTH_H
#define RUNTIME_BIRTH_H

#include "runtime/process/process.h"
#include "runtime/runtime.h"
#include "runtime/steps.h"

struct birth {
	const struct ct_root *root;
	const struct ct_create *request;
	const struct spec *spec;
	struct ct_state state;
	struct rootfs_env env;

	int dir_fd; /* ROOT/ID, locked */
	struct cgroup cgroup;
	struct ns_fds joined;
	struct rootfs_handles handles;
	struct seccomp_filter filter;
	struct ns_child child;
	int host_sock, init_sock;
	int start_fd;	   /* listening socket on which init waits for `start` */
	int console_fd;	   /* connected --console-socket */
	int listener_sock; /* connected seccomp listenerPath */
	int launch_fd;	   /* small mount namespace to start from */
	int notify_fd;	   /* run_now: the container's notify socket, which we listen on */
	int master_fd;	   /* pty master, travelling from init to a caller that keeps it */

	/* init only */
	struct process_spec
		process; /* shallow copy of the spec's, so that HOME can be added to env */
	int root_fd, slave_fd;
	char *program;
	bool cwd_later; /* only its own user may enter the working directory */
	bool bounding_dropped;
	bool hooked; /* hooks have run: a failure from here on runs poststop */
};

#define BIRTH_INIT(from_root, from_request)                                                       \
	{                                                                                         \
		.root = (from_root), .request = (from_request), .spec = (from_request)->spec,     \
		.dir_fd = -1, .cgroup = CGROUP_INIT, .joined = NS_FDS_INIT,                       \
		.handles = ROOTFS_HANDLES_INIT, .child = { .pidfd = -1 }, .host_sock = -1,        \
		.init_sock = -1, .start_fd = -1, .console_fd = -1, .listener_sock = -1,           \
		.launch_fd = -1, .notify_fd = -1, .master_fd = -1, .root_fd = -1, .slave_fd = -1, \
	}
void birth_release(struct birth *birth);

/* --- birth.c: what creating and adopting a container have in common --- */
/* Is the request one that can be done? No kernel object is touched. */
MUST_CHECK struct err *birth_check(const struct ct_create *request);
MUST_CHECK struct err *birth_fill_state(struct birth *birth);
/* Rows, in the order in which they are done. */
MUST_CHECK struct err *birth_make_dir(struct birth *birth);
void birth_drop_dir(struct birth *birth);
MUST_CHECK struct err *birth_save_plan(struct birth *birth);
MUST_CHECK struct err *birth_make_cgroup(struct birth *birth);
void birth_drop_cgroup(struct birth *birth);
MUST_CHECK struct err *birth_start_scope(struct birth *birth);
void birth_kill_init(struct birth *birth);
MUST_CHECK struct err *birth_run_hooks(struct birth *birth); /* prestart and createRuntime */
bool birth_has_rdt(const struct birth *birth);
MUST_CHECK struct err *birth_make_rdt(struct birth *birth);
void birth_drop_rdt(struct birth *birth);
MUST_CHECK struct err *birth_save_state(struct birth *birth);
void birth_drop_pid_file(struct birth *birth);
/* After a failure, if hooks have run: the poststop ones. */
void birth_run_poststop(struct birth *birth);

/* The WAIT and SEND rows of both tables; READY carries the pty master when the caller keeps it. */
MUST_CHECK struct err *birth_wait(struct birth *birth, enum stage stage);
MUST_CHECK struct err *birth_send(struct birth *birth, enum stage stage);

/* Conditions of rows; the same answer on both sides. */
bool birth_has_maps(const struct birth *birth);
bool birth_has_wiring(const struct birth *birth);
bool birth_has_runtime_hooks(const struct birth *birth);

/* Init's whole life after the clone. */
_Noreturn void init_main(struct birth *birth);

/* --- become.c: the last steps of every process, init or exec; returns only on error --- */
struct become {
	const struct process_spec *process;
	const struct seccomp_filter *filter;
	const char *program;
	int listener_sock;	   /* connected receiver of the listener, -1: none */
	const char *listener_json; /* sent with it */
	unsigned int preserve_fds;
	bool cwd_later;
	bool bounding_dropped; /* by init, while it had time */
};
MUST_CHECK struct err *become_process(const struct become *become);
/* config-linux.md, "The Container Process State": what a seccomp agent is told of process pid. */
MUST_CHECK struct err *listener_json(const struct ct_state *state, pid_t pid, const char *metadata,
				     char **ret_text);
/* The host's number of the calling process, whose pid namespace is already the container's; needs
 * the host's procfs in sight. */
MUST_CHECK struct err *read_host_pid(pid_t *ret_pid);
/* Forget the caller's signal mask and ignored signals. */
void become_reset_signals(void);

/* --- state.c --- */
#define STATE_FILE "state.json"
#define CONFIG_FILE "config.json"
#define START_SOCKET "start"
MUST_CHECK struct err *state_save(int dir_fd, const struct ct_state *state);
/* Parse the text of a state file; status is not filled. */
MUST_CHECK struct err *state_parse(const char *text, size_t len, struct ct_state *ret_state);
/* Open ROOT/ID without a lock. */
MUST_CHECK struct err *state_open_dir(const struct ct_root *root, const char *id, int *ret_dir_fd);
/* Open and lock it; fails when it vanished while we waited. */
MUST_CHECK struct err *state_lock_dir(const struct ct_root *root, const char *id, int *ret_dir_fd);
MUST_CHECK struct err *state_load(int dir_fd, const char *id, struct ct_state *ret_state);
/* Fill status (CT_RUNNING also when it is paused) and, when it lives, give a pidfd of init (-1
 * else; may be NULL). */
MUST_CHECK struct err *state_look(int dir_fd, struct ct_state *state, int *ret_pidfd);
/* The recorded cgroup; dir_fd stays -1 when there is none (any more). */
MUST_CHECK struct err *state_open_cgroup(const struct ct_state *state, struct cgroup *ret_cgroup);
/* Turn CT_RUNNING into CT_PAUSED if the cgroup is frozen. */
MUST_CHECK struct err *state_look_paused(struct ct_state *state, const struct cgroup *cgroup);

/* --- selected helpers of one file each --- */
/* start_socket.c */
MUST_CHECK struct err *start_socket_listen(const struct ct_root *root, const char *id, int dir_fd,
					   int *ret_fd);
MUST_CHECK struct err *start_socket_connect(const struct ct_root *root, const char *id, int dir_fd,
					    int *ret_fd);
/* notify.c: relay READY=1 from the container's socket to the host's */
MUST_CHECK struct err *notify_make_dir(int dir_fd);
MUST_CHECK struct err *notify_listen(int dir_fd, int *ret_fd);
/* Tell the host that pid is ready, once; earlier if pidfd's process ends. */
MUST_CHECK struct err *notify_relay(int socket_fd, const char *host_socket, pid_t pid, int pidfd);
/* The same for one message that waits in the socket. */
MUST_CHECK struct err *notify_take(int socket_fd, const char *host_socket, pid_t pid,
				   bool *ret_ready);
/* rdt.c: resctrl */
MUST_CHECK struct err *rdt_create(const struct intel_rdt *rdt, const char *id, char **ret_group);
MUST_CHECK struct err *rdt_join(const char *group, pid_t pid);
void rdt_remove(const char *group);
/* net_device.c: cella-helper moves host interfaces in */
MUST_CHECK struct err *net_devices_move(const struct spec *spec, pid_t pid);
/* create.c: what the builder of the root has to know */
MUST_CHECK struct err *pid_file_write(const char *path, pid_t pid);
MUST_CHECK struct err *pidfd_socket_send(const char *path, int pidfd);

#endif
