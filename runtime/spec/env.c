/* An environment in which the last of several settings of a name wins, as callers that append
 * expect. */
#include <errno.h>
#include <string.h>

#include "runtime/spec.h"

/* A set of names in a table of places, open addressing; 0 is empty, N+1 is entry N. */
struct name_set {
	const struct strlist *env;
	uint32_t *slots;
	size_t mask;
};

static size_t name_len(const char *entry)
{
	return strcspn(entry, "=");
}

/* FNV-1a */
static size_t hash_name(const char *entry, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)entry[i]) * 0x100000001b3;
	return (size_t)(hash ^ hash >> 32);
}

/* Add the name of entry index; false when it was there already. */
static bool add_name(struct name_set *set, size_t index)
{
	const char *entry = set->env->items[index];
	size_t len = name_len(entry);
	size_t slot = hash_name(entry, len) & set->mask;

	for (; set->slots[slot]; slot = (slot + 1) & set->mask) {
		const char *other = set->env->items[set->slots[slot] - 1];

		if (strncmp(other, entry, len) == 0 && name_len(other) == len)
			return false;
	}
	set->slots[slot] = (uint32_t)index + 1;
	return true;
}

/* Backwards, so that what comes first in the loop is what stays. */
static void drop_shadowed(struct strlist *env, struct name_set *set)
{
	size_t kept = 0;

	for (size_t i = env->count; i-- > 0;)
		if (!add_name(set, i)) {
			free(env->items[i]);
			env->items[i] = NULL;
		}
	for (size_t i = 0; i < env->count; i++)
		if (env->items[i])
			env->items[kept++] = env->items[i];
	env->items[kept] = NULL;
	env->count = kept;
}

struct err *env_drop_shadowed(struct strlist *env)
{
	struct name_set set = { .env = env, .mask = 15 };

	if (env->count < 2)
		return NULL;
	while (set.mask < env->count * 2)
		set.mask = set.mask * 2 + 1;
	set.slots = calloc(set.mask + 1, sizeof(*set.slots));
	if (!set.slots)
		return err_sys(ENOMEM, "sort %zu environment variables", env->count);
	drop_shadowed(env, &set);
	free(set.slots);
	return NULL;
}
