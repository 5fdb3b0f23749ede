/*
 * Ranges of host ids and addresses: never shared by two VPSs, nor with users of the host. What is
 * given out is what the definitions say, so there is no second list that could disagree with them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "runtime/vps/publish.h"
#include "runtime/vps/wire.h"

#define SUBID_FILE_MAX ((size_t)4 << 20)

struct range {
	uint64_t first, count;
};

struct range_list {
	struct range *items;
	size_t count;
};

static void own_range_list(struct range_list *list)
{
	free(list->items);
}

static struct err *add_range(struct range_list *list, uint64_t first, uint64_t count)
{
	struct range *items = reallocarray(list->items, list->count + 1, sizeof(*items));

	if (!items)
		return err_sys(ENOMEM, "keep a range of ids");
	list->items = items;
	items[list->count++] = (struct range){ first, count };
	return NULL;
}

/* Lines "NAME:FIRST:COUNT" of /etc/subuid and /etc/subgid. Source: subuid(5). */
static struct err *add_subids(struct range_list *list, const char *path)
{
	OWN(buf) struct buf text = { 0 };
	struct err *err = file_read(AT_FDCWD, path, SUBID_FILE_MAX, &text);
	char *rest, *line;

	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* nobody has subordinate ids then */
		return NULL;
	}
	if (err)
		return err;
	for (rest = text.data; (line = strsep(&rest, "\n"));) {
		char *first = strchr(line, ':'), *count = first ? strchr(first + 1, ':') : NULL;
		uint64_t from, number;

		if (!count)
			continue;
		*first = *count = '\0';
		err = parse_u64(path, first + 1, 0, UINT32_MAX, &from);
		if (!err)
			err = parse_u64(path, count + 1, 0, UINT32_MAX, &number);
		if (!err)
			TRY(add_range(list, from, number));
		err_drop(err); /* a line that shadow's tools cannot read either gives nobody
				  anything */
	}
	return NULL;
}

/* Each line of a damaged definition speaks for itself: what it says of ids is kept free for it. */
static struct err *add_damaged(const struct vps_host *host, const char *name,
			       struct range_list *list)
{
	OWN(str) char *path = NULL;
	OWN(buf) struct buf text = { 0 };
	struct err *err;
	char *rest, *line;

	TRY(str_format(&path, "%s/%s.conf", host->conf_dir, name));
	err = file_read(AT_FDCWD, path, CONF_FILE_MAX, &text);
	err_drop(err); /* the caller has said that it cannot be read */
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '\0')
			text.data[i] = '\n';
	for (rest = text.data; (line = strsep(&rest, "\n"));) {
		OWN(conf_file) struct conf_file file = { 0 };
		const char *value = NULL;
		uint64_t first = 0;

		err = conf_file_parse(line, strlen(line), &file);
		if (!err && (value = conf_file_get(&file, "LOCAL_UID")))
			err = parse_u64("LOCAL_UID", value, 0, UINT32_MAX, &first);
		if (!err && value)
			TRY(add_range(list, first, VPS_ID_RANGE));
		err_drop(err); /* a line that says nothing */
	}
	return NULL;
}

/* A damaged one keeps the ids that its lines say and those with which the VPS runs. */
static struct err *add_definition(const struct vps_host *host, const char *name,
				  struct range_list *list)
{
	OWN(vps_conf) struct vps_conf conf;
	enum other other;

	vps_conf_init(&conf);
	TRY(other_load(host, name, &conf, &other));
	if (other == OTHER_DAMAGED)
		TRY(add_damaged(host, name, list));
	if (other == OTHER_GONE || conf.id_first == VPS_UNSET)
		return NULL;
	return add_range(list, conf.id_first,
			 conf.id_count == VPS_UNSET ? VPS_ID_RANGE : conf.id_count);
}

static struct err *add_definitions(const struct vps_host *host, struct range_list *list)
{
	OWN(strlist) struct strlist names = { 0 };

	TRY(vps_names(host, &names));
	for (size_t i = 0; i < names.count; i++)
		TRY(err_wrap(add_definition(host, names.items[i], list),
			     "find a free range of ids"));
	return NULL;
}

/* Ids of VPSs that are being made: the marker of each says which. */
static struct err *add_markers(const struct vps_host *host, struct range_list *list)
{
	OWN(dir) DIR *dir = opendir(host->private_dir);
	struct dirent *entry;

