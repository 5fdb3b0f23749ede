/* cella traffic: what VPSs have sent and received, month by month. */
#include "base/log.h"
#include "cli/table.h"
#include "cli/vps.h"
#include "runtime/vps/traffic.h"

struct traffic_opts {
	bool json;
};

static const struct opt traffic_opt_rows[] = {
	{ "json", 'j', NULL, "as JSON, in bytes", offsetof(struct traffic_opts, json), opt_flag },
};

static const struct table_column traffic_columns[] = {
	{ "NAME", TABLE_LEFT },	       { "INTERFACE", TABLE_LEFT },    { "CLASS", TABLE_LEFT },
	{ "MONTH", TABLE_LEFT },       { "RECEIVED", TABLE_RIGHT },    { "SENT", TABLE_RIGHT },
	{ "PACKETS-IN", TABLE_RIGHT }, { "PACKETS-OUT", TABLE_RIGHT },
};

static void put_flow(struct json_out *out, const struct vps_flow *flow)
{
	const struct {
		const char *key;
		uint64_t value;
	} rows[] = { { "receivedBytes", flow->received_bytes },
		     { "receivedPackets", flow->received_packets },
		     { "sentBytes", flow->sent_bytes },
		     { "sentPackets", flow->sent_packets } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_out_key(out, rows[i].key);
		json_out_u64(out, rows[i].value);
	}
}

static void put_traffic(struct json_out *out, const struct vps_traffic *traffic)
{
	json_out_key(out, "total");
	json_out_object(out);
	put_flow(out, &traffic->total);
	json_out_end_object(out);
	json_out_key(out, "months");
	json_out_array(out);
	for (size_t i = 0; i < traffic->month_count; i++) {
		json_out_object(out);
		json_out_key(out, "month");
		json_out_string(out, traffic->months[i].name);
		put_flow(out, &traffic->months[i].flow);
		json_out_end_object(out);
	}
	json_out_end_array(out);
}

static void put_class(struct json_out *out, uint32_t class, const struct vps_traffic *traffic)
{
	json_out_object(out);
	json_out_key(out, "class");
	json_out_u64(out, class);
	put_traffic(out, traffic);
	json_out_end_object(out);
}

/* What there is of one interface, from row number i on; returns the number behind its last one. */
static size_t put_interface(struct json_out *out, const struct vps_traffics *traffics, size_t i)
{
	static const struct vps_traffic nothing = { 0 };
	const struct vps_port_traffic *rows = traffics->ports;
	const char *name = rows[i].part.ifname;

	json_out_object(out);
	json_out_key(out, "name");
	json_out_string(out, name);
	put_traffic(out, rows[i].part.class ? &nothing : &rows[i].traffic);
	json_out_key(out, "classes");
	json_out_array(out);
	for (; i < traffics->count && str_eq(rows[i].part.ifname, name); i++)
		if (rows[i].part.class)
			put_class(out, rows[i].part.class, &rows[i].traffic);
	json_out_end_array(out);
	json_out_end_object(out);
	return i;
}

static void put_traffics(struct json_out *out, const char *name,
			 const struct vps_traffics *traffics)
{
	json_out_object(out);
	json_out_key(out, "name");
	json_out_string(out, name);
	put_traffic(out, &traffics->classes[0]);
	json_out_key(out, "classes");
	json_out_array(out);
	for (uint32_t class = 1; class <= NET_CLASS_MAX; class ++)
		if (traffics->classes[class].month_count)
			put_class(out, class, &traffics->classes[class]);
	json_out_end_array(out);
	json_out_key(out, "interfaces");
	json_out_array(out);
	for (size_t i = 0; i < traffics->count;)
		i = put_interface(out, traffics, i);
	json_out_end_array(out);
	json_out_end_object(out);
}

/* Whose row it is. */
struct traffic_row {
	const char *name, *port;
	uint32_t class;
};

static struct err *add_row(struct table *table, const struct traffic_row *row, const char *month,
			   const struct vps_flow *flow)
{
	TRY(table_add(table, row->name));
	TRY(table_add(table, row->port));
	TRY(table_add(table, row->class ? unit_count(row->class).text : "-"));
	TRY(table_add(table, month));
	TRY(table_add(table, unit_bytes(flow->received_bytes).text));
	TRY(table_add(table, unit_bytes(flow->sent_bytes).text));
	TRY(table_add(table, unit_count(flow->received_packets).text));
	return table_add(table, unit_count(flow->sent_packets).text);
}

static struct err *add_rows(struct table *table, const struct traffic_row *row,
			    const struct vps_traffic *traffic)
{
	for (size_t i = 0; i < traffic->month_count; i++)
		TRY(add_row(table, row, traffic->months[i].name, &traffic->months[i].flow));
	return add_row(table, row, "total", &traffic->total);
}

/* By interface and class, and in all where there is more than one. */
static struct err *add_all_rows(struct table *table, const char *name,
				const struct vps_traffics *traffics)
{
	for (size_t i = 0; i < traffics->count; i++) {
		const struct vps_port_traffic *port = &traffics->ports[i];
		const struct traffic_row row = { name, port->part.ifname, port->part.class };

		TRY(add_rows(table, &row, &port->traffic));
	}
	for (uint32_t class = 0; class <= NET_CLASS_MAX && traffics->port_count != 1; class ++)
		if (!class || traffics->classes[class].month_count)
			TRY(add_rows(table, &(struct traffic_row){ name, "all", class },
				     &traffics->classes[class]));
	return NULL;
}

static struct err *show(const struct vps_host *host, const struct strlist *names, bool as_json)
{
	OWN(json_out) struct json_out *out = NULL;
	OWN(table)
	struct table table = { .columns = traffic_columns,
			       .column_count = ARRAY_SIZE(traffic_columns) };
	OWN(buf) struct buf text = { 0 };

	TRY(json_out_new(true, &out));
	json_out_array(out);
	for (size_t i = 0; i < names->count; i++) {
		OWN(vps_traffics) struct vps_traffics traffics = { 0 };
		struct err *err = vps_traffic_read(host, names->items[i], &traffics);

		if (err && names->count > 1) {
			log_warn(err); /* the others are worth showing */
			continue;
		}
		TRY(err);
		put_traffics(out, names->items[i], &traffics);
		TRY(add_all_rows(&table, names->items[i], &traffics));
	}
	json_out_end_array(out);
	if (as_json)
		return vps_print_json(out);
	TRY(table_render(&table, &text));
	return out_text(text.data, text.len);
}

static struct err *traffic_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(strlist) struct strlist names = { 0 };
	struct traffic_opts opts = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_host_open(&host));
	if (args.count == 0)
		TRY(vps_names(&host, &names));
	for (size_t i = 0; i < args.count; i++)
		TRY(strlist_add(&names, args.items[i]));
	return show(&host, &names, opts.json);
}

const struct cmd vps_cmd_traffic = {
	.name = "traffic",
	.args = "[NAME...]",
	.summary = "bytes sent and received, by month",
	.opts = OPT_TABLE(traffic_opt_rows),
	.run = traffic_run,
	.min_args = 0,
	.max_args = CMD_ANY_ARGS,
};
