/* Detached mount trees, see tree.h. Rests on open_tree(2), mount_setattr(2), move_mount(2). */
#include "rootfs/tree.h"

#include <errno.h>
#include <fcntl.h>

struct err *tree_open(const char *path, unsigned int flags, int *ret_fd)
{
	int fd = open_tree(AT_FDCWD, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return err_new(ERR_NOT_FOUND, "open mount source %s: No such file or directory",
			       path);
	/* a mount that came from a more privileged namespace may not be taken apart */
	if (fd < 0 && errno == EINVAL && !(flags & AT_RECURSIVE))
		return err_sys(
			EINVAL,
			"clone mount %s (unbindable, or rbind is needed in a user namespace)",
			path);
	if (fd < 0)
		return err_sys(errno, "open mount source %s", path);
	*ret_fd = fd;
	return NULL;
}

struct err *tree_find(const struct target *at, unsigned int flags, int *ret_fd)
{
	int fd = open_tree(at->fd, at->name,
			   flags | AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
		return err_sys(errno, "open mount source %s", at->name);
	*ret_fd = fd;
	return NULL;
}

struct err *tree_set(int fd, unsigned int flags, const struct mount_attr *attr, const char *what)
{
	struct mount_attr copy = *attr; /* glibc's prototype is not const */

	if (!attr->attr_set && !attr->attr_clr && !attr->propagation)
		return NULL;
	if (mount_setattr(fd, "", flags | AT_EMPTY_PATH, &copy, sizeof(copy)) < 0)
		return err_sys(errno, "set mount attributes of %s", what);
	return NULL;
}

uint64_t tree_attrs_of_flags(unsigned long flags)
{
	static const struct {
		unsigned long flag;
		uint64_t attr;
	} pairs[] = {
		{ MS_RDONLY, MOUNT_ATTR_RDONLY },
		{ MS_NOSUID, MOUNT_ATTR_NOSUID },
		{ MS_NODEV, MOUNT_ATTR_NODEV },
		{ MS_NOEXEC, MOUNT_ATTR_NOEXEC },
		{ MS_NODIRATIME, MOUNT_ATTR_NODIRATIME },
		{ MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW },
	};
	uint64_t attrs = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (flags & pairs[i].flag)
			attrs |= pairs[i].attr;
	/* one field with three values; noatime wins as it does in mount(2) */
	if (flags & MS_NOATIME)
		attrs |= MOUNT_ATTR_NOATIME;
	else if (flags & MS_STRICTATIME)
		attrs |= MOUNT_ATTR_STRICTATIME;
	return attrs;
}

/* Only what was asked for or asked away changes: flags that a user namespace locked are kept, and
 * asking a locked one away is EPERM. */
static struct mount_attr top_attrs(const struct mount_spec *mount)
{
	const unsigned long atime = MS_NOATIME | MS_RELATIME | MS_STRICTATIME;
	struct mount_attr attr = {
		.attr_set = tree_attrs_of_flags(mount->flags),
		.attr_clr = tree_attrs_of_flags(mount->clear_flags) & ~MOUNT_ATTR__ATIME,
	};

	if ((mount->flags & atime) || (mount->clear_flags & (MS_NOATIME | MS_STRICTATIME)))
		attr.attr_clr |= MOUNT_ATTR__ATIME;
	if (!(mount->propagation & MS_REC))
		attr.propagation = mount->propagation;
	return attr;
}

bool tree_is_recursive(const struct mount_spec *mount)
{
	return (mount->flags & MS_REC) || str_eq(mount->type, "rbind");
}

/* What is for the whole tree, and the flags of the top win over it. */
static struct mount_attr below_attrs(const struct mount_spec *mount, unsigned long propagation)
{
	if (mount->propagation & MS_REC)
		propagation = mount->propagation;
	return (struct mount_attr){
		.attr_set = mount->rec_set,
		.attr_clr = mount->rec_clear,
		.propagation = propagation & ~(unsigned long)MS_REC,
	};
}

struct err *tree_configure(int fd, const struct mount_spec *mount,
			   const struct tree_defaults *defaults)
{
	struct mount_attr top = top_attrs(mount);
	struct mount_attr below = below_attrs(mount, defaults->propagation);

	if (mount->idmap != MOUNT_NO_IDMAP) {
		struct mount_attr *attr = mount->idmap == MOUNT_RIDMAP ? &below : &top;

		attr->attr_set |= MOUNT_ATTR_IDMAP;
		attr->userns_fd = (uint64_t)defaults->userns_fd;
	}
	if (!tree_is_recursive(mount) && !below.attr_set && !below.attr_clr) {
		/* a single mount, as most are: one call does both */
		if (!top.propagation)
			top.propagation = below.propagation;
		return tree_set(fd, 0, &top, mount->destination);
	}
	TRY(tree_set(fd, AT_RECURSIVE, &below, mount->destination));
	return tree_set(fd, 0, &top, mount->destination);
}

struct err *tree_attach(int tree_fd, const struct target *target, const char *what)
{
	if (move_mount(tree_fd, "", target->fd, target->name,
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(errno, "mount on %s", what);
	return NULL;
}

struct err *tree_attach_fd(int tree_fd, int target_fd, const char *what)
{
	const struct target target = { target_fd, "" };

	return tree_attach(tree_fd, &target, what);
}
