/* The busybox template: one static program from the host, a link per applet, a small /etc. See
 * template.h. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/sha256.h"
#include "rootfs/template.h"

static const char *const busybox_paths[] = { "/bin/busybox", "/usr/bin/busybox", "/sbin/busybox" };

static const struct directory {
	const char *path;
	mode_t mode;
} directories[] = {
	{ "bin", 0755 },      { "sbin", 0755 }, { "usr", 0755 },	{ "usr/bin", 0755 },
	{ "usr/sbin", 0755 }, { "etc", 0755 },	{ "etc/init.d", 0755 }, { "root", 0700 },
	{ "tmp", 01777 },     { "var", 0755 },	{ "var/log", 0755 },	{ "home", 0755 },
	{ "dev", 0755 },      { "proc", 0755 }, { "sys", 0755 },	{ "run", 0755 },
	{ "mnt", 0755 },
};

static const struct small_file {
	const char *path, *text;
	mode_t mode;
} small_files[] = {
	{ "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
	  0644 },
	{ "etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n", 0644 },
	{ "etc/shadow", "root:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n", 0600 },
	{ "etc/shells", "/bin/sh\n", 0644 },
	{ "etc/profile", "export PATH=/bin:/sbin:/usr/bin:/usr/sbin\nPS1='\\u@\\h:\\w\\$ '\n",
	  0644 },
	{ "etc/os-release", "ID=busybox\nNAME=BusyBox\nPRETTY_NAME=\"BusyBox\"\n", 0644 },
	{ "etc/inittab",
	  "::sysinit:/etc/init.d/rcS\n"
	  "console::askfirst:-/bin/sh\n"
	  "::shutdown:/etc/init.d/rcK\n"
	  "::restart:/sbin/init\n",
	  0644 },
	{ "etc/init.d/rcS",
	  "#!/bin/sh\n# the host has raised the network; local services start here\n"
	  "[ -x /etc/rc.local ] && /etc/rc.local\nexit 0\n",
	  0755 },
	{ "etc/init.d/rcK",
	  "#!/bin/sh\n[ -x /etc/rc.shutdown ] && /etc/rc.shutdown\nsync\nexit 0\n", 0755 },
};

/* A program that names an interpreter needs libraries, which the container does not have. Source:
 * elf(5), PT_INTERP. */
static bool is_static_program(int fd)
{
	Elf64_Ehdr head;
	Elf64_Phdr part;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    head.e_phentsize != sizeof(part))
		return false;
	for (unsigned int i = 0; i < head.e_phnum; i++) {
		if (pread(fd, &part, sizeof(part), (off_t)(head.e_phoff + i * sizeof(part))) !=
		    sizeof(part))
			return false;
		if (part.p_type == PT_INTERP)
			return false;
	}
	return true;
}

static struct err *find_busybox(int *ret_fd, const char **ret_path)
{
	for (size_t i = 0; i < ARRAY_SIZE(busybox_paths); i++) {
		OWN(fd) int fd = open(busybox_paths[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 || !is_static_program(fd))
			continue;
		*ret_fd = fd_take(&fd);
		*ret_path = busybox_paths[i];
		return NULL;
	}
	return err_new(ERR_NOT_FOUND, "no static busybox on this host (looked at /bin/busybox and "
				      "/usr/bin/busybox); install "
				      "the package busybox-static");
}

struct busybox_builder {
	struct template_builder base;
	int program_fd;
	const char *applets; /* `busybox --list-full`: a path a line */
};

static struct err *put_text(int root_fd, const struct small_file *file)
{
	OWN(fd)
	int fd = openat(root_fd, file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file->mode);

	if (fd < 0 || fchmod(fd, file->mode) < 0)
		return err_sys(errno, "create %s", file->path);
	return fd_write_all(fd, file->path, file->text, strlen(file->text));
}

static struct err *put_program(int root_fd, int program_fd)
{
	OWN(fd)
	int fd = openat(root_fd, "bin/busybox", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	struct stat st;

	if (fd < 0 || fchmod(fd, 0755) < 0 || fstat(program_fd, &st) < 0)
		return err_sys(errno, "create bin/busybox");
	return fd_copy_range(program_fd, fd, "busybox", 0, st.st_size);
}

static struct err *put_link(int root_fd, const char *path)
{
	OWN(fd) int parent_fd = -1;
	const char *name;

	TRY(path_open_parent_in(root_fd, path, &parent_fd, &name));
	if (symlinkat("/bin/busybox", parent_fd, name) < 0 && errno != EEXIST)
		return err_sys(errno, "make link %s", path);
	return NULL;
}

static struct err *put_links(int root_fd, const char *applets)
{
	for (const char *line = applets; *line;) {
		size_t len = strcspn(line, "\n");
		OWN(str) char *path = NULL;

		TRY(str_format(&path, "%.*s", (int)len, line));
		if (len && *path != '/')
			TRY(put_link(root_fd, path));
		line += len + (line[len] == '\n');
	}
	/* the kernel's and our own first choice, whatever this busybox was built with */
	return put_link(root_fd, "sbin/init");
}

static struct err *fill(const struct template_builder *base, int root_fd)
{
	const struct busybox_builder *builder = (const void *)base;

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		if (mkdirat(root_fd, directories[i].path, 0755) < 0 ||
		    fchmodat(root_fd, directories[i].path, directories[i].mode, 0) < 0)
			return err_sys(errno, "make directory %s", directories[i].path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(small_files); i++)
		TRY(put_text(root_fd, &small_files[i]));
	TRY(put_program(root_fd, builder->program_fd));
	return put_links(root_fd, builder->applets);
}

static struct err *digest_of(int program_fd, char *hex)
{
	char program[SHA256_HEX_MAX];
	struct sha256 sha;

	TRY(sha256_fd(program_fd, "busybox", program));
	sha256_init(&sha);
	sha256_add(&sha, program, sizeof(program));
	for (size_t i = 0; i < ARRAY_SIZE(small_files); i++)
		sha256_add(&sha, small_files[i].text, strlen(small_files[i].text) + 1);
	sha256_hex(&sha, hex);
	return NULL;
}

struct err *template_create_busybox(const struct template_store *store, const char *name)
{
	OWN(fd) int program_fd = -1;
	OWN(buf) struct buf applets = { 0 };
	char digest[SHA256_HEX_MAX];
	struct busybox_builder builder = { .base = { .fill = fill,
						     .name = name,
						     .source = "the host's busybox",
						     .digest = digest } };
	char *argv[] = { NULL, (char[]){ "--list-full" }, NULL };
	struct proc_run run = { .argv = argv, .output = &applets, .timeout_ms = 10000 };
	int status;

	TRY(find_busybox(&program_fd, &run.path));
	argv[0] = (char[]){ "busybox" };
	TRY(proc_run(&run, &status));
	if (status != 0 || !applets.data)
		return err_new(ERR_PEER, "%s --list-full ended with status %d", run.path, status);
	TRY(digest_of(program_fd, digest));
	builder.program_fd = program_fd;
	builder.applets = applets.data;
	return template_build(store, &builder.base);
}
