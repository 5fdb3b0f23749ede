/*
 * The part of GVariant's text format that unit properties need: one basic value or an array of one
 * basic type, such as 'text', true, 5, uint64 5, -0.5, ['a', 'b'], [byte 1, 2], @as []. Source:
 * GLib, "GVariant Text Format".
 */
#ifndef CGROUPS_GVARIANT_H
#define CGROUPS_GVARIANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

union variant_item {
	uint64_t number; /* all integer types and 'b'; signed ones in two's complement */
	double real;	 /* 'd' */
	char *text;	 /* 's', 'o', 'g'; owned */
};

struct variant {
	char type; /* D-Bus code of the basic type */
	bool is_array;
	union variant_item *items; /* owned */
	size_t count;		   /* 1 unless is_array */
};

void variant_release(struct variant *variant);
static inline __attribute__((unused)) void own_variant(struct variant *variant)
{
	variant_release(variant);
}

/* text need not end with a NUL. ERR_INVALID says what and where. */
MUST_CHECK struct err *variant_parse(const char *text, size_t len, struct variant *ret_variant);
/* Types whose items are strings, and those with a sign. */
bool variant_type_is_text(char type);
bool variant_type_is_signed(char type);

/*
 * "NAME=GVARIANT" of an annotation org.systemd.property.NAME or of our own tables. A NAME in Sec
 * with a number becomes USec, in microseconds as uint64, since D-Bus knows no other (runtimes agree
 * on this). *ret_name is owned. ERR_INVALID.
 */
MUST_CHECK struct err *property_parse(const char *property, char **ret_name,
				      struct variant *ret_value);

#endif
