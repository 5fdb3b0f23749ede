#!/bin/bash
# linux.namespaces: each of the eight kinds new, the host's, and joined by path; hostname and domainname, timeOffsets
# timeout: 180
. "$(dirname "$0")/lib.sh"

kinds='pid:pid network:net ipc:ipc uts:uts mount:mnt cgroup:cgroup time:time user:user'
make_bundle b '.linux.namespaces += [{type: "user"}, {type: "time"}] | .hostname = "props-host" | .domainname = "props.example"
	| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}, {containerID: 5000, hostID: 300000, size: 1}]
	| .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 1000}]
	| .linux.timeOffsets = {monotonic: {secs: 1000, nanosecs: 7}, boottime: {secs: 90000, nanosecs: 5}}'
chown -R 100000:200000 b/rootfs
start_bundle props-ns b
pid=$(pid_of props-ns)
for kind in $kinds; do
	unlike "a new ${kind%:*} namespace" "$(ns_of "$pid" "${kind#*:}")" "^$(ns_of self "${kind#*:}" | sed 's/[][]/\\&/g')\$"
done
is "uidMappings" "$(xargs -n3 <"/proc/$pid/uid_map" | tr '\n' ' ')" "0 100000 1000 5000 300000 1 "
is "gidMappings" "$(xargs -n3 <"/proc/$pid/gid_map" | tr '\n' ' ')" "0 200000 1000 "
is "its root is the host's 100000" "$(proc_status "$pid" Uid | cut -f1)" 100000
is "and 200000" "$(proc_status "$pid" Gid | cut -f1)" 200000
is "hostname" "$(nsenter -t "$pid" -u uname -n)" props-host
is "domainname" "$(nsenter -t "$pid" -u cat /proc/sys/kernel/domainname)" props.example
like "timeOffsets.monotonic" "$(grep monotonic "/proc/$pid/timens_offsets")" '1000 +7$'
like "timeOffsets.boottime" "$(grep boottime "/proc/$pid/timens_offsets")" '90000 +5$'
up=$(nsenter -t "$pid" -T cut -d. -f1 /proc/uptime)
check "and the clock inside is that much later" test "$up" -ge $(($(cut -d. -f1 /proc/uptime) + 89990))

# another container in all of them, by path; a process of its own pid namespace
edit_bundle b '.linux.namespaces |= map(.path = "/proc/\($pid)/ns/" + ({network: "net", mount: "mnt"}[.type] // .type))
	| del(.linux.uidMappings, .linux.gidMappings, .linux.timeOffsets, .hostname, .domainname, .mounts, .linux.maskedPaths, .linux.readonlyPaths)' \
	--arg pid "$pid"
for joined in pid network ipc uts cgroup time; do # one at a time, without the user namespace that owns them
	jq --arg t "$joined" '.linux.namespaces |= map(select(.type == $t) // {type: .type}) | .linux.namespaces |= map(select(.type != "user"))' b/config.json >one.json
	cleanup oci delete --force "props-join-$joined"
	oci create --bundle b --config one.json "props-join-$joined" >join.out 2>&1 </dev/null || cat join.out
	name=$(tr ' ' '\n' <<<"$kinds" | sed -n "s/^$joined://p")
	is "joined: $joined" "$(ns_of "$(pid_of "props-join-$joined")" "$name")" "$(ns_of "$pid" "$name")"
	oci delete --force "props-join-$joined"
done
jq '.linux.namespaces |= map(select(.type != "mount" and .type != "pid" and .type != "time")) | .linux.namespaces += [{type: "mount"}, {type: "pid"}]' \
	b/config.json >user.json
cleanup oci delete --force props-join-user
oci create --bundle b --config user.json props-join-user >join.out 2>&1 </dev/null || cat join.out
is "joined: user" "$(ns_of "$(pid_of props-join-user)" user)" "$(ns_of "$pid" user)"
is "its mappings hold" "$(proc_status "$(pid_of props-join-user)" Uid | cut -f1)" 100000
oci delete --force props-join-user
# a mount namespace brings its own root
unshare -m --propagation private sleep 1000 &
holder=$!
cleanup kill $holder
wait_for 5 bash -c "[ \$(readlink /proc/$holder/ns/mnt) != \$(readlink /proc/self/ns/mnt) ]"
jq --arg path "/proc/$holder/ns/mnt" '.linux.namespaces = [{type: "mount", path: $path}, {type: "pid"}]' b/config.json >mount.json
cleanup oci delete --force props-join-mount
oci create --bundle b --config mount.json props-join-mount >join.out 2>&1 </dev/null || cat join.out
is "joined: mount" "$(ns_of "$(pid_of props-join-mount)" mnt)" "$(ns_of $holder mnt)"
oci delete --force props-join-mount
oci delete --force props-ns

chown -R 0:0 b/rootfs
make_bundle b 'del(.hostname, .linux.maskedPaths, .linux.readonlyPaths) | .linux.namespaces = [{type: "mount"}] | .mounts = []'
start_bundle props-hostns b
pid=$(pid_of props-hostns)
for kind in $kinds; do
	[ "${kind%:*}" = mount ] || is "not listed: the host's ${kind%:*} namespace" "$(ns_of "$pid" "${kind#*:}")" "$(ns_of self "${kind#*:}")"
done
