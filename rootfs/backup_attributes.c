/* A digest of all extended attributes and ACLs of an entry, so that an increment sees a change. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/backup_room.h"

struct attribute {
	const char *name;
	const void *value;
	size_t len;
};
OWN_KIND(attributes, struct attribute *, free)

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct attribute *)a)->name, ((const struct attribute *)b)->name);
}

/* A file system lists them in any order. */
static struct err *add_attributes(struct archive_entry *entry, size_t count, struct sha256 *sha)
{
	OWN(attributes) struct attribute *items = calloc(count, sizeof(*items));
	size_t got = 0;

	if (!items)
		return err_sys(ENOMEM, "read extended attributes");
	while (got < count && archive_entry_xattr_next(entry, &items[got].name, &items[got].value,
						       &items[got].len) == ARCHIVE_OK)
		got++;
	qsort(items, got, sizeof(*items), compare);
	for (size_t i = 0; i < got; i++) {
		sha256_add(sha, items[i].name, strlen(items[i].name) + 1);
		sha256_add(sha, &items[i].len, sizeof(items[i].len));
		sha256_add(sha, items[i].value, items[i].len);
	}
	return NULL;
}

/* Its text says all of it; the three of the mode belong to it. */
static struct err *add_acl(struct archive_entry *entry, struct sha256 *sha)
{
	la_ssize_t len;
	char *text = archive_entry_acl_to_text(
		entry, &len, ARCHIVE_ENTRY_ACL_STYLE_EXTRA_ID | ARCHIVE_ENTRY_ACL_TYPE_POSIX1E);

	if (!text)
		return err_sys(ENOMEM, "read an ACL");
	sha256_add(sha, text, (size_t)len);
	free(text);
	return NULL;
}

struct err *index_attributes_of(struct archive_entry *entry, char *hex)
{
	int count = archive_entry_xattr_reset(entry), acls = archive_entry_acl_types(entry);
	struct sha256 sha;

	memcpy(hex, "-", sizeof("-"));
	if (count == 0 && acls == 0)
		return NULL;
	sha256_init(&sha);
	if (count > 0)
		TRY(add_attributes(entry, (size_t)count, &sha));
	if (acls != 0)
		TRY(add_acl(entry, &sha));
	sha256_hex(&sha, hex);
	return NULL;
}
