/*
 * Scopes through systemd's D-Bus interface; the verbs of cella-helper. Sources:
 * org.freedesktop.systemd1(5), systemd's "Control Group APIs and Delegation", sd-bus(3).
 */
#include "cgroups/cgroups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "base/parse.h"
#include "base/str.h"
#include "cgroups/gvariant.h"

#define SERVICE "org.freedesktop.systemd1"
#define OBJECT "/org/freedesktop/systemd1"
#define INTERFACE "org.freedesktop.systemd1.Manager"
/* Patience with systemd for one call or job, in microseconds. */
#define PATIENCE_US (30 * UINT64_C(1000000))

OWN_KIND(bus, sd_bus *, sd_bus_flush_close_unref)
OWN_KIND(message, sd_bus_message *, sd_bus_message_unref)
OWN_KIND(slot, sd_bus_slot *, sd_bus_slot_unref)

/* --- connecting --- */

/* systemd listens on a socket of its own as well: good enough where no D-Bus daemon runs. */
static int connect_directly(bool is_user, sd_bus **ret_bus)
{
	const char *dir = is_user ? getenv("XDG_RUNTIME_DIR") : "/run";
	OWN(bus) sd_bus *bus = NULL;
	OWN(str) char *address = NULL;
	int failed;

	if (!dir || asprintf(&address, "unix:path=%s/systemd/private", dir) < 0)
		return -ENOENT;
	failed = sd_bus_new(&bus);
	if (failed >= 0)
		failed = sd_bus_set_address(bus, address);
	if (failed >= 0)
		failed = sd_bus_start(bus);
	if (failed >= 0)
		*ret_bus = TAKE(bus);
	return failed;
}

static struct err *connect_manager(const char *manager, sd_bus **ret_bus)
{
	bool is_user = str_eq(manager, "user");
	int failed;

	if (!is_user && !str_eq(manager, "system"))
		return err_new(ERR_INVALID, "the manager is system or user, not '%.32s'", manager);
	failed = is_user ? sd_bus_open_user(ret_bus) : sd_bus_open_system(ret_bus);
	if (failed < 0 && connect_directly(is_user, ret_bus) < 0)
		return err_sys(-failed, "connect to the %s's systemd%s", manager,
			       is_user ? " (is the user logged in, or lingering?)" : "");
	return NULL;
}

/* --- properties --- */

static int append_item(sd_bus_message *message, char type, const union variant_item *item)
{
	uint8_t byte = (uint8_t)item->number;
	uint16_t half = (uint16_t)item->number;
	uint32_t word = (uint32_t)item->number;
	int truth = item->number != 0;

	switch (type) {
	case 's':
	case 'o':
	case 'g':
		return sd_bus_message_append_basic(message, type, item->text);
	case 'y':
		return sd_bus_message_append_basic(message, type, &byte);
	case 'n':
	case 'q':
		return sd_bus_message_append_basic(message, type, &half);
	case 'i':
	case 'u':
		return sd_bus_message_append_basic(message, type, &word);
	case 'b':
		return sd_bus_message_append_basic(message, type, &truth);
	case 'd':
		return sd_bus_message_append_basic(message, type, &item->real);
	default: /* 'x', 't': the only ones left of gvariant.c's table */
		return sd_bus_message_append_basic(message, type, &item->number);
	}
}

/* The contents of a "v". */
static int append_variant(sd_bus_message *message, const struct variant *value)
{
	char element[] = { value->type, '\0' }, array[] = { 'a', value->type, '\0' };
	int failed = sd_bus_message_open_container(message, 'v', value->is_array ? array : element);

	if (failed >= 0 && value->is_array)
		failed = sd_bus_message_open_container(message, 'a', element);
	for (size_t i = 0; failed >= 0 && i < value->count; i++)
		failed = append_item(message, value->type, &value->items[i]);
	if (failed >= 0 && value->is_array)
		failed = sd_bus_message_close_container(message);
	return failed < 0 ? failed : sd_bus_message_close_container(message);
}

static struct err *append_property(sd_bus_message *message, const char *property)
{
	OWN(str) char *name = NULL;
	OWN(variant) struct variant value = { 0 };
	int failed;

