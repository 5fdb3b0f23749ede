/*
 * The quota of traffic: so much may a VPS send and receive in a month (UTC), all interfaces
 * together, and this is done then. Its monitor has us look every few minutes. Whether it is over
 * its quota is in the sums of traffic alone; beside them stands what was done about it, for what
 * month and what quota, so that it is done once, and undone in the next month or when the quota is
 * raised.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "runtime/vps/scripts.h"
#include "runtime/vps/traffic.h"
#include "runtime/vps/wire.h"

#define THROTTLED_BITS_PER_S 1000000
#define DONE_MAX 256

static const char *const action_names[VPS_QUOTA_ACTION_COUNT] = {
	[VPS_QUOTA_WARN] = "warn",
	[VPS_QUOTA_THROTTLE] = "throttle",
	[VPS_QUOTA_STOP] = "stop",
	[VPS_QUOTA_HOOK] = "hook",
};

const char *vps_quota_action_name(enum vps_quota_action action)
{
	return action_names[action];
}

struct err *vps_traffic_quota_parse(const char *what, const char *text,
				    struct vps_traffic_quota *ret_quota)
{
	const char *colon = strchr(text, ':');
	OWN(str) char *size = NULL;

	if (str_eq(text, "unlimited")) {
		*ret_quota = (struct vps_traffic_quota){ .bytes = VPS_UNLIMITED };
		return NULL;
	}
	for (size_t i = 0; colon && i < ARRAY_SIZE(action_names); i++) {
		if (!str_eq(colon + 1, action_names[i]))
			continue;
		TRY(str_format(&size, "%.*s", (int)(colon - text), text));
		ret_quota->action = (enum vps_quota_action)i;
		return parse_bytes(what, size, &ret_quota->bytes);
	}
	return err_new(ERR_INVALID,
		       "%s: '%.60s' is not like 500G:ACTION, with warn, throttle, stop or hook, "
		       "nor unlimited",
		       what, text);
}

/* --- is it over? --- */

struct verdict {
	struct vps_traffic_quota quota;
	char month[VPS_MONTH_MAX];
	uint64_t used_bytes;
	bool is_over;
};

static struct err *judge(const struct vps_host *host, const char *name, const struct vps_conf *conf,
			 struct verdict *ret_verdict)
{
	struct verdict verdict = { .quota.bytes = VPS_UNLIMITED };

	if (conf->traffic_quota)
		TRY(vps_traffic_quota_parse("TRAFFIC_QUOTA", conf->traffic_quota, &verdict.quota));
	traffic_this_month(verdict.month);
	if (verdict.quota.bytes != VPS_UNLIMITED)
		TRY(traffic_of_month(host, name, verdict.month, &verdict.used_bytes));
	verdict.is_over =
		verdict.quota.bytes != VPS_UNLIMITED && verdict.used_bytes >= verdict.quota.bytes;
	*ret_verdict = verdict;
	return NULL;
}

struct err *quota_throttles(const struct vps_host *host, const char *name,
			    const struct vps_conf *conf, bool *ret_throttles)
{
	struct verdict verdict;

	TRY(judge(host, name, conf, &verdict));
	*ret_throttles = verdict.is_over && verdict.quota.action == VPS_QUOTA_THROTTLE;
	return NULL;
}

static void lower(uint64_t *bits_per_s)
{
	if (*bits_per_s == 0 || *bits_per_s > THROTTLED_BITS_PER_S)
		*bits_per_s = THROTTLED_BITS_PER_S;
}

void quota_throttle(struct net_rate *rate)
{
	lower(&rate->in_bits_per_s);
	lower(&rate->out_bits_per_s);
	rate->burst_bytes = 0;
}

struct err *quota_text(const struct vps_host *host, const char *name, const struct vps_conf *conf,
		       char **ret_text)
{
	struct verdict verdict;

	*ret_text = NULL;
	TRY(judge(host, name, conf, &verdict));
	if (!verdict.is_over)
		return NULL;
	return str_format(ret_text,
			  "it has sent and received %" PRIu64 " MiB in %s; its quota is %s",
			  verdict.used_bytes >> 20, verdict.month, conf->traffic_quota);
}

