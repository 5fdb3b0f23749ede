/* A VPS's sums of traffic: the file, the counters of the guard, and adding the one to the other.
 * See traffic.h. */
#include "runtime/vps/traffic.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "runtime/vps/wire.h"

/* The sums of a VPS are at hand, to be looked at or to be written. */
struct traffic_work {
	const struct vps_host *host;
	const char *name;
	int dir_fd; /* /var/lib/cella/traffic/NAME */
	bool saves; /* the VPS's lock is held */
};

static struct err *open_top(const struct vps_host *host, int *ret_fd)
{
	*ret_fd = open(host->traffic_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(errno, "open %s", host->traffic_dir) : NULL;
}

static struct err *open_dir(const struct vps_host *host, const char *name, int *ret_fd)
{
	OWN(fd) int top_fd = -1;

	TRY(open_top(host, &top_fd));
	if (mkdirat(top_fd, name, 0700) < 0 && errno != EEXIST)
		return err_sys(errno, "make %s/%s", host->traffic_dir, name);
	*ret_fd = openat(top_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(errno, "open %s/%s", host->traffic_dir, name) : NULL;
}

/* A file that cannot be read is kept beside, and counting begins anew: no VPS is held up by it. */
static struct err *read_file(const struct traffic_work *work, const char *file_name,
			     struct vps_traffic_file *ret_file)
{
	OWN(buf) struct buf text = { 0 };
	OWN(str) char *bad = NULL;
	struct err *err = file_read(work->dir_fd, file_name, TRAFFIC_FILE_MAX, &text);

	*ret_file = (struct vps_traffic_file){ 0 };
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* nothing was counted yet */
		return NULL;
	}
	if (!err)
		err = traffic_parse(text.data, text.len, ret_file);
	if (!err || err_kind(err) != ERR_INVALID)
		return err;
	log_warn(err_wrap(err, "%s/%s/%s is kept as bad.%s", work->host->traffic_dir, work->name,
			  file_name, file_name));
	TRY(str_format(&bad, "bad.%s", file_name));
	if (renameat(work->dir_fd, file_name, work->dir_fd, bad) < 0)
		return err_sys(errno, "rename %s/%s/%s", work->host->traffic_dir, work->name,
			       file_name);
	return NULL;
}

/* These very counters: the table's number in this boot. */
static struct err *life_of(uint64_t table, char *ret_life, size_t room)
{
	OWN(buf) struct buf boot = { 0 };

	TRY(file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &boot));
	snprintf(ret_life, room, "%.*s.%" PRIu64, (int)strcspn(boot.data, "\n"), boot.data, table);
	return NULL;
}

void traffic_this_month(char *ret_month)
{
	const struct timespec now = { .tv_sec = time(NULL) };

	memcpy(ret_month, clock_format_utc(&now, CLOCK_SECONDS).text, VPS_MONTH_MAX - 1);
	ret_month[VPS_MONTH_MAX - 1] = '\0';
}

/* *ret_changed false: there are no counters, or they stand where they stood. */
static struct err *add_counters(const char *host_name, uint32_t class,
				struct vps_traffic_file *file, bool *ret_changed)
{
	struct net_traffic counted;
	struct vps_flow now;
	char life[sizeof(file->life)], month[VPS_MONTH_MAX];
	struct err *err = net_guard_class_traffic(host_name, class, &counted);

	*ret_changed = false;
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* it does not run */
		return NULL;
	}
	TRY(err);
	now = (struct vps_flow){ .received_bytes = counted.in_bytes,
				 .received_packets = counted.in_packets,
				 .sent_bytes = counted.out_bytes,
				 .sent_packets = counted.out_packets };
	TRY(life_of(counted.life, life, sizeof(life)));
	traffic_this_month(month);
	return traffic_add(file, life, &now, month, ret_changed);
}

static struct traffic_part part_of(const struct net_port *port, uint32_t class)
{
	struct traffic_part part = { .class = class };

