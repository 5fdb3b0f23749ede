/*
 * FEATURES: what a VPS is given beyond the policy of all. OpenVZ's words, of which "nesting" is
 * ours.
 *
 * Nesting is for containers inside. Most of what those need every VPS has: namespaces, mounts and
 * control groups of its own. This adds what is left:
 *  - proc and sysfs once more with nothing mounted over their files. A user namespace inside may
 *    mount these only where its parent has such ones (mnt_already_visible() of fs/namespace.c),
 *    writable if it wants them so, and all mounts of one sysfs are read-only when it is. The
 *    VPS's root could mount them itself, so they show it nothing new.
 *  - /dev/fuse and /dev/net/tun, for images and networks of users: both act within the user and net
 *    namespace of who opens them.
 * It is not the default, because the drivers are kernel code that a VPS otherwise does not reach.
 * keyctl(2) stays away: keys are limited for each of the VPS's 65,536 users and no part of its
 * memory limit, and runtimes do without.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "runtime/vps/keys.h"
#include "runtime/vps/room.h"

/* --- words --- */

static const char *const known[] = { VPS_NESTING, "bridge", "ipgre", "ipip",  "nfs",
				     "nfsd",	  "ppp",    "sit",   "sysfs", "time" };

struct feature {
	const char *name;
	size_t len;
	bool is_on;
};

/* Take "NAME:on" or "NAME:off" off a text where they stand with commas between. */
static bool take_feature(const char **at, struct feature *ret_feature)
{
	size_t len = strcspn(*at, ","), name_len = strcspn(*at, ":,");
	const char *state = *at + name_len;
	bool is_on = len - name_len == 3 && strncmp(state, ":on", 3) == 0;

	if (!is_on && (len - name_len != 4 || strncmp(state, ":off", 4) != 0))
		return false;
	*ret_feature = (struct feature){ *at, name_len, is_on };
	*at += len + ((*at)[len] == ',');
	return true;
}

static bool is_named(const struct feature *feature, const char *name)
{
	return feature->len == strlen(name) && strncmp(feature->name, name, feature->len) == 0;
}

static bool is_known(const struct feature *feature)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (is_named(feature, known[i]))
			return true;
	return false;
}

struct err *check_features(const struct conf_key *key, const void *field)
{
	const struct strlist *words = field;

	for (size_t i = 0; i < words->count; i++) {
		struct feature feature;

		for (const char *at = words->items[i]; *at;)
			if (!take_feature(&at, &feature) || !is_known(&feature))
				return err_new(ERR_INVALID,
					       "%s: '%.40s' is not NAME:on or NAME:off of a known "
					       "NAME, such as " VPS_NESTING,
					       conf_key_label(key), at);
	}
	return NULL;
}

/* The last word counts. */
bool vps_has_feature(const struct vps_conf *conf, const char *name)
{
	bool is_on = false;

	for (size_t i = 0; i < conf->features.count; i++) {
		const char *at = conf->features.items[i];
		struct feature feature;

		while (take_feature(&at, &feature))
			if (is_named(&feature, name))
				is_on = feature.is_on;
	}
	return is_on;
}

struct err *vps_features_idle(const struct vps_conf *conf, struct strlist *ret_names)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!str_eq(known[i], VPS_NESTING) && vps_has_feature(conf, known[i]))
			TRY(strlist_add(ret_names, known[i]));
	return NULL;
}

/* --- nesting --- */

/* Out of the way: nobody uses these two, they need to be somewhere. */
static const struct policy_mount mounts[] = {
	{ "proc", "proc", "/dev/.cella/proc", "nosuid,noexec,nodev" },
	{ "sysfs", "sysfs", "/dev/.cella/sys", "nosuid,noexec,nodev" },
};

static const struct device_node devices[] = {
	{ 'c', (char[]){ "/dev/fuse" }, 10, 229, 0666, 0, 0 },
	{ 'c', (char[]){ "/dev/net/tun" }, 10, 200, 0666, 0, 0 },
};

static struct err *add_node(struct rootfs_spec *root, const struct device_node *device)
{
	struct device_node *items =
		reallocarray(root->devices, root->device_count + 1, sizeof(*items));

	if (!items)
		return err_sys(ENOMEM, "plan devices");
	root->devices = items;
	items[root->device_count] = *device;
	items[root->device_count].path = NULL;
	return str_dup(device->path, &items[root->device_count++].path);
}

static struct err *allow(struct cgroup_spec *cgroup, const struct device_node *device)
{
	struct device_rule *rules =
		reallocarray(cgroup->device_rules, cgroup->device_rule_count + 1, sizeof(*rules));

	if (!rules)
		return err_sys(ENOMEM, "plan devices");
	cgroup->device_rules = rules;
	rules[cgroup->device_rule_count++] = (struct device_rule){ .allow = true,
								   .type = device->type,
								   .major = device->major,
								   .minor = device->minor,
								   .may_read = true,
								   .may_write = true };
	return NULL;
}

struct err *nesting_fill(struct spec *spec)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		TRY(policy_add_mount(&spec->root, &mounts[i]));
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (access(devices[i].path, F_OK) < 0) {
			log_warning("nesting: it gets no %s, which this host has not: modprobe %s",
				    devices[i].path, strrchr(devices[i].path, '/') + 1);
			continue;
		}
		TRY(add_node(&spec->root, &devices[i]));
		TRY(allow(&spec->cgroup, &devices[i]));
	}
	return NULL;
}
