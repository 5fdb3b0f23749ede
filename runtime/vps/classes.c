/* The classes of networks whose traffic is counted apart: the file networks_classes, with OpenVZ's
 * name and lines. See traffic.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "runtime/vps/traffic.h"

#define FILE_MAX ((size_t)64 << 10)
#define BLANKS " \t\r"

void vps_classes_release(struct net_classes *classes)
{
	free(classes->items);
	*classes = (struct net_classes){ 0 };
}

/* "10.0.0.0/8", "2001:db8::/32"; without a length: one address. */
static struct err *parse_prefix(const char *text, struct net_addr *ret_prefix)
{
	size_t len = strcspn(text, "/");
	struct net_addr prefix = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };
	uint64_t bits = prefix.family == AF_INET ? 32 : 128;
	OWN(str) char *addr = NULL;

	TRY(str_format(&addr, "%.*s", (int)len, text));
	if (inet_pton(prefix.family, addr, prefix.bytes) != 1)
		return err_new(ERR_INVALID, "'%.60s' is not like 10.0.0.0/8 or 2001:db8::/32",
			       text);
	if (text[len])
		TRY(parse_u64("the prefix's length", text + len + 1, 0, bits, &bits));
	prefix.prefix = (uint8_t)bits;
	for (size_t i = 0; i < sizeof(prefix.bytes); i++, bits -= bits < 8 ? bits : 8)
		prefix.bytes[i] &= (uint8_t)(0xff00 >> (bits < 8 ? bits : 8));
	*ret_prefix = prefix;
	return NULL;
}

static struct err *add(struct net_classes *classes, const struct net_class *row)
{
	for (size_t i = 0; i < classes->count; i++)
		if (net_addr_same_host(&classes->items[i].prefix, &row->prefix) &&
		    classes->items[i].prefix.prefix == row->prefix.prefix)
			return err_new(ERR_INVALID, "the same network as in an earlier line");
	if (classes->count == VPS_CLASS_ROWS_MAX)
		return err_new(ERR_INVALID, "more than %d networks", VPS_CLASS_ROWS_MAX);
	classes->items[classes->count++] = *row;
	return NULL;
}

/* CLASS NETWORK; "#" begins a comment. The line is changed. */
static struct err *take_line(char *line, struct net_classes *classes)
{
	char *rest = NULL, *word, *prefix;
	struct net_class row;
	uint64_t class;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, BLANKS, &rest);
	if (!word)
		return NULL;
	prefix = strtok_r(NULL, BLANKS, &rest);
	if (!prefix || strtok_r(NULL, BLANKS, &rest))
		return err_new(ERR_INVALID, "a line is CLASS NETWORK");
	TRY(parse_u64("the class", word, 0, NET_CLASS_MAX, &class));
	row.class = (uint32_t) class;
	TRY(parse_prefix(prefix, &row.prefix));
	return add(classes, &row);
}

struct err *vps_classes_parse(const char *text, size_t len, struct net_classes *ret_classes)
{
	OWN(vps_classes) struct net_classes classes = { 0 };
	OWN(str) char *copy = strndup(text, len);
	char *line, *rest = copy;
	unsigned int number = 0;

	classes.items = calloc(VPS_CLASS_ROWS_MAX, sizeof(*classes.items));
	if (!copy || !classes.items)
		return err_sys(ENOMEM, "read the classes of networks");
	while ((line = strsep(&rest, "\n"))) {
		number++;
		TRY(err_wrap(take_line(line, &classes), "line %u", number));
	}
	*ret_classes = classes;
	classes = (struct net_classes){ 0 };
	return NULL;
}

struct err *classes_read(const struct vps_host *host, struct net_classes *ret_classes)
{
	OWN(str) char *path = NULL;
	OWN(buf) struct buf text = { 0 };
	struct err *err;

	*ret_classes = (struct net_classes){ 0 };
	TRY(str_format(&path, "%s/networks_classes", host->conf_dir));
	err = file_read(AT_FDCWD, path, FILE_MAX, &text);
	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err); /* there are none */
		return NULL;
	}
	if (!err)
		err = vps_classes_parse(text.data ? text.data : "", text.len, ret_classes);
	log_warn(err_wrap(err, "%s: no traffic is counted by classes until this is mended", path));
	return NULL;
}

bool classes_have(const struct net_classes *classes, uint32_t class)
{
	for (size_t i = 0; i < classes->count; i++)
		if (classes->items[i].class == class)
			return true;
	return false;
}
