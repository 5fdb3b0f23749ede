/* Lists of CPUs and memory nodes, "0-3,7", as the kernel's cpuset files have them. Private to
 * runtime/process. */
#ifndef RUNTIME_PROCESS_BIT_LIST_H
#define RUNTIME_PROCESS_BIT_LIST_H

#include "base/err.h"

/* More than any kernel is built for (NR_CPUS is at most 8192, MAX_NUMNODES 1024). */
#define BIT_LIST_MAX 8192

/* One bit per CPU or node, in the kernel's layout of unsigned longs. */
struct bit_list {
	unsigned long words[BIT_LIST_MAX / (8 * sizeof(unsigned long))];
	unsigned int end; /* one above the highest bit */
};

/* what: names the list in errors. max: numbers are below it, at most BIT_LIST_MAX. ERR_INVALID for
 * anything but numbers and rising ranges between single commas; spaces and tabs around them are
 * allowed. */
MUST_CHECK struct err *bit_list_parse(const char *what, const char *text, unsigned int max,
				      struct bit_list *ret_list);

#endif
