/* Hosting plans: samples/PLAN.conf, values that a VPS starts from or is changed to. */
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/parse.h"
#include "runtime/vps/room.h"

/* What belongs to one VPS and not to a plan, as vzctl has it for --applyconfig. */
static const char *const personal[] = { "HOSTNAME",   "IP_ADDRESS",  "NETIF",
					"OSTEMPLATE", "LOCAL_UID",   "LOCAL_IDS",
					"DISABLED",   "DESCRIPTION", "CONFIG" };

/* OpenVZ's ve-PLAN.conf-sample as well. */
static struct err *read_plan(const struct vps_host *host, const char *plan, char **ret_path,
			     struct buf *text)
{
	struct err *err;

	TRY(str_format(ret_path, "%s/%s.conf", host->sample_dir, plan));
	err = file_read(AT_FDCWD, *ret_path, CONF_FILE_MAX, text);
	if (!err || err_kind(err) != ERR_NOT_FOUND)
		return err;
	err_drop(err); /* the other spelling */
	free(*ret_path);
	*ret_path = NULL;
	TRY(str_format(ret_path, "%s/ve-%s.conf-sample", host->sample_dir, plan));
	return file_read(AT_FDCWD, *ret_path, CONF_FILE_MAX, text);
}

struct err *plan_load(const struct vps_host *host, const char *option, const char *plan,
		      struct vps_conf *ret_conf)
{
	OWN(str) char *path = NULL;
	OWN(buf) struct buf text = { 0 };
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(vps_conf) struct vps_conf none;
	struct err *err;

	vps_conf_init(ret_conf);
	vps_conf_init(&none);
	TRY(err_wrap(parse_container_id(plan), "%s", option));
	err = read_plan(host, plan, &path, &text);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* said in the operator's words */
		return err_new(ERR_INVALID, "%s: there is no plan '%s' in %s", option, plan,
			       host->sample_dir);
	}
	if (!err)
		err = conf_file_parse(text.data ? text.data : "", text.len, &file);
	if (!err)
		err = vps_conf_read(&file, ret_conf);
	for (size_t i = 0; i < ARRAY_SIZE(personal) && !err; i++)
		err = vps_conf_copy_key(personal[i], &none, ret_conf);
	if (!err)
		err = vps_conf_check(ret_conf);
	return err ? err_wrap(err, "%s", path) : NULL;
}
