/* The verbs of the systemd driver in a build without libsystemd: each says what is missing. */
#include "cgroups/cgroups.h"

static struct err *built_without(void)
{
	return err_new(ERR_UNSUPPORTED,
		       "cella-helper was built without libsystemd: use the cgroupfs driver, or "
		       "install libsystemd-dev and build again");
}

struct err *cgroup_scope_start(char *const *argv)
{
	(void)argv;
	return built_without();
}

struct err *cgroup_scope_set(char *const *argv)
{
	(void)argv;
	return built_without();
}

struct err *machine_register(char *const *argv)
{
	(void)argv;
	return built_without();
}

struct err *cgroup_scope_stop(char *const *argv)
{
	(void)argv;
	return built_without();
}
