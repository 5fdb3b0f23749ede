/*
 * Reading passwd(5) and group(5) texts that belong to the container, so no C library lookup may
 * touch them (it would load the container's libraries). Bytes in, values out; lines are bounded,
 * malformed ones do not exist for us.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "runtime/process/process.h"

#define LINE_MAX_BYTES ((size_t)32 << 10)
#define FIELD_MAX 7 /* of passwd(5); group(5) has four */

/* A field of a line: not NUL-terminated. */
struct span {
	const char *data;
	size_t len;
};

struct lines {
	const char *at, *end;
	size_t number; /* of the line last given, from 1 */
};

/* The next line without its newline; data is NULL after the last one. */
static struct err *next_line(struct lines *lines, struct span *ret_line)
{
	const char *newline;
	size_t len;

	*ret_line = (struct span){ 0 };
	if (lines->at == lines->end)
		return NULL;
	lines->number++;
	len = (size_t)(lines->end - lines->at);
	newline = memchr(lines->at, '\n', len);
	if (newline)
		len = (size_t)(newline - lines->at);
	if (len > LINE_MAX_BYTES)
		return err_new(ERR_INVALID,
			       "line %zu of the passwd or group file is longer than %zu bytes",
			       lines->number, LINE_MAX_BYTES);
	*ret_line = (struct span){ lines->at, len };
	lines->at += len + (newline != NULL);
	return NULL;
}

/* Split at colons; the last field keeps what is left. 0 for lines that are none: NIS entries, NUL
 * bytes, no name. */
static size_t split(struct span line, struct span *fields)
{
	const char *end = line.data + line.len, *at = line.data;
	size_t count = 0;

	if (!line.len || memchr(line.data, '\0', line.len) || strchr("+-:#", line.data[0]))
		return 0;
	for (;;) {
		const char *colon = memchr(at, ':', (size_t)(end - at));

		if (!colon || count == FIELD_MAX - 1) {
			fields[count++] = (struct span){ at, (size_t)(end - at) };
			return count;
		}
		fields[count++] = (struct span){ at, (size_t)(colon - at) };
		at = colon + 1;
	}
}

static bool span_is(struct span span, const char *text)
{
	return strlen(text) == span.len && memcmp(span.data, text, span.len) == 0;
}

/* Digits only and never (uid_t)-1, which tells the kernel to change nothing. */
static bool span_id(struct span span, uint32_t *ret_id)
{
	uint64_t value = 0;

	if (span.len == 0 || span.len > 10)
		return false;
	for (size_t i = 0; i < span.len; i++) {
		if (span.data[i] < '0' || span.data[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(span.data[i] - '0');
	}
	*ret_id = (uint32_t)value;
	return value < UINT32_MAX;
}

struct err *passwd_find(const char *text, size_t len, const char *name, const uid_t *uid,
			struct passwd_entry *ret_entry)
{
	struct lines lines = { text, text + len, 0 };
	struct passwd_entry entry = { 0 };
	struct span line, f[FIELD_MAX];

	for (;;) {
		size_t count;

		TRY(next_line(&lines, &line));
		if (!line.data)
			return err_new(ERR_NOT_FOUND, "no matching entries in passwd file");
		count = split(line, f);
		if (count < 4 || !span_id(f[2], &entry.uid) || !span_id(f[3], &entry.gid))
			continue;
		if (name ? !span_is(f[0], name) : entry.uid != *uid)
			continue;
		entry.name = strndup(f[0].data, f[0].len);
		entry.home = count > 5 ? strndup(f[5].data, f[5].len) : strdup("");
		if (entry.name && entry.home) {
			*ret_entry = entry;
			return NULL;
		}
		passwd_entry_release(&entry);
		return err_sys(ENOMEM, "copy a passwd entry");
	}
}

void passwd_entry_release(struct passwd_entry *entry)
{
	free(entry->name);
	free(entry->home);
	entry->name = entry->home = NULL;
}

struct err *group_find(const char *text, size_t len, const char *name, gid_t *ret_gid)
{
	struct lines lines = { text, text + len, 0 };
	struct span line, f[FIELD_MAX];
	uint32_t gid;

	for (;;) {
		TRY(next_line(&lines, &line));
		if (!line.data)
			return err_new(ERR_NOT_FOUND, "no matching entries in group file");
		if (split(line, f) < 3 || !span_is(f[0], name) || !span_id(f[2], &gid))
			continue;
		*ret_gid = gid;
		return NULL;
	}
}

/* members: "alice,bob" */
static bool has_member(struct span members, const char *user)
{
	const char *at = members.data, *end = members.data + members.len;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		struct span member = { at, (size_t)((comma ? comma : end) - at) };

		if (span_is(member, user))
			return true;
		at += member.len + 1;
	}
	return false;
}

struct err *group_list_add(gid_t **groups, size_t *count, gid_t gid)
{
	gid_t *grown;

	for (size_t i = 0; i < *count; i++)
		if ((*groups)[i] == gid)
			return NULL;
	if (*count >= NGROUPS_MAX)
		return err_new(ERR_INVALID, "more than %d groups", NGROUPS_MAX);
	grown = realloc(*groups, (*count + 1) * sizeof(*grown));
	if (!grown)
		return err_sys(ENOMEM, "grow a list to %zu groups", *count + 1);
	grown[(*count)++] = gid;
	*groups = grown;
	return NULL;
}

struct err *group_list_of(const char *text, size_t len, const char *user, gid_t **ret_groups,
			  size_t *ret_count)
{
	struct lines lines = { text, text + len, 0 };
	OWN(groups) gid_t *groups = NULL;
	struct span line, f[FIELD_MAX];
	size_t count = 0;
	uint32_t gid;

	for (;;) {
		TRY(next_line(&lines, &line));
		if (!line.data)
			break;
		if (split(line, f) >= 4 && span_id(f[2], &gid) && has_member(f[3], user))
			TRY(group_list_add(&groups, &count, gid));
	}
	*ret_groups = TAKE(groups);
	*ret_count = count;
	return NULL;
}
