/*
 * cella-helper: what needs shared libraries that the static cella-oci does not carry. It is run by
 * our own programs only, does one thing, and says one line when that fails. No option, no
 * configuration, no state.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/str.h"
#include "cgroups/cgroups.h"
#include "netns/netns.h"

/* netdev-move HOST-NAME NAME NETNS-PATH */
static struct err *netdev_move(char *const *argv)
{
	OWN(fd) int netns_fd = -1;

	if (!argv[0] || !argv[1] || !argv[2] || argv[3])
		return err_new(ERR_INVALID, "usage: cella-helper netdev-move HOST-NAME NAME NETNS");
	netns_fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (netns_fd < 0)
		return err_sys(errno, "open %s", argv[2]);
	return net_device_move(argv[0], argv[1], netns_fd);
}

static const struct verb {
	const char *name;
	struct err *(*run)(char *const *argv); /* the words after the verb */
} verbs[] = {
	{ "machine-register", machine_register }, { "netdev-move", netdev_move },
	{ "scope-set", cgroup_scope_set },	  { "scope-start", cgroup_scope_start },
	{ "scope-stop", cgroup_scope_stop },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++) {
		struct err *err;

		if (!str_eq(argv[1], verbs[i].name))
			continue;
		err = verbs[i].run(argv + 2);
		if (!err)
			return 0;
		/* on standard output, where our caller reads it */
		printf("%s\n", err_text(err));
		err_drop(err);
		return 1;
	}
	printf("cella-helper is not for the command line: cella and cella-oci run it\n");
	return 1;
}
