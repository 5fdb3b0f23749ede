/* A full screen of text that is drawn anew and anew. Two files of cli/screen have it: one with
 * ncurses, one for builds without. */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

/* Other keys are their characters. */
enum screen_key { SCREEN_NOTHING, SCREEN_LEFT = 256, SCREEN_RIGHT };

/* False: no terminal, or built without ncurses. The terminal is put back by screen_close(), and by
 * the signals that end the program. */
bool screen_open(void);
void screen_close(void);
/* Lines of text; the one with the number marked stands out. What does not fit is cut. */
void screen_draw(const char *text, unsigned int marked);
/* The next key, or SCREEN_NOTHING after the time, or when the size has changed. */
int screen_wait(uint64_t timeout_ms);

#endif
