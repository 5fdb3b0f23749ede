#!/bin/bash
# list, ps, events, spec, features and --version as their readers want them
. "$(dirname "$0")/lib.sh"
program=${CELLA_OCI:-cella-oci}

is "an empty list is JSON" "$(oci list --format json)" "[]"
is "and no name" "$(oci list -q)" ""
make_bundle b '.process.args = ["sh", "-c", "sleep 1001 & exec sleep 1000"]'
start_bundle one b
oci create --bundle b two >two.out 2>&1 </dev/null
cleanup oci delete --force two
pid=$(pid_of one)
is "list -q: names, sorted" "$(oci list -q)" $'one\ntwo'
is "list -f json is what state says" "$(oci list -f json | jq -cS '.[0]')" "$(oci state one | jq -cS .)"
is "of each" "$(oci list -f json | jq -r 'map("\(.id) \(.status)") | join(",")')" "one running,two created"
is "the table's head" "$(oci list | head -n 1 | xargs)" "ID PID STATUS BUNDLE CREATED OWNER"
like "and its row" "$(oci list | grep '^one ')" "^one +$pid +running +$TEST_DIR/b +20[^ ]+Z +root *$"

wait_for 10 bash -c "[ \$(wc -l <'$(cgroup_of "$pid")/cgroup.procs') = 2 ]"
is "ps --format json: the pids of the host" "$(oci ps --format json one | jq -c sort)" "$(sort -n "$(cgroup_of "$pid")/cgroup.procs" | jq -cs .)"
is "ps: ps(1)'s head" "$(oci ps one | head -n 1 | xargs)" "$(ps -ef | head -n 1 | xargs)"
is "and its lines of these" "$(oci ps one | sed 1d | awk '{ print $2 }' | sort -n | xargs)" "$(sort -n "$(cgroup_of "$pid")/cgroup.procs" | xargs)"
is "ps takes ps's options" "$(oci ps one -o pid,args | sed 1d | awk '{ print $2, $3 }' | sort | xargs)" "sleep 1000 sleep 1001"

if has_controllers memory cpu pids; then
	oci events --stats one >stats.json
	is "events --stats: one line" "$(wc -l <stats.json)" 1
	is "of its kind" "$(jq -r '"\(.type) \(.id)"' stats.json)" "stats one"
	is "the processes" "$(jq .data.pids.current stats.json)" "$(cgroup_read "$pid" pids.current)"
	check "the memory" jq -e --argjson now "$(cgroup_read "$pid" memory.current)" '.data.memory.usage.usage > 0 and .data.memory.usage.usage < 4 * $now' stats.json
	check "the CPU time, in nanoseconds" jq -e --argjson now "$(cgroup_read "$pid" cpu.stat | awk '$1 == "usage_usec" { print $2 }')" \
		'.data.cpu.usage.total > 0 and .data.cpu.usage.total <= $now * 1000' stats.json
	oci events --interval 200ms one >events.out &
	watcher=$!
	check "events: a line each interval" wait_for 20 bash -c '[ $(wc -l <events.out) -ge 2 ]'
	check "until then it stays" alive $watcher
	oci delete --force one
	status=0
	wait $watcher || status=$? # not in check's subshell, which cannot wait for what has not ended
	is "the container's end ends it" $status 0
	is "all of them stats" "$(jq -r .type events.out | sort -u)" stats

	make_bundle m '.linux.resources.memory = {limit: 16777216, swap: 16777216} | .process.args = ["sh", "-c", "read x; dd if=/dev/zero of=/dev/shm/fill bs=1M count=60; sleep 1000"]'
	mkfifo go
	exec 9<>go
	cleanup oci delete --force oom
	oci create --bundle m oom >oom.out 2>&1 <go
	oci start oom
	oci events --interval 1h oom >oom.events &
	watcher=$!
	sleep 0.5
	echo >&9
	check "an out-of-memory kill is told" wait_for 20 grep -qx '{"type":"oom","id":"oom"}' oom.events
	oci delete --force oom
	wait $watcher || true
else
	skip "events" "not all controllers of cgroup v2 here"
	oci delete --force one
fi
oci delete --force two

mkdir fresh && (cd fresh && oci spec)
is "spec writes config.json" "$(jq -r .ociVersion fresh/config.json)" "$("$program" features | jq -r .ociVersionMax)"
check_fails "and does not overwrite one" 'exists' oci spec --bundle fresh
cp -a b/rootfs fresh/rootfs
edit_bundle fresh '.process.terminal = false | .process.args = ["id", "-u"]'
is "which runs" "$(oci run --bundle fresh fresh </dev/null)" 0
oci spec --bundle fresh --file other.json
check "spec --file" jq -e .process.args fresh/other.json
rm fresh/config.json && oci spec --rootless --bundle fresh
is "spec --rootless has a user namespace for the caller" "$(jq -c '[.linux.namespaces[] | select(.type == "user")], .linux.uidMappings' fresh/config.json | xargs)" \
	"[{type:user}] [{containerID:0,hostID:$(id -u),size:1}]"
edit_bundle fresh '.process.terminal = false | .process.args = ["cat", "/proc/self/uid_map"] | .linux.uidMappings[0].hostID = 1000 | .linux.gidMappings[0].hostID = 1000'
chown -R 1000:1000 fresh && chmod 755 . fresh
mkdir -m 700 user-state && chown 1000:1000 user-state
is "which runs for a user" "$(setpriv --reuid 1000 --regid 1000 --clear-groups "$program" --root "$TEST_DIR/user-state" --cgroup-manager disabled run --bundle fresh fresh 2>&1 </dev/null | xargs)" "0 1000 1"

"$program" features >features.json
is "features: what engines look for" "$(jq -c '[.ociVersionMin, (.hooks | length), .linux.cgroup.v2, .linux.cgroup.systemd, .linux.seccomp.enabled, .linux.mountExtensions.idmap.enabled, .linux.netDevices.enabled]' features.json)" \
	'["1.0.0",6,true,true,true,true,true]'
is "every namespace" "$(jq -r '.linux.namespaces | sort | join(" ")' features.json)" "cgroup ipc mount network pid time user uts"
check "read-only all the way down" jq -e '.mountOptions | index("rro")' features.json
like "--version: name, commit, specification" "$("$program" --version | head -n 3 | tr '\n' ' ')" '^cella-oci version [0-9.]+[^ ]* commit: [^ ]+ spec: 1\.[0-9]+\.[0-9]+ $'
