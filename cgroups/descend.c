/* A cgroup below another one: exec --cgroup. The name comes from the operator, never from a tenant.
 */
#include "cgroups/cgroups.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/path.h"

struct err *cgroup_descend(struct cgroup *cg, const char *below)
{
	OWN(str) char *path = NULL;
	int dir_fd = -1;

	if (cg->dir_fd < 0)
		return err_new(ERR_UNSUPPORTED, "cgroup %s: the container has no cgroup of its own",
			       below);
	while (*below == '/')
		below++;
	if (!*below)
		return NULL;
	TRY(str_format(&path, "%s/%s", cg->path, below));
	TRY(err_wrap(path_open_beneath(cg->dir_fd, below, O_RDONLY | O_DIRECTORY, &dir_fd),
		     "cgroup %s", path));
	close(cg->dir_fd);
	cg->dir_fd = dir_fd;
	free(cg->path);
	cg->path = TAKE(path);
	return NULL;
}
