/*
 * Who holds a lock, for a message: the kernel's list of locks has the process, and its command line
 * the command. Of that only the verb is told: what follows it can be anybody's text. All of it is
 * best effort, the holder may end at any moment. Source: proc_locks(5).
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/log.h"
#include "runtime/vps/room.h"

#define LOCKS_MAX ((size_t)4 << 20)
#define VERB_MAX 32

/* 0: nobody that we can see. */
static pid_t find_holder(const char *locks, const struct stat *st)
{
	for (const char *line = locks; *line;) {
		size_t len = strcspn(line, "\n");
		unsigned int major, minor;
		unsigned long inode;
		int pid;

		/* waiting ones have "->" after the number */
		if (sscanf(line, "%*u: FLOCK %*s WRITE %d %x:%x:%lu ", &pid, &major, &minor,
			   &inode) == 4 &&
		    pid > 0 && inode == st->st_ino && makedev(major, minor) == st->st_dev)
			return pid;
		line += len + (line[len] == '\n');
	}
	return 0;
}

/* The first word of a command line that is no option; NULL: none that a verb of ours could be. */
static const char *verb_of(const struct buf *argv)
{
	const char *at = argv->data, *end = argv->data + argv->len;

	for (at += strlen(at) + 1; at < end && *at == '-';)
		at += strlen(at) + 1;
	if (at >= end || !*at || strlen(at) > VERB_MAX)
		return NULL;
	for (const char *c = at; *c; c++)
		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '-')
			return NULL;
	return at;
}

static struct err *describe(int fd, char **ret_text)
{
	OWN(buf) struct buf locks = { 0 }, argv = { 0 };
	const char *verb;
	char path[40];
	struct stat st;
	pid_t pid;

	if (fstat(fd, &st) < 0)
		return err_sys(errno, "look at a lock");
	TRY(file_read(AT_FDCWD, "/proc/locks", LOCKS_MAX, &locks));
	TRY(buf_add(&locks, "", 0));
	pid = find_holder(locks.data, &st);
	if (pid == 0)
		return NULL;
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	TRY(file_read(AT_FDCWD, path, (size_t)1 << 20, &argv));
	TRY(buf_add(&argv, "", 0));
	verb = verb_of(&argv);
	if (verb)
		return str_format(ret_text, "'cella %s' (process %d)", verb, (int)pid);
	return str_format(ret_text, "process %d", (int)pid);
}

void lock_holder(int fd, char **ret_text)
{
	*ret_text = NULL;
	err_drop(describe(fd, ret_text)); /* a message without it says what matters, too */
}