struct err *quota_check_start(const struct vps_host *host, const char *name,
			      const struct vps_conf *conf)
{
	OWN(str) char *text = NULL;
	struct verdict verdict;

	TRY(judge(host, name, conf, &verdict));
	if (!verdict.is_over || verdict.quota.action != VPS_QUOTA_STOP)
		return NULL;
	TRY(quota_text(host, name, conf, &text));
	return err_new(ERR_STATE, "VPS %s: %s: raise --traffic-quota, or wait for the next month",
		       name, text);
}

/* --- what was done --- */

static struct err *done_path(const struct vps_host *host, const char *name, char **ret_path)
{
	return str_format(ret_path, "%s/%s/quota", host->traffic_dir, name);
}

/* "2026-11 500G:stop"; "": nothing. */
static struct err *read_done(const struct vps_host *host, const char *name, struct buf *done)
{
	OWN(str) char *path = NULL;
	struct err *err;

	TRY(done_path(host, name, &path));
	err = file_read(AT_FDCWD, path, DONE_MAX, done);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* nothing */
		err = NULL;
	}
	return err ? err : buf_add(done, "", 0); /* a text, even if it is empty */
}

static struct err *write_done(const struct vps_host *host, const char *name, const char *done)
{
	OWN(str) char *path = NULL;

	TRY(done_path(host, name, &path));
	return file_replace(AT_FDCWD, path, 0600, done, strlen(done));
}

/* --- what is done --- */

static struct err *rewire(const struct vps_host *host, const char *name,
			  const struct vps_conf *conf)
{
	OWN(ct_state) struct ct_state state = { 0 };
	bool lives;

	TRY(vps_load_state(host, name, &state, &lives));
	return lives ? wire_repair(host, name, conf, state.pid) : NULL;
}

static struct err *act(const struct vps_host *host, const char *name, const struct vps_conf *conf,
		       enum vps_quota_action action)
{
	switch (action) {
	case VPS_QUOTA_THROTTLE:
		return rewire(host, name, conf);
	case VPS_QUOTA_STOP:
		return stop_locked(host, name, &(struct vps_stop){ .timeout_s = VPS_UNSET });
	case VPS_QUOTA_HOOK:
		return scripts_run(host, name, ACTION_TRAFFIC_QUOTA);
	case VPS_QUOTA_WARN:
	case VPS_QUOTA_ACTION_COUNT:
		break;
	}
	return NULL; /* it is said anyway, see cella why */
}

static struct err *enforce(const struct vps_host *host, const char *name,
			   const struct vps_conf *conf)
{
	OWN(buf) struct buf done = { 0 };
	OWN(str) char *due = NULL, *text = NULL;
	struct verdict verdict;

	TRY(judge(host, name, conf, &verdict));
	TRY(read_done(host, name, &done));
	if (verdict.is_over)
		TRY(str_format(&due, "%s %s", verdict.month, conf->traffic_quota));
	else
		TRY(str_dup("", &due));
	if (str_eq(done.data, due))
		return NULL;
	if (verdict.is_over) {
		TRY(quota_text(host, name, conf, &text));
		log_warn(err_new(ERR_STATE, "VPS %s: %s", name, text));
		TRY(act(host, name, conf, verdict.quota.action));
	} else {
		TRY(rewire(host, name, conf)); /* the rate that it has again */
	}
	return write_done(host, name, due);
}

struct err *vps_monitor_look(const struct vps_host *host, const char *name)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(vps_conf) struct vps_conf conf;
	OWN(vps_net) struct vps_net net = { 0 };
	struct err *err;

	vps_conf_init(&conf);
	TRY(parse_container_id(name));
	log_warn(views_renew(host)); /* traffic is counted all the same */
	err = vps_lock(host, name, VPS_LOCK_TRY, &lock);
	if (err && err_errno(err) == EBUSY) {
		err_drop(err); /* the next errand does it */
		return NULL;
	}
	TRY(err);
	TRY(running_load(host, name, &conf));
	TRY(net_record_read(host, name, &net));
	TRY(traffic_save(host, name, &net.ports));
	return enforce(host, name, &conf);
}
