/*
 * A container whose processes somebody else makes (runtime.h, struct ct_maker). The engine's part
 * is what stands around them: state directory, control group, hooks, state file. After a SIGKILL at
 * any row the state file names the cgroup, and all that the maker has made is in it: delete finds
 * it.
 */
#include <errno.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "runtime/birth.h"

struct ct_adoption {
	struct birth birth; /* first: the rows are a birth's */
	struct ct_maker *maker;
	pid_t helper; /* the maker's process */
	bool wired;
};

static struct ct_adoption *adoption_of(struct birth *birth)
{
	return (struct ct_adoption *)birth;
}

static struct err *check_cgroup(struct birth *birth)
{
	if (birth->cgroup.driver == CGROUP_DISABLED)
		return err_new(ERR_UNSUPPORTED,
			       "a restored container needs a control group: without one, what a "
			       "killed restore leaves could not be found");
	return NULL;
}

static struct err *spawn_maker(struct birth *birth)
{
	struct ct_adoption *adoption = adoption_of(birth);

	return adoption->maker->spawn(adoption->maker, &adoption->helper);
}

static void stop_maker(struct birth *birth)
{
	struct ct_maker *maker = adoption_of(birth)->maker;

	maker->stop(maker);
}

/* What it makes is where it is itself. */
static struct err *place_maker(struct birth *birth)
{
	pid_t pid = adoption_of(birth)->helper;

	if (birth->cgroup.driver == CGROUP_FS)
		return cgroup_join(&birth->cgroup, NULL, pid);
	birth->child.pid = pid; /* which the scope is started with */
	return birth_start_scope(birth);
}

struct err *ct_adopt_namespaces(struct ct_adoption *adoption, pid_t pid)
{
	struct birth *birth = &adoption->birth;

	if (!birth_has_runtime_hooks(birth))
		return NULL;
	birth->state.pid = pid;
	return birth_run_hooks(birth);
}

/* A restored process may have got a namespace that the configuration does not have. */
static struct err *note_time_namespace(struct ct_state *state)
{
	OWN(str) char *path = NULL;
	struct stat theirs, ours;

	TRY(str_format(&path, "/proc/%d/ns/time", (int)state->pid));
	if (stat("/proc/self/ns/time", &ours) < 0 || stat(path, &theirs) < 0) {
		if (errno == ENOENT)
			return NULL; /* a kernel without them */
		return err_sys(errno, "look at %s", path);
	}
	if (ours.st_ino != theirs.st_ino)
		state->namespaces |= ns_infos[NS_TIME].clone_flag;
	return NULL;
}

/* It has its interfaces; this is the host's part. */
static struct err *wire_network(struct ct_adoption *adoption)
{
	const struct ct_wire *wire = adoption->birth.request->wire;

	if (!wire)
		return NULL;
	TRY(wire->run(wire, adoption->birth.child.pid, adoption->birth.child.pidfd));
	adoption->wired = true;
	return NULL;
}

static void unwire_network(struct ct_adoption *adoption)
{
	const struct ct_wire *wire = adoption->birth.request->wire;

	if (adoption->wired && wire->undo)
		wire->undo(wire);
}

struct err *ct_adopt_init(struct ct_adoption *adoption, pid_t pid)
{
	struct birth *birth = &adoption->birth;

	birth->child.pidfd = pidfd_open(pid, 0);
	if (birth->child.pidfd < 0)
		return err_sys(errno, "open process %d", (int)pid);
	birth->child.pid = pid;
	birth->state.pid = pid;
	TRY(note_time_namespace(&birth->state));
	if (birth_has_rdt(birth))
		TRY(birth_make_rdt(birth));
	TRY(birth_save_state(birth));
	return wire_network(adoption);
}

static struct err *make_processes(struct birth *birth)
{
	struct ct_adoption *adoption = adoption_of(birth);
	struct err *err = adoption->maker->make(adoption->maker, adoption, &birth->master_fd);

	if (!err && birth->child.pidfd < 0)
		err = err_new(ERR_PEER, "there is no first process");
	if (!err)
		return NULL;
	if (birth->child.pidfd >= 0)
		birth_kill_init(birth);
	unwire_network(adoption);
	if (birth->state.rdt_group)
		birth_drop_rdt(birth);
	birth_drop_pid_file(birth);
	return err;
}

/* clang-format off */
static const struct step adopt_steps[] = {
	{ "state directory", STEP_RUN,  .run = birth_make_dir, .undo = birth_drop_dir },
	{ "plan",            STEP_RUN,  .run = birth_save_plan },
	{ "control group",   STEP_RUN,  .run = check_cgroup },
	{ "cgroup",          STEP_RUN,  .run = birth_make_cgroup, .undo = birth_drop_cgroup },
	{ "maker",           STEP_RUN,  .run = spawn_maker, .undo = stop_maker },
	{ "place",           STEP_RUN,  .run = place_maker },
	{ "processes",       STEP_RUN,  .run = make_processes },
};
/* clang-format on */

struct err *ct_adopt(const struct ct_root *root, const struct ct_create *request,
		     struct ct_maker *maker, struct ct_started *ret_started)
{
	struct ct_adoption adoption = { .birth = BIRTH_INIT(root, request), .maker = maker };
	struct birth *birth = &adoption.birth;
	struct err *err = birth_check(request);

	if (!err)
		err = birth_fill_state(birth);
	if (!err)
		err = steps_run("adopt", adopt_steps, ARRAY_SIZE(adopt_steps), birth);
	if (err) {
		birth_run_poststop(birth);
	} else {
		maker->stop(maker);
		*ret_started = (struct ct_started){ .pid = birth->child.pid,
						    .pidfd = fd_take(&birth->child.pidfd),
						    .master_fd = fd_take(&birth->master_fd),
						    .notify_fd = -1 };
	}
	birth_release(birth);
	return err;
}
