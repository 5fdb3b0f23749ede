#!/bin/bash
# containerd's shim runs containers with us
# timeout: 600
# host: no
. "$(dirname "$0")/lib.sh"

# shellcheck source=containerd.sh
. "$(dirname "$0")/containerd.sh"

image=localhost/busybox:test
start_containerd '[plugins]'
ctr images import /srv/busybox.oci.tar >/dev/null
run() { ctr run --runc-binary "$runtime" "$@"; }

is "run" "$(run --rm $image one echo hello)" hello
code=0
run --rm $image two sh -c 'exit 7' || code=$?
is "its status" $code 7
like "run -t" "$(script -qec "ctr --address $containerd_socket run --runc-binary $runtime --rm -t $image three tty" /dev/null)" /dev/
like "a missing program is told" "$(run --rm $image four /no/such 2>&1 || true)" 'no such file or directory|not found'

run --detach --memory-limit 67108864 $image five sh -c 'trap "exit 3" TERM; while :; do sleep 60 & wait; done'
pid=$(ctr tasks ls | awk '$1 == "five" { print $2 }')
cgroup=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
is "--memory-limit" "$(cat "$cgroup/memory.max")" 67108864
is "exec" "$(ctr tasks exec --exec-id e1 five cat /proc/1/comm)" sh
code=0
ctr tasks exec --exec-id e2 five sh -c 'exit 9' || code=$?
is "exec's status" $code 9
like "ps" "$(ctr tasks ps five)" "(^|"$'\n'")$pid "
ctr tasks pause five
is "pause" "$(sed -n 's/^frozen //p' "$cgroup/cgroup.events")" 1
ctr tasks resume five
is "resume" "$(sed -n 's/^frozen //p' "$cgroup/cgroup.events")" 0
like "metrics" "$(ctr tasks metrics five)" 'memory'
ctr tasks kill --signal TERM five
check "kill" wait_for 10 sh -c "! kill -0 $pid"
check "delete" wait_for 5 ctr tasks delete five
ctr containers delete five
check "its cgroup is gone" test ! -e "$cgroup"
