/* Pressure stall information. Source: Documentation/accounting/psi.rst. */
#ifndef CGROUPS_PRESSURE_H
#define CGROUPS_PRESSURE_H

#include <stddef.h>

#include "base/err.h"
#include "cgroups/cgroups.h"

/* The text of cpu.pressure and the like. Lines that are not understood are left unset. */
void pressure_parse(const char *text, struct pressure *ret_pressure);
/* Unset when the kernel has no such file, or was booted with psi=0. */
MUST_CHECK struct err *pressure_read(int dir_fd, const char *file, struct pressure *ret_pressure);

#endif
