/* cella-oci list: every container below the state directory, as a table, as JSON or by name. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "cli/oci.h"
#include "cli/table.h"

#define PASSWD_MAX ((size_t)1 << 20)

enum { FORMAT_TABLE, FORMAT_JSON };
static const char *const formats[] = { "table", "json", NULL };

struct list_opts {
	bool quiet;
	int format;
};

static const struct opt list_opt_rows[] = {
	{ "quiet", 'q', NULL, "names only", offsetof(struct list_opts, quiet), opt_flag },
	{ "format", 'f', "FORMAT", "table or json", offsetof(struct list_opts, format), opt_choice,
	  formats },
};

/* runc's columns: at least twelve wide, three blanks between them */
static const struct table_column columns[] = {
	{ "ID" }, { "PID" }, { "STATUS" }, { "BUNDLE" }, { "CREATED" }, { "OWNER" },
};

/* The name that /etc/passwd gives uid, or "#uid". Read here because a static program has no NSS. */
static struct err *owner_name(const char *passwd, uid_t uid, char **ret_name)
{
	OWN(str) char *wanted = NULL;

	TRY(str_format(&wanted, ":%u:", uid));
	for (const char *line = passwd; line && *line;) {
		const char *end = strchrnul(line, '\n');
		const char *name_end = memchr(line, ':', (size_t)(end - line));
		const char *id =
			name_end ? memchr(name_end + 1, ':', (size_t)(end - name_end - 1)) : NULL;

		if (id && str_has_prefix(id, wanted))
			return str_format(ret_name, "%.*s", (int)(name_end - line), line);
		line = *end ? end + 1 : end;
	}
	return str_format(ret_name, "#%u", uid);
}

static struct err *add_row(const struct ct_state *state, const char *passwd, struct table *table)
{
	OWN(str) char *owner = NULL;

	TRY(owner_name(passwd, state->owner, &owner));
	TRY(table_add(table, state->id));
	TRY(table_addf(table, "%d", (int)(state->status == CT_STOPPED ? 0 : state->pid)));
	TRY(table_add(table, ct_status_name(state->status)));
	TRY(table_add(table, state->bundle));
	TRY(table_add(table, clock_format_utc(&state->created, CLOCK_NANOSECONDS).text));
	return table_add(table, owner);
}

static struct err *add_json(const struct ct_state *state, struct buf *text)
{
	OWN(str) char *json = NULL;

	TRY(ct_state_json(state, false, &json));
	return buf_format(text, "%s%s", text->len > 1 ? "," : "", json);
}

/* What is shown of one container. One that vanished meanwhile is none; one that cannot be read is
 * warned about. */
static struct err *show_one(const struct ct_root *root, const char *id, struct table *table,
			    const char *passwd, struct buf *json)
{
	OWN(ct_state) struct ct_state state = { 0 };
	struct err *err = ct_load(root, id, &state);

	if (err && err_kind(err) == ERR_NOT_FOUND) {
		err_drop(err);
		return NULL;
	}
	if (err) {
		log_warn(err);
		return NULL;
	}
	return json ? add_json(&state, json) : add_row(&state, passwd, table);
}

static struct err *list_ids(const struct strlist *ids)
{
	OWN(buf) struct buf text = { 0 };

	for (size_t i = 0; i < ids->count; i++)
		TRY(buf_format(&text, "%s\n", ids->items[i]));
	return out_text(text.data, text.len);
}

static struct err *list_run(const struct cmd_call *call, int *ret_status)
{
	OWN(table)
	struct table table = { .columns = columns,
			       .column_count = ARRAY_SIZE(columns),
			       .min_width = 12,
			       .padding = 3 };
	OWN(ct_root) struct ct_root root = CT_ROOT_INIT;
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(strlist) struct strlist ids = { 0 };
	OWN(buf) struct buf text = { 0 }, passwd = { 0 };
	struct list_opts opts = { 0 };
	bool json;

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(oci_root_open(oci_globals(call), &root));
	TRY(ct_list(&root, &ids));
	if (opts.quiet)
		return list_ids(&ids);
	json = opts.format == FORMAT_JSON;
	if (json)
		TRY(buf_format(&text, "["));
	else
		/* without it owners are shown by number */
		err_drop(file_read(AT_FDCWD, "/etc/passwd", PASSWD_MAX, &passwd));
	for (size_t i = 0; i < ids.count; i++)
		TRY(show_one(&root, ids.items[i], &table, passwd.data, json ? &text : NULL));
	if (json)
		TRY(buf_format(&text, "]\n"));
	else
		TRY(table_render(&table, &text));
	return out_text(text.data, text.len);
}

const struct cmd oci_cmd_list = {
	.name = "list",
	.summary = "list containers",
	.opts = OPT_TABLE(list_opt_rows),
	.run = list_run,
};
