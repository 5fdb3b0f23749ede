/* Holding a living container for a longer work: it is locked, and what it was made of is read
 * again. */
#include "base/fd.h"
#include "base/json.h"
#include "runtime/birth.h"

void ct_hold_release(struct ct_hold *hold)
{
	ct_state_release(&hold->state);
	spec_release(&hold->spec);
	cgroup_release(&hold->cgroup);
	own_fd(&hold->lock_fd);
	*hold = (struct ct_hold)CT_HOLD_INIT;
}

static struct err *read_spec(struct ct_hold *hold, struct spec *own)
{
	OWN(buf) struct buf text = { 0 };

	if (own) {
		hold->spec = *own;
		spec_init(own);
		return NULL;
	}
	TRY(file_read(hold->lock_fd, CONFIG_FILE, JSON_TEXT_MAX, &text));
	return err_wrap(spec_parse(text.data, text.len, hold->state.bundle, &hold->spec), "%s",
			CONFIG_FILE);
}

struct err *ct_hold(const struct ct_root *root, const char *id, struct spec *own,
		    struct ct_hold *ret_hold)
{
	OWN(ct_hold) struct ct_hold hold = CT_HOLD_INIT;
	struct ct_state *state = &hold.state;

	spec_init(&hold.spec);
	TRY(state_lock_dir(root, id, &hold.lock_fd));
	TRY(state_load(hold.lock_fd, id, state));
	TRY(state_look(hold.lock_fd, state, NULL));
	if (state->status != CT_RUNNING)
		return err_new(ERR_STATE, "container '%s' is %s, not running", id,
			       ct_status_name(state->status));
	TRY(state_open_cgroup(state, &hold.cgroup));
	TRY(state_look_paused(state, &hold.cgroup));
	TRY(err_wrap(read_spec(&hold, own), "container '%s'", id));
	*ret_hold = hold;
	hold = (struct ct_hold)CT_HOLD_INIT;
	return NULL;
}