	memcpy(part.ifname, port->name, sizeof(part.ifname));
	return part;
}

static struct err *bring_up_to_date(const struct traffic_work *work, const struct net_port *port,
				    uint32_t class, struct vps_traffic_file *file)
{
	const struct traffic_part part = part_of(port, class);
	const struct traffic_file_name name = traffic_part_file(&part);
	OWN(buf) struct buf text = { 0 };
	bool changed;

	/* in this order: what is added meanwhile is in the counters, but not twice */
	TRY(read_file(work, name.text, file));
	TRY(add_counters(port->host_name, class, file, &changed));
	if (!changed || !work->saves)
		return NULL;
	TRY(traffic_format(file, &text));
	return file_replace(work->dir_fd, name.text, 0600, text.data, text.len);
}

static struct err *save_port(const struct traffic_work *work, const struct net_port *port,
			     const struct net_classes *classes)
{
	for (uint32_t class = 0; class <= NET_CLASS_MAX; class ++) {
		struct vps_traffic_file file = { 0 };
		struct err *err = NULL;

		if (!class || classes_have(classes, class))
			err = bring_up_to_date(work, port, class, &file);
		vps_traffic_release(&file.traffic);
		TRY(err);
	}
	return NULL;
}

static struct err *save_ports(struct traffic_work *work, const struct net_ports *ports)
{
	OWN(vps_classes) struct net_classes classes = { 0 };
	OWN(fd) int dir_fd = -1;

	for (size_t i = 0; i < ports->count; i++) {
		if (!net_mode_is_guarded(ports->items[i].mode))
			continue;
		if (dir_fd < 0) {
			TRY(open_dir(work->host, work->name, &dir_fd));
			TRY(classes_read(work->host, &classes));
		}
		work->dir_fd = dir_fd;
		TRY(save_port(work, &ports->items[i], &classes));
	}
	return NULL;
}

struct err *traffic_save(const struct vps_host *host, const char *name,
			 const struct net_ports *ports)
{
	struct traffic_work work = { .host = host, .name = name, .saves = true };

	return err_wrap(save_ports(&work, ports), "count the traffic of VPS %s", name);
}

struct err *traffic_forget(const struct vps_host *host, const char *name)
{
	OWN(fd) int top_fd = -1;

	TRY(open_top(host, &top_fd));
	return path_remove_tree(top_fd, name);
}

/* --- reading --- */

/* Takes the sums of file over. */
static struct err *keep(const struct traffic_part *part, struct vps_traffic_file *file,
			struct vps_traffics *traffics)
{
	struct vps_port_traffic *ports =
		reallocarray(traffics->ports, traffics->count + 1, sizeof(*ports));

	if (!ports) {
		vps_traffic_release(&file->traffic);
		return err_sys(ENOMEM, "keep an interface's traffic");
	}
	traffics->ports = ports;
	ports += traffics->count++;
	*ports = (struct vps_port_traffic){ .part = *part, .traffic = file->traffic };
	traffics->port_count += part->class == 0;
	return traffic_merge(&ports->traffic, &traffics->classes[part->class]);
}

static struct err *read_part(const struct traffic_work *work, const struct net_port *port,
			     uint32_t class, struct vps_traffics *traffics)
{
	const struct traffic_part part = part_of(port, class);
	struct vps_traffic_file file = { 0 };
	struct err *err = bring_up_to_date(work, port, class, &file);

	if (err || (class && !file.traffic.month_count)) {
		vps_traffic_release(&file.traffic);
		return err;
	}
	return keep(&part, &file, traffics);
}

static struct err *read_ports(const struct traffic_work *work, const struct net_ports *ports,
			      struct vps_traffics *traffics)
{
	OWN(vps_classes) struct net_classes classes = { 0 };

	TRY(classes_read(work->host, &classes));
	for (size_t i = 0; i < ports->count; i++)
		for (uint32_t class = 0; class <= NET_CLASS_MAX; class ++)
			if (net_mode_is_guarded(ports->items[i].mode) &&
			    (!class || classes_have(&classes, class)))
				TRY(read_part(work, &ports->items[i], class, traffics));
	return NULL;
}

