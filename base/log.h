/*
 * Warnings and debug lines, and the one place where the last error goes. Programs choose the target
 * once, before anything is logged. Containers never see this descriptor: it is close-on-exec.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/err.h"

enum log_format { LOG_TEXT, LOG_JSON };
enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

struct log_config {
	int fd; /* where lines go; -1: standard error */
	enum log_format format;
	enum log_level level; /* quieter lines are dropped */
	bool copy_stderr;     /* errors go to standard error as well, as runc does */
	const char *program;  /* in front of text lines on standard error */
	const char *prefix;   /* in front of every line on fd (syslog's priority); NULL: nothing */
};

void log_setup(const struct log_config *config);
/* True when debug lines are wanted: callers skip the work of making them otherwise. */
bool log_wants_debug(void);
PRINTF(1, 2) void log_debug(const char *fmt, ...);
PRINTF(1, 2) void log_warning(const char *fmt, ...);
/* Consume an error that does not stop the work, and say so. NULL is ignored. */
void log_warn(struct err *err);
/* Print the error that ends the command; the error stays the caller's. Called once, in cli/. */
void log_error(const struct err *err);

#endif
