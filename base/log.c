/* Log lines as text or JSON, each in one write(2). See log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"

static struct log_config config = { .fd = -1, .level = LOG_LEVEL_WARNING };

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_ERROR] = "error",
};

void log_setup(const struct log_config *new_config)
{
	config = *new_config;
}

bool log_wants_debug(void)
{
	return config.level == LOG_LEVEL_DEBUG;
}

static struct err *json_line(enum log_level level, const char *text, const char *when,
			     char **ret_line)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(false, &out));
	json_out_object(out);
	json_out_key(out, "level");
	json_out_string(out, level_names[level]);
	json_out_key(out, "msg");
	json_out_string(out, text);
	json_out_key(out, "time");
	json_out_string(out, when);
	json_out_end_object(out);
	return json_out_take(out, ret_line);
}

static struct err *text_line(enum log_level level, const char *text, const char *when,
			     char **ret_line)
{
	OWN(str) char *shown = NULL;

	TRY(str_escape(text, &shown));
	if (config.fd < 0)
		return str_format(ret_line, "%s: %s%s", config.program ? config.program : "cella",
				  level == LOG_LEVEL_WARNING ? "warning: " : "", shown);
	return str_format(ret_line, "time=\"%s\" level=%s msg=\"%s\"", when, level_names[level],
			  shown);
}

static struct err *put_line(int fd, char *line)
{
	const char *prefix = fd == config.fd && config.prefix ? config.prefix : "";
	OWN(str) char *whole = NULL;

	TRY(str_format(&whole, "%s%s\n", prefix, line));
	return fd_write_all(fd, "log", whole, strlen(whole));
}

/* The error as a person at a terminal wants it, beside the log file; one line whatever is in it. */
static void copy_to_stderr(const char *text)
{
	OWN(str) char *shown = NULL, *line = NULL;
	struct err *err = str_escape(text, &shown);

	if (!err)
		err = str_format(&line, "%s: %s", config.program ? config.program : "cella", shown);
	if (!err)
		err = put_line(STDERR_FILENO, line);
	err_drop(err); /* there is nowhere left to report it */
}

static void emit(enum log_level level, const char *text)
{
	OWN(str) char *line = NULL;
	struct clock_text when;
	struct timespec now;
	struct err *err;

	if (level < config.level)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	when = clock_format_utc(&now, CLOCK_SECONDS);
	if (config.format == LOG_JSON)
		err = json_line(level, text, when.text, &line);
	else
		err = text_line(level, text, when.text, &line);
	if (!err)
		err = put_line(config.fd < 0 ? STDERR_FILENO : config.fd, line);
	/* there is nowhere left to report a log that cannot be written */
	err_drop(err);
	if (config.fd >= 0 && config.copy_stderr && level == LOG_LEVEL_ERROR)
		copy_to_stderr(text);
}

PRINTF(2, 0) static void emit_args(enum log_level level, const char *fmt, va_list args)
{
	OWN(str) char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0) {
		text = NULL;
		return;
	}
	emit(level, text);
}

void log_debug(const char *fmt, ...)
{
	va_list args;

	if (!log_wants_debug())
		return;
	va_start(args, fmt);
	emit_args(LOG_LEVEL_DEBUG, fmt, args);
	va_end(args);
}

void log_warning(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	emit_args(LOG_LEVEL_WARNING, fmt, args);
	va_end(args);
}

void log_warn(struct err *err)
{
	if (!err)
		return;
	emit(LOG_LEVEL_WARNING, err_text(err));
	err_drop(err);
}

void log_error(const struct err *err)
{
	emit(LOG_LEVEL_ERROR, err_text(err));
}
