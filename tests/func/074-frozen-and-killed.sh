#!/bin/bash
# pause holds every process, also of deep trees; kill and delete reach them all
. "$(dirname "$0")/lib.sh"
has_controllers pids || skip_rest "no cgroup v2 here"

# shellcheck disable=SC2016 # for the container's shell
make_bundle b '.process.args = ["sh", "-c", "while :; do echo x >>/tmp/ticks; sleep 0.1; done"]'
start_bundle ice b
pid=$(pid_of ice)
cgroup=$(cgroup_of "$pid")
ticks() { wc -c <b/rootfs/tmp/ticks; }
wait_for 10 test -s b/rootfs/tmp/ticks

oci pause ice
is "paused" "$(status_of ice)" paused
before=$(ticks)
sleep 0.6
is "nothing moves" "$(ticks)" "$before"
like "the kernel says frozen" "$(cat "$cgroup/cgroup.events")" 'frozen 1'
like "a frozen container takes no exec" "$(oci exec ice true 2>&1 || true)" 'paused'
oci resume ice
is "running again" "$(status_of ice)" running
check "and it moves" wait_for 10 bash -c "[ \$(wc -c <b/rootfs/tmp/ticks) -gt $before ]"

# a tree as a tenant may make it, with a process at the bottom
deep=$cgroup
for ((i = 0; i < 60; i++)); do
	deep+=/d
	mkdir "$deep" "$deep-side"
done
sleep 1000 &
bottom=$!
echo $bottom >"$deep/cgroup.procs"
disown $bottom
like "the bottom is listed" "$(oci ps --format json ice | tr -d ' \n')" "[[,]${bottom}[],]"
oci pause ice
oci delete --force ice
check "init is gone" gone "$pid"
check "and so is the bottom" wait_for 5 gone $bottom
check "and every cgroup" test ! -e "$cgroup"

edit_bundle b '.linux.namespaces |= map(select(.type != "pid"))
	| .process.args = ["sh", "-c", "sleep 1001 & sleep 1002 & exec sleep 1003"]'
start_bundle shared b
pid=$(pid_of shared)
cgroup=$(cgroup_of "$pid")
wait_for 10 bash -c "[ \$(wc -l <$cgroup/cgroup.procs) = 3 ]"
mapfile -t pids <"$cgroup/cgroup.procs"
oci kill shared KILL
for p in "${pids[@]}"; do
	check "kill of a container with the host's pids reaches each" wait_for 5 gone "$p"
done
oci delete shared
check "its cgroup is removed" test ! -e "$cgroup"
