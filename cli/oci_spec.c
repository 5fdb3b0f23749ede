/* cella-oci spec: write a config.json to start from. Also the commands that only print what the
 * tables hold. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "cli/oci.h"
#include "cli/table.h"

struct spec_opts {
	const char *bundle, *file;
	bool rootless;
};

static const struct opt spec_opt_rows[] = {
	{ "bundle", 'b', "DIR", "where to write config.json (default: .)",
	  offsetof(struct spec_opts, bundle), opt_path },
	{ "file", 'f', "FILE", "name other than config.json", offsetof(struct spec_opts, file),
	  opt_path },
	{ "rootless", 0, NULL, "for a user without privileges",
	  offsetof(struct spec_opts, rootless), opt_flag },
};

static struct err *spec_run(const struct cmd_call *call, int *ret_status)
{
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(str) char *text = NULL, *path = NULL;
	OWN(fd) int fd = -1;
	struct spec_opts opts = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, &opts, &args));
	TRY(spec_default_json(opts.rootless, &text));
	if (opts.file && opts.file[0] == '/')
		TRY(str_dup(opts.file, &path));
	else
		TRY(str_format(&path, "%s/%s", opts.bundle ? opts.bundle : ".",
			       opts.file ? opts.file : "config.json"));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return err_new(ERR_EXISTS, "%s exists: remove it first", path);
	if (fd < 0)
		return err_sys(errno, "create %s", path);
	return fd_write_all(fd, path, text, strlen(text));
}

const struct cmd oci_cmd_spec = {
	.name = "spec",
	.summary = "write a default config.json",
	.opts = OPT_TABLE(spec_opt_rows),
	.run = spec_run,
};

static struct err *features_run(const struct cmd_call *call, int *ret_status)
{
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(str) char *text = NULL;

	(void)ret_status;
	TRY(cmd_parse(call, NULL, &args));
	TRY(spec_features_json(&text));
	return out_text(text, strlen(text));
}

const struct cmd oci_cmd_features = {
	.name = "features",
	.summary = "print what it supports as JSON",
	.run = features_run,
};

static struct err *properties_run(const struct cmd_call *call, int *ret_status)
{
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(str) char *text = NULL;

	(void)ret_status;
	TRY(cmd_parse(call, NULL, &args));
	TRY(spec_properties_text(&text));
	return out_text(text, strlen(text));
}

/* For the manual page and its lint. */
const struct cmd oci_cmd_properties = {
	.name = "properties",
	.run = properties_run,
};

static struct err *completion_run(const struct cmd_call *call, int *ret_status)
{
	OWN(opt_args) struct opt_args args = { 0 };
	OWN(buf) struct buf text = { 0 };

	(void)ret_status;
	TRY(cmd_parse(call, NULL, &args));
	TRY(completion_script(call->program, args.items[0], &text));
	return out_text(text.data, text.len);
}

/* For `make install`. */
const struct cmd oci_cmd_completion = {
	.name = "completion",
	.args = "bash|zsh|list",
	.run = completion_run,
	.min_args = 1,
	.max_args = 1,
};
