/*
 * Device rules, simplified before they are compiled: fewer instructions load faster and run on
 * every open(2) of a device. Each step keeps every decision; the property test compares with a
 * naive evaluator.
 */
#include "cgroups/device_rules.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "cgroups/devices.h"

#define RWM .allow = true, .may_read = true, .may_write = true, .may_mknod = true

/* Source: runtime-spec, config-linux, "Default Devices"; major and minor from devices.txt. */
const struct device_rule default_devices[] = {
	/* Making a node of any device gives no access to it. runc and crun allow it, image builds
	 * count on it, and init makes the nodes of linux.devices behind this filter. */
	{ .allow = true, .type = 'a', .major = DEVICE_ANY, .minor = DEVICE_ANY, .may_mknod = true },
	{ RWM, .type = 'c', .major = 1, .minor = 3 },		 /* null */
	{ RWM, .type = 'c', .major = 1, .minor = 5 },		 /* zero */
	{ RWM, .type = 'c', .major = 1, .minor = 7 },		 /* full */
	{ RWM, .type = 'c', .major = 1, .minor = 8 },		 /* random */
	{ RWM, .type = 'c', .major = 1, .minor = 9 },		 /* urandom */
	{ RWM, .type = 'c', .major = 5, .minor = 0 },		 /* tty */
	{ RWM, .type = 'c', .major = 5, .minor = 1 },		 /* console */
	{ RWM, .type = 'c', .major = 5, .minor = 2 },		 /* ptmx */
	{ RWM, .type = 'c', .major = 136, .minor = DEVICE_ANY }, /* pts */
};
const size_t default_device_count = ARRAY_SIZE(default_devices);

void device_masks_release(struct device_masks *masks)
{
	free(masks->items);
	*masks = (struct device_masks){ 0 };
}

static bool is_number(int64_t number)
{
	return number >= DEVICE_ANY && number <= INT32_MAX;
}

static struct err *parse_one(const struct device_rule *rule, struct device_mask *ret_mask)
{
	struct device_mask mask = {
		.type = DEVICE_ANY,
		.major = (int32_t)rule->major,
		.minor = (int32_t)rule->minor,
		.access = (rule->may_mknod ? (uint32_t)BPF_DEVCG_ACC_MKNOD : 0) |
			  (rule->may_read ? (uint32_t)BPF_DEVCG_ACC_READ : 0) |
			  (rule->may_write ? (uint32_t)BPF_DEVCG_ACC_WRITE : 0),
		.allow = rule->allow,
	};

	if (!rule->type || !strchr("acb", rule->type))
		return err_new(ERR_INVALID, "device rule: the type is not a, b or c");
	if (!is_number(rule->major) || !is_number(rule->minor))
		return err_new(ERR_INVALID, "device rule: %lld:%lld is no device number",
			       (long long)rule->major, (long long)rule->minor);
	if (rule->type == 'c')
		mask.type = BPF_DEVCG_DEV_CHAR;
	else if (rule->type == 'b')
		mask.type = BPF_DEVCG_DEV_BLOCK;
	*ret_mask = mask;
	return NULL;
}

struct err *device_masks_parse(const struct device_rule *rules, size_t count,
			       struct device_masks *ret_masks)
{
	struct device_mask *items = calloc(count + default_device_count, sizeof(*items));

	if (!items)
		return err_sys(ENOMEM, "keep %zu device rules", count);
	for (size_t i = 0; i < count + default_device_count; i++) {
		const struct device_rule *rule =
			i < count ? &rules[i] : &default_devices[i - count];
		struct err *err = parse_one(rule, &items[i]);

		if (err) {
			free(items);
			return err;
		}
	}
	ret_masks->items = items;
	ret_masks->count = count + default_device_count;
	return NULL;
}

static bool number_covers(int32_t outer, int32_t inner)
{
	return outer == DEVICE_ANY || outer == inner;
}

