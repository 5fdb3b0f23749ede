/* What stands in the way of a VPS that another host offers; all of it at once, before anything is
 * stopped. The definition is another host's word: what is made of it is checked again when it is
 * made. */
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "migrate-criu/move/wire.h"
#include "runtime/vps/capacity.h"
#include "runtime/vps/wire.h"

struct check {
	const struct vps_host *host;
	const struct move_message *offer;
	struct vps_conf own, whole; /* what it says; with this host's defaults */
	struct strlist *refusals, *remarks;
};

static void own_check(struct check *check)
{
	vps_conf_release(&check->own);
	vps_conf_release(&check->whole);
}

/* A failed check is a line of its own; the cure may be NULL. */
static struct err *note(struct check *check, struct err *err, const char *cure)
{
	struct err *failed = NULL;

	if (err)
		failed = strlist_format(check->refusals, "%.*s%s%s", 1500, err_text(err),
					cure ? ": " : "", cure ? cure : "");
	err_drop(err); /* it has its line */
	return failed;
}

static struct err *check_name(struct check *check)
{
	const char *name = check->offer->name;
	OWN(str) char *area = NULL;
	struct stat st;
	bool exists;

	TRY(store_exists(check->host, name, &exists));
	if (exists)
		return strlist_format(
			check->refusals,
			"there is a VPS %s already: destroy it, or move under another "
			"name (cella clone)",
			name);
	TRY(str_format(&area, "%s/%s", check->host->private_dir, name));
	if (lstat(area, &st) == 0)
		return strlist_format(check->refusals, "%s is there without a VPS %s: move it away",
				      area, name);
	return note(check, moving_check_destroy(check->host, name), NULL);
}

static struct err *space_of(const char *path, dev_t *ret_device, uint64_t *ret_free_bytes)
{
	struct statvfs fs;
	struct stat st;

	if (stat(path, &st) < 0 || statvfs(path, &fs) < 0)
		return err_sys(errno, "look at the space of %s", path);
	*ret_device = st.st_dev;
	*ret_free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return NULL;
}

/* The stream is kept until the disk has been made of it. */
static struct err *check_space(struct check *check)
{
	const char *dirs[] = { check->host->private_dir, check->host->moving_dir };
	uint64_t free_bytes, need = check->offer->bytes;
	dev_t disks, stream;

	if (need == 0)
		return strlist_add(check->remarks,
				   "its host does not count what its disk holds: if there is no "
				   "room for it, it is started there again");
	TRY(space_of(dirs[1], &stream, &free_bytes));
	TRY(space_of(dirs[0], &disks, &free_bytes));
	if (disks == stream)
		need *= 2;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		TRY(space_of(dirs[i], &disks, &free_bytes));
		if (need <= free_bytes)
			continue;
		return strlist_format(check->refusals,
				      "%s has %" PRIu64 " MiB free, and the move needs %" PRIu64
				      " MiB there: make room",
				      dirs[i], free_bytes >> 20, (need >> 20) + 1);
	}
	return NULL;
}

static struct err *check_memory(struct check *check)
{
	const uint64_t ram = check->whole.ram_bytes;
	struct capacity capacity;

	TRY(note(check, capacity_check(check->host, check->offer->name, &check->whole), NULL));
	TRY(capacity_read(check->host, check->offer->name, &capacity));
	if (ram == VPS_UNSET || ram == VPS_UNLIMITED || ram <= capacity.host_bytes)
		return NULL;
	return strlist_format(check->refusals,
			      "the VPS has %" PRIu64 " MiB of memory, and this host %" PRIu64
			      " MiB: lower its --ram first",
			      ram >> 20, capacity.host_bytes >> 20);
}

static struct err *check_limits(struct check *check)
{
	OWN(strlist) struct strlist lacks = { 0 };

	TRY(note(check, vps_conf_check_together(&check->whole), NULL));
	TRY(note(check, vps_limits_lacking(check->host, check->offer->name, &check->whole, &lacks),
		 NULL));
	for (size_t i = 0; i < lacks.count; i++)
		TRY(strlist_add(check->whole.best_effort == 1 ? check->remarks : check->refusals,
				lacks.items[i]));
	return NULL;
}

static struct err *check_network(struct check *check)
{
	OWN(net_ports) struct net_ports ports = { 0 };
	struct err *err = net_plan(check->host, check->offer->name, &check->whole, &ports);

	if (err)
		return note(check, err, NULL);
	for (size_t i = 0; i < ports.count; i++)
		if (*ports.items[i].link && if_nametoindex(ports.items[i].link) == 0)
			TRY(strlist_format(
				check->refusals,
				"interface %s: there is no %s on this host: make it first",
				ports.items[i].name, ports.items[i].link));
	return note(check, addrs_check_free(check->host, check->offer->name, &check->whole), NULL);
}

static struct err *check_ids(struct check *check)
{
	OWN(vps_lock) struct vps_lock pool = VPS_LOCK_INIT;
	uint64_t first;

	TRY(pool_lock(check->host, &pool));
	TRY(note(check, ids_choose(check->host, &first), NULL));
	if (check->own.layout && str_eq(vps_layout_of(check->own.layout), "overlay"))
		TRY(strlist_add(
			check->remarks,
			"its disk has the layout overlay, and becomes one of its own there"));
	return NULL;
}

static struct err *read_conf(const struct vps_host *host, const char *text, struct check *check)
{
	OWN(conf_file) struct conf_file file = { 0 };

	TRY(conf_file_parse(text, strlen(text), &file));
	TRY(vps_conf_read(&file, &check->own));
	TRY(vps_conf_merge(&host->defaults, &check->whole));
	return vps_conf_merge(&check->own, &check->whole);
}

struct err *move_check_offer(const struct vps_host *host, const struct move_message *offer,
			     struct strlist *refusals, struct strlist *remarks)
{
	static struct err *(*const checks[])(struct check *) = {
		check_name, check_space, check_memory, check_limits, check_network, check_ids,
	};
	OWN(check)
	struct check check = {
		.host = host, .offer = offer, .refusals = refusals, .remarks = remarks
	};
	struct err *err;

	vps_conf_init(&check.own);
	vps_conf_init(&check.whole);
	err = read_conf(host, offer->conf, &check);
	if (err)
		return note(&check, err_wrap(err, "its definition"), NULL);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		TRY(checks[i](&check));
	return NULL;
}
