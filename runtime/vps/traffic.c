/* A VPS's sums of traffic: the file, the counters of the guard, and adding the one to the other.
 * See traffic.h. */
#include "runtime/vps/traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "runtime/vps/room.h"

#define FILE_MAX ((size_t)64 << 10)

static struct err *open_dir(const struct vps_host *host, int *ret_fd)
{
	*ret_fd = open(host->traffic_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(errno, "open %s", host->traffic_dir) : NULL;
}

/* A file that cannot be read is kept beside, and counting begins anew: no VPS is held up by it. */
static struct err *read_file(const struct vps_host *host, int dir_fd, const char *name,
			     struct vps_traffic_file *ret_file)
{
	OWN(buf) struct buf text = { 0 };
	OWN(str) char *bad = NULL;
	struct err *err = file_read(dir_fd, name, FILE_MAX, &text);

	*ret_file = (struct vps_traffic_file){ 0 };
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* nothing was counted yet */
		return NULL;
	}
	if (!err)
		err = traffic_parse(text.data, text.len, ret_file);
	if (!err || err_kind(err) != ERR_INVALID)
		return err;
	log_warn(err_wrap(err, "%s/%s is kept as .%s.bad", host->traffic_dir, name, name));
	TRY(str_format(&bad, ".%s.bad", name));
	if (renameat(dir_fd, name, dir_fd, bad) < 0)
		return err_sys(errno, "rename %s/%s", host->traffic_dir, name);
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

static void this_month(char *ret_month)
{
	const struct timespec now = { .tv_sec = time(NULL) };

	memcpy(ret_month, clock_format_utc(&now, CLOCK_SECONDS).text, VPS_MONTH_MAX - 1);
	ret_month[VPS_MONTH_MAX - 1] = '\0';
}

/* *ret_changed false: there are no counters, or they stand where they stood. */
static struct err *add_counters(const char *host_name, struct vps_traffic_file *file,
				bool *ret_changed)
{
	struct net_traffic counted;
	struct vps_flow now;
	char life[sizeof(file->life)], month[VPS_MONTH_MAX];
	struct err *err = net_guard_traffic(host_name, &counted);

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
	this_month(month);
	return traffic_add(file, life, &now, month, ret_changed);
}

/* save: the VPS's lock is held. */
enum traffic_use { TRAFFIC_LOOK, TRAFFIC_SAVE };

static struct err *bring_up_to_date(const struct vps_host *host, const char *name,
				    const struct vps_conf *conf, enum traffic_use use,
				    struct vps_traffic_file *file)
{
	OWN(buf) struct buf text = { 0 };
	OWN(fd) int dir_fd = -1;
	char host_name[IFNAMSIZ];
	bool changed;

	TRY(open_dir(host, &dir_fd));
	/* in this order: what is added meanwhile is in the counters, but not twice */
	TRY(read_file(host, dir_fd, name, file));
	wire_host_name(host, name, conf, host_name);
	TRY(add_counters(host_name, file, &changed));
	if (!changed || use == TRAFFIC_LOOK)
		return NULL;
	TRY(traffic_format(file, &text));
	return file_replace(dir_fd, name, 0600, text.data, text.len);
}

struct err *traffic_save(const struct vps_host *host, const char *name, const struct vps_conf *conf)
{
	struct vps_traffic_file file = { 0 };
	struct err *err = bring_up_to_date(host, name, conf, TRAFFIC_SAVE, &file);

	vps_traffic_release(&file.traffic);
	return err_wrap(err, "count the traffic of VPS %s", name);
}

struct err *traffic_forget(const struct vps_host *host, const char *name)
{
	OWN(fd) int dir_fd = -1;

	TRY(open_dir(host, &dir_fd));
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return err_sys(errno, "remove %s/%s", host->traffic_dir, name);
	return NULL;
}

struct err *vps_traffic_read(const struct vps_host *host, const char *name,
			     struct vps_traffic *ret_traffic)
{
	OWN(vps_lock) struct vps_lock lock = VPS_LOCK_INIT;
	OWN(vps_conf) struct vps_conf conf;
	struct vps_traffic_file file = { 0 };
	struct err *err;

	vps_conf_init(&conf);
	TRY(parse_container_id(name));
	TRY(vps_load(host, name, &conf));
	err = vps_lock(host, name, VPS_LOCK_TRY, &lock);
	if (err && err_errno(err) != EBUSY)
		return err;
	/* who holds the lock changes the file itself, if need be */
	err = bring_up_to_date(host, name, &conf, err ? TRAFFIC_LOOK : TRAFFIC_SAVE, &file);
	if (err) {
		vps_traffic_release(&file.traffic);
		return err;
	}
	*ret_traffic = file.traffic;
	return NULL;
}
