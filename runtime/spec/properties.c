/* The list of all properties, walked out of the tables: for the manual, and for `features` to ask.
 */
#include <string.h>

#include "runtime/spec/tables.h"

static const char *state_of(const struct field *field)
{
	if (!field->parse)
		return "ignored";
	return field->parse == field_refuse ? "refused" : "implemented";
}

static struct err *list_table(const struct field_table *table, const char *prefix,
			      struct buf *lines)
{
	static const char *const shapes[] = {
		[FIELD_ONE] = ".",
		[FIELD_LIST] = "[].",
		[FIELD_MAP] = ".NAME.",
	};

	for (size_t i = 0; i < table->count; i++) {
		const struct field *field = &table->rows[i];
		OWN(str) char *inner = NULL;

		TRY(buf_format(lines, "%s%s\t%s%s%s\n", prefix, field->name, state_of(field),
			       field->why ? "\t" : "", field->why ? field->why : ""));
		if (!field->table)
			continue;
		TRY(str_format(&inner, "%s%s%s", prefix, field->name, shapes[field->shape]));
		TRY(list_table(field->table, inner, lines));
	}
	return NULL;
}

struct err *spec_properties_text(char **ret_text)
{
	OWN(buf) struct buf lines = { 0 };

	TRY(list_table(&spec_table, "", &lines));
	for (size_t i = 0; i < annotation_count; i++)
		TRY(buf_format(
			&lines, "annotations.%s%s\timplemented\t%s\n", annotation_table[i].name,
			annotation_table[i].name[strlen(annotation_table[i].name) - 1] == '.' ?
				"NAME" :
				"",
			annotation_table[i].what));
	return buf_take(&lines, ret_text);
}

bool spec_property_is_used(const char *name)
{
	const struct field_table *table = &spec_table;
	const struct field *field = NULL;
	char part[64];

	while (table && *name) {
		size_t len = strcspn(name, ".");

		if (len >= sizeof(part))
			return false;
		memcpy(part, name, len);
		part[len] = '\0';
		field = fields_find(table, part);
		if (!field || !field->parse || field->parse == field_refuse)
			return false;
		table = field->table;
		name += len;
		name += *name == '.';
	}
	return field && !*name;
}
