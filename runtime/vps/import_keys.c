/* What the readers of other systems' configurations share; see import_keys.h. */
#include "runtime/vps/import_keys.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t\r"

void vps_import_report_release(struct vps_import_report *report)
{
	for (size_t i = 0; i < report->note_count; i++) {
		free(report->notes[i].line);
		free(report->notes[i].why);
	}
	free(report->notes);
	*report = (struct vps_import_report){ 0 };
}

void import_init(struct import *import)
{
	*import = (struct import){ .dir_fd = -1 };
	vps_conf_init(&import->conf);
}

void import_release(struct import *import)
{
	for (size_t i = 0; i < import->nic_count; i++)
		net_port_release(&import->nics[i].port);
	vps_conf_release(&import->conf);
	vps_import_report_release(&import->report);
	free(import->root);
	own_fd(&import->dir_fd);
	import_init(import);
}

struct err *import_note(struct import *import, const char *why)
{
	struct vps_import_report *report = &import->report;
	struct vps_import_note *notes =
		reallocarray(report->notes, report->note_count + 1, sizeof(*notes));
	OWN(str) char *line = NULL, *reason = NULL;

	if (!notes)
		return err_sys(ENOMEM, "keep a note");
	report->notes = notes;
	TRY(str_escape(import->line, &line));
	TRY(str_escape(why, &reason));
	notes[report->note_count++] =
		(struct vps_import_note){ .line = TAKE(line), .why = TAKE(reason) };
	return NULL;
}

/* What is wrong with a value is told, and the rest goes on. */
static struct err *note_if_invalid(struct import *import, struct err *err)
{
	struct err *noted;

	if (!err || err_kind(err) != ERR_INVALID)
		return err;
	noted = import_note(import, err_text(err));
	err_drop(err); /* it is in the notes */
	return noted;
}

static bool stands_for(const struct import_key *row, const char *key)
{
	size_t len = strlen(row->name);

	return row->name[len - 1] == '*' ? strncmp(row->name, key, len - 1) == 0 :
					   str_eq(row->name, key);
}

struct err *import_take(struct import *import, const struct import_table *table, const char *key,
			const char *value)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct import_key *row = &table->keys[i];

		if (!stands_for(row, key))
			continue;
		return row->take ? note_if_invalid(import, row->take(import, row, value)) :
				   import_note(import, row->why);
	}
	return import_note(import, "cella does not know it");
}

struct err *import_put(struct import *import, const char *to, const char *fmt, ...)
{
	OWN(str) char *value = NULL;
	struct err *err;
	va_list args;

	va_start(args, fmt);
	err = str_format_args(&value, fmt, args);
	va_end(args);
	TRY(err);
	return vps_conf_set_key(to, value, &import->conf);
}

struct err *import_as_is(struct import *import, const struct import_key *key, const char *value)
{
	return import_put(import, key->to, "%s", value);
}

struct err *import_nothing(struct import *import, const struct import_key *key, const char *value)
{
	(void)import;
	(void)key;
	(void)value;
	return NULL;
}

/* *from to *from + *len without blanks at both ends. */
static void trim(const char **from, size_t *len)
{
	while (*len > 0 && strchr(BLANKS, **from)) {
		(*from)++;
		(*len)--;
	}
	while (*len > 0 && strchr(BLANKS, (*from)[*len - 1]))
		(*len)--;
}

struct err *import_split(const char *line, char separator, char **ret_key, char **ret_value)
{
	const char *middle = strchr(line, separator), *value;
	size_t key_len, value_len;

	*ret_key = *ret_value = NULL;
	if (!middle)
		return NULL;
	key_len = (size_t)(middle - line);
	value = middle + 1;
	value_len = strlen(value);
	trim(&line, &key_len);
	trim(&value, &value_len);
	TRY(str_format(ret_value, "%.*s", (int)value_len, value));
	return str_format(ret_key, "%.*s", (int)key_len, line);
}

struct err *import_lines(struct import *import, const char *text, size_t len,
			 struct err *(*take)(struct import *import, const char *line))
{
	for (const char *at = text, *end = text + len; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at)), *from = at;
		size_t line_len = (size_t)((newline ? newline : end) - at);
		OWN(str) char *line = NULL;
		struct err *err;

		at += line_len + 1;
		trim(&from, &line_len);
		if (line_len == 0 || *from == '#')
			continue;
		TRY(str_format(&line, "%.*s", (int)line_len, from));
		import->line = line;
		err = take(import, line);
		import->line = NULL;
		TRY(err);
	}
	return NULL;
}

