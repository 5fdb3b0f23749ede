/* A part of an archive: what is below one of its names, or one path of that; see template.h. */
#include <string.h>

#include "base/own.h"
#include "base/str.h"
#include "rootfs/template_room.h"

const char *template_plain_name(const char *name)
{
	while (name && name[0] == '.' && name[1] == '/' && name[2])
		name += 2;
	return name;
}

/* "./root/etc/" below "root" is "etc/", "root" itself "."; NULL: it is elsewhere. */
static const char *name_below(const char *name, const char *below)
{
	size_t len = below ? strlen(below) : 0;

	if (!name)
		return NULL;
	if (!below)
		return name;
	if (strncmp(name, below, len) != 0 || (name[len] != '/' && name[len] != '\0'))
		return NULL;
	name += len;
	name += strspn(name, "/");
	return *name ? name : ".";
}

/* Is path the directory dir, or below it? Both without "/" at the ends. */
static bool is_at_or_below(const char *path, const char *dir, size_t dir_len)
{
	return strncmp(path, dir, dir_len) == 0 && (path[dir_len] == '\0' || path[dir_len] == '/');
}

/* How long a path is without the "/" at its end. */
static size_t length(const char *path)
{
	size_t len = strlen(path);

	while (len > 0 && path[len - 1] == '/')
		len--;
	return len;
}

static bool is_asked_for(const char *name, const char *only)
{
	size_t only_len = length(only);

	return !str_eq(name, ".") && (only_len == 0 || is_at_or_below(name, only, only_len));
}

static bool is_on_the_way(struct archive_entry *entry, const char *name, const char *only)
{
	size_t len = length(name);

	return archive_entry_filetype(entry) == AE_IFDIR && len < strlen(only) &&
	       is_at_or_below(only, name, len);
}

static struct err *rename_link(const struct template_sandbox *sandbox, struct archive_entry *entry,
			       const char *name)
{
	const char *link = archive_entry_hardlink(entry);
	const char *target = name_below(link, sandbox->below);
	OWN(str) char *copy = NULL;

	if (!link)
		return NULL;
	if (!target)
		return err_new(ERR_INVALID,
			       "archive refused: entry '%.200s' is a link to what is not below %s",
			       name, sandbox->below);
	if (sandbox->only && !is_asked_for(target, sandbox->only))
		return err_new(ERR_INVALID,
			       "%.200s is another name of %.200s: restore that, or both together",
			       name, target);
	TRY(str_dup(target, &copy));
	archive_entry_set_hardlink(entry, copy);
	return NULL;
}

struct err *template_select(const struct template_sandbox *sandbox, struct archive_entry *entry,
			    bool *ret_wanted, bool *matched)
{
	const char *name = name_below(archive_entry_pathname(entry), sandbox->below);
	OWN(str) char *copy = NULL;
	bool asked_for;

	*ret_wanted = true;
	if (!sandbox->below && !sandbox->only)
		return NULL;
	*ret_wanted = false;
	if (!name)
		return NULL;
	asked_for = !sandbox->only || is_asked_for(name, sandbox->only);
	if (!asked_for && !is_on_the_way(entry, name, sandbox->only))
		return NULL;
	if (sandbox->filter &&
	    !sandbox->filter->wants(sandbox->filter, name, archive_entry_filetype(entry)))
		return NULL;
	TRY(str_dup(name, &copy));
	TRY(rename_link(sandbox, entry, copy));
	archive_entry_set_pathname(entry, copy);
	*ret_wanted = true;
	*matched |= asked_for;
	return NULL;
}
