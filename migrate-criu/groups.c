/*
 * The control groups inside a container, beside CRIU's images. CRIU makes those alone in which a
 * process is, as the host's root, and without their controllers; so they are made by us, as they
 * were, before it begins, and given their limits when it is done.
 *
 *	groups.json	[["make", "init.scope", "", "100000:100000"], ...]: steps of cgroups/tree.h
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "migrate-criu/groups.h"

#define GROUPS "groups.json"

static const char *const kinds[CGROUP_STEP_KIND_COUNT] = {
	[CGROUP_STEP_MAKE] = "make",	 [CGROUP_STEP_OWN] = "own", [CGROUP_STEP_TYPE] = "type",
	[CGROUP_STEP_ENABLE] = "enable", [CGROUP_STEP_SET] = "set", [CGROUP_STEP_MARK] = "mark",
};

/* --- writing --- */

/* JSON is UTF-8, and other names would come back as others. */
static struct err *check_name(const char *path)
{
	OWN(str) char *name = NULL;

	for (const char *at = path; *at; at++)
		if (*at < ' ' || *at > '~') {
			TRY(str_escape(path, &name));
			return err_new(ERR_UNSUPPORTED,
				       "control group %s has a name of other characters than "
				       "ASCII, which cannot be taken along",
				       name);
		}
	return NULL;
}

struct err *cr_groups_format(const struct cgroup_steps *steps, char **ret_text)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(false, &out));
	json_out_array(out);
	for (size_t i = 0; i < steps->count; i++) {
		const struct cgroup_step *step = &steps->items[i];

		TRY(check_name(step->path));
		json_out_array(out);
		json_out_string(out, kinds[step->kind]);
		json_out_string(out, step->path);
		json_out_string(out, step->file);
		json_out_string(out, step->value);
		json_out_end_array(out);
	}
	json_out_end_array(out);
	return json_out_take(out, ret_text);
}

struct err *cr_groups_save(int images_fd, const struct cgroup *cgroup)
{
	OWN(cgroup_steps) struct cgroup_steps steps = { 0 };
	OWN(str) char *text = NULL;

	TRY(cgroup_tree_read(cgroup, &steps));
	if (steps.count == 0)
		return NULL;
	TRY(cr_groups_format(&steps, &text));
	return file_replace(images_fd, GROUPS, 0600, text, strlen(text));
}

/* --- reading --- */

/* A way down: "a/b"; "" is the container's own. */
static bool is_path(const char *path)
{
	if (!*path)
		return true;
	for (;;) {
		size_t len = strcspn(path, "/");

		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[len])
			return true;
		path += len + 1;
	}
}

/* The file of a step, and whether the container's own cgroup may have it. */
static bool is_step(const struct cgroup_step *step)
{
	const char *file = step->file;

	if (!is_path(step->path) || strchr(file, '/') || str_eq(file, ".."))
		return false;
	switch (step->kind) {
	case CGROUP_STEP_ENABLE:
		return str_eq(file, "cgroup.subtree_control");
	case CGROUP_STEP_MAKE:
		return *step->path && !*file;
	case CGROUP_STEP_TYPE:
		return *step->path && str_eq(file, "cgroup.type");
	case CGROUP_STEP_SET:
	case CGROUP_STEP_OWN:
		return *step->path && *file;
	case CGROUP_STEP_MARK:
		return *step->path && str_has_prefix(file, "user.");
	case CGROUP_STEP_KIND_COUNT:
		break;
	}
	return false;
}

static struct err *parse_step(const struct json *value, struct cgroup_steps *steps)
{
	OWN(strlist) struct strlist words = { 0 };
	struct cgroup_step step = { .kind = CGROUP_STEP_KIND_COUNT };

	TRY(json_strlist(value, NULL, &words));
	if (words.count != 4)
		return json_err(value, ERR_INVALID, "it has %zu words instead of 4", words.count);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_eq(words.items[0], kinds[i]))
			step.kind = (enum cgroup_step_kind)i;
	step.path = words.items[1];
	step.file = words.items[2];
	step.value = words.items[3];
	if (!is_step(&step))
		return json_err(value, ERR_INVALID, "it is no step");
	return cgroup_steps_add(steps, step.kind, step.path, step.file, step.value);
}

struct err *cr_groups_parse(const char *text, size_t len, struct cgroup_steps *ret_steps)
{
	OWN(cgroup_steps) struct cgroup_steps steps = { 0 };
	OWN(json_doc) struct json_doc *doc = NULL;

	TRY(json_parse(text, len, &doc));
	TRY(json_expect(json_root(doc), JSON_ARRAY));
	for (const struct json *at = json_root(doc)->child; at; at = at->next)
		TRY(parse_step(at, &steps));
	*ret_steps = steps;
	steps = (struct cgroup_steps){ 0 };
	return NULL;
}

struct err *cr_groups_load(int images_fd, struct cgroup_steps *ret_steps)
{
	OWN(buf) struct buf text = { 0 };
	struct err *err = file_read(images_fd, GROUPS, JSON_TEXT_MAX, &text);

	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* it had none */
		return NULL;
	}
	if (!err)
		err = cr_groups_parse(text.data, text.len, ret_steps);
	return err_wrap(err, GROUPS);
}
