/* Writing JSON through yajl's generator; the first error is kept until json_out_take(). */
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yajl/yajl_gen.h>

struct json_out {
	yajl_gen gen;
	yajl_gen_status status;
};

static void note(struct json_out *out, yajl_gen_status status)
{
	if (out->status == yajl_gen_status_ok && status != yajl_gen_generation_complete)
		out->status = status;
}

struct err *json_out_new(bool pretty, struct json_out **ret_out)
{
	OWN(json_out) struct json_out *out = calloc(1, sizeof(*out));

	if (!out)
		return err_sys(ENOMEM, "write JSON");
	out->gen = yajl_gen_alloc(NULL);
	if (!out->gen)
		return err_sys(ENOMEM, "write JSON");
	if (pretty) {
		yajl_gen_config(out->gen, yajl_gen_beautify, 1);
		yajl_gen_config(out->gen, yajl_gen_indent_string, "  ");
	}
	*ret_out = TAKE(out);
	return NULL;
}

void json_out_free(struct json_out *out)
{
	if (!out)
		return;
	if (out->gen)
		yajl_gen_free(out->gen);
	free(out);
}

void json_out_object(struct json_out *out)
{
	note(out, yajl_gen_map_open(out->gen));
}

void json_out_array(struct json_out *out)
{
	note(out, yajl_gen_array_open(out->gen));
}

void json_out_end_object(struct json_out *out)
{
	note(out, yajl_gen_map_close(out->gen));
}

void json_out_end_array(struct json_out *out)
{
	note(out, yajl_gen_array_close(out->gen));
}

/* Length of the valid UTF-8 sequence at s, 0 when it is not one. */
static size_t utf8_len(const unsigned char *s)
{
	static const unsigned char first_second[][3] = {
		/* lead byte with a restricted second byte: Unicode table 3-7 */
		{ 0xe0, 0xa0, 0xbf },
		{ 0xed, 0x80, 0x9f },
		{ 0xf0, 0x90, 0xbf },
		{ 0xf4, 0x80, 0x8f },
	};
	size_t len = *s < 0x80		      ? 1 :
		     *s >= 0xc2 && *s <= 0xdf ? 2 :
		     (*s & 0xf0) == 0xe0      ? 3 :
		     *s >= 0xf0 && *s <= 0xf4 ? 4 :
						0;

	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	for (size_t i = 0; i < ARRAY_SIZE(first_second); i++)
		if (*s == first_second[i][0] &&
		    (s[1] < first_second[i][1] || s[1] > first_second[i][2]))
			return 0;
	return len;
}

static void put_text(struct json_out *out, const char *text)
{
	OWN(buf) struct buf clean = { 0 };

	for (const unsigned char *c = (const unsigned char *)text; *c;) {
		size_t len = utf8_len(c);
		struct err *err =
			len ? buf_add(&clean, c, len) : buf_add(&clean, "\xef\xbf\xbd", 3);

		if (err) {
			err_drop(err); /* reported by json_out_take() */
			note(out, yajl_gen_invalid_string);
			return;
		}
		c += len ? len : 1;
	}
	note(out, yajl_gen_string(out->gen, (const unsigned char *)(clean.data ? clean.data : ""),
				  clean.len));
}

void json_out_key(struct json_out *out, const char *key)
{
	put_text(out, key);
}

void json_out_string(struct json_out *out, const char *text)
{
	if (text)
		put_text(out, text);
	else
		note(out, yajl_gen_null(out->gen));
}

static void put_number(struct json_out *out, const char *text)
{
	note(out, yajl_gen_number(out->gen, text, strlen(text)));
}

void json_out_u64(struct json_out *out, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%ju", (uintmax_t)value);
	put_number(out, text);
}

void json_out_i64(struct json_out *out, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%jd", (intmax_t)value);
	put_number(out, text);
}

void json_out_double(struct json_out *out, double value)
{
	note(out, yajl_gen_double(out->gen, value));
}

void json_out_bool(struct json_out *out, bool value)
{
	note(out, yajl_gen_bool(out->gen, value));
}

void json_out_value(struct json_out *out, const struct json *value)
{
	switch (value->type) {
	case JSON_NULL:
		json_out_string(out, NULL);
		return;
	case JSON_BOOL:
		json_out_bool(out, value->truth);
		return;
	case JSON_NUMBER:
		put_number(out, value->text);
		return;
	case JSON_STRING:
		json_out_string(out, value->text);
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
	case JSON_TYPE_COUNT:
		break;
	}
	note(out, value->type == JSON_OBJECT ? yajl_gen_map_open(out->gen) :
					       yajl_gen_array_open(out->gen));
	for (const struct json *item = value->child; item; item = item->next) {
		if (item->key)
			json_out_key(out, item->key);
		json_out_value(out, item);
	}
	note(out, value->type == JSON_OBJECT ? yajl_gen_map_close(out->gen) :
					       yajl_gen_array_close(out->gen));
}

struct err *json_out_take(struct json_out *out, char **ret_text)
{
	const unsigned char *text;
	char *copy;
	size_t len;

	if (out->status != yajl_gen_status_ok)
		return err_new(ERR_INVALID, "write JSON: generator status %d", (int)out->status);
	yajl_gen_get_buf(out->gen, &text, &len);
	copy = malloc(len + 1);
	if (!copy)
		return err_sys(ENOMEM, "write JSON");
	memcpy(copy, text, len);
	copy[len] = '\0';
	*ret_text = copy;
	return NULL;
}
