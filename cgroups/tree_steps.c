/* The list of steps; see tree.h. */
#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "cgroups/cgroups.h"

void cgroup_steps_release(struct cgroup_steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		free(steps->items[i].path);
		free(steps->items[i].file);
		free(steps->items[i].value);
	}
	free(steps->items);
	*steps = (struct cgroup_steps){ 0 };
}

static struct err *make_room(struct cgroup_steps *steps)
{
	size_t room = steps->room * 2 + 64;
	struct cgroup_step *grown;

	if (steps->count < steps->room)
		return NULL;
	if (steps->count >= CGROUP_STEPS_MAX)
		return err_new(ERR_UNSUPPORTED, "more than %d settings of control groups",
			       CGROUP_STEPS_MAX);
	grown = reallocarray(steps->items, room, sizeof(*grown));
	if (!grown)
		return err_sys(ENOMEM, "note %zu settings of control groups", room);
	steps->items = grown;
	steps->room = room;
	return NULL;
}

struct err *cgroup_steps_add(struct cgroup_steps *steps, enum cgroup_step_kind kind,
			     const char *path, const char *file, const char *value)
{
	OWN(str) char *own_path = NULL, *own_file = NULL, *own_value = NULL;

	TRY(make_room(steps));
	TRY(str_dup(path, &own_path));
	TRY(str_dup(file, &own_file));
	TRY(str_dup(value, &own_value));
	steps->items[steps->count++] = (struct cgroup_step){
		.kind = kind,
		.path = TAKE(own_path),
		.file = TAKE(own_file),
		.value = TAKE(own_value),
	};
	return NULL;
}
