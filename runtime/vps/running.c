/*
 * The definition that a running VPS has: NAME.running below /run, written when it starts and when
 * `set` has changed it, gone when it ends. NAME.changing lies beside it while a `set` is at work.
 * Both are in the form of NAME.conf.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "runtime/vps/room.h"

static struct err *open_dir(const struct vps_host *host, const char *name, int *ret_fd)
{
	TRY(parse_container_id(name)); /* it becomes a part of a file's name */
	*ret_fd = open(host->monitor_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(errno, "open %s", host->monitor_dir) : NULL;
}

struct err *conf_load_at(int dir_fd, const char *file_name, struct vps_conf *conf)
{
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(buf) struct buf text = { 0 };

	TRY(file_read(dir_fd, file_name, CONF_FILE_MAX, &text));
	TRY(conf_file_parse(text.data, text.len, &file));
	return vps_conf_read(&file, conf);
}

struct err *conf_save_at(int dir_fd, const char *file_name, const struct vps_conf *conf)
{
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(buf) struct buf text = { 0 };

	TRY(vps_conf_write(conf, &file));
	TRY(buf_add(&text, "", 0));
	TRY(conf_file_format(&file, &text));
	return file_replace(dir_fd, file_name, 0600, text.data, text.len);
}

static struct err *load(const struct vps_host *host, const char *name, const char *suffix,
			struct vps_conf *conf, bool *ret_found)
{
	OWN(str) char *base = NULL;
	OWN(fd) int dir_fd = -1;
	struct err *err;

	*ret_found = false;
	TRY(open_dir(host, name, &dir_fd));
	TRY(str_format(&base, "%s.%s", name, suffix));
	err = conf_load_at(dir_fd, base, conf);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* told by *ret_found */
		return NULL;
	}
	*ret_found = !err;
	return err ? err_wrap(err, "%s/%s", host->monitor_dir, base) : NULL;
}

static struct err *save(const struct vps_host *host, const char *name, const char *suffix,
			const struct vps_conf *conf)
{
	OWN(str) char *base = NULL;
	OWN(fd) int dir_fd = -1;

	TRY(open_dir(host, name, &dir_fd));
	TRY(str_format(&base, "%s.%s", name, suffix));
	return conf_save_at(dir_fd, base, conf);
}

static struct err *forget(const struct vps_host *host, const char *name, const char *suffix)
{
	OWN(str) char *base = NULL;
	OWN(fd) int dir_fd = -1;

	TRY(open_dir(host, name, &dir_fd));
	TRY(str_format(&base, "%s.%s", name, suffix));
	if (unlinkat(dir_fd, base, 0) < 0 && errno != ENOENT)
		return err_sys(errno, "remove %s/%s", host->monitor_dir, base);
	return NULL;
}

struct err *running_load(const struct vps_host *host, const char *name, struct vps_conf *ret_conf)
{
	bool found;

	vps_conf_init(ret_conf);
	TRY(load(host, name, "running", ret_conf, &found));
	return found ? NULL : vps_load(host, name, ret_conf);
}

struct err *running_load_anyway(const struct vps_host *host, const char *name,
				struct vps_conf *ret_conf, char **ret_problem)
{
	OWN(vps_conf) struct vps_conf conf;
	OWN(str) char *problem = NULL;
	struct err *err = vps_load(host, name, ret_conf), *kept;
	bool found;

	vps_conf_init(&conf);
	*ret_problem = NULL;
	if (!err || err_kind(err) == ERR_NOT_FOUND)
		return err;
	kept = str_format(&problem, "%s; correct it by hand, 'cella check-config %s' tells when",
			  err_text(err), name);
	err_drop(err); /* kept as text */
	TRY(kept);
	TRY(load(host, name, "running", &conf, &found));
	if (!found)
		TRY(vps_conf_merge(&host->defaults, &conf));
	*ret_conf = conf;
	vps_conf_init(&conf);
	*ret_problem = TAKE(problem);
	return NULL;
}

struct err *running_save(const struct vps_host *host, const char *name, const struct vps_conf *conf)
{
	return save(host, name, "running", conf);
}

struct err *running_forget(const struct vps_host *host, const char *name)
{
	TRY(forget(host, name, "changing"));
	return forget(host, name, "running");
}

struct err *running_begin(const struct vps_host *host, const char *name,
			  const struct vps_conf *wanted)
{
	return save(host, name, "changing", wanted);
}

struct err *running_end(const struct vps_host *host, const char *name, const struct vps_conf *now)
{
	TRY(save(host, name, "running", now));
	return forget(host, name, "changing");
}

struct err *running_interrupted(const struct vps_host *host, const char *name,
				struct vps_conf *ret_wanted, bool *ret_found)
{
	vps_conf_init(ret_wanted);
	return load(host, name, "changing", ret_wanted, ret_found);
}

struct err *running_lives(const struct vps_host *host, const char *name, bool *ret_lives)
{
	OWN(str) char *path = NULL;

	TRY(parse_container_id(name));
	TRY(str_format(&path, "%s/%s.running", host->monitor_dir, name));
	*ret_lives = access(path, F_OK) == 0;
	return NULL;
}