	if (!dir)
		return err_sys(errno, "read %s", host->private_dir);
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name), suffix = strlen(CREATING_SUFFIX);
		OWN(buf) struct buf text = { 0 };
		uint64_t first;
		struct err *err;

		if (len < suffix || !str_eq(entry->d_name + len - suffix, CREATING_SUFFIX))
			continue;
		err = file_read(dirfd(dir), entry->d_name, 32, &text);
		if (!err && text.len)
			text.data[strcspn(text.data, "\n")] = '\0';
		if (!err)
			err = parse_u64(entry->d_name, text.data ? text.data : "", 0, UINT32_MAX,
					&first);
		if (!err)
			TRY(add_range(list, first, VPS_ID_RANGE));
		err_drop(err); /* done meanwhile, or of an older cella, which took ids later */
	}
	return NULL;
}

static const struct range *find_overlap(const struct range_list *list, uint64_t first)
{
	for (size_t i = 0; i < list->count; i++)
		if (first < list->items[i].first + list->items[i].count &&
		    list->items[i].first < first + VPS_ID_RANGE)
			return &list->items[i];
	return NULL;
}

struct err *ids_choose(const struct vps_host *host, uint64_t *ret_first)
{
	OWN(range_list) struct range_list taken = { 0 };
	uint64_t end = host->id_first + host->id_count;

	TRY(add_definitions(host, &taken));
	TRY(add_markers(host, &taken));
	TRY(add_subids(&taken, "/etc/subuid"));
	TRY(add_subids(&taken, "/etc/subgid"));
	/* the first range is the unpacking sandbox's */
	for (uint64_t first = host->id_first + VPS_ID_RANGE; first + VPS_ID_RANGE <= end;
	     first += VPS_ID_RANGE) {
		if (find_overlap(&taken, first))
			continue;
		*ret_first = first;
		return NULL;
	}
	return err_new(ERR_STATE,
		       "no free range of %d ids in %" PRIu64 "..%" PRIu64
		       "; make ID_POOL in cella.conf larger",
		       VPS_ID_RANGE, host->id_first, end - 1);
}

/* Interfaces of two VPSs that see each other's addresses: all but those in separate bridges or
 * VLANs. */
static bool same_world(const struct net_port *a, const struct net_port *b)
{
	if (a->mode == NET_BRIDGED && b->mode == NET_BRIDGED)
		return str_eq(a->link, b->link) && a->vlan == b->vlan;
	return true;
}

static struct err *check_ports(const char *other_name, const struct net_port *other,
			       const struct net_port *port)
{
	if (!same_world(port, other))
		return NULL;
	for (size_t i = 0; i < port->addr_count; i++) {
		char text[NET_ADDR_TEXT_MAX];

		for (size_t k = 0; k < other->addr_count; k++) {
			if (!net_addr_same_host(&port->addrs[i], &other->addrs[k]))
				continue;
			net_addr_format(&port->addrs[i], text);
			return err_new(ERR_EXISTS, "address %s belongs to VPS %s", text,
				       other_name);
		}
	}
	if (port->mode == NET_BRIDGED && other->mode == NET_BRIDGED &&
	    memcmp(port->mac, other->mac, sizeof(port->mac)) == 0)
		return err_new(ERR_EXISTS, "the MAC address of interface %s belongs to VPS %s",
			       port->name, other_name);
	return NULL;
}

static struct err *check_against(const struct vps_host *host, const char *other_name,
				 const struct vps_conf *own, const struct net_ports *ports)
{
	const char *published;
	OWN(net_ports) struct net_ports others = { 0 };
	OWN(vps_conf) struct vps_conf conf;
	enum other other;

	vps_conf_init(&conf);
	TRY(other_load(host, other_name, &conf, &other));
	if (other == OTHER_GONE)
		return NULL;
	TRY(other_plan(host, other_name, &conf, &others));
	published = publish_common(&own->publish, &conf.publish);
	if (published)
		return err_new(ERR_EXISTS, "--publish %s: the port leads to VPS %s", published,
			       other_name);
	for (size_t i = 0; i < ports->count; i++)
		for (size_t k = 0; k < others.count; k++)
			TRY(check_ports(other_name, &others.items[k], &ports->items[i]));
	return NULL;
}

struct err *addrs_check_free(const struct vps_host *host, const char *name,
			     const struct vps_conf *conf)
{
	OWN(net_ports) struct net_ports ports = { 0 };
	OWN(strlist) struct strlist names = { 0 };

	TRY(net_plan(host, name, conf, &ports));
	if (ports.count == 0)
		return NULL;
	TRY(vps_names(host, &names));
	for (size_t i = 0; i < names.count; i++)
		if (!str_eq(names.items[i], name))
			TRY(check_against(host, names.items[i], conf, &ports));
	return NULL;
}
