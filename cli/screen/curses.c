/* See screen.h. Source: curs_initscr(3X), curs_addstr(3X), curs_getch(3X). */
#include <curses.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/screen.h"

bool screen_open(void)
{
	const char *term = getenv("TERM");

	/* initscr() would end the program without these */
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !term || !*term)
		return false;
	setlocale(LC_CTYPE, "");
	if (!newterm(NULL, stdout, stdin))
		return false;
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	return true;
}

void screen_close(void)
{
	endwin();
}

void screen_draw(const char *text, unsigned int marked)
{
	erase();
	for (int line = 0; *text && line < LINES; line++) {
		size_t len = strcspn(text, "\n");

		if ((unsigned int)line == marked)
			attron(A_REVERSE);
		mvaddnstr(line, 0, text, (int)len < COLS ? (int)len : COLS);
		attroff(A_REVERSE);
		text += len + (text[len] == '\n');
	}
	refresh();
}

int screen_wait(uint64_t timeout_ms)
{
	int key;

	timeout((int)timeout_ms);
	key = getch();
	switch (key) {
	case KEY_LEFT:
		return SCREEN_LEFT;
	case KEY_RIGHT:
		return SCREEN_RIGHT;
	case KEY_RESIZE:
	case ERR:
		return SCREEN_NOTHING;
	default:
		return key < 256 ? key : SCREEN_NOTHING;
	}
}