	TRY(property_parse(property, &name, &value));
	failed = sd_bus_message_open_container(message, 'r', "sv");
	if (failed >= 0)
		failed = sd_bus_message_append_basic(message, 's', name);
	if (failed >= 0)
		failed = append_variant(message, &value);
	if (failed >= 0)
		failed = sd_bus_message_close_container(message);
	return failed < 0 ? err_sys(-failed, "unit property %s", name) : NULL;
}

/* The array "a(sv)" of our own rows and then the caller's. */
static struct err *append_properties(sd_bus_message *message, const struct strlist *own,
				     char *const *more)
{
	int failed = sd_bus_message_open_container(message, 'a', "(sv)");

	if (failed < 0)
		return err_sys(-failed, "begin the unit's properties");
	for (size_t i = 0; i < own->count; i++)
		TRY(append_property(message, own->items[i]));
	for (; *more; more++)
		TRY(append_property(message, *more));
	failed = sd_bus_message_close_container(message);
	return failed < 0 ? err_sys(-failed, "end the unit's properties") : NULL;
}

/* --- calls and jobs --- */

static struct err *new_call(sd_bus *bus, const char *method, sd_bus_message **ret_message)
{
	int failed = sd_bus_message_new_method_call(bus, ret_message, SERVICE, OBJECT, INTERFACE,
						    method);

	return failed < 0 ? err_sys(-failed, "make a call of %s", method) : NULL;
}

/* missing_error: a D-Bus error name that means "nothing to do", or NULL; *ret_reply stays NULL
 * then. */
static struct err *call(sd_bus *bus, sd_bus_message *message, const char *missing_error,
			sd_bus_message **ret_reply)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct err *err = NULL;

	if (sd_bus_call(bus, message, PATIENCE_US, &error, ret_reply) < 0 &&
	    !(missing_error && sd_bus_error_has_name(&error, missing_error)))
		err = err_new(ERR_PEER, "systemd: %s",
			      error.message ? error.message :
					      strerror(sd_bus_error_get_errno(&error)));
	sd_bus_error_free(&error);
	return err;
}

struct job {
	const char *path; /* NULL until the call that makes the job was answered */
	char *result;	  /* owned */
};

static int on_job_removed(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct job *job = data;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) < 0)
		return 0;
	if (job->path && str_eq(job->path, path) && !job->result)
		job->result = strdup(result);
	return 0;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct err *wait_job(sd_bus *bus, struct job *job)
{
	uint64_t end_us = now_us() + PATIENCE_US;

	while (!job->result) {
		int did = sd_bus_process(bus, NULL);
		uint64_t at_us = now_us();

		if (did < 0)
			return err_sys(-did, "listen to systemd");
		if (did > 0)
			continue;
		if (at_us >= end_us)
			return err_sys(ETIMEDOUT, "wait for systemd's job");
		did = sd_bus_wait(bus, end_us - at_us);
		if (did < 0 && did != -EINTR)
			return err_sys(-did, "listen to systemd");
	}
	if (str_eq(job->result, "done"))
		return NULL;
	return err_new(ERR_PEER, "systemd: the job ended as '%s'", job->result);
}

/* A call that answers with the path of a job, and that job to its end. */
static struct err *call_and_wait(sd_bus *bus, sd_bus_message *message, const char *missing_error)
{
	OWN(message) sd_bus_message *reply = NULL;
	OWN(slot) sd_bus_slot *slot = NULL;
	struct job job = { 0 };
	struct err *err;
	int failed;

	/* before the call: a job can end sooner than we read its name; sd_bus_call() queues what
	 * comes */
	failed = sd_bus_match_signal(bus, &slot, SERVICE, OBJECT, INTERFACE, "JobRemoved",
				     on_job_removed, &job);
	if (failed < 0)
		return err_sys(-failed, "subscribe to systemd's jobs");
	TRY(call(bus, message, missing_error, &reply));
	if (!reply)
		return NULL;
	failed = sd_bus_message_read(reply, "o", &job.path);
	if (failed < 0)
		return err_sys(-failed, "read systemd's answer");
	err = wait_job(bus, &job);
	free(job.result);
	return err;
}

/* A unit of this name that failed earlier would be in the way. */
static struct err *reset_failed(sd_bus *bus, const char *unit)
{
	OWN(message) sd_bus_message *message = NULL, *reply = NULL;
	int failed;

