/* Taking over what another system left: a private area (register), a definition without ids. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"
#include "runtime/vps/moving.h"

struct err *ids_adopt(const struct vps_host *host, const char *name)
{
	OWN(vps_lock) struct vps_lock pool = VPS_LOCK_INIT;
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(vps_conf) struct vps_conf conf;

	vps_conf_init(&conf);
	TRY(store_read(host, name, &file));
	TRY(vps_conf_read(&file, &conf));
	if (conf.id_first != VPS_UNSET)
		return NULL;
	TRY(pool_lock(host, &pool));
	TRY(ids_choose(host, &conf.id_first));
	conf.id_count = VPS_ID_RANGE;
	TRY(vps_conf_write(&conf, &file));
	return store_write(host, name, &file);
}

static struct err *check_area(const char *path)
{
	struct stat st, init;
	OWN(str) char *etc = NULL;

	if (*path != '/')
		return err_new(ERR_INVALID, "%s: not an absolute path", path);
	if (lstat(path, &st) < 0)
		return err_sys(errno, "stat %s", path);
	TRY(str_format(&etc, "%s/etc", path));
	if (!S_ISDIR(st.st_mode) || lstat(etc, &init) < 0)
		return err_new(ERR_INVALID, "%s is not the root of a system: it has no etc", path);
	return NULL;
}

/* Only a rename: what lies on another file system is the operator's to copy. Synced before there is
 * a definition, which may be on another one. */
static struct err *move_area(const struct vps_host *host, const char *from, const char *to)
{
	OWN(fd) int private_fd = -1;

	TRY(vps_open_private(host, &private_fd));
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return fsync(private_fd) < 0 ? err_sys(errno, "sync %s", host->private_dir) : NULL;
	if (errno == EXDEV)
		return err_new(ERR_UNSUPPORTED,
			       "%s lies on another file system than %s: copy it there with 'cp -a' "
			       "and register it again",
			       from, to);
	return err_sys(errno, "rename %s to %s", from, to);
}

static struct err *define(const struct vps_host *host, const char *name)
{
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(vps_conf) struct vps_conf conf;
	bool exists;

	vps_conf_init(&conf);
	TRY(store_exists(host, name, &exists));
	TRY(exists ? store_read(host, name, &file) : conf_file_set(&file, "HOSTNAME", name));
	TRY(vps_conf_merge(&host->defaults, &conf));
	TRY(vps_conf_read(&file, &conf));
	/* whatever is said elsewhere, what was registered is a tree */
	if (!str_eq(vps_disk(host, name, &conf).layout, "dir"))
		TRY(conf_file_set(&file, "VE_LAYOUT", "dir"));
	return store_write(host, name, &file);
}

struct err *vps_register(const struct vps_host *host, const char *path, const char *name)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(str) char *area = NULL;
	struct stat st;

	TRY(parse_container_id(name));
	TRY(str_format(&area, "%s/%s", host->private_dir, name));
	TRY(check_area(path));
	TRY(vps_lock(host, name, VPS_LOCK_PATIENT, &lock));
	TRY(moving_check_make(host, name));
	if (!str_eq(path, area)) {
		if (lstat(area, &st) == 0)
			return err_new(ERR_EXISTS, "VPS %s has a private area already: %s", name,
				       area);
		TRY(move_area(host, path, area));
	}
	TRY(unfinished_unmark(host, name)); /* whatever it was, now it is somebody's */
	TRY(define(host, name));
	return ids_adopt(host, name);
}

struct err *vps_unregister(const struct vps_host *host, const char *name)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(vps_info) struct vps_info info = { 0 };

	TRY(vps_look(host, name, VPS_BRIEF, &info));
	TRY(vps_lock(host, name, VPS_LOCK_PATIENT, &lock));
	if (info.status == VPS_RUNNING || info.status == VPS_PAUSED)
		return err_new(ERR_STATE, "VPS %s is running: stop it first", name);
	TRY(suspend_check_not(host, name));
	TRY(unfinished_unmark(host, name)); /* of a create that was killed as it had ended */
	TRY(store_retire(host, name));
	vps_lock_forget(host, name);
	return NULL;
}
