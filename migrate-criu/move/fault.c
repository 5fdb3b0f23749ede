/* Points at which a test kills an end of a move; see wire.h. Nothing in other builds. */
#include "migrate-criu/move/wire.h"

#ifdef CELLA_FAULTS
#include <signal.h>
#include <stdlib.h>

void move_fault(const char *point)
{
	if (str_eq(getenv("CELLA_MOVE_FAIL"), point))
		raise(SIGKILL);
}
#endif