static bool has_part(const struct vps_traffics *traffics, const struct traffic_part *part)
{
	for (size_t i = 0; i < traffics->count; i++)
		if (str_eq(traffics->ports[i].part.ifname, part->ifname) &&
		    traffics->ports[i].part.class == part->class)
			return true;
	return false;
}

static struct err *read_other(const struct traffic_work *work, const char *file_name,
			      struct vps_traffics *traffics)
{
	struct traffic_part part;
	struct vps_traffic_file file;
	struct err *err;

	if (!str_has_prefix(file_name, TRAFFIC_FILE_PREFIX) ||
	    !traffic_part_parse(file_name + strlen(TRAFFIC_FILE_PREFIX), &part) ||
	    has_part(traffics, &part))
		return NULL;
	err = read_file(work, file_name, &file);
	if (err) {
		vps_traffic_release(&file.traffic);
		return err;
	}
	return keep(&part, &file, traffics);
}

/* Of interfaces that are gone, or of all when it does not run. */
static struct err *read_others(const struct traffic_work *work, struct vps_traffics *traffics)
{
	OWN(fd) int fd = openat(work->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	OWN(dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return err_sys(errno, "list %s/%s", work->host->traffic_dir, work->name);
	fd_take(&fd);
	while (errno = 0, entry = readdir(dir))
		TRY(read_other(work, entry->d_name, traffics));
	return errno ? err_sys(errno, "list %s/%s", work->host->traffic_dir, work->name) : NULL;
}

static int by_part(const void *a, const void *b)
{
	const struct vps_port_traffic *one = a, *other = b;
	int names = strcmp(one->part.ifname, other->part.ifname);

	return names ? names : (int)one->part.class - (int)other->part.class;
}

struct err *traffic_of_month(const struct vps_host *host, const char *name, const char *month,
			     uint64_t *ret_bytes)
{
	OWN(vps_traffics) struct vps_traffics traffics = { 0 };
	OWN(fd) int dir_fd = -1;
	struct traffic_work work = { .host = host, .name = name };
	uint64_t bytes = 0;

	TRY(open_dir(host, name, &dir_fd));
	work.dir_fd = dir_fd;
	TRY(read_others(&work, &traffics));
	for (size_t i = 0; i < traffics.classes[0].month_count; i++) {
		const struct vps_month *row = &traffics.classes[0].months[i];

		if (str_eq(row->name, month))
			bytes += row->flow.received_bytes + row->flow.sent_bytes;
	}
	*ret_bytes = bytes;
	return NULL;
}

struct err *vps_traffic_read(const struct vps_host *host, const char *name,
			     struct vps_traffics *ret_traffics)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(vps_traffics) struct vps_traffics traffics = { 0 };
	OWN(vps_conf) struct vps_conf conf;
	OWN(vps_net) struct vps_net net = { 0 };
	OWN(fd) int dir_fd = -1;
	struct traffic_work work = { .host = host, .name = name };
	struct err *err;

	vps_conf_init(&conf);
	TRY(parse_container_id(name));
	TRY(vps_load(host, name, &conf)); /* is there such a VPS? */
	err = vps_lock(host, name, VPS_LOCK_TRY, &lock);
	if (err && err_errno(err) != EBUSY)
		return err;
	/* who holds the lock changes the files itself, if need be */
	work.saves = !err;
	err_drop(err);
	TRY(open_dir(host, name, &dir_fd));
	work.dir_fd = dir_fd;
	TRY(net_record_read(host, name, &net));
	TRY(read_ports(&work, &net.ports, &traffics));
	TRY(read_others(&work, &traffics));
	if (traffics.count)
		qsort(traffics.ports, traffics.count, sizeof(*traffics.ports), by_part);
	*ret_traffics = traffics;
	traffics = (struct vps_traffics){ 0 };
	return NULL;
}
