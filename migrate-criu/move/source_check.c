/* What of a VPS would not come along to another host; see wire.h. */
#include "migrate-criu/move/wire.h"
#include "runtime/vps/scripts.h"

/* They are removed with the VPS here, or lie where they are of no use. */
static struct err *check_left_behind(const struct vps_host *host, const char *name,
				     struct strlist *list)
{
	OWN(vps_snapshot_list) struct vps_snapshot_list snapshots = { 0 };
	bool there;

	TRY(vps_snapshot_list(host, name, &snapshots));
	if (snapshots.count)
		TRY(strlist_format(
			list,
			"%zu snapshots of VPS %s do not go with it: delete them, or keep "
			"them here (--keep-source)",
			snapshots.count, name));
	TRY(scripts_there(host, name, &there));
	if (there)
		TRY(strlist_format(list,
				   "action scripts of VPS %s do not go with it: copy %s/%s.* there "
				   "and keep them here (--keep-source)",
				   name, host->conf_dir, name));
	return NULL;
}

static struct err *check_state(const struct vps_host *host, const struct move_request *request,
			       struct strlist *refusals)
{
	OWN(ct_state) struct ct_state state = { 0 };
	bool lives, suspended;

	TRY(vps_load_state(host, request->name, &state, &lives));
	TRY(suspend_is(host, request->name, &suspended));
	if (suspended || (lives && state.status == CT_PAUSED))
		return strlist_format(refusals, "VPS %s is %s: 'cella resume %s' first",
				      request->name, suspended ? "suspended" : "paused",
				      request->name);
	return NULL;
}

struct err *move_check_source(const struct vps_host *host, const struct move_request *request,
			      struct strlist *refusals, struct strlist *remarks)
{
	TRY(check_state(host, request, refusals));
	return check_left_behind(host, request->name,
				 request->flags & MOVE_KEEP_SOURCE ? remarks : refusals);
}
