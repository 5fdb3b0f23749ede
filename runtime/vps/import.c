/*
 * A VPS from another system's files; see import.h. A directory is copied as a template is, from a
 * read-only mount with the ids of the system in it; an archive is unpacked in the sandbox. Rests on
 * vzdump(1) of Proxmox and lxc.container.conf(5) for where a configuration lies.
 */
#include "runtime/vps/import.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/path.h"
#include "runtime/vps/import_keys.h"
#include "runtime/vps/room.h"

/* Of an archive's files: configurations, then what shows that it is none of a VPS. */
static const char *const telling[] = { "etc/vzdump/pct.conf", "etc/vzdump/vps.conf", "oci-layout",
				       "manifest.json", NULL };
enum { CONFIGS = 2, IMAGES = 4 };

/* Where the files come from. */
struct source {
	int archive_fd;		/* -1: it is a directory */
	int tree_fd;		/* of that, a mount as disk_open_foreign() makes it */
	uint32_t archive_first; /* from which the archive's ids are counted */
	struct import import;
};

static void own_source(struct source *source)
{
	own_fd(&source->archive_fd);
	own_fd(&source->tree_fd);
	import_release(&source->import);
}

struct import_maker {
	struct vps_maker base;
	const struct vps_import *request;
	struct source *source;
};

/* --- the disk --- */

static struct err *copy_tree(const struct import_maker *maker, const struct disk *disk,
			     const struct vps_conf *conf)
{
	const struct quota_limits limits = vps_disk_limits(conf);
	const struct disk_new new = { .project = (uint32_t)conf->id_first,
				      .limits = &limits,
				      .progress = maker->request->progress,
				      .is_foreign = true,
				      .ret_counts = &maker->source->import.report.counts };

	return disk_create_from(disk, maker->source->tree_fd, 0, &new);
}

/* The sandbox takes a mount of its own, which is of no use to us afterwards. */
static struct err *unpack(const struct import_maker *maker, const struct vps_host *host,
			  const struct disk *disk, const struct vps_conf *conf)
{
	const struct template_sandbox sandbox = { .id_first = (uint32_t)host->id_first,
						  .dest_is_mount = true,
						  .archive_first = maker->source->archive_first };
	OWN(fd) int dest_fd = -1;

	TRY(vps_disk_create_empty(disk, conf));
	TRY(disk_mount(disk, NULL, &dest_fd));
	if (lseek(maker->source->archive_fd, 0, SEEK_SET) < 0)
		return err_sys(errno, "rewind the archive");
	return template_unpack(maker->source->archive_fd, dest_fd, &sandbox,
			       maker->request->progress, &maker->source->import.report.counts);
}

static struct err *check_is_system(int tree_fd)
{
	OWN(fd) int etc_fd = -1;

	TRY(path_find_in(tree_fd, "etc", O_PATH | O_DIRECTORY, &etc_fd));
	return etc_fd >= 0 ? NULL :
			     err_new(ERR_INVALID, "it is not the root of a system: it has no etc");
}

static struct err *unpack_and_check(const struct import_maker *maker, const struct vps_host *host,
				    const struct disk *disk, const struct vps_conf *conf)
{
	OWN(fd) int tree_fd = -1;

	TRY(unpack(maker, host, disk, conf));
	TRY(disk_mount(disk, NULL, &tree_fd));
	TRY(check_is_system(tree_fd));
	return vps_disk_sync_tree(tree_fd);
}

static struct err *make_disk(const struct vps_maker *base, const struct vps_host *host,
			     const char *hidden, const struct vps_conf *conf)
{
	const struct import_maker *maker = (const void *)base;
	const struct disk disk = vps_disk(host, hidden, conf);
	struct err *err = maker->source->archive_fd < 0 ?
				  copy_tree(maker, &disk, conf) :
				  unpack_and_check(maker, host, &disk, conf);

	return err_wrap(err, "%s", maker->request->source);
}

/* --- the source --- */

static struct err *read_config(struct import *import, const char *path, const char *text,
			       size_t len)
{
	const struct import_system *system;

	TRY(err_wrap(import_recognise(text, len, &system), "%s", path));
	return err_wrap(import_read(import, system, text, len), "%s", path);
}

/* What it includes is looked for from there. */
static struct err *open_config_dir(struct import *import, const char *path)
{
	const char *slash = strrchr(path, '/');
	OWN(str) char *dir = NULL;

	if (slash)
		TRY(str_format(&dir, "%.*s", (int)(slash - path + 1), path));
	own_fd(&import->dir_fd);
	import->dir_fd = open(dir ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return import->dir_fd < 0 ? err_sys(errno, "open %s", dir ? dir : ".") : NULL;
}

static struct err *read_config_file(struct import *import, const char *path)
{
	OWN(buf) struct buf text = { 0 };