/* Every device of inner is one of outer. */
static bool covers(const struct device_mask *outer, const struct device_mask *inner)
{
	return number_covers(outer->type, inner->type) &&
	       number_covers(outer->major, inner->major) &&
	       number_covers(outer->minor, inner->minor);
}

static bool numbers_meet(int32_t a, int32_t b)
{
	return a == DEVICE_ANY || b == DEVICE_ANY || a == b;
}

/* Some request is decided by both. */
static bool overlaps(const struct device_mask *a, const struct device_mask *b)
{
	return (a->access & b->access) && numbers_meet(a->type, b->type) &&
	       numbers_meet(a->major, b->major) && numbers_meet(a->minor, b->minor);
}

/* Bits that a later rule decides for all of its devices are not for this one to decide; but a rule
 * that says the same stays whole, so that the later one may turn out to be superfluous. */
static void drop_overruled(struct device_masks *masks)
{
	for (size_t i = 0; i < masks->count; i++) {
		struct device_mask *mask = &masks->items[i];

		for (size_t at = i + 1; at < masks->count; at++) {
			const struct device_mask *later = &masks->items[at];

			if (covers(later, mask) &&
			    (later->allow != mask->allow || !(mask->access & ~later->access)))
				mask->access &= ~later->access;
		}
	}
}

/* A denial is needed only against an earlier permission, and a permission only when no earlier one
 * stands. */
static bool changes_nothing(const struct device_masks *masks, size_t at)
{
	const struct device_mask *mask = &masks->items[at];

	for (size_t i = at; i-- > 0;) {
		const struct device_mask *earlier = &masks->items[i];

		if (!overlaps(earlier, mask))
			continue;
		if (earlier->allow != mask->allow)
			return false;
		if (earlier->allow && covers(earlier, mask) && !(mask->access & ~earlier->access))
			return true;
	}
	return !mask->allow;
}

void device_masks_simplify(struct device_masks *masks)
{
	size_t kept = 0;

	drop_overruled(masks);
	for (size_t i = 0; i < masks->count; i++) {
		if (!masks->items[i].access)
			continue;
		masks->items[kept] = masks->items[i];
		if (!changes_nothing(masks, kept))
			kept++;
	}
	masks->count = kept;
}

bool device_masks_allow_all(const struct device_masks *masks)
{
	const struct device_mask *only = masks->items;

	return masks->count == 1 && only->allow && only->type == DEVICE_ANY &&
	       only->major == DEVICE_ANY && only->minor == DEVICE_ANY &&
	       only->access == DEVICE_ALL_ACCESS;
}

/* DEVICE_ANY sorts behind all numbers. */
static int compare_numbers(int32_t a, int32_t b)
{
	return ((uint32_t)a > (uint32_t)b) - ((uint32_t)a < (uint32_t)b);
}

static int compare_devices(const void *left, const void *right)
{
	const struct device_mask *a = left, *b = right;
	int order = compare_numbers(a->type, b->type);

	if (!order)
		order = compare_numbers(a->major, b->major);
	return order ? order : compare_numbers(a->minor, b->minor);
}

void device_masks_arrange(struct device_masks *masks)
{
	struct device_mask *items = masks->items;
	size_t kept = 0;

	for (size_t i = 0; i < masks->count / 2; i++) {
		struct device_mask first = items[i];

		items[i] = items[masks->count - 1 - i];
		items[masks->count - 1 - i] = first;
	}
	for (size_t begin = 0, end; begin < masks->count; begin = end) {
		for (end = begin; end < masks->count && items[end].allow == items[begin].allow;)
			end++;
		/* rules of one verdict may change places among themselves */
		qsort(items + begin, end - begin, sizeof(*items), compare_devices);
	}
	for (size_t i = 0; i < masks->count; i++) {
		bool is_same = kept && items[kept - 1].allow == items[i].allow &&
			       compare_devices(&items[kept - 1], &items[i]) == 0;

		if (is_same)
			items[kept - 1].access |= items[i].access;
		else
			items[kept++] = items[i];
	}
	masks->count = kept;
}
