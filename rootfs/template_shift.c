/*
 * Archives of a user namespace's files that were written from outside it, in the sandbox: their ids
 * begin at some first one, and are brought back to 0, those in ACLs and file capabilities too.
 * Source: capabilities(7), "Namespaced file capabilities"; linux/capability.h.
 */
#include <endian.h>
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "rootfs/template_room.h"

#define ACL_TYPES (ARCHIVE_ENTRY_ACL_TYPE_ACCESS | ARCHIVE_ENTRY_ACL_TYPE_DEFAULT)
#define ACL_MAX 1024

struct acl_row {
	int type, permset, tag, id;
	char *name; /* owned */
};

static bool has_id(const struct acl_row *row)
{
	return row->tag == ARCHIVE_ENTRY_ACL_USER || row->tag == ARCHIVE_ENTRY_ACL_GROUP;
}

static struct err *read_acl(struct archive_entry *entry, struct acl_row *rows, size_t *count)
{
	struct acl_row row;
	const char *name;

	archive_entry_acl_reset(entry, ACL_TYPES);
	while (archive_entry_acl_next(entry, ACL_TYPES, &row.type, &row.permset, &row.tag, &row.id,
				      &name) == ARCHIVE_OK) {
		if (*count == ACL_MAX)
			return err_new(ERR_INVALID, "archive refused: an ACL has more than %d rows",
				       ACL_MAX);
		TRY(str_dup(name ? name : "", &row.name));
		rows[(*count)++] = row;
	}
	return NULL;
}

static struct err *shift_acl(struct archive_entry *entry, uint32_t first)
{
	struct acl_row rows[ACL_MAX];
	size_t count = 0;
	struct err *err;

	if (archive_entry_acl_count(entry, ACL_TYPES) == 0)
		return NULL;
	err = read_acl(entry, rows, &count);
	if (!err)
		archive_entry_acl_clear(entry);
	for (size_t i = 0; i < count; i++) {
		const struct acl_row *row = &rows[i];
		int id = has_id(row) ? row->id - (int)first : row->id;

		if (!err && has_id(row) && (id < 0 || id > 65535))
			err = err_new(ERR_INVALID,
				      "archive refused: an ACL names an id outside of it");
		if (!err && archive_entry_acl_add_entry(entry, row->type, row->permset, row->tag,
							id, row->name) != ARCHIVE_OK)
			err = err_sys(ENOMEM, "keep an ACL");
		free(row->name);
	}
	return err;
}

size_t template_shift_capability(void *value, size_t len, uint32_t first)
{
	struct vfs_ns_cap_data data;

	if (len != sizeof(data))
		return len;
	memcpy(&data, value, sizeof(data));
	if (le32toh(data.rootid) != first)
		return len;
	data.magic_etc =
		htole32((le32toh(data.magic_etc) & ~VFS_CAP_REVISION_MASK) | VFS_CAP_REVISION_2);
	memcpy(value, &data, XATTR_CAPS_SZ_2);
	return XATTR_CAPS_SZ_2;
}

struct err *template_shift(struct archive_entry *entry, uint32_t first)
{
	if (first == 0)
		return NULL;
	archive_entry_set_uid(entry, archive_entry_uid(entry) - first);
	archive_entry_set_gid(entry, archive_entry_gid(entry) - first);
	return shift_acl(entry, first);
}
