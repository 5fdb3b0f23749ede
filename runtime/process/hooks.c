/*
 * Hooks of runtime-spec config.md "POSIX-platform Hooks": programs run in order, with the
 * container's state on their standard input. What they print is kept for the error message: the
 * runtime's own output belongs to the container.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "namespaces/namespaces.h"
#include "runtime/process/process.h"

#define SHOWN_MAX 200 /* bytes of a hook's complaint that go into the error */

/* Run by programs of the container, which learn nothing of our environment. */
static bool runs_inside(enum hook_kind kind)
{
	return kind == HOOK_CREATE_CONTAINER || kind == HOOK_START_CONTAINER;
}

/* The first line that is not blank, safe to print; owned. */
static struct err *first_line(const struct buf *output, char **ret_line)
{
	const char *text = output->data ? output->data : "";
	OWN(str) char *line = NULL;
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strcspn(text, "\r\n");
	TRY(str_format(&line, "%.*s", (int)(len < SHOWN_MAX ? len : SHOWN_MAX), text));
	return str_escape(line, ret_line);
}

/* Whether the file is its user's own, who runs it, or root's. Root of the host is nobody
 * (/proc/sys/kernel/overflowuid) in a user namespace. */
static struct err *check_owner(const struct stat *st)
{
	bool initial = true;

	if (st->st_uid == 0 || st->st_uid == geteuid())
		return NULL;
	TRY(ns_user_is_initial(&initial));
	if (!initial)
		return NULL;
	return err_new(ERR_INVALID, "it belongs to user %u, who could change it: chown it to root",
		       (unsigned int)st->st_uid);
}

/* A program of the host runs with our power: nobody else may have written it. */
static struct err *check_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(errno, "find it");
	if (st.st_mode & S_IWOTH)
		return err_new(ERR_INVALID, "every user may write to it: chmod o-w");
	return check_owner(&st);
}

static struct err *run_hook(const struct hook *hook, enum hook_kind kind, const char *state_json)
{
	char *const own_name[] = { hook->path, NULL };
	char *const none[] = { NULL };
	OWN(buf) struct buf output = { 0 };
	OWN(str) char *line = NULL;
	struct proc_run run = {
		.path = hook->path,
		.argv = hook->args.count ? hook->args.items : own_name,
		/* no list: a hook of the host is started as from a shell, as engines' hooks expect
		 */
		.envp = hook->env.count	  ? hook->env.items :
			runs_inside(kind) ? none :
					    environ,
		.input = state_json,
		.input_len = strlen(state_json),
		.timeout_ms = hook->timeout_ms,
		.output = &output,
	};
	int status;

	if (hook->path[0] != '/')
		return err_new(ERR_INVALID, "not an absolute path");
	if (!runs_inside(kind))
		TRY(check_program(hook->path));
	TRY(proc_run(&run, &status));
	if (status == 0)
		return NULL;
	TRY(first_line(&output, &line));
	return err_new(ERR_PEER, "exit status %d%s%s", status, *line ? ": " : "", line);
}

static struct err *run_numbered(const struct hook_list *hooks, size_t i, enum hook_kind kind,
				const char *state_json)
{
	return err_wrap(run_hook(&hooks->items[i], kind, state_json), "hook %s[%zu] %s",
			hook_kind_names[kind], i, hooks->items[i].path);
}

struct err *hooks_run(const struct hook_list *hooks, enum hook_kind kind, const char *state_json)
{
	for (size_t i = 0; i < hooks->count; i++)
		TRY(run_numbered(hooks, i, kind, state_json));
	return NULL;
}

void hooks_run_all(const struct hook_list *hooks, enum hook_kind kind, const char *state_json)
{
	for (size_t i = 0; i < hooks->count; i++)
		log_warn(run_numbered(hooks, i, kind, state_json));
}
