/* From a definition to the engine's struct spec: policy.c for what all VPSs share, here what
 * differs. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "runtime/vps/room.h"

static struct err *one_map(uint64_t first, uint64_t count, struct id_map **ret_map,
			   size_t *ret_count)
{
	struct id_map *map = calloc(1, sizeof(*map));

	if (!map)
		return err_sys(ENOMEM, "plan id maps");
	*map = (struct id_map){ .inside = 0, .outside = (uint32_t)first, .count = (uint32_t)count };
	*ret_map = map;
	*ret_count = 1;
	return NULL;
}

static struct err *fill_ids(const struct vps_conf *conf, struct spec *spec)
{
	uint64_t count = conf->id_count == VPS_UNSET ? VPS_ID_RANGE : conf->id_count;
	struct id_maps *maps = &spec->ns.maps;

	if (conf->id_first == VPS_UNSET)
		return err_new(ERR_INVALID,
			       "LOCAL_UID is missing: the VPS has no ids on this host");
	TRY(one_map(conf->id_first, count, &maps->uids, &maps->uid_count));
	TRY(one_map(conf->id_first, count, &maps->gids, &maps->gid_count));
	spec->cgroup.owner_uid = (uid_t)conf->id_first;
	spec->cgroup.owner_gid = (gid_t)conf->id_first;
	return NULL;
}

/* The first program, as the kernel would look for it. */
static struct err *find_init(int root_fd, char **ret_path)
{
	static const char *const programs[] = { "/sbin/init", "/etc/init", "/bin/init", "/bin/sh" };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		OWN(fd) int fd = -1;
		struct err *err = path_open_in(root_fd, programs[i], O_PATH, &fd);

		if (!err)
			return str_dup(programs[i], ret_path);
		err_drop(err); /* the next one, then */
	}
	return err_new(ERR_NOT_FOUND, "the VPS has neither /sbin/init nor /bin/sh");
}

/* All that differ from what a new cgroup has. */
static struct err *fill_limits(const struct vps_host *host, const char *name,
			       const struct vps_conf *conf, struct cgroup_limits *limits)
{
	OWN(strlist) struct strlist lacks = { 0 };
	OWN(vps_conf) struct vps_conf none;

	vps_conf_init(&none);
	TRY(limits_change(host, name, &none, conf, limits, &lacks));
	for (size_t i = 0; i < lacks.count; i++)
		log_warning("VPS %s: %s", name, lacks.items[i]);
	return NULL;
}

static struct err *fill(const struct vps_host *host, const char *name, const struct vps_conf *conf,
			struct spec *spec)
{
	TRY(policy_fill(spec));
	if (vps_has_feature(conf, VPS_NESTING))
		TRY(nesting_fill(spec));
	TRY(views_fill(&spec->root));
	TRY(str_format(&spec->root.path, "%s/%s", host->private_dir, name));
	TRY(str_dup(conf->hostname ? conf->hostname : name, &spec->hostname));
	spec->process.terminal = true;
	TRY(fill_ids(conf, spec));
	return fill_limits(host, name, conf, &spec->cgroup.limits);
}

struct err *vps_build_spec(const struct vps_host *host, const char *name,
			   const struct vps_conf *conf, struct spec *ret_spec)
{
	OWN(spec) struct spec spec;

	spec_init(&spec);
	TRY(fill(host, name, conf, &spec));
	*ret_spec = spec;
	spec_init(&spec);
	return NULL;
}

struct err *vps_fill_init(int tree_fd, struct spec *spec)
{
	OWN(str) char *init = NULL;

	TRY(find_init(tree_fd, &init));
	return strlist_add(&spec->process.args, init);
}
