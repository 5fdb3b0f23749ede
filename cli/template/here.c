/* cella template: create, import, export, info, list, remove. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/vps_template.h"

/* What a verb works on. */
struct work {
	const struct cmd_call *call;
	struct vps_host host;
	struct template_store store;
	const char *const *args; /* after the verb, NULL-terminated */
	size_t arg_count;
	bool json;
	const char *image;
};

static void own_work(struct work *work)
{
	template_store_release(&work->store);
	vps_host_release(&work->host);
}

static struct template_sandbox sandbox_of(const struct vps_host *host)
{
	return (struct template_sandbox){ .id_first = (uint32_t)host->id_first };
}

static void put_template(struct json_out *out, const struct template *template)
{
	json_out_object(out);
	json_out_key(out, "name");
	json_out_string(out, template->name);
	json_out_key(out, "os");
	json_out_string(out, template->os);
	json_out_key(out, "digest");
	json_out_string(out, template->digest);
	json_out_key(out, "source");
	json_out_string(out, template->source);
	json_out_key(out, "bytes");
	json_out_u64(out, template->bytes);
	json_out_key(out, "entries");
	json_out_u64(out, template->entries);
	json_out_key(out, "created");
	json_out_i64(out, template->created_s);
	json_out_end_object(out);
}

/* The line, or object, that says what there is now. */
static struct err *tell(const struct work *work, const char *name,
			const struct template_counts *counts)
{
	OWN(template) struct template template = { 0 };
	OWN(json_out) struct json_out *out = NULL;

	if (counts->skipped)
		log_warning("%ju device nodes and sockets were left out",
			    (uintmax_t)counts->skipped);
	if (!work->json)
		return vps_say(work->call, "template %s is ready", name);
	TRY(template_load(&work->store, name, &template));
	TRY(json_out_new(true, &out));
	put_template(out, &template);
	return vps_print_json(out);
}

/* --- create --- */

static struct err *create_busybox(struct work *work, const char *suite, const char *name,
				  struct template_counts *ret_counts)
{
	(void)suite;
	*ret_counts = (struct template_counts){ 0 };
	return template_create_busybox(&work->store, name);
}

static struct err *create_debian(struct work *work, const char *suite, const char *name,
				 struct template_counts *ret_counts)
{
	struct template_debian recipe = { .name = name,
					  .suite = suite,
					  .sandbox = sandbox_of(&work->host) };
	struct progress progress;
	struct err *err;

	if (!work->json)
		TRY(vps_say(work->call,
			    "making %s; packages are fetched, which takes a minute or two", name));
	progress_init(&progress, "unpacking", work->json ? PROGRESS_QUIET : PROGRESS_SHOWN);
	err = template_create_debian(&work->store, &recipe, &progress.base, ret_counts);
	progress_end(&progress);
	return err;
}

static const struct recipe {
	const char *name, *suite;
	struct err *(*create)(struct work *work, const char *suite, const char *name,
			      struct template_counts *ret_counts);
} recipes[] = {
	{ "busybox", NULL, create_busybox },
	{ "debian-12", "bookworm", create_debian },
	{ "debian-13", "trixie", create_debian },
};

static struct err *create(struct work *work)
{
	const char *name = work->arg_count > 1 ? work->args[1] : work->args[0];
	OWN(buf) struct buf known = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(recipes); i++) {
		struct template_counts counts = { 0 };

		TRY(buf_format(&known, "%s%s", i ? " " : "", recipes[i].name));
		if (!str_eq(recipes[i].name, work->args[0]))
			continue;
		TRY(recipes[i].create(work, recipes[i].suite, name, &counts));
		return tell(work, name, &counts);
	}
	return err_new(ERR_INVALID, "template create: '%.40s' is not known; there are: %s",
		       work->args[0], known.data);
}

/* --- import --- */

/* "dir/debian-13.tar.xz" to "debian-13". */
static struct err *name_of_file(const char *path, char **ret_name)
{
	static const char *const ends[] = { ".tar.gz",	".tar.xz", ".tar.zst", ".tar.bz2",
					    ".tar.lz4", ".tar",	   ".tgz" };
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t len = strlen(base);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		size_t end = strlen(ends[i]);

		if (len > end && str_eq(base + len - end, ends[i]))
			return str_format(ret_name, "%.*s", (int)(len - end), base);
	}
	return err_new(
		ERR_INVALID,
		"%.200s is not called .tar, .tar.gz, .tar.xz or .tar.zst; give a NAME as well",
		path);
}

static struct err *import(struct work *work)
{
	OWN(fd) int fd = open(work->args[0], O_RDONLY | O_CLOEXEC | O_NOCTTY);
	OWN(str) char *name = NULL;
	struct template_import request = { .source = work->args[0],
					   .image = work->image,
					   .archive_fd = fd,
					   .sandbox = sandbox_of(&work->host) };
	struct template_counts counts;
	struct progress progress;
	struct err *err;

	if (fd < 0)
		return err_sys(errno, "open %s", work->args[0]);
	TRY(work->arg_count > 1 ? str_dup(work->args[1], &name) :
				  name_of_file(work->args[0], &name));
	request.name = name;
	progress_init(&progress, "importing", work->json ? PROGRESS_QUIET : PROGRESS_SHOWN);
	err = template_import(&work->store, &request, &progress.base, &counts);
	progress_end(&progress);
	return err ? err_wrap(err, "import %s", work->args[0]) : tell(work, name, &counts);
}

/* --- list and remove --- */

static const struct table_column columns[] = {
	{ "NAME" }, { "SIZE", TABLE_RIGHT }, { "FILES", TABLE_RIGHT }, { "OS" }, { "SOURCE" },
};

