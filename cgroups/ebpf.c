/* Device programs in the kernel by bpf(2); see ebpf.h. */
#include "cgroups/ebpf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sha256.h"

/* How the kernel and bpftool(8) name the program, and how we know it among others. At most 15
 * bytes. */
#define PROGRAM_NAME "cella_devices"
/* Programs at one cgroup; the kernel's own bound (BPF_CGROUP_MAX_PROGS). */
#define PROGRAMS_MAX 64
/* Different rule lists kept pinned; further ones are loaded each time, so that the directory stays
 * small. */
#define PINS_MAX 256

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static uint64_t pointer(const void *address)
{
	return (uint64_t)(uintptr_t)address;
}

static struct err *load(const struct buf *code, int *ret_fd)
{
	/* no helper is called, so the licence decides nothing; the kernel wants a text */
	static const char license[] = "GPL";
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = pointer(code->data);
	attr.insn_cnt = (uint32_t)(code->len / sizeof(struct bpf_insn));
	attr.license = pointer(license);
	memcpy(attr.prog_name, PROGRAM_NAME, sizeof(PROGRAM_NAME));
	fd = bpf(BPF_PROG_LOAD, &attr); /* bpf descriptors are always close-on-exec */
	if (fd < 0 && errno == EINVAL)
		return err_new(ERR_UNSUPPORTED,
			       "the kernel takes no device filter: it lacks CONFIG_CGROUP_BPF");
	if (fd < 0)
		return err_sys(errno, "load the device filter (%u eBPF instructions)",
			       attr.insn_cnt);
	*ret_fd = fd;
	return NULL;
}

/* The directory is ours alone: what lies in it was put there by root, under the hash of its
 * content. */
static bool is_trusted(const char *dir)
{
	struct stat st;

	return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool is_bpffs(const char *dir)
{
	struct statfs fs;

	return statfs(dir, &fs) == 0 && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

/* 128 bits of SHA-256 over the instructions. */
static struct err *pin_path(const char *dir, const struct buf *code, char **ret_path)
{
	char hex[SHA256_HEX_MAX];
	struct sha256 sha;

	sha256_init(&sha);
	sha256_add(&sha, code->data, code->len);
	sha256_hex(&sha, hex);
	return str_format(ret_path, "%s/devices-%.32s", dir, hex);
}

static int get_pinned(const char *path)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.pathname = pointer(path);
	return bpf(BPF_OBJ_GET, &attr);
}

static bool has_room(const char *dir)
{
	OWN(dir) DIR *entries = opendir(dir);
	size_t count = 0;

	while (entries && readdir(entries))
		count++;
	return entries && count < PINS_MAX + 2; /* "." and ".." */
}

/* Best effort: a program that is not pinned is only slower to get next time. */
static void pin(const char *dir, const char *path, int prog_fd)
{
	union bpf_attr attr;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return;
	if (!is_trusted(dir) || !is_bpffs(dir) || !has_room(dir))
		return;
	memset(&attr, 0, sizeof(attr));
	attr.pathname = pointer(path);
	attr.bpf_fd = (uint32_t)prog_fd;
	/* the name appears with its program in one step; EEXIST is a racing twin with the same
	 * content */
	if (bpf(BPF_OBJ_PIN, &attr) < 0 && errno != EEXIST)
		log_debug("pin %s: %s", path, strerror(errno));
}

struct err *ebpf_device_program(const struct buf *code, const char *pin_dir, int *ret_prog_fd)
{
	const char *dir = pin_dir ? pin_dir : EBPF_PIN_DIR;
	OWN(str) char *path = NULL;
	int fd = -1;

	TRY(pin_path(dir, code, &path));
	if (is_trusted(dir))
		fd = get_pinned(path);
	if (fd < 0) {
		TRY(load(code, &fd));
		pin(dir, path, fd);
	}
	*ret_prog_fd = fd;
	return NULL;
}

/* replaced_fd -1: none. BPF_F_ALLOW_MULTI: filters of parents and of systemd act as well; all must
 * agree. */
static struct err *attach(int cgroup_fd, int prog_fd, int replaced_fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup_fd;
	attr.attach_bpf_fd = (uint32_t)prog_fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (replaced_fd >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)replaced_fd;
	}
	if (bpf(BPF_PROG_ATTACH, &attr) == 0)
		return NULL;
	if (errno == EPERM && geteuid() == 0)
		return err_sys(EPERM,
			       "attach the device filter (a parent cgroup may hold one without "
			       "BPF_F_ALLOW_MULTI)");
	return err_sys(errno, "attach the device filter");
}

static struct err *detach(int cgroup_fd, int prog_fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup_fd;
	attr.attach_bpf_fd = (uint32_t)prog_fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	if (bpf(BPF_PROG_DETACH, &attr) < 0 && errno != ENOENT)
		return err_sys(errno, "detach a device filter");
	return NULL;
}

struct err *ebpf_attach(int cgroup_fd, int prog_fd)
{
	return attach(cgroup_fd, prog_fd, -1);
}

/* A descriptor of program id if it bears our name; -1 otherwise or when it went away. */
static int open_ours(uint32_t id)
{
	struct bpf_prog_info info = { 0 };
	OWN(fd) int fd = -1;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
	if (fd < 0)
		return -1;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = pointer(&info);
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0 || strcmp(info.name, PROGRAM_NAME) != 0)
		return -1;
	return fd_take(&fd);
}

static struct err *query(int cgroup_fd, uint32_t *ids, uint32_t *ret_count)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)cgroup_fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = pointer(ids);
	attr.query.prog_cnt = PROGRAMS_MAX;
	if (bpf(BPF_PROG_QUERY, &attr) < 0)
		return err_sys(errno, "list the device filters");
	*ret_count = attr.query.prog_cnt;
	return NULL;
}

struct err *ebpf_replace(int cgroup_fd, int prog_fd)
{
	uint32_t ids[PROGRAMS_MAX], count = 0;
	bool is_placed = prog_fd < 0;

	TRY(query(cgroup_fd, ids, &count));
	for (uint32_t i = 0; i < count; i++) {
		OWN(fd) int old_fd = open_ours(ids[i]);

		if (old_fd < 0)
			continue;
		if (is_placed) {
			TRY(detach(cgroup_fd, old_fd));
			continue;
		}
		TRY(attach(cgroup_fd, prog_fd, old_fd));
		is_placed = true;
	}
	return is_placed ? NULL : attach(cgroup_fd, prog_fd, -1);
}
