/*
 * Field tables: what a JSON object may contain, and where each member goes. A table is the only
 * list of the properties of its object: the reader, the manual's list, `features` and the tests all
 * walk it. Private to runtime/spec.
 */
#ifndef RUNTIME_SPEC_FIELD_H
#define RUNTIME_SPEC_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

struct field;

/* Reads value into *out, which is the member at field->offset of the struct that the table fills.
 * The pointer is untyped because the rows of one table fill members of many types; each parser
 * below says which type it writes. */
typedef struct err *field_parser(const struct json *value, const struct field *field, void *out);

/* How the table of a row repeats; for printing only. */
enum field_shape {
	FIELD_ONE,  /* an object: "linux.resources" */
	FIELD_LIST, /* an array of objects: "linux.namespaces[]" */
	FIELD_MAP   /* an object with free names: "linux.netDevices.NAME" */
};

struct word {
	const char *name;
	uint64_t value;
};

/* The names that a string may have. */
struct words {
	const struct word *items;
	size_t count;
};
#define WORDS(array)                       \
	{                                  \
		(array), ARRAY_SIZE(array) \
	}

struct field_table {
	const struct field *rows; /* sorted by name */
	size_t count;
};
#define FIELD_TABLE(array)                 \
	{                                  \
		(array), ARRAY_SIZE(array) \
	}

/* Every start of the program relocates and so copies these rows: no gaps. */
struct field {
	const char *name;
	field_parser *parse; /* NULL: ignored, field_refuse: refused; both need why */
	uint32_t offset;
	bool required;
	enum field_shape shape : 8;
	const struct field_table
		*table; /* of the members of the object, of each element or of each entry */
	const struct words *words;
	int64_t min, max;     /* of a signed number; max of an unsigned one */
	const char *why;      /* ignored or refused */
	const char *harmless; /* the one value of a refused property that asks for nothing: "0",
				 "false" */
};
#define AT(type, member) .offset = offsetof(struct type, member)

/* Read every member of object that the table knows into *out. Unknown members are ignored
 * (runtime-spec config.md, "Extensibility"), JSON null counts as absent. ERR_INVALID: not an
 * object, a required member is missing. */
MUST_CHECK struct err *fields_parse(const struct field_table *table, const struct json *object,
				    void *out);
/* The row of a name, or NULL. */
const struct field *fields_find(const struct field_table *table, const char *name);

/* Parsers for rows. The type in front is what they write. */
field_parser field_object; /* any struct: the row's table with the same base */
field_parser field_refuse; /* nothing: ERR_UNSUPPORTED unless the value is the harmless one */
field_parser field_bool;   /* bool */
field_parser field_u16, field_u32, field_u64; /* at most max when that is not 0 */
field_parser field_int;			      /* int32_t, min..max */
field_parser field_i64;			      /* int64_t, min..max unless both are 0 */
field_parser field_id;			      /* uid_t or gid_t: 0..4294967294 */
field_parser field_text;		      /* char *, owned; the empty string leaves it NULL */
field_parser field_line;		      /* the same without control characters */
field_parser field_borrowed; /* const char *: the same, not copied; lives as long as the document */
field_parser field_path;     /* char *, owned: absolute */
field_parser field_texts;    /* struct strlist */
field_parser field_paths;    /* struct strlist of absolute paths */
field_parser field_cpus;  /* char *: a list such as "0-3,7" of CPUs or memory nodes; the empty one
			     leaves it NULL */
field_parser field_word;  /* uint32_t: the value of one of the row's words */
field_parser field_flags; /* uint64_t: the sum of an array of the row's words */

/* The value of a word. ERR_INVALID lists all that there are. */
MUST_CHECK struct err *words_find(const struct words *words, const struct json *value,
				  uint64_t *ret_value);
/* Zeroed room for each element of an array or member of an object, NULL when it is empty; owned by
 * the caller. */
MUST_CHECK struct err *field_room(const struct json *list, size_t item_size, void **ret_items);

#endif
