/* A VPS, or files, from a backup; see backup.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/fd.h"
#include "base/parse.h"
#include "runtime/vps/backup_store.h"
#include "runtime/vps/identity.h"
#include "runtime/vps/room.h"

struct restore_maker {
	struct vps_maker base;
	const struct vps_restore *request;
	const struct backup_chain *chain;
	const struct backup_info *info; /* of the last one */
	bool is_another;		/* not the VPS that the backup was made of */
};

/* The sandbox takes a mount of its own, which is of no use to us afterwards. */
static struct err *unpack_into(const struct restore_maker *maker, const struct vps_host *host,
			       const struct disk *disk)
{
	struct backup_unpack unpack = { .chain = maker->chain,
					.id_first = (uint32_t)host->id_first,
					.dest_is_mount = true,
					.progress = maker->request->progress };
	OWN(fd) int dest_fd = -1;

	TRY(disk_mount(disk, NULL, &dest_fd));
	unpack.dest_fd = dest_fd;
	return backup_unpack(&unpack);
}

static struct err *restore_disk(const struct vps_maker *base, const struct vps_host *host,
				const char *hidden, const struct vps_conf *conf)
{
	const struct restore_maker *maker = (const void *)base;
	const struct disk disk = vps_disk(host, hidden, conf);
	OWN(fd) int tree_fd = -1;

	TRY(vps_disk_create_empty(&disk, conf));
	TRY(unpack_into(maker, host, &disk));
	TRY(disk_mount(&disk, NULL, &tree_fd));
	if (maker->is_another)
		TRY(identity_renew(tree_fd)); /* the start says who it is */
	return vps_disk_sync_tree(tree_fd);
}

/* --- the definition --- */

static struct err *read_conf(const struct vps_host *host, const struct restore_maker *maker,
			     const char *name, struct conf_file *file, struct vps_conf *conf)
{
	TRY(conf_file_parse(maker->info->conf, strlen(maker->info->conf), file));
	TRY(vps_conf_read(file, conf));
	TRY(vps_choose_tree_layout(host, maker->request->layout, conf));
	return maker->is_another ? vps_conf_make_own(conf, name, conf->layout) : NULL;
}

struct err *backup_check_room(const struct vps_host *host, const struct backup_info *info)
{
	struct statvfs st;

	if (statvfs(host->private_dir, &st) < 0)
		return err_sys(errno, "look at the space of %s", host->private_dir);
	if (info->bytes / st.f_frsize <= st.f_bavail)
		return NULL;
	return err_new(ERR_STATE, "it holds %ju MiB, and %s has room for %ju MiB",
		       (uintmax_t)(info->bytes >> 20), host->private_dir,
		       (uintmax_t)(st.f_bavail * st.f_frsize >> 20));
}

static struct err *restore(const struct vps_host *host, struct restore_maker *maker,
			   const char *path, char **ret_name)
{
	const char *name = maker->request->name ? maker->request->name : maker->info->name;
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(vps_conf) struct vps_conf conf;

	vps_conf_init(&conf);
	TRY(parse_container_id(name));
	maker->is_another = !str_eq(name, maker->info->name);
	TRY(err_wrap(backup_check_room(host, maker->info), "%s", path));
	TRY(err_wrap(read_conf(host, maker, name, &file, &conf), "%s: its definition", path));
	if (!maker->is_another)
		maker->base.file = &file;
	TRY(vps_make(host, name, &maker->base, &conf));
	return str_dup(name, ret_name);
}

struct err *vps_restore(const struct vps_host *host, const struct vps_restore *request,
			char **ret_name)
{
	OWN(backup_chain) struct backup_chain chain = { 0 };
	struct restore_maker maker = { .base = { .make_disk = restore_disk }, .request = request };

	if (request->layout && str_eq(vps_layout_of(request->layout), "overlay"))
		return err_new(ERR_UNSUPPORTED,
			       "--layout: overlay begins with a template; a backup is restored "
			       "as dir or image");
	TRY(backup_chain_open(host, request->file, &chain));
	maker.chain = &chain;
	maker.info = &backup_chain_last(&chain)->info;
	return restore(host, &maker, backup_chain_last(&chain)->path, ret_name);
}

/* --- files --- */

/* A set-uid program of a tenant's must not be a user's of this host to run. */
static struct err *open_private_dir(const char *path, int *ret_fd)
{
	OWN(fd) int fd = -1;
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(errno, "make %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(errno, "open %s", path);
	if (st.st_uid != 0 || (st.st_mode & 0077))
		return err_new(ERR_STATE,
			       "%s can be entered by others, who could run a VPS's set-uid "
			       "programs there: chown root and chmod 700 it first",
			       path);
	*ret_fd = fd_take(&fd);
	return NULL;
}

struct err *vps_restore_path(const struct vps_host *host, const struct vps_restore_path *request)
{
	OWN(backup_chain) struct backup_chain chain = { 0 };
	OWN(fd) int dir_fd = -1;
	struct backup_unpack unpack = { .id_first = (uint32_t)host->id_first,
					.progress = request->progress };

	TRY(backup_chain_open(host, request->file, &chain));
	TRY(open_private_dir(request->dir, &dir_fd));
	unpack.chain = &chain;
	unpack.dest_fd = dir_fd;
	unpack.only = request->path + strspn(request->path, "/");
	return err_wrap(backup_unpack(&unpack), "%s", backup_chain_last(&chain)->path);
}
