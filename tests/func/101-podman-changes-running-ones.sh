#!/bin/bash
# podman pauses, limits, counts and checks the health of running containers
# timeout: 600
# host: no
. "$(dirname "$0")/podman.sh"

names cella-busy
podman run -d --name cella-busy --memory 64m --pids-limit 50 --cpus 0.5 --network none \
	--health-cmd 'test -e /tmp/well' --health-interval disable $image \
	sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/tmp/count; sleep 0.3; done' >/dev/null
pid=$(inspect cella-busy '{{.State.Pid}}')
cgroup=$(cgroup_of "$pid")
own_cgroup=$cgroup
cgroup=${cgroup%/container} # a sub-cgroup that a runtime may have made
is "--memory" "$(cat "$cgroup/memory.max")" 67108864
is "--pids-limit" "$(cat "$cgroup/pids.max")" 50
is "--cpus" "$(cat "$cgroup/cpu.max")" "50000 100000"

wait_for 10 podman exec cella-busy test -s /tmp/count || true
podman pause cella-busy >/dev/null
is "pause freezes" "$(inspect cella-busy '{{.State.Status}}') $(sed -n 's/^frozen //p' "$own_cgroup/cgroup.events")" "paused 1"
before=$(cat "/proc/$pid/root/tmp/count")
sleep 1
is "nothing runs meanwhile" "$(cat "/proc/$pid/root/tmp/count")" "$before"
podman unpause cella-busy >/dev/null
is "unpause thaws" "$(inspect cella-busy '{{.State.Status}}') $(sed -n 's/^frozen //p' "$own_cgroup/cgroup.events")" "running 0"
check "it runs on" wait_for 10 sh -c "[ \"\$(cat /proc/$pid/root/tmp/count)\" -gt $before ]"

podman update --memory 96m --cpus 1.5 --pids-limit 70 cella-busy >/dev/null
is "update --memory" "$(cat "$cgroup/memory.max")" 100663296
is "update --cpus" "$(cat "$cgroup/cpu.max")" "150000 100000"
is "update --pids-limit" "$(cat "$cgroup/pids.max")" 70

stats=$(podman stats --no-stream --format '{{.MemLimit}} {{.MemUsage}} {{.PIDs}}' cella-busy)
like "stats tells limit, usage and pids" "$stats" '^100663296 .*100.7MB [1-9]'
like "stats counts memory" "$(podman stats --no-stream --format json cella-busy | jq -r '.[0].mem_usage')" '[1-9].*100.7MB'
like "top lists its processes" "$(podman top cella-busy pid comm)" '1 +sh'

is "a failing health check" "$(status podman healthcheck run cella-busy)" 1
podman exec cella-busy touch /tmp/well
is "a passing health check" "$(status podman healthcheck run cella-busy)" 0
is "the health is known" "$(inspect cella-busy '{{.State.Health.Status}}')" healthy

podman stop --time 0 cella-busy >/dev/null
podman rm cella-busy >/dev/null
check "its cgroup is gone" test ! -e "$cgroup"
is "out of memory ends it" \
	"$(status podman run --rm --network none --memory 16m --memory-swap 16m $image sh -c 'tail /dev/zero')" 137
