/*
 * Private to cli: checkpoint and restore, whose work is done by one of the two files of cli/criu.
 * Here are their options, which every command line, --help and completion knows.
 */
#ifndef CLI_OCI_CRIU_H
#define CLI_OCI_CRIU_H

#include "cli/oci.h"
#include "migrate-criu/migrate-criu.h"

struct checkpoint_opts {
	struct cr_options cr;
	const char *page_server; /* ADDRESS:PORT */
	struct strlist empty_ns;
};

struct restore_opts {
	struct oci_create_opts create;
	struct cr_options cr;
	struct strlist empty_ns;
	bool detach;
};

/* here.c does the work; elsewhere.c has it done by cella-criu, which is the same program linked
 * with protobuf-c: CRIU's messages would be a part of every other command's start. */
MUST_CHECK struct err *oci_checkpoint_run(const struct cmd_call *call, int *ret_status);
MUST_CHECK struct err *oci_restore_run(const struct cmd_call *call, int *ret_status);

#endif
