/* Private to runtime/vps: a growing list of remarks. */
#ifndef RUNTIME_VPS_REMARKS_H
#define RUNTIME_VPS_REMARKS_H

#include "runtime/vps/vps.h"

/* cure: NULL when nothing is to be done. */
MUST_CHECK struct err *remarks_add(struct vps_remarks *remarks, enum vps_remark_level level,
				   const char *what, const char *cure);
/* An error as a remark; consumed. NULL is nothing. */
MUST_CHECK struct err *remarks_add_err(struct vps_remarks *remarks, struct err *cause,
				       const char *cure);

/* --- doctor_quota.c --- */

MUST_CHECK struct err *doctor_quotas(const struct vps_host *host, struct vps_remarks *remarks);

#endif
