/* A container's tree of cgroups, read into a list of steps; see tree.h. Source: cgroup-v2.rst,
 * "Core Interface Files", "Controllers". */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/path.h"
#include "cgroups/cgroups.h"
#include "cgroups/files.h"
#include "cgroups/walk.h"

/* Can be written, and reads as what is, not as what was set; or another file says the same. */
static const char *const not_set[] = {
	"cgroup.freeze", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads",
	"cgroup.type",	 "cpu.pressure", "cpu.weight.nice",	   "io.pressure",
	"irq.pressure",	 "memory.peak",	 "memory.pressure",	   "memory.swap.peak",
};

static bool is_set_file(const char *name, const struct stat *st)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_set); i++)
		if (str_eq(name, not_set[i]))
			return false;
	return S_ISREG(st->st_mode) && (st->st_mode & S_IWUSR) && (st->st_mode & S_IRUSR);
}

/* A cgroup that is read. */
struct visit {
	int fd;
	const char *path;  /* below the container's */
	struct stat maker; /* whose its files are */
	struct cgroup_steps *steps;
};

static struct err *note(const struct visit *visit, enum cgroup_step_kind kind, const char *file,
			const char *value)
{
	return cgroup_steps_add(visit->steps, kind, visit->path, file, value);
}

static struct err *note_owner(const struct visit *visit, enum cgroup_step_kind kind,
			      const char *file, const struct stat *st)
{
	OWN(str) char *owner = NULL;

	TRY(str_format(&owner, "%u:%u", st->st_uid, st->st_gid));
	return note(visit, kind, file, owner);
}

/* The text of a file without the newline at its end; "" when there is none. */
static struct err *read_text(const struct visit *visit, const char *name, struct file_text *file)
{
	size_t len;
	struct err *err = file_text_read(visit->fd, name, file);

	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* no such controller here */
		file->text[0] = '\0';
		return NULL;
	}
	TRY(err);
	len = strlen(file->text);
	if (len && file->text[len - 1] == '\n')
		file->text[len - 1] = '\0';
	return NULL;
}

static struct err *read_file(const struct visit *visit, const char *name)
{
	struct file_text file;
	struct stat st;

	if (fstatat(visit->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(errno, "look at %s", name);
	if (S_ISDIR(st.st_mode))
		return NULL;
	if (st.st_uid != visit->maker.st_uid || st.st_gid != visit->maker.st_gid)
		TRY(note_owner(visit, CGROUP_STEP_OWN, name, &st));
	if (!is_set_file(name, &st))
		return NULL;
	TRY(read_text(visit, name, &file));
	return *file.text ? note(visit, CGROUP_STEP_SET, name, file.text) : NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct err *read_files(const struct visit *visit)
{
	OWN(strlist) struct strlist names = { 0 };
	OWN(dir) DIR *dir = NULL;
	const struct dirent *entry;
	int fd = openat(visit->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_sys(errno, "read the directory");
	while ((entry = readdir(dir)))
		TRY(strlist_add(&names, entry->d_name));
	if (names.count)
		qsort(names.items, names.count, sizeof(*names.items), by_name);
	for (size_t i = 0; i < names.count; i++)
		TRY(read_file(visit, names.items[i]));
	return NULL;
}

/* systemd's notes of what it has given away; of a size that it uses. */
static struct err *read_marks(const struct visit *visit)
{
	char names[4096], value[256];
	ssize_t len = flistxattr(visit->fd, names, sizeof(names)), size;

	if (len < 0)
		return errno == ENOTSUP ? NULL : err_sys(errno, "list extended attributes");
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		if (!str_has_prefix(name, "user."))
			continue;
		size = fgetxattr(visit->fd, name, value, sizeof(value) - 1);
		if (size < 0)
			return err_sys(errno, "read extended attribute %s", name);
		value[size] = '\0';
		if (strlen(value) == (size_t)size)
			TRY(note(visit, CGROUP_STEP_MARK, name, value));
	}
	return NULL;
}

static struct err *read_controllers(const struct visit *visit)
{
	OWN(buf) struct buf words = { 0 };
	struct file_text file;
	char *rest = file.text, *word;

	TRY(read_text(visit, "cgroup.subtree_control", &file));
	while ((word = strsep(&rest, " ")))
		if (*word)
			TRY(buf_format(&words, "%s+%s", words.len ? " " : "", word));
	return words.len ? note(visit, CGROUP_STEP_ENABLE, "cgroup.subtree_control", words.data) :
			   NULL;
}

static struct err *read_child(struct visit *visit)
{
	struct file_text file;
	struct stat own;

	if (fstat(visit->fd, &own) < 0 ||
	    fstatat(visit->fd, "cgroup.events", &visit->maker, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(errno, "look at it");
	TRY(read_text(visit, "cgroup.freeze", &file));
	if (str_eq(file.text, "1"))
		return err_new(ERR_UNSUPPORTED,
			       "it is frozen from inside, which cannot be taken along: thaw it");
	TRY(note_owner(visit, CGROUP_STEP_MAKE, "", &visit->maker));
	if (own.st_uid != visit->maker.st_uid || own.st_gid != visit->maker.st_gid)
		TRY(note_owner(visit, CGROUP_STEP_OWN, ".", &own));
	TRY(read_text(visit, "cgroup.type", &file));
	if (str_eq(file.text, "threaded"))
		TRY(note(visit, CGROUP_STEP_TYPE, "cgroup.type", file.text));
	TRY(read_controllers(visit));
	TRY(read_marks(visit));
	return read_files(visit);
}

/* Where an open directory is. */
static struct err *name_dir(int fd, char *name, size_t room)
{
	struct path_fd link = path_of_fd(fd);
	ssize_t len = readlink(link.text, name, room);

	if (len < 0)
		return err_sys(errno, "find a control group");
	if ((size_t)len == room)
		return err_new(ERR_UNSUPPORTED, "control groups are nested too deep");
	name[len] = '\0';
	return NULL;
}

struct err *cgroup_tree_read(const struct cgroup *cg, struct cgroup_steps *ret_steps)
{
	OWN(cgroup_steps) struct cgroup_steps steps = { 0 };
	OWN(walk) struct walk walk = { 0 };
	struct visit visit = { .fd = cg->dir_fd, .path = "", .steps = &steps };
	char top[PATH_MAX], name[PATH_MAX];
	int fd;

	TRY(name_dir(cg->dir_fd, top, sizeof(top)));
	TRY(walk_begin(cg->dir_fd, &walk));
	TRY(walk_next(&walk, &fd)); /* itself */
	TRY(read_controllers(&visit));
	for (;;) {
		TRY(walk_next(&walk, &fd));
		if (fd < 0)
			break;
		TRY(name_dir(fd, name, sizeof(name)));
		visit.fd = fd;
		visit.path = name + strlen(top) + 1;
		TRY(err_wrap(read_child(&visit), "control group %s", visit.path));
	}
	*ret_steps = steps;
	steps = (struct cgroup_steps){ 0 };
	return NULL;
}
