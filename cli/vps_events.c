/* cella events: what happens to the VPSs of this host, as it happens. */
#include "base/clock.h"
#include "cli/table.h"
#include "cli/vps.h"
#include "runtime/vps/watch.h"

struct events_opts {
	uint64_t count;
	bool json;
};

static const struct opt events_opt_rows[] = {
	{ "count", 'n', "NUMBER", "events before it ends (default: for ever)",
	  offsetof(struct events_opts, count), opt_u64 },
	{ "json", 'j', NULL, "one object a line", offsetof(struct events_opts, json), opt_flag },
};

static struct err *print_json(const struct vps_event *event)
{
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(false, &out));
	json_out_object(out);
	json_out_key(out, "time");
	json_out_string(out, clock_format_utc(&event->when, CLOCK_NANOSECONDS).text);
	json_out_key(out, "name");
	json_out_string(out, event->name);
	json_out_key(out, "event");
	json_out_string(out, vps_event_name(event->kind));
	json_out_key(out, "count");
	json_out_u64(out, event->count);
	json_out_key(out, "reason");
	json_out_string(out, event->reason);
	json_out_end_object(out);
	return vps_print_json(out);
}

static struct err *print(const struct vps_event *event)
{
	OWN(buf) struct buf text = { 0 };

	TRY(buf_format(&text, "%s  %s %s", clock_format_utc(&event->when, CLOCK_SECONDS).text,
		       event->name, vps_event_name(event->kind)));
	if (event->reason)
		TRY(buf_format(&text, " (%s)", event->reason));
	if (event->count > 1)
		TRY(buf_format(&text, " x%ju", (uintmax_t)event->count));
	TRY(buf_format(&text, "\n"));
	return out_text(text.data, text.len);
}

static bool is_wanted(const struct opt_args *args, const char *name)
{
	for (size_t i = 0; i < args->count; i++)
		if (str_eq(args->items[i], name))
			return true;
	return args->count == 0;
}

static struct err *events_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(vps_watch) struct vps_watch *watch = NULL;
	struct events_opts opts = { 0 };
	uint64_t seen = 0;

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(vps_host_open(&host));
	TRY(vps_watch_open(&host, &watch));
	while (!opts.count || seen < opts.count) {
		OWN(vps_event) struct vps_event event = { 0 };

		TRY(vps_watch_next(watch, &event));
		if (!is_wanted(&args, event.name))
			continue;
		seen++;
		TRY(opts.json ? print_json(&event) : print(&event));
	}
	return NULL;
}

const struct cmd vps_cmd_events = {
	.name = "events",
	.args = "[NAME...]",
	.summary = "what happens to VPSs, as it happens",
	.opts = OPT_TABLE(events_opt_rows),
	.run = events_run,
	.max_args = CMD_ANY_ARGS,
};
