/*
 * The D-Bus side of the systemd driver, for cella-helper alone: it is the only program of ours that
 * links libsystemd. Built without it, absent.c gives the same functions, which say so.
 */
#ifndef CGROUPS_SYSTEMD_SDBUS_H
#define CGROUPS_SYSTEMD_SDBUS_H

#include "base/err.h"

/* Each is one verb of cella-helper: argv holds the words after the verb, NULL-terminated (see
 * cgroups/systemd.h for their meaning). ERR_INVALID: not the words that the verb takes. */
MUST_CHECK struct err *scope_start(char *const *argv);
MUST_CHECK struct err *scope_set(char *const *argv);
MUST_CHECK struct err *scope_stop(char *const *argv);

#endif
