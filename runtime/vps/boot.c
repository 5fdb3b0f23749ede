/* Which VPSs start with the host, and in which order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "runtime/vps/room.h"

struct candidate {
	const char *name; /* of the list of names */
	struct vps_conf conf;
	bool chosen, left; /* left: not to be started */
};

struct candidates {
	struct candidate *items; /* owned */
	size_t count;
};

static void own_candidates(struct candidates *candidates)
{
	for (size_t i = 0; i < candidates->count; i++)
		vps_conf_release(&candidates->items[i].conf);
	free(candidates->items);
}

/* A definition that cannot be read keeps the others from nothing. */
static struct err *collect(const struct vps_host *host, const struct strlist *names,
			   struct candidates *candidates)
{
	candidates->items = calloc(names->count + 1, sizeof(*candidates->items));
	if (!candidates->items)
		return err_sys(ENOMEM, "order %zu VPSs", names->count);
	for (size_t i = 0; i < names->count; i++) {
		struct candidate *one = &candidates->items[candidates->count++];
		enum other other;

		one->name = names->items[i];
		vps_conf_init(&one->conf);
		TRY(other_load(host, one->name, &one->conf, &other));
		one->left =
			other != OTHER_WHOLE || one->conf.onboot != 1 || one->conf.disabled == 1;
	}
	return NULL;
}

/* Nobody that one comes after is still to be started. */
static bool is_free(const struct candidates *candidates, const struct candidate *one)
{
	for (size_t i = 0; i < candidates->count; i++) {
		const struct candidate *other = &candidates->items[i];

		if (other != one && !other->chosen && !other->left &&
		    strlist_has(&one->conf.after, other->name))
			return false;
	}
	return true;
}

/* The higher number first, those without one last; equal ones stay in the order of their names. */
static bool comes_before(const struct candidate *a, const struct candidate *b)
{
	if (a->conf.bootorder == b->conf.bootorder)
		return false;
	if (a->conf.bootorder == VPS_UNSET || b->conf.bootorder == VPS_UNSET)
		return b->conf.bootorder == VPS_UNSET;
	return a->conf.bootorder > b->conf.bootorder;
}

/* NULL: all are chosen. */
static struct candidate *next(struct candidates *candidates)
{
	struct candidate *best = NULL, *stuck = NULL;

	for (size_t i = 0; i < candidates->count; i++) {
		struct candidate *one = &candidates->items[i];

		if (one->chosen || one->left)
			continue;
		if (!stuck)
			stuck = one;
		if (is_free(candidates, one) && (!best || comes_before(one, best)))
			best = one;
	}
	if (!best && stuck)
		log_warning("VPS %s is to start after itself, round a circle of AFTER: that is "
			    "passed over",
			    stuck->name);
	return best ? best : stuck;
}

static bool is_waited_for(const struct candidates *candidates, const char *name)
{
	for (size_t i = 0; i < candidates->count; i++)
		if (!candidates->items[i].left &&
		    strlist_has(&candidates->items[i].conf.after, name))
			return true;
	return false;
}

struct err *vps_boot_order(const struct vps_host *host, struct strlist *ret_names,
			   struct strlist *ret_waited_for)
{
	OWN(strlist) struct strlist names = { 0 };
	OWN(candidates) struct candidates candidates = { 0 };
	struct candidate *one;

	TRY(vps_names(host, &names));
	TRY(collect(host, &names, &candidates));
	while ((one = next(&candidates))) {
		one->chosen = true;
		TRY(strlist_add(ret_names, one->name));
		if (is_waited_for(&candidates, one->name))
			TRY(strlist_add(ret_waited_for, one->name));
	}
	return NULL;
}
