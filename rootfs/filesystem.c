/*
 * Mount one file system on a directory. mount(2) does most of them in one system call; what it
 * cannot do (recursive attributes, propagation, contents made before anybody sees it, options
 * longer than a page) is done on a detached mount. Rests on mount(2), fsopen(2), fsconfig(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "rootfs/build.h"

/* mount(2) copies one page of options, the last byte of which must be NUL. */
#define DATA_MAX 4095

/* Flags that mount(2) takes for a new file system. */
#define FS_FLAGS                                                                              \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | MS_MANDLOCK |        \
	 MS_DIRSYNC | MS_NOSYMFOLLOW | MS_NOATIME | MS_NODIRATIME | MS_SILENT | MS_RELATIME | \
	 MS_STRICTATIME | MS_LAZYTIME | MS_I_VERSION)

/* A new mount is private unless what it is mounted on is shared, which only a spec can ask for. */
static bool is_private_anyway(const struct rootfs_spec *spec, const struct mount_spec *mount)
{
	if ((mount->propagation & ~(unsigned long)MS_REC) != MS_PRIVATE)
		return false;
	for (size_t i = 0; i < spec->mount_count; i++)
		if (spec->mounts[i].propagation & MS_SHARED)
			return false;
	return !(spec->propagation & MS_SHARED);
}

static bool needs_detached(const struct build *build, const struct fs *fs)
{
	const struct mount_spec *mount = fs->mount;

	return mount->rec_set || mount->rec_clear || mount->copy_up ||
	       (mount->propagation && !is_private_anyway(build->spec, mount)) ||
	       (fs->data && strlen(fs->data) > DATA_MAX);
}

static struct err *attach_plain(const struct fs *fs, const struct target *target)
{
	const char *path = *target->name ? target->name : ".";
	struct path_fd by_fd;

	/* as working directory a target costs no walk through procfs; a directory that our ids may
	 * not search can still be reached by descriptor */
	if (fchdir(target->fd) < 0) {
		if (errno != EACCES || *target->name)
			return err_sys(errno, "enter %s", fs->mount->destination);
		by_fd = path_of_fd(target->fd);
		path = by_fd.text;
	}
	if (mount(fs->source, path, fs->type, fs->flags & FS_FLAGS, fs->data) < 0)
		return err_sys(errno, "mount %s on %s%s%s", fs->type, fs->mount->destination,
			       fs->data ? " with " : "", fs->data ? fs->data : "");
	return NULL;
}

/* What the kernel has to say about a failure, e.g. "overlay: missing 'lowerdir'"; may be empty. */
static struct err *config_error(int fs_fd, const struct fs *fs, const char *key)
{
	char text[256];
	int errnum = errno;
	ssize_t len = read(fs_fd, text, sizeof(text) - 1);

	if (len < 0)
		len = 0;
	text[len] = '\0';
	return err_sys(errnum, "mount %s on %s: option %s%s%.*s", fs->type, fs->mount->destination,
		       key, len ? ": " : "", (int)strcspn(text, "\n"), text);
}

/* overlay takes a string of at most 255 bytes here; since 6.5 lower layers one by one. */
static struct err *config_lower_layers(int fs_fd, const struct fs *fs, char *layers)
{
	for (char *next = layers, *layer; (layer = strsep(&next, ":"));)
		if (fsconfig(fs_fd, FSCONFIG_SET_STRING, "lowerdir+", layer, 0) < 0)
			return config_error(fs_fd, fs, "lowerdir");
	return NULL;
}

static struct err *config_option(int fs_fd, const struct fs *fs, char *option)
{
	char *value = strchr(option, '=');
	int done;

	if (value)
		*value++ = '\0';
	if (value && str_eq(option, "lowerdir") && str_eq(fs->type, "overlay"))
		return config_lower_layers(fs_fd, fs, value);
	if (value && value[0] == '"' && value[1] && value[strlen(value) - 1] == '"') {
		value[strlen(value) - 1] = '\0'; /* the quotes belong to mount(2)'s syntax */
		value++;
	}
	done = value ? fsconfig(fs_fd, FSCONFIG_SET_STRING, option, value, 0) :
		       fsconfig(fs_fd, FSCONFIG_SET_FLAG, option, NULL, 0);
	return done < 0 ? config_error(fs_fd, fs, option) : NULL;
}

/* Cut the next option off *next; commas inside double quotes do not count. */
static char *cut_option(char **next)
{
	char *start = *next, *at;
	bool quoted = false;

	if (!start || !*start)
		return NULL;
	for (at = start; *at && (quoted || *at != ','); at++)
		quoted ^= *at == '"';
	*next = *at ? at + 1 : at;
	*at = '\0';
	return start;
}

static struct err *config_flags(int fs_fd, const struct fs *fs)
{
	/* of the file system itself; the others belong to the mount */
	static const struct {
		unsigned long flag;
		const char *name;
	} names[] = {
		{ MS_RDONLY, "ro" },	     { MS_SYNCHRONOUS, "sync" }, { MS_DIRSYNC, "dirsync" },
		{ MS_LAZYTIME, "lazytime" }, { MS_MANDLOCK, "mand" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if ((fs->flags & names[i].flag) &&
		    fsconfig(fs_fd, FSCONFIG_SET_FLAG, names[i].name, NULL, 0) < 0)
			return config_error(fs_fd, fs, names[i].name);
	return NULL;
}

static struct err *make_detached(const struct fs *fs, int *ret_fd)
{
	OWN(fd) int fs_fd = fsopen(fs->type, FSOPEN_CLOEXEC);
	OWN(str) char *data = NULL;
	uint64_t attrs = tree_attrs_of_flags(fs->flags);
	char *next, *option;
	int fd;

	if (fs_fd < 0)
		return err_sys(errno, "open file system type %s", fs->type);
	if (fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", fs->source, 0) < 0)
		return config_error(fs_fd, fs, "source");
	TRY(config_flags(fs_fd, fs));
	TRY(str_dup(fs->data ? fs->data : "", &data));
	next = data;
	while ((option = cut_option(&next)))
		if (*option)
			TRY(config_option(fs_fd, fs, option));
	if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return config_error(fs_fd, fs, "list");
	fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, (unsigned int)attrs);
	if (fd < 0)
		return config_error(fs_fd, fs, "list");
	*ret_fd = fd;
	return NULL;
}

static struct err *attach_detached(const struct fs *fs, const struct target *target)
{
	const struct tree_defaults defaults = { .userns_fd = -1 };
	/* flags are on the mount already */
	const struct mount_spec rest = { .destination = fs->mount->destination,
					 .rec_set = fs->mount->rec_set,
					 .rec_clear = fs->mount->rec_clear,
					 .propagation = fs->mount->propagation };
	OWN(fd) int fd = -1;

	TRY(make_detached(fs, &fd));
	if (fs->mount->copy_up)
		TRY(copy_up_tree(target, fd, fs->mount->destination));
	TRY(tree_configure(fd, &rest, &defaults));
	return tree_attach(fd, target, fs->mount->destination);
}

struct err *fs_attach(struct build *build, const struct fs *fs, const struct target *target)
{
	if (needs_detached(build, fs))
		return attach_detached(fs, target);
	return attach_plain(fs, target);
}
