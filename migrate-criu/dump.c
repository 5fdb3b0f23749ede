/* Checkpoint: a container's processes into images. */
#include "base/path.h"
#include "migrate-criu/groups.h"
#include "migrate-criu/obstacles.h"
#include "migrate-criu/place.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

struct dumper {
	const struct ct_hold *hold;
	const struct cr_options *options;
	const struct cr_dirs *dirs;
	const struct cr_extra *extra;
};

/* All is written and nothing runs: the last moment at which it can be left running. */
static struct err *finish(const struct dumper *dumper)
{
	const struct cgroup *cgroup = &dumper->hold->cgroup;

	if (cgroup->dir_fd >= 0 && dumper->options->cgroups == CR_CGROUPS_SOFT) {
		TRY(cr_groups_save(dumper->dirs->images_fd, cgroup));
		TRY(cr_group_mounts_save(dumper->dirs->images_fd, cgroup));
	}
	return dumper->extra->written ? dumper->extra->written(dumper->extra->arg) : NULL;
}

static struct err *on_notice(void *arg, const struct criu_message *notice, int fd)
{
	(void)fd;
	return str_eq(notice->event, "post-dump") ? finish(arg) : NULL;
}

/* The way to a parent leads through directories of the host, which at the restore are closed to the
 * root of a user namespace. */
static struct err *check_rounds(const struct ns_spec *ns, const struct cr_options *options)
{
	if (ns->is_new[NS_USER] && (options->pre_dump || options->parent_path))
		return err_new(ERR_UNSUPPORTED,
			       "%s: a container with a user namespace is "
			       "checkpointed in one round",
			       options->pre_dump ? "--pre-dump" : "--parent-path");
	return NULL;
}

static struct err *check(const struct ct_hold *hold, const struct cr_options *options)
{
	TRY(cr_check_spec(&hold->spec));
	TRY(check_rounds(&hold->spec.ns, options));
	if (hold->state.notify_socket)
		return err_new(ERR_UNSUPPORTED, "a container that was given a NOTIFY_SOCKET cannot "
						"be checkpointed");
	return NULL;
}

/* Where the container's control group is on this host. */
static struct err *find_cgroup(const struct ct_hold *hold, char *path, size_t room)
{
	struct path_fd link = path_of_fd(hold->cgroup.dir_fd);
	ssize_t len = readlink(link.text, path, room - 1);

	if (len < 0)
		return err_sys(errno, "find the container's control group");
	path[len] = '\0';
	return NULL;
}

static struct err *dump(struct dumper *dumper, struct criu_request *request)
{
	const struct ct_hold *hold = dumper->hold;
	const struct cr_dirs *dirs = dumper->dirs;
	OWN(criu) struct criu criu = CRIU_INIT;
	OWN(str) char *criu_path = NULL;
	struct criu_start start = { 0 };
	char cgroup[PATH_MAX];

	TRY(criu_find(&criu_path));
	if (hold->cgroup.dir_fd >= 0) {
		TRY(find_cgroup(hold, cgroup, sizeof(cgroup)));
		request->freeze_cgroup = cgroup;
	}
	request->pid = hold->state.pid;
	request->root = hold->state.rootfs;
	request->config_file = cr_config_file(&hold->spec.annotations);
	cr_dirs_name(dirs, request);
	TRY(cr_outside_dump(&hold->spec, hold->state.pid, request));
	if (request->verb == CRIU_DUMP)
		TRY(cr_descriptors_save(dirs->images_fd, hold->state.pid));
	TRY(cr_extra_start(dumper->extra, &start));
	start.umask_bits = dumper->extra->umask_bits;
	TRY(criu_spawn(criu_path, &start, &criu));
	return cr_explain(criu_talk(&criu, request, on_notice, dumper), dirs, request->log_file);
}

struct err *cr_dump(const struct ct_hold *hold, const struct cr_options *options,
		    const struct cr_extra *extra)
{
	OWN(cr_dirs) struct cr_dirs dirs = CR_DIRS_INIT;
	struct criu_request request = CRIU_REQUEST_INIT;
	struct dumper dumper = { .hold = hold, .options = options, .dirs = &dirs, .extra = extra };
	struct err *err;

	request.verb = options->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP;
	request.options = options;
	TRY(check(hold, options));
	TRY(cr_dirs_open(options, request.verb, &dirs));
	err = dump(&dumper, &request);
	criu_request_release(&request);
	return err;
}

static struct err *checkpoint(const struct ct_root *root, const char *id,
			      const struct cr_options *options)
{
	static const struct cr_extra nothing = CR_EXTRA_INIT;
	OWN(ct_hold) struct ct_hold hold = CT_HOLD_INIT;

	TRY(criu_check_host());
	TRY(ct_hold(root, id, NULL, &hold));
	TRY(cr_check_processes(&hold.cgroup, hold.state.pid));
	return cr_dump(&hold, options, &nothing);
}

struct err *cr_checkpoint(const struct ct_root *root, const char *id,
			  const struct cr_options *options)
{
	TRY(err_wrap(checkpoint(root, id, options), "checkpoint %s", id));
	if (options->leave_running || options->pre_dump)
		return NULL;
	return ct_delete(root, id, true);
}
