/*
 * Ownership of local variables: OWN(kind) releases what the variable holds when its scope ends,
 * TAKE() and fd_take() move it out. This is the only place with macro cleverness.
 */
#ifndef BASE_OWN_H
#define BASE_OWN_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define OWN(kind) __attribute__((cleanup(own_##kind)))

/* Define the kind NAME for variables of TYPE: RELEASE is called with the value unless it is 0. */
#define OWN_KIND(name, type, release)                                    \
	static inline __attribute__((unused)) void own_##name(type *var) \
	{                                                                \
		if (*var)                                                \
			release(*var);                                   \
	}

/* Move a pointer out of an owned variable. */
#define TAKE(var)                               \
	({                                      \
		__typeof__(var) taken_ = (var); \
		(var) = NULL;                   \
		taken_;                         \
	})

OWN_KIND(str, char *, free)
OWN_KIND(file, FILE *, fclose)
OWN_KIND(dir, DIR *, closedir)

static inline __attribute__((unused)) void own_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Move a descriptor out of an owned variable. */
static inline int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#endif
