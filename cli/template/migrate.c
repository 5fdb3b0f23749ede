/* cella migrate, migrate-resolve, migrate-receive: the work. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/vps_migrate.h"
#include "migrate-criu/move/move.h"

static void put_lines(struct json_out *out, const char *key, const struct strlist *lines)
{
	json_out_key(out, key);
	json_out_array(out);
	for (size_t i = 0; i < lines->count; i++)
		json_out_string(out, lines->items[i]);
	json_out_end_array(out);
}

static void put_rounds(struct json_out *out, const struct move_result *result)
{
	json_out_key(out, "rounds");
	json_out_array(out);
	for (size_t i = 0; i < result->round_count; i++) {
		json_out_object(out);
		json_out_key(out, "sentBytes");
		json_out_u64(out, result->rounds[i].sent_bytes);
		json_out_key(out, "milliseconds");
		json_out_u64(out, result->rounds[i].ms);
		json_out_end_object(out);
	}
	json_out_end_array(out);
}

static struct err *print_json(const struct move_request *request, const struct move_result *result,
			      bool moved)
{
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = { { "diskBytes", result->disk_bytes },
			{ "sentBytes", result->sent_bytes },
			{ "totalMilliseconds", result->total_ms },
			{ "downMilliseconds", result->down_ms } };
	OWN(json_out) struct json_out *out = NULL;

	TRY(json_out_new(true, &out));
	json_out_object(out);
	json_out_key(out, "name");
	json_out_string(out, request->name);
	json_out_key(out, "host");
	json_out_string(out, request->peer);
	json_out_key(out, "mode");
	json_out_string(out, move_how_name(result->how));
	json_out_key(out, "possible");
	json_out_bool(out, result->refusals.count == 0);
	json_out_key(out, "moved");
	json_out_bool(out, moved);
	json_out_key(out, "wasRunning");
	json_out_bool(out, result->was_running);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		json_out_key(out, numbers[i].key);
		json_out_u64(out, numbers[i].value);
	}
	put_rounds(out, result);
	put_lines(out, "refusals", &result->refusals);
	put_lines(out, "remarks", &result->remarks);
	json_out_end_object(out);
	return vps_print_json(out);
}

/* One reason is the error; of several each has its line, and the error says how many they are. */
static struct err *refuse(const struct move_request *request, const struct move_result *result)
{
	if (result->refusals.count == 1)
		return err_new(ERR_STATE, "VPS %s cannot be moved: %s", request->name,
			       result->refusals.items[0]);
	for (size_t i = 0; i < result->refusals.count; i++)
		log_warning("%s", result->refusals.items[i]);
	return err_new(ERR_STATE, "VPS %s cannot be moved to %s, for these %zu reasons",
		       request->name, request->peer, result->refusals.count);
}

static struct err *say_moved(const struct cmd_call *call, const struct move_request *request,
			     const struct move_result *result)
{
	for (size_t i = 0; i < result->remarks.count; i++)
		log_warning("%s", result->remarks.items[i]);
	if (request->flags & MOVE_CHECK)
		return vps_say(call, "VPS %s can be moved to %s: %s, %s of files", request->name,
			       request->peer, move_how_name(result->how),
			       unit_bytes(result->disk_bytes).text);
	if (!result->was_running)
		return vps_say(call, "VPS %s has moved to %s: %s were sent", request->name,
			       request->peer, unit_bytes(result->sent_bytes).text);
	return vps_say(call,
		       "VPS %s has moved to %s %s: %s were sent in %zu round%s, it was down for "
		       "%ju.%ju s",
		       request->name, request->peer, move_how_name(result->how),
		       unit_bytes(result->sent_bytes).text, result->round_count,
		       result->round_count == 1 ? "" : "s", (uintmax_t)(result->down_ms / 1000),
		       (uintmax_t)(result->down_ms / 100 % 10));
}

