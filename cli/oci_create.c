/* cella-oci create: bundle to container; run shares all of it but the waiting. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/oci.h"

#define FIRST_PASSED_FD 3
#define LISTEN_FDS_MAX 1024

/* config.json of a bundle must be a plain file: opening a fifo there would wait for ever. */
static struct err *read_config(const char *bundle, const char *config, struct buf *text)
{
	OWN(str) char *path = NULL;
	OWN(fd) int fd = -1;
	struct stat st;

	if (config)
		return oci_read_input(config, text);
	TRY(str_format(&path, "%s/config.json", bundle));
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(errno, "open %s", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_new(ERR_INVALID, "%s: not a regular file", path);
	return fd_read_all(fd, path, JSON_TEXT_MAX, text);
}

static struct err *absolute_bundle(const char *bundle, char **ret_path)
{
	*ret_path = realpath(bundle ? bundle : ".", NULL);
	if (!*ret_path)
		return err_sys(errno, "bundle %s", bundle ? bundle : ".");
	return NULL;
}

struct err *oci_pass_fds(struct ct_io *io, struct strlist *env)
{
	const char *listen_fds = getenv("LISTEN_FDS");
	uint64_t listening = 0;

	if (listen_fds && *listen_fds)
		TRY(parse_u64("LISTEN_FDS", listen_fds, 0, LISTEN_FDS_MAX, &listening));
	if (io->preserve_fds > INT_MAX - FIRST_PASSED_FD - LISTEN_FDS_MAX)
		return err_new(ERR_INVALID, "--preserve-fds: %u is too many", io->preserve_fds);
	io->preserve_fds += (unsigned int)listening;
	for (unsigned int i = 0; i < io->preserve_fds; i++)
		if (fcntl((int)i + FIRST_PASSED_FD, F_GETFD) < 0)
			return err_sys(errno, "--preserve-fds: descriptor %u", i + FIRST_PASSED_FD);
	if (!listening || !env)
		return NULL;
	TRY(strlist_format(env, "LISTEN_FDS=%ju", (uintmax_t)listening));
	return strlist_add(env, "LISTEN_PID=1");
}

static enum cgroup_driver chosen_driver(const struct oci_globals *globals)
{
	if (globals->manager == MANAGER_DISABLED)
		return CGROUP_DISABLED;
	return globals->systemd_cgroup || globals->manager == MANAGER_SYSTEMD ? CGROUP_SYSTEMD :
										CGROUP_FS;
}

void oci_request_release(struct oci_request *request)
{
	spec_release(&request->spec);
	buf_release(&request->config);
	free(request->bundle);
	*request = (struct oci_request){ 0 };
}

struct err *oci_request_read(const struct cmd_call *call, const struct oci_target *target,
			     const struct oci_create_opts *opts, struct oci_request *ret_request)
{
	struct oci_request *request = ret_request;

	spec_init(&request->spec);
	request->create = (struct ct_create){
		.id = target->id,
		.spec = &request->spec,
		.io = opts->io,
		.no_pivot = opts->no_pivot,
		.no_new_keyring = opts->no_new_keyring,
	};
	TRY(absolute_bundle(opts->bundle, &request->bundle));
	TRY(read_config(request->bundle, opts->config, &request->config));
	TRY(err_wrap(spec_parse(request->config.data, request->config.len, request->bundle,
				&request->spec),
		     "%s", opts->config ? opts->config : "config.json"));
	request->spec.cgroup.driver = chosen_driver(oci_globals(call));
	request->create.bundle = request->bundle;
	request->create.config_text = request->config.data;
	request->create.config_len = request->config.len;
	return NULL;
}

struct err *oci_create(const struct cmd_call *call, const struct oci_target *target,
		       const struct oci_create_opts *opts, bool now, struct ct_started *ret_started)
{
	OWN(oci_request) struct oci_request request = { 0 };
	struct ct_create *create = &request.create;
	const char *notify_socket = getenv("NOTIFY_SOCKET");

	TRY(oci_request_read(call, target, opts, &request));
	TRY(oci_pass_fds(&create->io,
			 create->spec->has_process ? &request.spec.process.env : NULL));
	create->run_now = now;
	if (notify_socket && *notify_socket && create->spec->has_process) {
		create->notify_socket = notify_socket;
		TRY(notify_add_env(&request.spec.process.env));
	}
	return ct_create(&target->root, create, ret_started);
}

static const struct opt create_opts[] = { OCI_CREATE_ROWS };

static struct err *create_run(const struct cmd_call *call, int *ret_status)
{
	OWN(oci_target) struct oci_target target = OCI_TARGET_INIT;
	OWN(ct_started) struct ct_started started = CT_STARTED_INIT;
	struct oci_create_opts opts = { 0 };

	(void)ret_status;
	TRY(ct_protect_executable(call->full_argv));
	TRY(oci_target_parse(call, &opts, &target));
	return oci_create(call, &target, &opts, false, &started);
}

const struct cmd oci_cmd_create = {
	.name = "create",
	.args = "CONTAINER",
	.summary = "make a container from a bundle",
	.opts = OPT_TABLE(create_opts),
	.run = create_run,
	.min_args = 1,
	.max_args = 1,
};
