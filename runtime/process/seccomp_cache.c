/*
 * Compiled filters by their source text. A file is named by a hash of the key and holds the key
 * itself, compared byte by byte: no collision can hand out another filter. Whatever looks damaged
 * or foreign is compiled anew.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "runtime/process/filter.h"

#define FORMAT 3 /* of the file and of our own compiler's output: raise it when either changes */
#define KEY_MAX ((size_t)1 << 20)
#define FILE_NAME_MAX 24

struct file_head {
	char magic[8];
	uint32_t key_len, count; /* bytes, instructions */
	uint64_t checksum;	 /* of the instructions */
};
static const char magic[8] = "cellabpf";

#define FILE_MAX (sizeof(struct file_head) + KEY_MAX + BPF_MAXINSNS * sizeof(struct sock_filter))

/* FNV-1a over 64-bit words, the last one filled with zeros: finds files, guards nothing. */
static uint64_t hash(const void *data, size_t len)
{
	const char *at = data;
	uint64_t sum = 0xcbf29ce484222325U ^ len;

	while (len > 0) {
		size_t take = len < sizeof(uint64_t) ? len : sizeof(uint64_t);
		uint64_t word = 0;

		memcpy(&word, at, take);
		sum = (sum ^ word) * 0x100000001b3U;
		sum ^= sum >> 32; /* multiplication moves bits upwards only */
		at += take;
		len -= take;
	}
	return sum;
}

struct err *filter_cache_key(const struct seccomp_spec *spec, char **ret_key)
{
	const struct scmp_version *version = seccomp_version();

	return str_format(ret_key, "cella seccomp %d, libseccomp %u.%u.%u, architecture %x\n%s",
			  FORMAT, version->major, version->minor, version->micro,
			  seccomp_arch_native(), spec->source);
}

struct err *filter_cache_parse(const char *data, size_t len, const char *key,
			       struct seccomp_filter *ret_filter)
{
	struct file_head head;
	const char *at = data + sizeof(head);
	size_t key_len = strlen(key), size;
	struct sock_filter *insns;

	if (len < sizeof(head))
		return err_new(ERR_INVALID, "cached filter is cut off");
	memcpy(&head, data, sizeof(head));
	size = (size_t)head.count * sizeof(*insns);
	if (memcmp(head.magic, magic, sizeof(magic)) != 0 || head.count == 0 ||
	    head.count > BPF_MAXINSNS || len != sizeof(head) + (size_t)head.key_len + size)
		return err_new(ERR_INVALID, "cached filter is malformed");
	if (head.key_len != key_len || memcmp(at, key, key_len) != 0)
		return err_new(ERR_INVALID, "cached filter is of another profile");
	at += key_len;
	if (hash(at, size) != head.checksum)
		return err_new(ERR_INVALID, "cached filter is damaged");
	insns = malloc(size);
	if (!insns)
		return err_sys(ENOMEM, "read a filter of %u instructions", head.count);
	memcpy(insns, at, size);
	*ret_filter = (struct seccomp_filter){ .insns = insns, .count = head.count };
	return NULL;
}

struct err *filter_cache_format(const char *key, const struct seccomp_filter *filter,
				struct buf *buf)
{
	size_t size = filter->count * sizeof(*filter->insns);
	struct file_head head = { .key_len = (uint32_t)strlen(key),
				  .count = (uint32_t)filter->count,
				  .checksum = hash(filter->insns, size) };

	if (strlen(key) > KEY_MAX)
		return err_new(ERR_INVALID, "profile of %zu bytes is too large to keep",
			       strlen(key));
	memcpy(head.magic, magic, sizeof(magic));
	TRY(buf_add(buf, &head, sizeof(head)));
	TRY(buf_add(buf, key, strlen(key)));
	return buf_add(buf, filter->insns, size);
}

static void name_file(const char *key, char *name)
{
	snprintf(name, FILE_NAME_MAX, "%016jx.bpf", (uintmax_t)hash(key, strlen(key)));
}

/* Ours alone: nobody else may have put a filter there. */
static struct err *check_owner(int fd, mode_t type, const char *what)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(errno, "look at the %s", what);
	if ((st.st_mode & S_IFMT) != type || st.st_uid != geteuid() || st.st_mode & 077)
		return err_new(ERR_INVALID, "the %s is not ours alone (owner %u, mode %o)", what,
			       st.st_uid, st.st_mode);
	return NULL;
}

struct err *filter_cache_load(int dir_fd, const char *key, struct seccomp_filter *ret_filter)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	OWN(buf) struct buf file = { 0 };
	char name[FILE_NAME_MAX];
	OWN(fd) int fd = -1;

	TRY(check_owner(dir_fd, S_IFDIR, "seccomp cache"));
	name_file(key, name);
	fd = openat(dir_fd, name, flags);
	if (fd < 0)
		return err_new(ERR_NOT_FOUND, "filter %s is not cached", name);
	TRY(check_owner(fd, S_IFREG, name));
	TRY(fd_read_all(fd, name, FILE_MAX, &file));
	return filter_cache_parse(file.data, file.len, key, ret_filter);
}

/* Make room for one more: files beyond the limit go, the oldest first. Two at once may remove one
 * too many. */
static struct err *prune(int dir_fd)
{
	OWN(fd) int copy_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = copy_fd < 0 ? NULL : fdopendir(copy_fd);
	char oldest[NAME_MAX + 1] = "";
	struct timespec oldest_time = { 0 };
	const struct dirent *entry;
	size_t count = 0;

	if (!dir)
		return err_sys(errno, "list the seccomp cache");
	copy_fd = -1; /* closedir() closes it */
	while ((entry = readdir(dir))) {
		struct stat st;

		if (entry->d_name[0] == '.' ||
		    fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		count++;
		if (*oldest && (st.st_mtim.tv_sec > oldest_time.tv_sec ||
				(st.st_mtim.tv_sec == oldest_time.tv_sec &&
				 st.st_mtim.tv_nsec >= oldest_time.tv_nsec)))
			continue;
		oldest_time = st.st_mtim;
		snprintf(oldest, sizeof(oldest), "%s", entry->d_name);
	}
	if (count >= FILTER_CACHE_FILES_MAX && unlinkat(dir_fd, oldest, 0) < 0 && errno != ENOENT)
		return err_sys(errno, "remove %s from the seccomp cache", oldest);
	return NULL;
}

struct err *filter_cache_store(int dir_fd, const char *key, const struct seccomp_filter *filter)
{
	OWN(buf) struct buf file = { 0 };
	char name[FILE_NAME_MAX];

	TRY(check_owner(dir_fd, S_IFDIR, "seccomp cache"));
	TRY(filter_cache_format(key, filter, &file));
	TRY(prune(dir_fd));
	name_file(key, name);
	return file_replace(dir_fd, name, 0600, file.data, file.len);
}