	TRY(open_config_dir(import, path));
	TRY(file_read(AT_FDCWD, path, CONF_FILE_MAX, &text));
	return read_config(import, path, text.data ? text.data : "", text.len);
}

static struct err *refuse_image(void)
{
	return err_new(ERR_UNSUPPORTED,
		       "it is a container image: 'cella template import' makes a template of it, "
		       "and 'cella create' VPSs of that");
}

static bool is_there(const char *dir, const char *name, mode_t type)
{
	OWN(fd) int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	return dir_fd >= 0 && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (st.st_mode & S_IFMT) == type;
}

/* What is no system's root directory, but of something known. */
static struct err *refuse_other_dirs(const char *dir)
{
	if (is_there(dir, "oci-layout", S_IFREG))
		return refuse_image();
	if (is_there(dir, "root.hdd", S_IFDIR))
		return err_new(ERR_UNSUPPORTED,
			       "its files are in a ploop image: mount it with 'ploop mount', and "
			       "import the directory");
	return NULL;
}

/* LXC's directory of a container has its configuration and, mostly, its files. Another place that
 * the configuration names is opened only if the operator names it as well. */
static struct err *open_lxc_dir(const struct vps_import *request, struct source *source,
				char **ret_root)
{
	OWN(str) char *config = NULL;

	TRY(str_format(&config, "%s/config", request->source));
	if (!request->config)
		TRY(read_config_file(&source->import, config));
	if (is_there(request->source, "rootfs", S_IFDIR))
		return str_format(ret_root, "%s/rootfs", request->source);
	return err_new(ERR_INVALID,
		       "%s has no directory rootfs: import the one where the files are%s%s, with "
		       "--config %s",
		       request->source, source->import.root ? ", " : "",
		       source->import.root ? source->import.root : "", config);
}

static struct err *open_dir(const struct vps_import *request, struct source *source)
{
	OWN(str) char *root = NULL;
	uint32_t id_first;

	if (is_there(request->source, "config", S_IFREG) &&
	    !is_there(request->source, "etc", S_IFDIR))
		TRY(open_lxc_dir(request, source, &root));
	else
		TRY(str_dup(request->source, &root));
	TRY(err_wrap(refuse_other_dirs(root), "%s", root));
	TRY(disk_open_foreign(root, &id_first, &source->tree_fd));
	return err_wrap(check_is_system(source->tree_fd), "%s", root);
}

static struct err *refuse_lzop(int fd)
{
	static const char magic[] = "\x89LZO";
	char head[sizeof(magic) - 1];

	if (pread(fd, head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head, magic, sizeof(head)) != 0)
		return NULL;
	return err_new(ERR_UNSUPPORTED, "it is compressed with lzop: 'lzop -d' it first");
}

static struct err *open_archive(const struct vps_host *host, const struct vps_import *request,
				struct source *source)
{
	OWN(buf) struct buf text = { 0 };
	OWN(str) char *place = NULL;
	size_t found;

	TRY(refuse_lzop(source->archive_fd));
	TRY(template_peek(source->archive_fd, (uint32_t)host->id_first, telling, &found,
			  &source->archive_first, &text));
	if (found >= CONFIGS && found < IMAGES)
		return refuse_image();
	if (found >= CONFIGS || request->config)
		return NULL;
	TRY(str_format(&place, "%s in it", telling[found]));
	return read_config(&source->import, place, text.data ? text.data : "", text.len);
}

static struct err *open_source(const struct vps_host *host, const struct vps_import *request,
			       struct source *source)
{
	struct stat st;

	if (request->config)
		TRY(read_config_file(&source->import, request->config));
	source->archive_fd = open(request->source, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (source->archive_fd < 0 || fstat(source->archive_fd, &st) < 0)
		return err_sys(errno, "open %s", request->source);
	if (S_ISREG(st.st_mode))
		return err_wrap(open_archive(host, request, source), "%s", request->source);
	own_fd(&source->archive_fd);
	source->archive_fd = -1;
	if (S_ISDIR(st.st_mode))
		return open_dir(request, source);
	return err_new(ERR_INVALID, "%s is neither a directory nor an archive", request->source);
}

struct err *vps_import(const struct vps_host *host, const struct vps_import *request,
		       struct vps_import_report *ret_report)
{
	OWN(source) struct source source = { .archive_fd = -1, .tree_fd = -1 };
	struct vps_conf *conf = &source.import.conf;
	const struct import_maker maker = { .base = { .skip_probe = request->skip_probe,
						      .make_disk = make_disk },
					    .request = request,
					    .source = &source };

	import_init(&source.import);
	TRY(parse_container_id(request->name));
	if (request->layout && str_eq(vps_layout_of(request->layout), "overlay"))
		return err_new(ERR_UNSUPPORTED,
			       "--layout: overlay begins with a template; files are imported as "
			       "dir or image");
	TRY(open_source(host, request, &source));
	if (request->disk_bytes.hard != VPS_UNSET)
		conf->disk_bytes = request->disk_bytes;
	if (!conf->hostname)
		TRY(str_dup(request->name, &conf->hostname));
	TRY(vps_choose_tree_layout(host, request->layout, conf));
	TRY(vps_conf_check(conf));
	TRY(vps_make(host, request->name, &maker.base, conf));
	*ret_report = source.import.report;
	source.import.report = (struct vps_import_report){ 0 };
	return NULL;
}