	TRY(new_call(bus, "ResetFailedUnit", &message));
	failed = sd_bus_message_append(message, "s", unit);
	if (failed < 0)
		return err_sys(-failed, "name unit %s", unit);
	return call(bus, message, SERVICE ".NoSuchUnit", &reply);
}

/* --- the verbs --- */

static struct err *check_words(char *const *argv, size_t least, const char *usage)
{
	for (size_t i = 0; i < least; i++)
		if (!argv[i])
			return err_new(ERR_INVALID, "usage: cella-helper %s", usage);
	return NULL;
}

/* NAME='TEXT', whatever is in the text: escaped slices have backslashes. */
static struct err *add_text(struct strlist *list, const char *name, const char *text)
{
	OWN(buf) struct buf quoted = { 0 };

	TRY(buf_add(&quoted, "", 0));
	for (; *text; text++)
		TRY(buf_format(&quoted, "%s%c", strchr("'\\", *text) ? "\\" : "", *text));
	return strlist_format(list, "%s='%s'", name, quoted.data);
}

/* Properties that make a scope a container's: delegated, and gone when it is empty. */
static struct err *scope_properties(const char *slice, const char *pid, const char *description,
				    struct strlist *list)
{
	uint64_t number;

	TRY(parse_u64("process", pid, 1, INT32_MAX, &number));
	TRY(add_text(list, "Slice", slice));
	TRY(add_text(list, "Description", description));
	TRY(strlist_format(list, "PIDs=@au [%s]", pid));
	TRY(strlist_add(list, "Delegate=true"));
	/* the caller, not the order of shutdown, decides when it stops */
	TRY(strlist_add(list, "DefaultDependencies=false"));
	return strlist_add(list, "CollectMode='inactive-or-failed'");
}

struct err *cgroup_scope_start(char *const *argv)
{
	OWN(bus) sd_bus *bus = NULL;
	OWN(message) sd_bus_message *message = NULL;
	OWN(strlist) struct strlist own = { 0 };
	int failed;

	TRY(check_words(argv, 5, "scope-start MANAGER UNIT SLICE PID DESCRIPTION [PROPERTY]..."));
	TRY(scope_properties(argv[2], argv[3], argv[4], &own));
	TRY(connect_manager(argv[0], &bus));
	TRY(reset_failed(bus, argv[1]));
	TRY(new_call(bus, "StartTransientUnit", &message));
	failed = sd_bus_message_append(message, "ss", argv[1], "fail");
	if (failed < 0)
		return err_sys(-failed, "name unit %s", argv[1]);
	TRY(append_properties(message, &own, argv + 5));
	failed = sd_bus_message_append(message, "a(sa(sv))", 0);
	if (failed < 0)
		return err_sys(-failed, "end the call");
	return call_and_wait(bus, message, NULL);
}

struct err *cgroup_scope_set(char *const *argv)
{
	OWN(bus) sd_bus *bus = NULL;
	OWN(message) sd_bus_message *message = NULL, *reply = NULL;
	struct strlist none = { 0 };
	int failed;

	TRY(check_words(argv, 2, "scope-set MANAGER UNIT [PROPERTY]..."));
	TRY(connect_manager(argv[0], &bus));
	TRY(new_call(bus, "SetUnitProperties", &message));
	/* true: for this boot, which a transient unit does not outlive anyway */
	failed = sd_bus_message_append(message, "sb", argv[1], 1);
	if (failed < 0)
		return err_sys(-failed, "name unit %s", argv[1]);
	TRY(append_properties(message, &none, argv + 2));
	return call(bus, message, NULL, &reply);
}

struct err *cgroup_scope_stop(char *const *argv)
{
	OWN(bus) sd_bus *bus = NULL;
	OWN(message) sd_bus_message *message = NULL;
	int failed;

	TRY(check_words(argv, 2, "scope-stop MANAGER UNIT"));
	TRY(connect_manager(argv[0], &bus));
	TRY(new_call(bus, "StopUnit", &message));
	failed = sd_bus_message_append(message, "ss", argv[1], "replace");
	if (failed < 0)
		return err_sys(-failed, "name unit %s", argv[1]);
	return call_and_wait(bus, message, SERVICE ".NoSuchUnit");
}
