/* Do restored processes have the ids that the configuration gives them? CRIU takes them from the
 * images. user_namespaces(7), "User and group ID mappings". */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "migrate-criu/place.h"

static bool has_map(const struct id_map *maps, size_t count, const struct id_map *map)
{
	for (size_t i = 0; i < count; i++)
		if (maps[i].inside == map->inside && maps[i].outside == map->outside &&
		    maps[i].count == map->count)
			return true;
	return false;
}

bool cr_is_id_map(const char *text, const struct id_map *maps, size_t count)
{
	size_t lines = 0;

	while (*text) {
		struct id_map map;

		if (sscanf(text, "%u %u %u", &map.inside, &map.outside, &map.count) != 3 ||
		    !has_map(maps, count, &map))
			return false;
		lines++;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return lines == count;
}

static struct err *check(pid_t pid, const char *file, const char *property,
			 const struct id_map *maps, size_t count)
{
	OWN(str) char *path = NULL;
	OWN(buf) struct buf text = { 0 };

	TRY(str_format(&path, "/proc/%d/%s", (int)pid, file));
	TRY(file_read(AT_FDCWD, path, 65536, &text));
	if (!cr_is_id_map(text.data ? text.data : "", maps, count))
		return err_new(ERR_INVALID, "linux.%s: they are not those of the checkpoint",
			       property);
	return NULL;
}

struct err *cr_check_ids(const struct id_maps *maps, pid_t pid)
{
	TRY(check(pid, "uid_map", "uidMappings", maps->uids, maps->uid_count));
	return check(pid, "gid_map", "gidMappings", maps->gids, maps->gid_count);
}
