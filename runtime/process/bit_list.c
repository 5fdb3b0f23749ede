/* Lists of CPUs and memory nodes; see bit_list.h. */
#include "runtime/process/bit_list.h"

#include <stdbool.h>
#include <string.h>

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* A number below max; NULL when there is none at this place. */
static const char *take_number(const char *at, unsigned int max, unsigned int *ret_number)
{
	unsigned int number = 0;
	size_t digits = strspn(at, "0123456789");

	for (size_t i = 0; i < digits; i++) {
		number = number * 10 + (unsigned int)(at[i] - '0');
		if (number >= max) /* before it can overflow: max is small */
			return NULL;
	}
	*ret_number = number;
	return digits ? at + digits : NULL;
}

static void set_range(struct bit_list *list, unsigned int first, unsigned int last)
{
	const unsigned int width = 8 * sizeof(list->words[0]);

	for (unsigned int bit = first; bit <= last; bit++)
		list->words[bit / width] |= 1UL << bit % width;
	if (last >= list->end)
		list->end = last + 1;
}

/* One number or range and the comma behind it; NULL when it is malformed, else where the next
 * begins. */
static const char *take_range(const char *at, unsigned int max, struct bit_list *list)
{
	unsigned int first, last;

	at = take_number(skip_blanks(at), max, &first);
	if (!at)
		return NULL;
	last = first;
	at = skip_blanks(at);
	if (*at == '-') {
		at = take_number(skip_blanks(at + 1), max, &last);
		if (!at || last < first)
			return NULL;
		at = skip_blanks(at);
	}
	if (*at && (*at != ',' || !*skip_blanks(at + 1)))
		return NULL;
	set_range(list, first, last);
	return *at ? at + 1 : at;
}

struct err *bit_list_parse(const char *what, const char *text, unsigned int max,
			   struct bit_list *ret_list)
{
	struct bit_list list = { 0 };
	const char *at = text;

	do {
		at = take_range(at, max, &list);
	} while (at && *at);
	if (!at)
		return err_new(ERR_INVALID,
			       "%s: '%.64s' is not a list such as 0-3,7 of numbers below %u", what,
			       text, max);
	*ret_list = list;
	return NULL;
}
