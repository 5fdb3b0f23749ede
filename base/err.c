/* Error values: a kind, an errno and one line of text. See err.h; nothing here prints. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

struct err {
	enum err_kind kind;
	int errnum;
	char *text;
};

/* Handed out when there is no memory for a real one; never freed. */
static char no_memory_text[] = "out of memory";
static struct err no_memory = { ERR_SYS, ENOMEM, no_memory_text };

static struct err *err_make(enum err_kind kind, int errnum, char *text)
{
	struct err *err = malloc(sizeof(*err));

	if (!err || !text) {
		free(text);
		free(err);
		return &no_memory;
	}
	*err = (struct err){ .kind = kind, .errnum = errnum, .text = text };
	return err;
}

struct err *err_sys(int errnum, const char *fmt, ...)
{
	OWN(str) char *act = NULL;
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&act, fmt, args) < 0)
		act = NULL;
	va_end(args);
	if (asprintf(&text, "%s: %s", act ? act : "system call", strerror(errnum)) < 0)
		text = NULL;
	return err_make(ERR_SYS, errnum, text);
}

struct err *err_new(enum err_kind kind, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	return err_make(kind, 0, text);
}

struct err *err_wrap(struct err *cause, const char *fmt, ...)
{
	OWN(str) char *front = NULL;
	char *text = NULL;
	va_list args;

	if (!cause || cause == &no_memory)
		return cause;
	va_start(args, fmt);
	if (vasprintf(&front, fmt, args) < 0)
		front = NULL;
	va_end(args);
	if (!front || asprintf(&text, "%s: %s", front, cause->text) < 0)
		return cause;
	free(cause->text);
	cause->text = text;
	return cause;
}

enum err_kind err_kind(const struct err *err)
{
	return err->kind;
}

int err_errno(const struct err *err)
{
	return err->errnum;
}

const char *err_text(const struct err *err)
{
	return err->text;
}

void err_drop(struct err *err)
{
	if (!err || err == &no_memory)
		return;
	free(err->text);
	free(err);
}

struct err *err_first(struct err *first, struct err *second)
{
	if (!first)
		return second;
	err_drop(second);
	return first;
}
