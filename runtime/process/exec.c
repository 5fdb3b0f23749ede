/*
 * Which file execve(2) gets: the search of execvp(3) along the container's PATH, done early so that
 * `create` can say that there is no such program. Engines read the texts: podman exits with 127 for
 * "executable file not found in" and "no such file or directory", with 126 for "permission denied".
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/process/process.h"

/* What a login shell of the common distributions sets; used when the configuration has no PATH. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* 0, or why execve(2) would refuse this file. */
static int check_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

static struct err *no_program(const char *name, int errnum)
{
	if (errnum == ENOENT)
		return err_new(ERR_NOT_FOUND, "exec: \"%s\": executable file not found in $PATH",
			       name);
	return err_sys(errnum, "exec: \"%s\"", name);
}

static struct err *search_path(const char *name, const char *path, char **ret_path)
{
	int worst = ENOENT;

	for (const char *end; path; path = *end ? end + 1 : NULL) {
		OWN(str) char *candidate = NULL;
		int errnum;

		end = strchrnul(path, ':');
		/* an empty entry is the working directory */
		TRY(str_format(&candidate, "%.*s%s%s", (int)(end - path), path,
			       end > path ? "/" : "./", name));
		errnum = check_program(candidate);
		if (errnum == 0) {
			*ret_path = TAKE(candidate);
			return NULL;
		}
		/* execvp(3): go on, but remember that there was one we may not run */
		if (errnum != ENOENT && errnum != ENOTDIR)
			worst = errnum;
	}
	return no_program(name, worst);
}

struct err *process_find_program(const struct process_spec *process, char **ret_path)
{
	const char *name, *path;
	int errnum;

	if (process->args.count == 0)
		return err_new(ERR_INVALID, "process.args is empty");
	name = process->args.items[0];
	if (!*name)
		return no_program(name, ENOENT);
	if (!strchr(name, '/')) {
		path = strlist_env(&process->env, "PATH");
		return search_path(name, path ? path : DEFAULT_PATH, ret_path);
	}
	errnum = check_program(name);
	if (errnum == ENOENT)
		return err_new(ERR_NOT_FOUND, "exec: \"%s\": no such file or directory", name);
	return errnum ? no_program(name, errnum) : str_dup(name, ret_path);
}
