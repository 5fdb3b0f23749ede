#!/bin/bash
# the systemd driver: scopes with their slice, limits, properties; changed, reloaded, collected
# timeout: 240
# shellcheck disable=SC2016 # the variables are jq's or the container's
. "$(dirname "$0")/lib.sh"
[ -d /run/systemd/system ] || skip_rest "systemd does not run here"
has_controllers memory cpu pids || skip_rest "not all controllers of cgroup v2 here"

soci() { "${CELLA_OCI:-cella-oci}" --root "$OCI_ROOT" --systemd-cgroup "$@"; }
slice=cellatest-$$.slice
cleanup systemctl stop cellatest.slice
make_bundle b '.linux.cgroupsPath = $path | .linux.resources += {
	memory: { limit: 67108864 }, cpu: { quota: 25500, period: 100000, cpus: "0" }, pids: { limit: 33 } }
	| .annotations = { "org.systemd.property.TimeoutStopSec": "7",
		"org.systemd.property.KillSignal": "int32 37",
		"org.systemd.property.After": "['"'basic.target'"']" }' --arg path "$slice:test:box"
cleanup soci delete --force box
soci create --bundle b box </dev/null >create.out 2>&1 || { cat create.out && false; }
soci start box
pid=$(pid_of box)
cgroup=$(cgroup_of "$pid")
shows() { systemctl show --property "$1" --value test-box.scope; }

is "the scope lies in its slices" "$cgroup" "/sys/fs/cgroup/cellatest.slice/$slice/test-box.scope"
is "slice" "$(shows Slice)" "$slice"
is "delegated" "$(shows Delegate)" yes
is "memory" "$(shows MemoryMax)" 67108864
is "tasks" "$(shows TasksMax)" 33
is "quota" "$(shows CPUQuotaPerSecUSec)" 255ms
is "cpus" "$(shows AllowedCPUs)" 0
is "a property in seconds" "$(shows TimeoutStopUSec)" 7s
is "a property with its type" "$(shows KillSignal)" 37
like "a list" "$(shows After)" 'basic\.target'
is "the files say it too" "$(cat "$cgroup"/{memory.max,cpu.max,pids.max})" "$(printf '%s\n' 67108864 '25500 100000' 33)"

jq -n '{ memory: { limit: 134217728 }, cpu: { quota: 33300, period: 100000 } }' | soci update --resources - box
is "update: systemd knows" "$(shows MemoryMax)" 134217728
is "update: the kernel knows" "$(cat "$cgroup/memory.max")" 134217728
systemctl daemon-reload
sleep 0.5
is "a reload keeps the memory limit" "$(cat "$cgroup/memory.max")" 134217728
is "and the tasks" "$(cat "$cgroup/pids.max")" 33
soci pause box
like "paused" "$(cat "$cgroup/cgroup.events")" 'frozen 1'
soci resume box
soci exec box true
soci kill box KILL
wait_for 5 gone "$pid"
soci delete box
check "the cgroup is gone" test ! -e "$cgroup"
is "the unit is not loaded any more" "$(systemctl list-units --all --no-legend 'test-box.scope')" ""

check_fails "a property that is no GVariant" 'GVariant' bash -c "
	jq '.annotations = { \"org.systemd.property.TimeoutStopSec\": \"soon\" }' b/config.json >c && mv c b/config.json &&
	'${CELLA_OCI:-cella-oci}' --root '$OCI_ROOT' --systemd-cgroup create --bundle b box </dev/null"
check_fails "a property that systemd refuses" 'systemd' bash -c "
	jq '.annotations = { \"org.systemd.property.NoSuchThing\": \"true\" }' b/config.json >c && mv c b/config.json &&
	'${CELLA_OCI:-cella-oci}' --root '$OCI_ROOT' --systemd-cgroup create --bundle b box </dev/null"
is "no container is left" "$(oci list -q)" ""

edit_bundle b 'del(.annotations) | .linux.cgroupsPath = "::box+1"'
soci create --bundle b box+1 </dev/null >create.out 2>&1 || { cat create.out && false; }
like "a name is escaped, a slice has a default" "$(cgroup_of "$(pid_of box+1)")" '/system.slice/box\\x2b1.scope$'
kill -KILL "$(pid_of box+1)"
soci delete --force box+1
