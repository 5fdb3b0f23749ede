/* The cgroup that this process is in: where a service manager has put us. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroups/cgroups.h"
#include "cgroups/files.h"
#include "cgroups/hierarchy.h"

struct err *cgroup_own_path(char **ret_path)
{
	return hierarchy_path_of(0, ret_path);
}

struct err *cgroup_step_down(const char *name)
{
	OWN(str) char *own = NULL, *below = NULL, *procs = NULL;
	OWN(fd) int root_fd = -1;

	TRY(hierarchy_open(&root_fd));
	TRY(hierarchy_path_of(0, &own));
	TRY(str_format(&below, "%s/%s", hierarchy_relative(own), name));
	if (mkdirat(root_fd, below, 0755) < 0 && errno != EEXIST)
		return err_sys(errno, "make cgroup /%s", below);
	TRY(str_format(&procs, "%s/cgroup.procs", below));
	return file_write_text(root_fd, procs, "0");
}
