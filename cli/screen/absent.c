/* A build without ncurses has no screen; see screen.h. */
#include "cli/screen.h"

bool screen_open(void)
{
	return false;
}

void screen_close(void)
{
}

void screen_draw(const char *text, unsigned int marked)
{
	(void)text;
	(void)marked;
}

int screen_wait(uint64_t timeout_ms)
{
	(void)timeout_ms;
	return SCREEN_NOTHING;
}
