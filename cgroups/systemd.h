/*
 * The systemd driver, our side: names and properties of the scope, and the cella-helper process
 *that talks D-Bus (libsystemd is not linked here). Sources: systemd's "Control Group APIs and
 *Delegation", org.freedesktop.systemd1(5), systemd.resource-control(5).
 *
 *	cella-helper scope-start MANAGER UNIT SLICE PID DESCRIPTION [PROPERTY=GVARIANT]...
 *	cella-helper scope-set   MANAGER UNIT [PROPERTY=GVARIANT]...
 *	cella-helper scope-stop  MANAGER UNIT
 *
 * MANAGER is "system" or "user". Status 0, or 1 and one line of error on standard output.
 */
#ifndef CGROUPS_SYSTEMD_H
#define CGROUPS_SYSTEMD_H

#include "base/err.h"
#include "base/str.h"
#include "cgroups/cgroups.h"

/* Fills scope, path and driver; checks the properties of annotations. */
MUST_CHECK struct err *systemd_plan(const struct cgroup_spec *spec, const char *prefix,
				    const char *id, struct cgroup *cg);
/* The limits as systemd knows them; what it does not know is left to the files. */
MUST_CHECK struct err *systemd_set(const char *scope, const struct cgroup_limits *limits);
/* Stop the scope; a unit that is not loaded is success. */
MUST_CHECK struct err *systemd_stop(const char *scope);

/* --- unit.c: names --- */

/* "SLICE:PREFIX:NAME", empty parts defaulting; all three are owned by the caller. */
struct unit_names {
	char *slice, *scope;
	char *slice_path; /* "/a.slice/a-b.slice", "" for the root slice; below the manager's own
			     cgroup */
};
void unit_names_release(struct unit_names *names);
static inline __attribute__((unused)) void own_unit_names(struct unit_names *names)
{
	unit_names_release(names);
}
/* text NULL: everything from prefix and id. */
MUST_CHECK struct err *unit_names_parse(const char *text, const char *default_slice,
					const char *prefix, const char *id,
					struct unit_names *ret_names);

/* --- properties.c: limits --- */

/* Add "NAME=GVARIANT" for each limit that is set and known to systemd. */
MUST_CHECK struct err *properties_of_limits(const struct cgroup_limits *limits,
					    struct strlist *list);

#endif
