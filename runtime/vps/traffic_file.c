/* The file of sums: KEY="VALUE" lines as in a definition, numbers separated by blanks. Pure; see
 * traffic.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "runtime/vps/traffic.h"

#define MONTH_KEY "MONTH_"

void vps_traffic_release(struct vps_traffic *traffic)
{
	free(traffic->months);
	*traffic = (struct vps_traffic){ 0 };
}

void vps_traffics_release(struct vps_traffics *traffics)
{
	for (size_t i = 0; i < traffics->count; i++)
		vps_traffic_release(&traffics->ports[i].traffic);
	free(traffics->ports);
	for (size_t i = 0; i < ARRAY_SIZE(traffics->classes); i++)
		vps_traffic_release(&traffics->classes[i]);
	*traffics = (struct vps_traffics){ 0 };
}

static struct err *add_month(struct vps_traffic *traffic, const char *name,
			     struct vps_flow **ret_flow)
{
	struct vps_month *months;

	size_t at = 0;

	while (at < traffic->month_count && strcmp(traffic->months[at].name, name) < 0)
		at++;
	if (at < traffic->month_count && str_eq(traffic->months[at].name, name)) {
		*ret_flow = &traffic->months[at].flow;
		return NULL;
	}
	months = reallocarray(traffic->months, traffic->month_count + 1, sizeof(*months));
	if (!months)
		return err_sys(ENOMEM, "keep a month's traffic");
	traffic->months = months;
	memmove(months + at + 1, months + at, (traffic->month_count - at) * sizeof(*months));
	months[at] = (struct vps_month){ 0 };
	strncpy(months[at].name, name, VPS_MONTH_MAX - 1);
	traffic->month_count++;
	*ret_flow = &months[at].flow;
	return NULL;
}

bool traffic_part_parse(const char *text, struct traffic_part *ret_part)
{
	size_t len = strcspn(text, ":");
	struct traffic_part part = { 0 };
	uint64_t class = 0;
	struct err *err;

	if (len >= IFNAMSIZ)
		return false;
	memcpy(part.ifname, text, len);
	err = net_name_check(part.ifname);
	if (!err && text[len])
		err = parse_u64("class", text + len + 1, 1, NET_CLASS_MAX, &class);
	part.class = (uint32_t) class;
	*ret_part = part;
	err_drop(err); /* whoever put the file there knows */
	return !err;
}

struct traffic_file_name traffic_part_file(const struct traffic_part *part)
{
	struct traffic_file_name name;

	if (part->class)
		snprintf(name.text, sizeof(name.text), TRAFFIC_FILE_PREFIX "%s:%u", part->ifname,
			 part->class);
	else
		snprintf(name.text, sizeof(name.text), TRAFFIC_FILE_PREFIX "%s", part->ifname);
	return name;
}

/* --- text --- */

static struct err *parse_flow(const char *key, const char *text, struct vps_flow *ret_flow)
{
	uint64_t *const fields[] = { &ret_flow->received_bytes, &ret_flow->received_packets,
				     &ret_flow->sent_bytes, &ret_flow->sent_packets };
	const char *at = text;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		size_t len = strcspn(at, " ");
		OWN(str) char *word = NULL;

		TRY(str_format(&word, "%.*s", (int)len, at));
		TRY(parse_u64(key, word, 0, UINT64_MAX, fields[i]));
		at += len;
		at += strspn(at, " ");
	}
	return *at ? err_new(ERR_INVALID, "%s: more than four numbers", key) : NULL;
}

/* "MONTH_2026_11" */
static bool month_of_key(const char *key, char *ret_name)
{
	size_t prefix = strlen(MONTH_KEY);

	if (!str_has_prefix(key, MONTH_KEY) || strlen(key) != prefix + 7 ||
	    strspn(key + prefix, "0123456789") != 4 || key[prefix + 4] != '_' ||
	    strspn(key + prefix + 5, "0123456789") != 2)
		return false;
	memcpy(ret_name, key + prefix, 8);
	ret_name[4] = '-';
	return true;
}

static struct err *take_line(const struct conf_line *line, struct vps_traffic_file *file)
{
	char name[VPS_MONTH_MAX];
	struct vps_flow *flow;

