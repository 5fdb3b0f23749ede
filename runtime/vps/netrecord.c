/* What was done for a VPS's network, beside its monitor's lock; see wire.h. Written as NAME.conf
 * is, with the same keys. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "runtime/vps/netif.h"
#include "runtime/vps/wire.h"

void vps_net_release(struct vps_net *net)
{
	net_guards_release(net);
	net_ports_release(&net->ports);
	*net = (struct vps_net){ 0 };
}

static struct err *record_path(const struct vps_host *host, const char *name, char **ret_path)
{
	return str_format(ret_path, "%s/%s.net", host->monitor_dir, name);
}

static struct err *parse(const struct buf *text, struct vps_net *net)
{
	OWN(conf_file) struct conf_file file = { 0 };
	const char *ports, *uplinks;

	TRY(conf_file_parse(text->data, text->len, &file));
	ports = conf_file_get(&file, "NETIF");
	uplinks = conf_file_get(&file, "UPLINK");
	net->pending = conf_file_get(&file, "PENDING");
	if (uplinks)
		TRY(host_net_parse_uplinks(uplinks, &net->uplinks));
	return ports ? netif_parse("NETIF", ports, &net->ports) : NULL;
}

struct err *net_record_read(const struct vps_host *host, const char *name, struct vps_net *ret_net)
{
	OWN(vps_net) struct vps_net net = { 0 };
	OWN(str) char *path = NULL;
	OWN(buf) struct buf text = { 0 };
	struct err *err;

	TRY(record_path(host, name, &path));
	err = file_read(AT_FDCWD, path, CONF_FILE_MAX, &text);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* nothing was done */
		*ret_net = (struct vps_net){ 0 };
		return NULL;
	}
	if (!err && text.len)
		err = parse(&text, &net);
	if (err)
		return err_wrap(err, "%s", path);
	*ret_net = net;
	net = (struct vps_net){ 0 };
	return NULL;
}

struct err *net_record_write(const struct vps_host *host, const char *name,
			     const struct vps_net *net)
{
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(buf) struct buf ports = { 0 }, uplinks = { 0 }, text = { 0 };
	OWN(str) char *path = NULL;

	TRY(netif_format(&net->ports, &ports));
	if (ports.len)
		TRY(conf_file_set(&file, "NETIF", ports.data));
	for (size_t i = 0; i < net->uplinks.count; i++)
		TRY(buf_format(&uplinks, "%s%s", i ? " " : "", net->uplinks.names[i]));
	if (uplinks.len)
		TRY(conf_file_set(&file, "UPLINK", uplinks.data));
	if (net->pending)
		TRY(conf_file_set(&file, "PENDING", "yes"));
	TRY(conf_file_format(&file, &text));
	TRY(record_path(host, name, &path));
	return file_replace(AT_FDCWD, path, 0600, text.data ? text.data : "", text.len);
}

void net_record_forget(const struct vps_host *host, const char *name)
{
	OWN(str) char *path = NULL;
	struct err *err = record_path(host, name, &path);

	if (!err && unlink(path) < 0 && errno != ENOENT)
		err = err_sys(errno, "remove %s", path);
	log_warn(err); /* what it names is gone; it is read again in vain */
}
