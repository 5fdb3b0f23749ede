/* Registration with machined, so that machinectl shows a VPS; a verb of cella-helper. Source:
 * org.freedesktop.machine1(5). */
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/parse.h"
#include "cgroups/cgroups.h"

#define SERVICE "org.freedesktop.machine1"
#define OBJECT "/org/freedesktop/machine1"
#define INTERFACE "org.freedesktop.machine1.Manager"

OWN_KIND(bus, sd_bus *, sd_bus_flush_close_unref)

struct err *machine_register(char *const *argv)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	OWN(bus) sd_bus *bus = NULL;
	struct err *err = NULL;
	uint64_t leader;
	int failed;

	if (!argv[0] || !argv[1] || !argv[2] || argv[3])
		return err_new(ERR_INVALID, "usage: cella-helper machine-register NAME PID ROOT");
	TRY(parse_u64("PID", argv[1], 1, INT32_MAX, &leader));
	failed = sd_bus_open_system(&bus);
	if (failed < 0)
		return err_sys(-failed, "connect to the system's bus");
	/* one of an earlier life, before a reboot from inside: its leader is gone */
	sd_bus_call_method(bus, SERVICE, OBJECT, INTERFACE, "UnregisterMachine", NULL, NULL, "s",
			   argv[0]);
	failed = sd_bus_call_method(bus, SERVICE, OBJECT, INTERFACE, "RegisterMachine", &error,
				    NULL, "sayssus", argv[0], 0, "cella", "container",
				    (uint32_t)leader, argv[2]);
	if (failed < 0)
		err = err_new(ERR_PEER, "%s", error.message ? error.message : strerror(-failed));
	sd_bus_error_free(&error);
	return err;
}