	if (str_eq(line->key, "TOTAL"))
		return parse_flow(line->key, line->value, &file->traffic.total);
	if (str_eq(line->key, "SEEN"))
		return parse_flow(line->key, line->value, &file->seen);
	if (str_eq(line->key, "LIFE")) {
		if (strlen(line->value) >= sizeof(file->life))
			return err_new(ERR_INVALID, "LIFE: too long");
		snprintf(file->life, sizeof(file->life), "%s", line->value);
		return NULL;
	}
	if (!month_of_key(line->key, name))
		return err_new(ERR_INVALID, "%.40s: no such key", line->key);
	TRY(add_month(&file->traffic, name, &flow));
	return parse_flow(line->key, line->value, flow);
}

struct err *traffic_parse(const char *text, size_t len, struct vps_traffic_file *ret_file)
{
	OWN(conf_file) struct conf_file lines = { 0 };
	struct vps_traffic_file file = { 0 };
	struct err *err = NULL;

	TRY(conf_file_parse(text, len, &lines));
	for (size_t i = 0; i < lines.count && !err; i++)
		if (lines.lines[i].key)
			err = take_line(&lines.lines[i], &file);
	if (err) {
		vps_traffic_release(&file.traffic);
		return err;
	}
	*ret_file = file;
	return NULL;
}

static struct err *put_flow(struct buf *text, const char *key, const struct vps_flow *flow)
{
	return buf_format(text, "%s=\"%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\"\n", key,
			  flow->received_bytes, flow->received_packets, flow->sent_bytes,
			  flow->sent_packets);
}

struct err *traffic_format(const struct vps_traffic_file *file, struct buf *text)
{
	TRY(buf_format(text, "# bytes and packets received, bytes and packets sent\n"));
	TRY(put_flow(text, "TOTAL", &file->traffic.total));
	for (size_t i = 0; i < file->traffic.month_count; i++) {
		const struct vps_month *month = &file->traffic.months[i];
		char key[32];

		snprintf(key, sizeof(key), MONTH_KEY "%.4s_%.2s", month->name, month->name + 5);
		TRY(put_flow(text, key, &month->flow));
	}
	if (!*file->life)
		return NULL;
	TRY(buf_format(text, "LIFE=\"%s\"\n", file->life));
	return put_flow(text, "SEEN", &file->seen);
}

/* --- adding --- */

static uint64_t gone_on(uint64_t before, uint64_t now)
{
	return now >= before ? now - before : now;
}

static void add_flow(struct vps_flow *to, const struct vps_flow *more)
{
	to->received_bytes += more->received_bytes;
	to->received_packets += more->received_packets;
	to->sent_bytes += more->sent_bytes;
	to->sent_packets += more->sent_packets;
}

struct err *traffic_add(struct vps_traffic_file *file, const char *life, const struct vps_flow *now,
			const char *month, bool *ret_changed)
{
	static const struct vps_flow nothing = { 0 };
	bool same_life = str_eq(file->life, life);
	const struct vps_flow *before = same_life ? &file->seen : &nothing;
	const struct vps_flow more = {
		.received_bytes = gone_on(before->received_bytes, now->received_bytes),
		.received_packets = gone_on(before->received_packets, now->received_packets),
		.sent_bytes = gone_on(before->sent_bytes, now->sent_bytes),
		.sent_packets = gone_on(before->sent_packets, now->sent_packets),
	};
	struct vps_flow *flow;

	*ret_changed = more.received_packets || more.sent_packets;
	if (!*ret_changed)
		return NULL; /* an unseen life without a packet need not be remembered */
	if (strlen(life) >= sizeof(file->life))
		return err_new(ERR_INVALID, "the counters' name is too long");
	TRY(add_month(&file->traffic, month, &flow));
	add_flow(flow, &more);
	add_flow(&file->traffic.total, &more);
	snprintf(file->life, sizeof(file->life), "%s", life);
	file->seen = *now;
	return NULL;
}

struct err *traffic_merge(const struct vps_traffic *more, struct vps_traffic *traffic)
{
	add_flow(&traffic->total, &more->total);
	for (size_t i = 0; i < more->month_count; i++) {
		struct vps_flow *flow;

		TRY(add_month(traffic, more->months[i].name, &flow));
		add_flow(flow, &more->months[i].flow);
	}
	return NULL;
}
