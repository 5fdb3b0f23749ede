/* config-linux.md "Network Devices": which devices of the host move into the container, and their
 * names there. */
#include <net/if.h>
#include <string.h>

#include "runtime/spec/tables.h"

/* clang-format off */
static const struct field net_device_rows[] = {
	{ "name", field_line, AT(net_device, name) },
};
const struct field_table net_device_table = FIELD_TABLE(net_device_rows);
/* clang-format on */

/* What the kernel's dev_valid_name() takes; a new name may have one "%d" that it fills in. */
static bool is_valid_name(const char *name, bool is_template)
{
	const char *percent = strchr(name, '%');

	if (!*name || strlen(name) >= IFNAMSIZ || str_eq(name, ".") || str_eq(name, ".."))
		return false;
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '/' || *c == ':')
			return false;
	return !percent || (is_template && percent[1] == 'd' && !strchr(percent + 1, '%'));
}

/* Two devices of one name would fail half way; templates get numbers. */
static bool is_taken(const struct spec *spec, size_t index)
{
	const struct net_device *device = &spec->net_devices[index];
	const char *name = device->name ? device->name : device->host_name;

	if (strchr(name, '%'))
		return false;
	for (size_t i = 0; i < index; i++) {
		const struct net_device *other = &spec->net_devices[i];

		if (str_eq(name, other->name ? other->name : other->host_name))
			return true;
	}
	return false;
}

struct err *parse_net_devices(const struct json *value, const struct field *field, void *out)
{
	struct spec *spec = out;
	void *items = NULL;

	TRY(json_expect(value, JSON_OBJECT));
	TRY(field_room(value, sizeof(*spec->net_devices), &items));
	spec->net_devices = items;
	for (const struct json *item = value->child; item; item = item->next) {
		struct net_device *device = &spec->net_devices[spec->net_device_count++];

		TRY(str_dup(item->key, &device->host_name));
		if (item->type != JSON_NULL)
			TRY(fields_parse(field->table, item, device));
		if (!is_valid_name(item->key, false))
			return json_err(item, ERR_INVALID, "is not the name of a network device");
		if (device->name && !is_valid_name(device->name, true))
			return json_err(json_get(item, "name"), ERR_INVALID,
					"'%.64s' is not the name of a network device",
					device->name);
		if (is_taken(spec, spec->net_device_count - 1))
			return json_err(item, ERR_INVALID, "another device has its new name");
	}
	return NULL;
}
