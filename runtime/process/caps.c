/*
 * Capability sets of a process: capabilities(7), "Effect of user ID changes" and "Transformation of
 * capabilities during execve()". capset() and capget() are the C library's; libcap's own objects
 * would only add allocations. Names are libcap's.
 */
#include <errno.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "base/log.h"
#include "runtime/process/process.h"

#define CAP_BITS 64 /* of the masks in struct cap_sets; the kernel uses 41 today */

/* Both halves of each set, in the layout of capset(2). */
struct kernel_caps {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

static struct err *read_caps(struct kernel_caps *caps)
{
	*caps = (struct kernel_caps){ .head.version = _LINUX_CAPABILITY_VERSION_3 };
	if (capget(&caps->head, caps->data) < 0)
		return err_sys(errno, "read the capabilities of the process");
	return NULL;
}

/* One capability; *ret_known is false for a number that this kernel does not have. */
static struct err *drop_one(unsigned long cap, bool *ret_known)
{
	int held;

	/* dropping what is not there is success: asking first would cost a second call each */
	*ret_known = true;
	if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
		return NULL;
	/* without CAP_SETPCAP the kernel says EPERM whatever the number is */
	if (errno != EINVAL && errno != EPERM)
		return err_sys(errno, "drop capability %lu from the bounding set", cap);
	held = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
	if (held > 0)
		return err_sys(EPERM, "drop capability %lu from the bounding set", cap);
	*ret_known = held == 0;
	return NULL;
}

struct err *process_drop_bounding(const struct cap_sets *sets)
{
	bool known = true;

	for (unsigned long cap = 0; known && cap < CAP_BITS; cap++)
		if (!sets->is_set || !(sets->bounding >> cap & 1))
			TRY(drop_one(cap, &known));
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(errno, "keep capabilities over the change of user");
	return NULL;
}

/* The runtime specification wants a warning, not a failure (config.md, "capabilities"). */
static void warn_refused(uint64_t refused)
{
	OWN(buf) struct buf names = { 0 };

	for (unsigned int cap = 0; cap < CAP_BITS; cap++) {
		char *name;

		if (!(refused >> cap & 1))
			continue;
		name = cap_to_name((cap_value_t)cap);
		/* out of memory shortens a warning, no more */
		err_drop(buf_format(&names, " %s", name ? name : "?"));
		cap_free(name);
	}
	log_warning("capabilities that cannot be granted here:%s", names.len ? names.data : "");
}

static struct err *raise_ambient(uint64_t wanted)
{
	uint64_t refused = 0;

	/* EINVAL: a kernel before 4.3 has none to clear */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return err_sys(errno, "clear the ambient capabilities");
	for (unsigned long cap = 0; cap < CAP_BITS; cap++) {
		if (!(wanted >> cap & 1))
			continue;
		/* EPERM: not both permitted and inheritable; EINVAL: unknown to this kernel */
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) == 0)
			continue;
		if (errno != EPERM && errno != EINVAL)
			return err_sys(errno, "raise ambient capability %lu", cap);
		refused |= UINT64_C(1) << cap;
	}
	if (refused)
		warn_refused(refused);
	return NULL;
}

struct err *process_set_caps(const struct cap_sets *sets)
{
	static const struct cap_sets none = { 0 };
	const struct cap_sets *want = sets->is_set ? sets : &none;
	struct kernel_caps caps;
	uint64_t held, permitted, effective, inheritable, refused;

	TRY(read_caps(&caps));
	held = caps.data[0].permitted | (uint64_t)caps.data[1].permitted << 32;
	/* capset(2) refuses the whole call for one bit too many, so ask for what can be had */
	permitted = want->permitted & held;
	effective = want->effective & permitted;
	inheritable = want->inheritable & held;
	refused = (want->permitted & ~held) | (want->effective & ~permitted) |
		  (want->inheritable & ~held);
	for (size_t i = 0; i < ARRAY_SIZE(caps.data); i++) {
		caps.data[i].permitted = (uint32_t)(permitted >> (32 * i));
		caps.data[i].effective = (uint32_t)(effective >> (32 * i));
		caps.data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
	}
	if (capset(&caps.head, caps.data) < 0)
		return err_sys(errno, "set the capabilities of the process");
	if (refused)
		warn_refused(refused);
	return raise_ambient(want->ambient);
}
