/*
 * Handing a cgroup to the container's root, so that an init system inside can make cgroups below
 * it. Limits stay ours: only the files that the kernel itself calls delegatable change hands.
 * Sources: cgroup-v2.rst, "Delegation"; cgroups(7), "Cgroup delegation"; runtime-spec, "Cgroup
 * ownership".
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "cgroups/create.h"

#define LIST_FILE "/sys/kernel/cgroup/delegate"

/* For kernels (before 4.15) and containers without the list. */
static const char fallback_list[] = "cgroup.procs\ncgroup.threads\ncgroup.subtree_control\n";

static struct err *give(int dir_fd, const char *name, const struct cgroup_spec *spec)
{
	if (fchownat(dir_fd, name, spec->owner_uid, spec->owner_gid, AT_SYMLINK_NOFOLLOW) == 0 ||
	    errno == ENOENT) /* of a controller that is not enabled */
		return NULL;
	return err_sys(errno, "give %s of the cgroup to user %u", name,
		       (unsigned int)spec->owner_uid);
}

struct err *cgroup_delegate(int dir_fd, const struct cgroup_spec *spec)
{
	OWN(buf) struct buf list = { 0 };
	struct err *err = file_read(AT_FDCWD, LIST_FILE, 65536, &list);
	char *rest;

	if (err) {
		err_drop(err); /* the fall-back is what the list began with */
		TRY(buf_add(&list, fallback_list, strlen(fallback_list)));
	}
	rest = list.data;
	for (char *name = strsep(&rest, "\n"); name; name = strsep(&rest, "\n"))
		if (*name && !strchr(name, '/'))
			TRY(give(dir_fd, name, spec));
	/* the directory last: from here on the owner may act in it */
	if (fchown(dir_fd, spec->owner_uid, spec->owner_gid) < 0)
		return err_sys(errno, "give the cgroup to user %u", (unsigned int)spec->owner_uid);
	return NULL;
}
