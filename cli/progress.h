/* A progress bar on a terminal, plain lines elsewhere; nothing at all for work that is over at
 * once. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "rootfs/template.h"

struct progress {
	struct template_progress base;
	const char *what; /* "importing debian-13" */
	bool terminal;
	bool quiet; /* no line at all: --json */
	bool shown;
	int64_t started_ms, next_ms;
	uint64_t done_bytes; /* as last shown */
	unsigned int last_tenth;
};

enum progress_kind { PROGRESS_SHOWN, PROGRESS_QUIET };
void progress_init(struct progress *progress, const char *what, enum progress_kind kind);
/* End the line, if there is one. */
void progress_end(struct progress *progress);

#endif
