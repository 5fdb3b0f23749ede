/*
 * Mounts of parts of a container's cgroup tree, in CRIU's images. With a cgroup namespace CRIU
 * takes every mount of the tree for one of its top (cgroup_parse() in its filesystems.c), so a
 * mount of one file would be made of a directory and fail. Source of the format: criu.org,
 * "Images"; proc_pid_mountinfo(5).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "migrate-criu/groups.h"
#include "migrate-criu/image.pb-c.h"

#define TEXT_MAX ((size_t)16 << 20)
#define IMAGE_PREFIX "mountpoints-"
/* Two numbers that say what it is; then each entry after its length. */
#define HEADER_BYTES 8

struct part {
	uint32_t mount_id;
	char *root; /* owned */
};
struct parts {
	struct part *items; /* owned */
	size_t count;
};

static void own_parts(struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		free(parts->items[i].root);
	free(parts->items);
}

OWN_KIND(pids, pid_t *, free)

/* --- what is mounted --- */

/* The kernel writes blanks, newlines and backslashes as three octal digits. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at; to++) {
		unsigned int code;

		if (*at == '\\' && sscanf(at + 1, "%3o", &code) == 1) {
			*to = (char)code;
			at += strnlen(at, 4);
		} else {
			*to = *at++;
		}
	}
	*to = '\0';
}

struct err *cr_group_mount_parse(const char *line, const char *top, uint32_t *ret_id,
				 char **ret_root)
{
	const char *end = line + strcspn(line, "\n"), *type = strstr(line, " - ");
	const size_t len = strlen(top);
	OWN(str) char *root = NULL;
	int begin = -1, stop = -1;
	uint32_t id;

	*ret_root = NULL;
	if (!type || type > end || !str_has_prefix(type, " - cgroup2 ") ||
	    sscanf(line, "%u %*u %*s %n%*s%n", &id, &begin, &stop) != 1 || stop < 0)
		return NULL;
	TRY(str_format(&root, "%.*s", stop - begin, line + begin));
	unescape(root);
	if (!str_has_prefix(root, top) || root[len] != '/')
		return NULL;
	*ret_id = id;
	return str_dup(root + len, ret_root);
}

/* root is taken over. */
static struct err *parts_add_take(struct parts *parts, uint32_t mount_id, char **root)
{
	struct part *grown = reallocarray(parts->items, parts->count + 1, sizeof(*grown));

	if (!grown)
		return err_sys(ENOMEM, "note a mount");
	parts->items = grown;
	parts->items[parts->count++] = (struct part){ mount_id, TAKE(*root) };
	return NULL;
}

static struct err *add_parts(const char *mountinfo, const char *top, struct parts *parts)
{
	while (*mountinfo) {
		OWN(str) char *root = NULL;
		uint32_t id;

		TRY(cr_group_mount_parse(mountinfo, top, &id, &root));
		mountinfo += strcspn(mountinfo, "\n");
		mountinfo += *mountinfo == '\n';
		if (root)
			TRY(parts_add_take(parts, id, &root));
	}
	return NULL;
}

/* Each mount namespace once. */
static struct err *find_parts(const struct cgroup *cgroup, struct parts *parts)
{
	OWN(strlist) struct strlist seen = { 0 };
	OWN(pids) pid_t *pids = NULL;
	size_t count;

	TRY(cgroup_pids(cgroup, &pids, &count));
	for (size_t i = 0; i < count; i++) {
		OWN(buf) struct buf text = { 0 };
		char path[64], name[64];
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pids[i]);
		len = readlink(path, name, sizeof(name) - 1);
		if (len < 0)
			return err_sys(errno, "read %s", path);
		name[len] = '\0';
		if (strlist_has(&seen, name))
			continue;
		TRY(strlist_add(&seen, name));
		snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pids[i]);
		TRY(file_read(AT_FDCWD, path, TEXT_MAX, &text));
		TRY(add_parts(text.data, cgroup->path, parts));
	}
	return NULL;
}

/* --- the images --- */

static const char *root_of(const struct parts *parts, uint32_t mount_id)
{
	for (size_t i = 0; i < parts->count; i++)
		if (parts->items[i].mount_id == mount_id)
			return parts->items[i].root;
	return NULL;
}

/* Append one entry, its root replaced when it is one of parts. */
static struct err *copy_entry(const struct parts *parts, const void *data, uint32_t len,
			      struct buf *ret_bytes)
{
	Criu__MountEntry *entry = criu__mount_entry__unpack(NULL, len, data);
	char *old_root, *root = NULL;
	uint8_t *packed;
	uint32_t size;
	struct err *err;

	if (!entry)
		return err_new(ERR_PEER, "an entry is no mount");
	root = (char *)(uintptr_t)root_of(parts, entry->mount_id);
	old_root = entry->root;
	if (root)
		entry->root = root;
	size = (uint32_t)criu__mount_entry__get_packed_size(entry);
	packed = malloc(size);
	err = packed ? buf_add(ret_bytes, &size, sizeof(size)) : err_sys(ENOMEM, "copy a mount");
	if (!err)
		err = buf_add(ret_bytes, packed, criu__mount_entry__pack(entry, packed));
	free(packed);
	entry->root = old_root;
	criu__mount_entry__free_unpacked(entry, NULL);
	return err;
}

static struct err *change_image(int images_fd, const char *name, const struct parts *parts)
{
	OWN(buf) struct buf old = { 0 }, new = { 0 };
	size_t at = HEADER_BYTES;

	TRY(file_read(images_fd, name, TEXT_MAX, &old));
	if (old.len < HEADER_BYTES)
		return err_new(ERR_PEER, "it is cut off");
	TRY(buf_add(&new, old.data, HEADER_BYTES));
	while (at < old.len) {
		uint32_t len;

		if (old.len - at < sizeof(len))
			return err_new(ERR_PEER, "it is cut off");
		memcpy(&len, old.data + at, sizeof(len));
		at += sizeof(len);
		if (len > old.len - at)
			return err_new(ERR_PEER, "it is cut off");
		TRY(copy_entry(parts, old.data + at, len, &new));
		at += len;
	}
	return file_replace(images_fd, name, 0600, new.data, new.len);
}

struct err *cr_group_mounts_save(int images_fd, const struct cgroup *cgroup)
{
	OWN(parts) struct parts parts = { 0 };
	OWN(strlist) struct strlist names = { 0 };
	OWN(dir) DIR *dir = NULL;
	const struct dirent *entry;
	int fd;

	TRY(find_parts(cgroup, &parts));
	if (parts.count == 0)
		return NULL;
	fd = openat(images_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_sys(errno, "read the directory of images");
	while ((entry = readdir(dir)))
		if (str_has_prefix(entry->d_name, IMAGE_PREFIX))
			TRY(strlist_add(&names, entry->d_name));
	for (size_t i = 0; i < names.count; i++)
		TRY(err_wrap(change_image(images_fd, names.items[i], &parts), "%s",
			     names.items[i]));
	return NULL;
}