/* --- interfaces --- */

struct err *import_nic(struct import *import, uint64_t number, struct import_nic **ret_nic)
{
	for (size_t i = 0; i < import->nic_count; i++)
		if (import->nics[i].number == number) {
			*ret_nic = &import->nics[i];
			return NULL;
		}
	if (import->nic_count == ARRAY_SIZE(import->nics))
		return err_new(ERR_INVALID, "it is of more than %d interfaces", NETIF_PORTS_MAX);
	*ret_nic = &import->nics[import->nic_count++];
	(*ret_nic)->number = number;
	return NULL;
}

static const struct nic_type {
	const char *name;
	enum net_mode mode;
	const char *why; /* not NULL: it is left out */
} nic_types[] = {
	{ "", NET_BRIDGED, NULL },
	{ "veth", NET_BRIDGED, NULL },
	{ "macvlan", NET_MACVLAN, NULL },
	{ "ipvlan", NET_IPVLAN, NULL },
	{ "empty", NET_NONE, "it is no interface" },
	{ "none", NET_NONE, "a VPS never has the network of its host" },
	{ "phys", NET_NONE, "an interface of the host's own is not given away" },
};

/* As the last one of conf.netifs, unless the rules for interfaces are against it. */
static struct err *add_nic(struct import *import, struct import_nic *nic)
{
	struct net_ports *ports = &import->conf.netifs;
	const struct nic_type *type = NULL;
	struct err *err;

	for (size_t i = 0; i < ARRAY_SIZE(nic_types); i++)
		if (str_eq(nic_types[i].name, nic->type))
			type = &nic_types[i];
	if (!type || type->why)
		return import_note(import, type ? type->why : "cella has no such interfaces");
	nic->port.mode = type->mode == NET_BRIDGED && !*nic->port.link ? NET_NONE : type->mode;
	if (!*nic->port.name)
		snprintf(nic->port.name, IFNAMSIZ, "eth%u", (unsigned int)(nic->number % 1000));
	TRY(net_ports_add_copy(ports, &nic->port));
	err = netif_check("it is left out", ports);
	if (err)
		net_port_release(&ports->items[--ports->count]);
	return note_if_invalid(import, err);
}

static struct err *add_nics(struct import *import)
{
	for (size_t i = 0; i < import->nic_count; i++) {
		struct import_nic *nic = &import->nics[i];
		OWN(str) char *line = NULL;
		struct err *err;

		TRY(str_format(&line, "interface %ju%s%s", (uintmax_t)nic->number,
			       *nic->type ? " of type " : "", nic->type));
		import->line = line;
		err = add_nic(import, nic);
		import->line = NULL;
		TRY(err);
	}
	return NULL;
}

/* --- whole files --- */

struct err *import_recognise(const char *text, size_t len, const struct import_system **ret_system)
{
	const char *at = text, *end = text + len;
	size_t line_len = 0;

	for (; at < end; at += line_len + 1) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		line_len = (size_t)((newline ? newline : end) - at);
		trim(&at, &line_len);
		if (line_len > 0 && *at != '#')
			break;
	}
	*ret_system = NULL;
	if (at >= end)
		return err_new(ERR_INVALID, "the configuration is empty");
	if (line_len > 4 && strncmp(at, "lxc.", 4) == 0)
		*ret_system = &import_lxc;
	for (size_t i = 0; i < line_len && !*ret_system; i++)
		*ret_system = at[i] == '=' ? &import_openvz : at[i] == ':' ? &import_proxmox : NULL;
	return *ret_system ? NULL :
			     err_new(ERR_INVALID,
				     "the configuration is none of OpenVZ's, LXC's, Proxmox's");
}

struct err *import_read(struct import *import, const struct import_system *system, const char *text,
			size_t len)
{
	if (len > CONF_FILE_MAX)
		return err_new(ERR_INVALID, "the configuration is larger than %zu bytes",
			       CONF_FILE_MAX);
	if (memchr(text, '\0', len))
		return err_new(ERR_INVALID, "the configuration is no text");
	import->report.system = system->name;
	TRY(system->read(import, text, len));
	return add_nics(import);
}
