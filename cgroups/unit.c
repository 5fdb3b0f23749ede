/* Names of slices and scopes. Source: systemd.unit(5), "String Escaping for Inclusion in Unit
 * Names"; systemd.slice(5). */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cgroups/systemd.h"

#define UNIT_NAME_MAX 255

void unit_names_release(struct unit_names *names)
{
	free(names->slice);
	free(names->scope);
	free(names->slice_path);
	*names = (struct unit_names){ 0 };
}

static bool is_unit_char(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       (c && strchr(":-_.", c));
}

static struct err *escape(const char *name, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		if (is_unit_char(name[i]))
			TRY(buf_add(out, &name[i], 1));
		else
			TRY(buf_format(out, "\\x%02x", (unsigned char)name[i]));
	}
	return NULL;
}

/* PREFIX-NAME.scope, or NAME.scope */
static struct err *scope_name(const char *prefix, size_t prefix_len, const char *name,
			      size_t name_len, char **ret_scope)
{
	OWN(buf) struct buf scope = { 0 };

	TRY(escape(prefix, prefix_len, &scope));
	if (prefix_len)
		TRY(buf_add(&scope, "-", 1));
	TRY(escape(name, name_len, &scope));
	TRY(buf_add(&scope, ".scope", 6));
	if (scope.len > UNIT_NAME_MAX)
		return err_new(ERR_INVALID, "the scope name '%.32s...' is longer than %d bytes",
			       scope.data, UNIT_NAME_MAX);
	return buf_take(&scope, ret_scope);
}

/* a-b.slice lies in a.slice: every dash is a level. "-.slice" is the root. */
static struct err *slice_path(const char *slice, char **ret_path)
{
	size_t len = strlen(slice) - strlen(".slice");
	OWN(buf) struct buf path = { 0 };

	TRY(buf_add(&path, "", 0));
	if (str_eq(slice, "-.slice"))
		return buf_take(&path, ret_path);
	for (size_t i = 1; i <= len; i++) {
		if (i < len && slice[i] != '-')
			continue;
		if (slice[i - 1] == '-')
			return err_new(ERR_INVALID, "'%.255s' has an empty level between dashes",
				       slice);
		TRY(buf_format(&path, "/%.*s.slice", (int)i, slice));
	}
	return buf_take(&path, ret_path);
}

static struct err *check_slice(const char *slice)
{
	size_t len = strlen(slice);
	bool good = len > 6 && len <= UNIT_NAME_MAX && str_eq(slice + len - 6, ".slice") &&
		    (slice[0] != '-' || str_eq(slice, "-.slice"));

	for (size_t i = 0; good && i < len; i++)
		good = is_unit_char(slice[i]) || slice[i] == '\\';
	return good ? NULL : err_new(ERR_INVALID, "'%.255s' is not the name of a slice", slice);
}

struct err *unit_names_parse(const char *text, const char *default_slice, const char *prefix,
			     const char *id, struct unit_names *ret_names)
{
	OWN(unit_names) struct unit_names names = { 0 };
	const char *first, *second;

	if (!text || !*text) {
		TRY(str_dup(default_slice, &names.slice));
		TRY(scope_name(prefix, strlen(prefix), id, strlen(id), &names.scope));
	} else {
		first = strchr(text, ':');
		second = first ? strchr(first + 1, ':') : NULL;
		if (!second || strchr(second + 1, ':'))
			return err_new(ERR_INVALID,
				       "cgroup path '%.255s' is not SLICE:PREFIX:NAME, as the "
				       "systemd driver wants",
				       text);
		TRY(first == text ? str_dup(default_slice, &names.slice) :
				    str_format(&names.slice, "%.*s", (int)(first - text), text));
		if (!second[1])
			second = NULL;
		TRY(scope_name(first + 1, strcspn(first + 1, ":"), second ? second + 1 : id,
			       strlen(second ? second + 1 : id), &names.scope));
	}
	TRY(check_slice(names.slice));
	TRY(slice_path(names.slice, &names.slice_path));
	*ret_names = names;
	names = (struct unit_names){ 0 };
	return NULL;
}
