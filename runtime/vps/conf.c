/* NAME.conf as lines; see conf.h. The grammar is what vzctl's own parser and a shell's "." both
 * read the same way. */
#include "runtime/vps/conf.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static void line_release(struct conf_line *line)
{
	free(line->text);
	free(line->key);
	free(line->value);
	*line = (struct conf_line){ 0 };
}

void conf_file_release(struct conf_file *file)
{
	for (size_t i = 0; i < file->count; i++)
		line_release(&file->lines[i]);
	free(file->lines);
	*file = (struct conf_file){ 0 };
}

/* *ret_line: the new last line, empty; borrowed. */
static struct err *add_line(struct conf_file *file, struct conf_line **ret_line)
{
	struct conf_line *lines = reallocarray(file->lines, file->count + 1, sizeof(*lines));

	if (!lines)
		return err_sys(ENOMEM, "keep a configuration line");
	file->lines = lines;
	lines[file->count] = (struct conf_line){ 0 };
	*ret_line = &lines[file->count++];
	return NULL;
}

static size_t key_len(const char *text)
{
	size_t len = 0;

	if (!isalpha((unsigned char)text[0]) && text[0] != '_')
		return 0;
	while (isalnum((unsigned char)text[len]) || text[len] == '_')
		len++;
	return len;
}

/* The value after "=": quoted or one bare word, then nothing but a comment. */
static const char *value_span(const char *at, size_t *ret_len)
{
	const char *start = at, *rest;

	if (*at == '"' || *at == '\'') {
		const char *end = strchr(at + 1, *at);

		if (!end)
			return NULL;
		start = at + 1;
		*ret_len = (size_t)(end - start);
		rest = end + 1;
	} else {
		*ret_len = strcspn(at, " \t#\"'");
		rest = at + *ret_len;
	}
	if (*rest && *rest != ' ' && *rest != '\t')
		return NULL;
	rest += strspn(rest, " \t");
	return *rest == '\0' || *rest == '#' ? start : NULL;
}

static struct err *parse_line(const char *text, struct conf_line *line)
{
	const char *at = text + strspn(text, " \t"), *value;
	size_t len;

	TRY(str_dup(text, &line->text));
	if (*at == '\0' || *at == '#')
		return NULL;
	len = key_len(at);
	if (len == 0 || len > 128 || at[len] != '=')
		return err_new(ERR_INVALID, "not a KEY=\"VALUE\" line");
	TRY(str_dup_span(at, len, &line->key));
	value = value_span(at + len + 1, &len);
	if (!value)
		return err_new(ERR_INVALID, "the value of %s is not properly quoted", line->key);
	if (len > CONF_VALUE_MAX)
		return err_new(ERR_INVALID, "the value of %s is longer than %zu bytes", line->key,
			       CONF_VALUE_MAX);
	return str_dup_span(value, len, &line->value);
}

static struct err *check_bytes(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)text[i]) && text[i] != '\t')
			return err_new(ERR_INVALID, "a control character (byte %zu)", i + 1);
	return NULL;
}

struct err *conf_file_parse(const char *text, size_t len, struct conf_file *ret_file)
{
	OWN(conf_file) struct conf_file file = { 0 };
	size_t at = 0;

	if (len > CONF_FILE_MAX)
		return err_new(ERR_INVALID, "the file is larger than %zu bytes", CONF_FILE_MAX);
	while (at < len) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t line_len = (end ? (size_t)(end - text) : len) - at;
		OWN(str) char *copy = NULL;
		struct conf_line *line;
		struct err *err = check_bytes(text + at, line_len);

		if (!err)
			err = str_dup_span(text + at, line_len, &copy);
		if (!err)
			err = add_line(&file, &line);
		if (!err)
			err = parse_line(copy, line);
		if (err)
			return err_wrap(err, "line %zu", file.count + (copy ? 0 : 1));
		at += line_len + 1;
	}
	*ret_file = file;
	file = (struct conf_file){ 0 };
	return NULL;
}

static struct conf_line *find(const struct conf_file *file, const char *key)
{
	struct conf_line *found = NULL;

	for (size_t i = 0; i < file->count; i++) {
		const char *has = file->lines[i].key;

		/* each of many keys is looked for in each of many files */
		if (has && *has == *key && str_eq(has, key))
			found = &file->lines[i];
	}
	return found;
}

const char *conf_file_get(const struct conf_file *file, const char *key)
{
	const struct conf_line *line = find(file, key);

	return line ? line->value : NULL;
}

size_t conf_file_line(const struct conf_file *file, const char *key)
{
	const struct conf_line *line = find(file, key);

	return line ? (size_t)(line - file->lines) + 1 : 0;
}

static void remove_key(struct conf_file *file, const char *key)
{
	size_t kept = 0;

	for (size_t i = 0; i < file->count; i++) {
		if (file->lines[i].key && str_eq(file->lines[i].key, key))
			line_release(&file->lines[i]);
		else
			file->lines[kept++] = file->lines[i];
	}
	file->count = kept;
}

struct err *conf_file_set(struct conf_file *file, const char *key, const char *value)
{
	struct conf_line *line = find(file, key);
	OWN(str) char *copy = NULL;

	if (!value) {
		remove_key(file, key);
		return NULL;
	}
	if (strpbrk(value, "\"'`$\\"))
		return err_new(ERR_INVALID,
			       "%s: '%.40s': quotes, backquotes, $ and backslashes cannot stand in "
			       "a value",
			       key, value);
	TRY(err_wrap(check_bytes(value, strlen(value)), "%s", key));
	if (strlen(value) > CONF_VALUE_MAX)
		return err_new(ERR_INVALID, "%s: the value is longer than %zu bytes", key,
			       CONF_VALUE_MAX);
	if (line && str_eq(line->value, value))
		return NULL;
	TRY(str_dup(value, &copy));
	if (!line) {
		TRY(add_line(file, &line));
		TRY(str_dup(key, &line->key));
	}
	free(line->text);
	line->text = NULL;
	free(line->value);
	line->value = TAKE(copy);
	return NULL;
}

struct err *conf_file_format(const struct conf_file *file, struct buf *text)
{
	for (size_t i = 0; i < file->count; i++) {
		const struct conf_line *line = &file->lines[i];

		if (line->text)
			TRY(buf_format(text, "%s\n", line->text));
		else
			TRY(buf_format(text, "%s=\"%s\"\n", line->key, line->value));
	}
	return NULL;
}

struct err *conf_file_copy(const struct conf_file *file, struct conf_file *ret_copy)
{
	OWN(buf) struct buf text = { 0 };

	TRY(conf_file_format(file, &text));
	return conf_file_parse(text.data ? text.data : "", text.len, ret_copy);
}
