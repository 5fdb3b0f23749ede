/* Weights of cgroup v1, which OCI still speaks, on the scales of v2. */
#include <math.h>

#include "cgroups/cgroups.h"

/*
 * weight = ceil(10 ^ ((l^2 + 125 l) / 612 - 7 / 34)), l = log2(shares): three points are kept, 2 to
 * 1, 1024 to 100 (both defaults) and 262144 to 10000. Source: runtime-spec 1.3, config-linux,
 * "CPU".
 */
uint64_t cgroup_weight_from_shares(uint64_t shares)
{
	double l;

	if (shares == CGROUP_UNSET || shares == 0)
		return CGROUP_UNSET;
	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2((double)shares);
	return (uint64_t)ceil(pow(10, (l * l + 125 * l) / 612 - 7.0 / 34));
}

/* 10..1000 to 1..10000, linear. Source: runtime-spec, config-linux, "Block IO"; 0 means unset
 * there. */
uint64_t cgroup_io_weight_from_blkio(uint64_t weight)
{
	if (weight == CGROUP_UNSET || weight == 0)
		return CGROUP_UNSET;
	if (weight < 10)
		weight = 10;
	if (weight > 1000)
		weight = 1000;
	return 1 + (weight - 10) * 9999 / 990;
}
