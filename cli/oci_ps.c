/*
 * cella-oci ps: the processes of a container, by ps(1) of the host with the lines of all others
 * left out. No shell, and no $PATH: a caller's environment does not choose what runs as root.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/proc.h"
#include "cli/oci.h"
#include "cli/table.h"

#define PS_OUTPUT_MAX ((size_t)64 << 20)

enum { FORMAT_TABLE, FORMAT_JSON };
static const char *const formats[] = { "table", "json", NULL };

struct ps_opts {
	int format;
};

static const struct opt ps_opt_rows[] = {
	{ "format", 'f', "FORMAT", "table or json (an array of pids)",
	  offsetof(struct ps_opts, format), opt_choice, formats },
};

struct pids {
	pid_t *items; /* owned */
	size_t count;
};

static void own_pids(struct pids *pids)
{
	free(pids->items);
}

static struct err *print_json(const struct pids *pids)
{
	OWN(json_out) struct json_out *out = NULL;
	OWN(str) char *text = NULL, *line = NULL;

	TRY(json_out_new(false, &out));
	json_out_array(out);
	for (size_t i = 0; i < pids->count; i++)
		json_out_i64(out, pids->items[i]);
	json_out_end_array(out);
	TRY(json_out_take(out, &text));
	TRY(str_format(&line, "%s\n", text));
	return out_text(line, strlen(line));
}

static struct err *find_ps(const char **ret_path)
{
	static const char *const places[] = { "/usr/bin/ps", "/bin/ps", "/usr/local/bin/ps" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (access(places[i], X_OK) == 0) {
			*ret_path = places[i];
			return NULL;
		}
	return err_new(ERR_UNSUPPORTED, "ps(1) is not installed; --format=json needs none");
}

static struct err *run_ps(const char *const *args, struct buf *output)
{
	static const char *const environment[] = { "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", NULL };
	OWN(strlist) struct strlist argv = { 0 };
	OWN(fd) int fd = memfd_create("ps", MFD_CLOEXEC);
	struct proc_run run = { .envp = (char *const *)(uintptr_t)environment, .output_fd = fd };
	int status;

	if (fd < 0)
		return err_sys(errno, "make a place for ps's output");
	TRY(find_ps(&run.path));
	TRY(strlist_add(&argv, "ps"));
	for (size_t i = 0; args[i]; i++)
		TRY(strlist_add(&argv, args[i]));
	if (argv.count == 1)
		TRY(strlist_add(&argv, "-ef"));
	run.argv = argv.items;
	TRY(proc_run(&run, &status));
	if (status != 0)
		return err_new(ERR_PEER, "ps ended with status %d", status);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(errno, "read ps's output");
	return fd_read_all(fd, "ps's output", PS_OUTPUT_MAX, output);
}

static bool next_word(const char **at, const char *end, const char **ret_word, size_t *ret_len)
{
	const char *c = *at;

	while (c < end && (*c == ' ' || *c == '\t'))
		c++;
	*ret_word = c;
	while (c < end && *c != ' ' && *c != '\t')
		c++;
	*ret_len = (size_t)(c - *ret_word);
	*at = c;
	return *ret_len > 0;
}

/* Which word of the header is PID; false when it has none. */
static bool pid_column(const char *line, const char *end, size_t *ret_column)
{
	const char *word;
	size_t len;

	for (size_t column = 0; next_word(&line, end, &word, &len); column++)
		if (len == 3 && !memcmp(word, "PID", 3)) {
			*ret_column = column;
			return true;
		}
	return false;
}

static bool line_is_ours(const char *line, const char *end, size_t column, const struct pids *pids)
{
	const char *word;
	size_t len;
	long pid;

	for (size_t i = 0; i <= column; i++)
		if (!next_word(&line, end, &word, &len))
			return false;
	pid = strtol(word, NULL, 10);
	for (size_t i = 0; i < pids->count; i++)
		if (pids->items[i] == pid)
			return true;
	return false;
}

static struct err *print_table(const struct pids *pids, const char *const *ps_args)
{
	OWN(buf) struct buf output = { 0 }, shown = { 0 };
	size_t column = 0;
	bool header = true;

	TRY(run_ps(ps_args, &output));
	for (const char *line = output.data; line && *line;) {
		const char *end = strchrnul(line, '\n');

		if (header && !pid_column(line, end, &column))
			return err_new(
				ERR_INVALID,
				"ps's output has no column PID: choose other options for it");
		if (header || line_is_ours(line, end, column, pids)) {
			TRY(buf_add(&shown, line, (size_t)(end - line)));
			TRY(buf_add(&shown, "\n", 1));
		}
		header = false;
		line = *end ? end + 1 : end;
	}
	return out_text(shown.data, shown.len);
}

static struct err *ps_run(const struct cmd_call *call, int *ret_status)
{
	OWN(oci_target) struct oci_target target = OCI_TARGET_INIT;
	OWN(pids) struct pids pids = { 0 };
	struct ps_opts opts = { 0 };
	const char *const *ps_args;

	(void)ret_status;
	TRY(oci_target_parse(call, &opts, &target));
	TRY(ct_pids(&target.root, target.id, &pids.items, &pids.count));
	if (opts.format == FORMAT_JSON)
		return print_json(&pids);
	ps_args = target.args.items + 1;
	if (ps_args[0] && str_eq(ps_args[0], "--"))
		ps_args++;
	return print_table(&pids, ps_args);
}

const struct cmd oci_cmd_ps = {
	.name = "ps",
	.args = "CONTAINER [PS-OPTION...]",
	.summary = "list its processes",
	.opts = OPT_TABLE(ps_opt_rows),
	.run = ps_run,
	.min_args = 1,
	.max_args = CMD_ANY_ARGS,
	.stop_after = 1,
};
