/*
 * JSON in and out, over libyajl. Reading gives a tree whose strings are NUL-free; writing appends
 * to a buffer. Nothing here knows what the values mean.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER, /* kept as text, so that 64-bit values survive */
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
	JSON_TYPE_COUNT
};

/* One value. Members and elements are a list: child, then next. Everything lives as long as the
 * document, but source as long as the text that was parsed. */
struct json {
	enum json_type type;
	bool truth;	  /* JSON_BOOL */
	const char *key;  /* name when it is an object's member, else NULL */
	const char *text; /* JSON_STRING and JSON_NUMBER */
	size_t count;	  /* elements or members */
	const struct json *child, *next, *parent;
	const char *source; /* JSON_ARRAY and JSON_OBJECT: where its "[" or "{" stands */
	size_t source_len;  /* up to and including the closing bracket */
};

struct json_doc;

#define JSON_TEXT_MAX ((size_t)16 << 20)

/*
 * Parse a whole document. Refused with ERR_INVALID and a line number: malformed text, trailing
 * text, duplicate members, NUL in a string or key, nesting over 64, more than JSON_TEXT_MAX bytes,
 * broken UTF-8 (as far as yajl looks: overlong forms pass). *ret_doc is owned by the caller:
 * json_doc_free().
 */
MUST_CHECK struct err *json_parse(const char *text, size_t len, struct json_doc **ret_doc);
const struct json *json_root(const struct json_doc *doc);
void json_doc_free(struct json_doc *doc);
OWN_KIND(json_doc, struct json_doc *, json_doc_free)

/* The member KEY of an object, NULL when absent, JSON null or when obj is NULL. */
const struct json *json_get(const struct json *obj, const char *key);
const char *json_type_name(enum json_type type);

/*
 * An error about one value, its place put in front: "linux.namespaces[2].type: ...". The root alone
 * has no place.
 */
MUST_CHECK NEVER_NULL PRINTF(3, 4) struct err *json_err(const struct json *value,
							enum err_kind kind, const char *fmt, ...);
/* The same for a cause that somebody else found; the cause is consumed and its kind kept. */
MUST_CHECK struct err *json_wrap(const struct json *value, struct err *cause);
/* The place alone, "linux.namespaces[2].type"; owned by the caller. */
MUST_CHECK struct err *json_path(const struct json *value, char **ret_path);
/* ERR_INVALID "PLACE: expected a string, found a number" on another type. */
MUST_CHECK struct err *json_expect(const struct json *value, enum json_type type);

/* Typed access; what: the name of the value for the error ("process.user.uid"), NULL: its place.
 * ERR_INVALID on another type. */
MUST_CHECK struct err *json_u64(const struct json *value, const char *what, uint64_t max,
				uint64_t *ret_value);
MUST_CHECK struct err *json_i64(const struct json *value, const char *what, int64_t *ret_value);
MUST_CHECK struct err *json_bool(const struct json *value, const char *what, bool *ret_value);
/* Borrowed from the document. */
MUST_CHECK struct err *json_string(const struct json *value, const char *what,
				   const char **ret_text);
MUST_CHECK struct err *json_strlist(const struct json *value, const char *what,
				    struct strlist *ret_list);

/*
 * Writing: keys and values alternate inside an object, commas and quoting are the writer's. Errors
 * (memory, wrong nesting) are kept and returned by json_out_take(). Text that is not UTF-8 has its
 * bad bytes replaced by U+FFFD.
 */
struct json_out;

MUST_CHECK struct err *json_out_new(bool pretty, struct json_out **ret_out);
void json_out_free(struct json_out *out);
OWN_KIND(json_out, struct json_out *, json_out_free)

void json_out_object(struct json_out *out);
void json_out_array(struct json_out *out);
void json_out_end_object(struct json_out *out);
void json_out_end_array(struct json_out *out);
void json_out_key(struct json_out *out, const char *key);
void json_out_string(struct json_out *out, const char *text); /* NULL writes null */
void json_out_u64(struct json_out *out, uint64_t value);
void json_out_i64(struct json_out *out, int64_t value);
void json_out_double(struct json_out *out, double value);
void json_out_bool(struct json_out *out, bool value);
/* A parsed value, copied as it is. */
void json_out_value(struct json_out *out, const struct json *value);
/* The text so far (no newline at the end unless pretty); *ret_text is owned by the caller. */
MUST_CHECK struct err *json_out_take(struct json_out *out, char **ret_text);

#endif
