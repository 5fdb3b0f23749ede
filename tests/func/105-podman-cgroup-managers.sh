#!/bin/bash
# both of podman's control group managers, and none
# timeout: 600
# host: no
. "$(dirname "$0")/podman.sh"

for manager in systemd cgroupfs; do
	if [ $manager = systemd ] && [ ! -d /run/systemd/system ]; then
		skip "$manager" "systemd is not the init here"
		continue
	fi
	name=cella-$manager
	names $name
	podman --cgroup-manager $manager run -d --name $name --network none --memory 48m $image sleep 300 >/dev/null
	id=$(inspect $name '{{.Id}}')
	cgroup=$(cgroup_of "$(inspect $name '{{.State.Pid}}')")
	if [ $manager = systemd ]; then
		like "systemd: a scope in machine.slice" "$cgroup" "/machine.slice/libpod-$id.scope"
		is "systemd: it knows the unit" "$(systemctl show --property ActiveState --value "libpod-$id.scope")" active
		like "systemd: and its limit" "$(systemctl show --property MemoryMax --value "libpod-$id.scope")" 50331648
	else
		like "cgroupfs: below libpod_parent" "$cgroup" "/libpod_parent/libpod-$id"
	fi
	is "$manager: the limit is there" "$(cat "${cgroup%/container}/memory.max")" 50331648
	is "$manager: the container sees its own root" "$(podman exec $name cat /proc/self/cgroup)" 0::/
	podman --cgroup-manager $manager update --memory 50m $name >/dev/null
	is "$manager: update" "$(cat "${cgroup%/container}/memory.max")" 52428800
	podman rm --force --time 0 $name >/dev/null
	check "$manager: nothing is left" test ! -e "$cgroup"
done
is "--cgroups=disabled stays in ours" "$(podman run --rm --network none --cgroups=disabled --cgroupns host $image sed 's/.*:://' /proc/self/cgroup)" \
	"$(sed -n 's/^0:://p' /proc/self/cgroup)"