static struct err *choose_how(const struct migrate_opts *opts, enum move_how *ret_how)
{
	if (opts->cold && opts->near_live)
		return err_new(ERR_INVALID, "--cold and --near-live: it is one of both");
	*ret_how = opts->cold ? MOVE_COLD : opts->near_live ? MOVE_NEAR_LIVE : MOVE_BEST;
	return NULL;
}

static unsigned int flags_of(const struct migrate_opts *opts)
{
	return (opts->check ? MOVE_CHECK : 0) | (opts->keep_source ? MOVE_KEEP_SOURCE : 0);
}

/* What comes next is said in a line of its own, not in that of the progress. */
struct teller {
	struct move_voice base;
	struct progress *progress;
};

static void tell(struct move_voice *base, const char *fmt, va_list args)
{
	struct teller *teller = (void *)base;

	progress_end(teller->progress);
	vprintf(fmt, args);
	putchar('\n');
	fflush(stdout);
}

struct err *vps_migrate_run(const struct cmd_call *call, int *ret_status)
{
	OWN(move_result) struct move_result result = { 0 };
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(str) char *what = NULL;
	struct migrate_opts opts = { 0 };
	struct move_request request = { 0 };
	struct progress progress;
	struct teller teller = { .base.say = tell, .progress = &progress };
	struct err *err;

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(choose_how(&opts, &request.how));
	TRY(vps_host_open(&host));
	TRY(str_format(&what, "moving %.64s", args.items[0]));
	progress_init(&progress, what,
		      opts.json || vps_globals(call)->quiet ? PROGRESS_QUIET : PROGRESS_SHOWN);
	request.name = args.items[0];
	request.peer = args.items[1];
	request.flags = flags_of(&opts);
	request.bytes_per_s = opts.bwlimit_bytes;
	request.progress = &progress.base;
	if (!progress.quiet)
		request.voice = &teller.base;
	err = move_send(&host, &request, &result);
	progress_end(&progress);
	if (err && !result.refusals.count)
		return err;
	err_drop(err); /* the reasons say more */
	if (opts.json && (!result.refusals.count || opts.check))
		TRY(print_json(&request, &result, !opts.check));
	if (result.refusals.count)
		return refuse(&request, &result);
	return opts.json ? NULL : say_moved(call, &request, &result);
}

struct err *vps_migrate_resolve_run(const struct cmd_call *call, int *ret_status)
{
	static const char *const meanings[MOVING_STATE_COUNT] = {
		[MOVING_GONE] = "is on the other host; its copy here is kept, not to be started",
		[MOVING_RETURNED] = "is here, and the other host has nothing of it",
		[MOVING_DONE] = "is here now",
		[MOVING_DISCARDED] = "is on the other host; its copy here is removed",
	};
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	struct resolve_opts opts = { 0 };
	enum moving_state now;

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	if (opts.here && opts.there)
		return err_new(ERR_INVALID, "--here and --there: it is one of both");
	TRY(vps_host_open(&host));
	TRY(move_resolve(&host, args.items[0],
			 opts.here  ? MOVE_IS_HERE :
			 opts.there ? MOVE_IS_THERE :
				      MOVE_ASK,
			 &now));
	return vps_say(call, "VPS %s %s", args.items[0], meanings[now]);
}

/* As sshd says it, for the journal; anything else is nobody in particular. */
static struct err *find_peer(char **ret_peer)
{
	const char *connection = getenv("SSH_CONNECTION");
	size_t len = connection ? strspn(connection, "0123456789abcdef.:") : 0;

	return len > 0 && len < 64 ? str_format(ret_peer, "%.*s", (int)len, connection) :
				     str_dup("the other host", ret_peer);
}

struct err *vps_migrate_receive_run(const struct cmd_call *call, int *ret_status)
{
	OWN(vps_host) struct vps_host host = { 0 };
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(str) char *peer = NULL;

	(void)ret_status;
	TRY(cmd_parse(call, NULL, &args));
	TRY(vps_host_open(&host));
	TRY(find_peer(&peer));
	return move_receive(&host, peer);
}
