/* check-config: what is wrong in a definition, and what of it has no effect. */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "runtime/vps/capacity.h"
#include "runtime/vps/remarks.h"

void vps_remarks_release(struct vps_remarks *remarks)
{
	for (size_t i = 0; i < remarks->count; i++) {
		free(remarks->items[i].what);
		free(remarks->items[i].cure);
	}
	free(remarks->items);
	*remarks = (struct vps_remarks){ 0 };
}

struct err *remarks_add(struct vps_remarks *remarks, enum vps_remark_level level, const char *what,
			const char *cure)
{
	struct vps_remark *items = reallocarray(remarks->items, remarks->count + 1, sizeof(*items));

	if (!items)
		return err_new(ERR_SYS, "keep a remark: out of memory");
	remarks->items = items;
	items[remarks->count] = (struct vps_remark){ .level = level };
	remarks->count++;
	TRY(str_dup(what, &items[remarks->count - 1].what));
	return cure ? str_dup(cure, &items[remarks->count - 1].cure) : NULL;
}

struct err *remarks_add_err(struct vps_remarks *remarks, struct err *cause, const char *cure)
{
	struct err *err;

	if (!cause)
		return NULL;
	err = remarks_add(remarks, VPS_WRONG, err_text(cause), cure);
	err_drop(cause); /* kept as text */
	return err;
}

static struct err *check_keys(const struct conf_file *file, struct vps_remarks *remarks)
{
	OWN(strlist) struct strlist unknown = { 0 };

	TRY(vps_conf_unknown(file, &unknown));
	for (size_t i = 0; i < unknown.count; i++) {
		const char *why = vps_conf_obsolete(unknown.items[i]);
		OWN(str) char *what = NULL;

		if (why)
			TRY(str_format(&what, "%s is kept, without effect: %s", unknown.items[i],
				       why));
		else
			TRY(str_format(&what, "%s is unknown, and kept", unknown.items[i]));
		TRY(remarks_add(remarks, VPS_ADVICE, what, NULL));
	}
	return NULL;
}

static struct err *check_private(const struct vps_host *host, const char *name,
				 const struct conf_file *file, struct vps_remarks *remarks)
{
	OWN(str) char *path = NULL, *what = NULL, *cure = NULL;
	const char *foreign = conf_file_get(file, "VE_PRIVATE");
	struct stat st;

	TRY(str_format(&path, "%s/%s", host->private_dir, name));
	if (lstat(path, &st) == 0)
		return NULL;
	TRY(str_format(&what, "there is no private area %s", path));
	if (foreign)
		TRY(str_format(&cure, "VE_PRIVATE says %s: 'cella register PATH %s' takes it over",
			       foreign, name));
	return remarks_add(remarks, VPS_WRONG, what, cure ? cure : "destroy and create it");
}

static struct err *tell_idle_features(const struct vps_conf *conf, struct vps_remarks *remarks)
{
	OWN(strlist) struct strlist idle = { 0 };

	TRY(vps_features_idle(conf, &idle));
	for (size_t i = 0; i < idle.count; i++) {
		OWN(str) char *what = NULL;

		TRY(str_format(&what,
			       "FEATURES: %s is kept, without effect: cella gives no such "
			       "thing",
			       idle.items[i]));
		TRY(remarks_add(remarks, VPS_ADVICE, what, NULL));
	}
	return NULL;
}

/* Each of these speaks for itself; one being wrong does not hide the next. */
static struct err *check_values(const struct vps_host *host, const char *name,
				const struct vps_conf *conf, struct vps_remarks *remarks)
{
	OWN(strlist) struct strlist lacks = { 0 };
	struct err *err;

	TRY(remarks_add_err(remarks, vps_conf_check_together(conf), NULL));
	TRY(remarks_add_err(remarks, capacity_check(host, name, conf), NULL));
	TRY(remarks_add_err(remarks, addrs_check_free(host, name, conf),
			    "give one of both another address"));
	err = vps_limits_lacking(host, name, conf, &lacks);
	if (err)
		TRY(remarks_add_err(remarks, err, NULL));
	for (size_t i = 0; i < lacks.count; i++)
		TRY(remarks_add(remarks, conf->best_effort == 1 ? VPS_ADVICE : VPS_WRONG,
				lacks.items[i], NULL));
	TRY(tell_idle_features(conf, remarks));
	if (conf->id_first == VPS_UNSET)
		return remarks_add(remarks, VPS_ADVICE,
				   "LOCAL_UID is missing: the next start chooses a range of ids",
				   NULL);
	return NULL;
}

struct err *vps_check_config(const struct vps_host *host, const char *name,
			     struct vps_remarks *ret_remarks)
{
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(vps_conf) struct vps_conf conf;
	struct err *err;

	vps_conf_init(&conf);
	err = store_read(host, name, &file);
	if (err && err_kind(err) == ERR_NOT_FOUND)
		return err;
	if (err)
		return remarks_add_err(ret_remarks, err, "correct the line by hand");
	TRY(check_keys(&file, ret_remarks));
	TRY(check_private(host, name, &file, ret_remarks));
	err = vps_load(host, name, &conf);
	if (err)
		return remarks_add_err(ret_remarks, err, "correct the value by hand");
	return check_values(host, name, &conf, ret_remarks);
}