static struct err *add_row(struct table *table, const struct template *template)
{
	TRY(table_add(table, template->name));
	TRY(table_add(table, template->bytes ? unit_bytes(template->bytes).text : NULL));
	TRY(template->entries ? table_addf(table, "%ju", (uintmax_t) template->entries) :
				table_add(table, NULL));
	TRY(table_add(table, template->os));
	return table_add(table, template->source);
}

static struct err *list(struct work *work)
{
	OWN(table) struct table table = { .columns = columns, .column_count = ARRAY_SIZE(columns) };
	OWN(strlist) struct strlist names = { 0 };
	OWN(json_out) struct json_out *out = NULL;
	OWN(buf) struct buf text = { 0 };

	TRY(template_names(&work->store, &names));
	TRY(json_out_new(true, &out));
	json_out_array(out);
	for (size_t i = 0; i < names.count; i++) {
		OWN(template) struct template template = { 0 };

		TRY(template_load(&work->store, names.items[i], &template));
		put_template(out, &template);
		TRY(add_row(&table, &template));
	}
	json_out_end_array(out);
	if (work->json)
		return vps_print_json(out);
	TRY(table_render(&table, &text));
	return out_text(text.data, text.len);
}

/* --- info --- */

static struct err *add_pair(struct table *table, const char *key, const char *value)
{
	TRY(table_add(table, key));
	return table_add(table, value);
}

static struct err *add_pairs(struct table *table, const struct template *template)
{
	const struct timespec created = { .tv_sec = template->created_s };

	TRY(add_pair(table, "name", template->name));
	TRY(add_pair(table, "os", template->os));
	TRY(add_pair(table, "size", unit_bytes(template->bytes).text));
	TRY(add_pair(table, "files", unit_count(template->entries).text));
	TRY(add_pair(table, "source", template->source));
	TRY(add_pair(table, "sha256", template->digest));
	return add_pair(table, "created", clock_format_utc(&created, CLOCK_SECONDS).text);
}

static struct err *info(struct work *work)
{
	static const struct table_column pair[] = { { "" }, { "" } };
	OWN(table) struct table table = { .columns = pair, .column_count = 2, .no_header = true };
	OWN(template) struct template template = { 0 };
	OWN(json_out) struct json_out *out = NULL;
	OWN(buf) struct buf text = { 0 };

	TRY(template_load(&work->store, work->args[0], &template));
	if (work->json) {
		TRY(json_out_new(true, &out));
		put_template(out, &template);
		return vps_print_json(out);
	}
	TRY(add_pairs(&table, &template));
	TRY(table_render(&table, &text));
	return out_text(text.data, text.len);
}

/* --- export --- */

/* Under another name until it is whole. */
static struct err *write_export(struct work *work, const struct template *template,
				const char *file, const char *part)
{
	OWN(fd) int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	struct progress progress;
	struct err *err;

	if (fd < 0)
		return err_sys(errno, "create %s", part);
	progress_init(&progress, "exporting",
		      work->json || vps_globals(work->call)->quiet ? PROGRESS_QUIET :
								     PROGRESS_SHOWN);
	err = template_export(&work->store, template, file, fd, &progress.base);
	progress_end(&progress);
	if (!err && (fsync(fd) < 0 || rename(part, file) < 0))
		err = err_sys(errno, "write %s", file);
	if (err)
		unlink(part);
	return err;
}

static struct err *export(struct work *work)
{
	OWN(template) struct template template = { 0 };
	OWN(str) char *part = NULL;

	TRY(template_load(&work->store, work->args[0], &template));
	TRY(str_format(&part, "%s.part", work->args[1]));
	TRY(write_export(work, &template, work->args[1], part));
	return vps_say(work->call, "template %s is in %s", template.name, work->args[1]);
}

static struct err *drop(struct work *work)
{
	TRY(template_remove(&work->store, work->args[0]));
	return vps_say(work->call, "template %s was removed", work->args[0]);
}

/* --- the verb of the verb --- */

static const struct verb {
	const char *name;
	struct err *(*run)(struct work *work);
	enum template_access access;
	size_t min_args, max_args;
} verbs[] = {
	{ "create", create, TEMPLATE_CHANGE, 1, 2 }, { "export", export, TEMPLATE_READ, 2, 2 },
	{ "import", import, TEMPLATE_CHANGE, 1, 2 }, { "info", info, TEMPLATE_READ, 1, 1 },
	{ "list", list, TEMPLATE_READ, 0, 0 },	     { "remove", drop, TEMPLATE_CHANGE, 1, 1 },
};

static struct err *run_verb(const struct verb *verb, struct work *work)
{
	if (work->arg_count < verb->min_args || work->arg_count > verb->max_args)
		return err_new(
			ERR_INVALID,
			"template %s: wrong number of arguments; see 'cella template --help'",
			verb->name);
	TRY(vps_host_open(&work->host));
	TRY(template_store_open(work->host.template_dir, verb->access, &work->store));
	return verb->run(work);
}

struct err *vps_template_run(const struct cmd_call *call, int *ret_status)
{
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(work) struct work work = { .call = call, .store = TEMPLATE_STORE_INIT };
	struct template_opts opts = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	work.json = opts.json;
	work.image = opts.image;
	work.args = args.items + 1;
	work.arg_count = args.count - 1;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_eq(verbs[i].name, args.items[0]))
			return run_verb(&verbs[i], &work);
	return err_new(
		ERR_INVALID,
		"template: '%.40s' is not known; there are: create export import info list remove",
		args.items[0]);
}
