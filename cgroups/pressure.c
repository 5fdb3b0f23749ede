/* Pressure stall information; see pressure.h. */
#include "cgroups/pressure.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cgroups/files.h"

/* "12.34" to 12.34, in any locale (strtod(3) would follow the decimal point of one). */
static double percent_at(const char *line, const char *key)
{
	unsigned int whole = 0, hundredths = 0;
	const char *at = strstr(line, key);

	if (!at || sscanf(at + strlen(key), "=%u.%2u", &whole, &hundredths) < 1)
		return 0;
	return whole + hundredths / 100.0;
}

static struct pressure_line parse_line(const char *text, const char *kind)
{
	struct pressure_line line = { 0 };
	const char *at = strstr(text, kind);
	char copy[160];

	if (!at)
		return line;
	snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(at, "\n"), at);
	line.total_us = nested_value(copy, "total");
	if (line.total_us >= CGROUP_MAX)
		return (struct pressure_line){ 0 };
	line.avg10 = percent_at(copy, "avg10");
	line.avg60 = percent_at(copy, "avg60");
	line.avg300 = percent_at(copy, "avg300");
	line.is_set = true;
	return line;
}

void pressure_parse(const char *text, struct pressure *ret_pressure)
{
	ret_pressure->some = parse_line(text, "some ");
	ret_pressure->full = parse_line(text, "full ");
}

struct err *pressure_read(int dir_fd, const char *file, struct pressure *ret_pressure)
{
	struct file_text text;
	struct err *err = file_text_read(dir_fd, file, &text);

	*ret_pressure = (struct pressure){ 0 };
	/* EOPNOTSUPP: built in but switched off */
	if (err && (err_kind(err) == ERR_NOT_FOUND || err_errno(err) == EOPNOTSUPP)) {
		err_drop(err);
		return NULL;
	}
	if (err)
		return err;
	pressure_parse(text.text, ret_pressure);
	return NULL;
}
