/* Where things lie and what cella.conf says; see vps.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "runtime/monitor/monitor.h"
#include "runtime/vps/room.h"

/* The last quarter of 31 bit ids, which systemd's "Users, Groups, UIDs and GIDs" leaves unused. */
#define ID_POOL_FIRST UINT64_C(1879048192)
#define ID_POOL_COUNT UINT64_C(268435456)

/* What a power cut may cost of the sums of traffic, and a quota be late. */
#define LOOK_S 300

static const struct place {
	const char *path;
	size_t offset; /* of a char * in struct vps_host */
	mode_t mode;
} places[] = {
	{ "/etc/cella/conf", offsetof(struct vps_host, conf_dir), 0755 },
	{ "/etc/cella/samples", offsetof(struct vps_host, sample_dir), 0755 },
	{ "/etc/cella/hooks", offsetof(struct vps_host, hook_dir), 0755 },
	{ "/var/lib/cella/template", offsetof(struct vps_host, template_dir), 0700 },
	/* 0700: a set-uid file that a tenant makes is out of every host user's reach */
	{ "/var/lib/cella/private", offsetof(struct vps_host, private_dir), 0700 },
	{ "/var/lib/cella/snapshot", offsetof(struct vps_host, snapshot_dir), 0700 },
	{ "/var/lib/cella/dump", offsetof(struct vps_host, dump_dir), 0700 },
	{ "/var/lib/cella/backup", offsetof(struct vps_host, backup_dir), 0700 },
	{ "/var/lib/cella/log", offsetof(struct vps_host, log_dir), 0700 },
	{ "/var/lib/cella/traffic", offsetof(struct vps_host, traffic_dir), 0700 },
	{ "/var/lib/cella/moving", offsetof(struct vps_host, moving_dir), 0700 },
	{ "/run/cella", offsetof(struct vps_host, run_dir), 0700 },
	{ "/run/cella/.vps", offsetof(struct vps_host, monitor_dir), 0700 },
};

void vps_host_release(struct vps_host *host)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		free(*(char **)(void *)((char *)host + places[i].offset));
	free(host->services);
	vps_conf_release(&host->defaults);
	*host = (struct vps_host){ 0 };
	vps_conf_init(&host->defaults);
}

static struct err *choose_root(const char **ret_root)
{
	const char *root = getenv("CELLA_ROOT");

	*ret_root = "";
	if (!root || !*root)
		return NULL;
	if (*root != '/' || strlen(root) > 1024)
		return err_new(ERR_INVALID, "CELLA_ROOT: '%.60s' is not an absolute path", root);
	*ret_root = root;
	return NULL;
}

/* "FIRST-LAST" */
static struct err *read_pool(const char *text, struct vps_host *host)
{
	const char *dash = strchr(text, '-');
	OWN(str) char *first = NULL;
	uint64_t last;

	if (!dash)
		return err_new(ERR_INVALID, "ID_POOL: '%.40s' is not FIRST-LAST", text);
	TRY(str_format(&first, "%.*s", (int)(dash - text), text));
	TRY(parse_u64("ID_POOL", first, 65536, UINT32_MAX - 1, &host->id_first));
	TRY(parse_u64("ID_POOL", dash + 1, host->id_first, UINT32_MAX - 1, &last));
	host->id_count = last - host->id_first + 1;
	if (host->id_count < UINT64_C(2) * 65536)
		return err_new(ERR_INVALID,
			       "ID_POOL: a pool has at least 131072 ids (one VPS and the sandbox)");
	return NULL;
}

/* What every VPS has that says nothing else. Processes are always limited: a fork bomb stays
 * inside. */
static void set_defaults(struct vps_conf *conf)
{
	vps_conf_init(conf);
	conf->numproc = 4096;
	conf->stop_timeout_s = 120;
}

static struct err *read_global(const char *root, struct vps_host *host)
{
	OWN(str) char *path = NULL;
	OWN(buf) struct buf text = { 0 };
	OWN(conf_file) struct conf_file file = { 0 };
	struct err *err;

	TRY(str_format(&path, "%s/etc/cella/cella.conf", root));
	err = file_read(AT_FDCWD, path, CONF_FILE_MAX, &text);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* the defaults are made to work without it */
		return host_net_read(&file, &host->net);
	}
	if (!err)
		err = conf_file_parse(text.data, text.len, &file);
	if (!err)
		err = vps_conf_read(&file, &host->defaults);
	if (!err)
		err = host_net_read(&file, &host->net);
	if (!err && conf_file_get(&file, "ID_POOL"))
		err = read_pool(conf_file_get(&file, "ID_POOL"), host);
	if (!err && conf_file_get(&file, "TRAFFIC_INTERVAL"))
		err = parse_u64("TRAFFIC_INTERVAL", conf_file_get(&file, "TRAFFIC_INTERVAL"), 0,
				MONITOR_LOOK_MAX_S, &host->look_s);
	if (!err && conf_file_get(&file, "HOST_SERVICES"))
		err = guard_read_services(conf_file_get(&file, "HOST_SERVICES"), host);
	return err ? err_wrap(err, "%s", path) : NULL;
}

struct err *vps_host_open(struct vps_host *ret_host)
{
	OWN(vps_host)
	struct vps_host host = { .id_first = ID_POOL_FIRST,
				 .id_count = ID_POOL_COUNT,
				 .look_s = LOOK_S };
	const char *root;

	set_defaults(&host.defaults);
	TRY(choose_root(&root));
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char **path = (void *)((char *)&host + places[i].offset);

		TRY(str_format(path, "%s%s", root, places[i].path));
		TRY(path_make_own_dirs(*path, places[i].mode));
	}
	TRY(read_global(root, &host));
	*ret_host = host;
	host = (struct vps_host){ 0 };
	vps_conf_init(&host.defaults);
	return NULL;
}
