/* cella-oci checkpoint and restore. */
#include <string.h>

#include "base/parse.h"
#include "cli/oci_criu.h"

static void own_checkpoint_opts(struct checkpoint_opts *opts)
{
	strlist_release(&opts->empty_ns);
}

static void own_restore_opts(struct restore_opts *opts)
{
	strlist_release(&opts->empty_ns);
}

static struct err *parse_empty_ns(const struct strlist *names, bool *ret_network)
{
	for (size_t i = 0; i < names->count; i++) {
		if (!str_eq(names->items[i], "network"))
			return err_new(ERR_UNSUPPORTED,
				       "--empty-ns: '%.64s' cannot be left empty, "
				       "only network can",
				       names->items[i]);
		*ret_network = true;
	}
	return NULL;
}

/* "ADDRESS:PORT", the address perhaps an IPv6 one; *ret_address is owned. */
static struct err *parse_page_server(const char *text, char **ret_address, uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	if (!colon || colon == text)
		return err_new(ERR_INVALID, "--page-server: '%.64s' is not ADDRESS:PORT", text);
	TRY(parse_u64("--page-server: port", colon + 1, 1, UINT16_MAX, &port));
	*ret_port = (uint16_t)port;
	return str_format(ret_address, "%.*s", (int)(colon - text), text);
}

struct err *oci_checkpoint_run(const struct cmd_call *call, int *ret_status)
{
	OWN(oci_target) struct oci_target target = OCI_TARGET_INIT;
	OWN(checkpoint_opts) struct checkpoint_opts opts = { 0 };
	OWN(str) char *address = NULL;

	(void)ret_status;
	TRY(oci_target_parse(call, &opts, &target));
	TRY(parse_empty_ns(&opts.empty_ns, &opts.cr.empty_network));
	if (opts.page_server)
		TRY(parse_page_server(opts.page_server, &address, &opts.cr.page_server_port));
	opts.cr.page_server_address = address;
	return cr_checkpoint(&target.root, target.id, &opts.cr);
}

struct err *oci_restore_run(const struct cmd_call *call, int *ret_status)
{
	OWN(oci_target) struct oci_target target = OCI_TARGET_INIT;
	OWN(oci_request) struct oci_request request = { 0 };
	OWN(restore_opts) struct restore_opts opts = { 0 };
	OWN(ct_started) struct ct_started started = CT_STARTED_INIT;
	struct err *err;

	TRY(oci_target_parse(call, &opts, &target));
	TRY(parse_empty_ns(&opts.empty_ns, &opts.cr.empty_network));
	TRY(oci_request_read(call, &target, &opts.create, &request));
	/* in the foreground the terminal is relayed here */
	request.create.run_now = !opts.detach;
	request.create.io.detach = opts.detach;
	TRY(cr_restore(&target.root, &request.create, &opts.cr, &started));
	if (opts.detach)
		return NULL;
	err = ct_foreground(&started, ret_status);
	return err_first(err, ct_delete(&target.root, target.id, true));
}
