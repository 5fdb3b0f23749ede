/* doctor: would this host do what quotas of traffic ask for? Nothing is said where no VPS has one.
 * Rests on adjtimex(2). */
#include <inttypes.h>
#include <sys/timex.h>

#include "runtime/vps/remarks.h"
#include "runtime/vps/scripts.h"

/* A quota that ends by calling a program which is not there ends in nothing. */
static struct err *check_hook(const struct vps_host *host, const char *name,
			      struct vps_remarks *remarks)
{
	OWN(str) char *what = NULL, *cure = NULL;
	size_t count;
	struct err *err = scripts_count(host, name, ACTION_TRAFFIC_QUOTA, &count);

	if (err)
		return remarks_add_err(remarks, err_wrap(err, "VPS %s: --traffic-quota", name),
				       NULL);
	TRY(str_format(&what, "the traffic quota of VPS %s calls %zu action scripts", name, count));
	TRY(str_format(&cure, "make %s/traffic-quota, or give it another action", host->hook_dir));
	return remarks_add(remarks, count ? VPS_FINE : VPS_WRONG, what, count ? NULL : cure);
}

static struct err *check_clock(size_t quotas, struct vps_remarks *remarks)
{
	struct timex now = { 0 };
	bool is_wrong = adjtimex(&now) == TIME_ERROR;
	OWN(str) char *what = NULL;

	TRY(str_format(&what, "the clock is %s, and the month of %zu traffic quotas with it",
		       is_wrong ? "set by nobody" : "kept right", quotas));
	return remarks_add(remarks, is_wrong ? VPS_ADVICE : VPS_FINE, what,
			   is_wrong ? "systemctl enable --now systemd-timesyncd, or chrony" : NULL);
}

struct err *doctor_quotas(const struct vps_host *host, struct vps_remarks *remarks)
{
	OWN(strlist) struct strlist names = { 0 };
	size_t quotas = 0;

	TRY(vps_names(host, &names));
	for (size_t i = 0; i < names.count; i++) {
		struct vps_traffic_quota quota = { .bytes = VPS_UNLIMITED };
		OWN(vps_conf) struct vps_conf conf;
		struct err *err;

		vps_conf_init(&conf);
		err = vps_load(host, names.items[i], &conf);
		if (!err && conf.traffic_quota)
			err = vps_traffic_quota_parse("TRAFFIC_QUOTA", conf.traffic_quota, &quota);
		if (err) {
			err_drop(err); /* check-config tells what is wrong with a definition */
			continue;
		}
		quotas += quota.bytes != VPS_UNLIMITED;
		if (quota.bytes != VPS_UNLIMITED && quota.action == VPS_QUOTA_HOOK)
			TRY(check_hook(host, names.items[i], remarks));
	}
	return quotas ? check_clock(quotas, remarks) : NULL;
}
