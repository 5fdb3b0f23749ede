#!/bin/bash
# update: each option of the command line is in the kernel's file afterwards, and a file or standard input does the same
. "$(dirname "$0")/lib.sh"
has_controllers memory cpu cpuset io pids || skip_rest "not all controllers of cgroup v2 here"

make_bundle b
start_bundle live b
pid=$(pid_of live)
updated() { # OPTION VALUE FILE WANTED
	oci update "$1" "$2" live
	is "$1 $2" "$(cgroup_read "$pid" "$3")" "$4"
}
updated --memory 134217728 memory.max 134217728
updated --memory 128M memory.max 134217728
updated --memory-reservation 33554432 memory.low 33554432
updated --memory-swap 201326592 memory.swap.max 67108864
updated --memory-swap -1 memory.swap.max max
updated --cpu-quota 30000 cpu.max "30000 100000"
updated --cpu-period 50000 cpu.max "30000 50000"
updated --cpu-burst 10000 cpu.max.burst 10000
updated --cpu-share 2048 cpu.weight "$(awk 'BEGIN { l = 11; print int(10 ^ ((l * l + 125 * l) / 612 - 7 / 34) + 0.999999) }')"
updated --cpuset-cpus 0 cpuset.cpus 0
updated --cpuset-mems 0 cpuset.mems 0
updated --blkio-weight 500 io.weight "default 4950"
updated --pids-limit 44 pids.max 44
updated --pids-limit -1 pids.max max
oci update --cpu-burst 0 live
updated --cpu-idle 1 cpu.idle 1
oci update --memory 67108864 --memory-swap 67108864 --pids-limit 9 live
is "several at once" "$(for f in memory.max memory.swap.max pids.max; do cgroup_read "$pid" $f; done | xargs)" "67108864 0 9"
check "what has no meaning any more is accepted" oci update --kernel-memory 1000000 --kernel-memory-tcp 1000000 live
is "and changes nothing" "$(cgroup_read "$pid" memory.max)" 67108864
echo '{"pids": {"limit": 12}, "memory": {"limit": 100663296}}' >limits.json
oci update --resources limits.json --pids-limit 5 live
is "--resources FILE, and then it alone" "$(cgroup_read "$pid" pids.max) $(cgroup_read "$pid" memory.max)" "12 100663296"
oci update -r - live <<<'{"pids": {"limit": 13}}'
is "--resources -" "$(cgroup_read "$pid" pids.max)" 13
for bad in '--memory lots' '--memory -5' '--cpu-share x' '--pids-limit 1.5' '--cpuset-cpus 4000' '--cpu-quota 99999999999999999999' '--blkio-weight 9999' '--cpu-idle 2' \
	'--cpu-rt-runtime 1000' '--l3-cache-schema L3:0=f' '--resources /no/such'; do
	# shellcheck disable=SC2086 # words
	check_fails "$bad" '.' oci update $bad live </dev/null
done
check_fails "text that is no JSON" 'limits.bad' bash -c "echo '{' >limits.bad; ${CELLA_OCI:-cella-oci} --root '$OCI_ROOT' update -r limits.bad live"
is "refusals change nothing" "$(cgroup_read "$pid" pids.max) $(cgroup_read "$pid" memory.max)" "13 100663296"
oci delete --force live
check_fails "a container that is not there" 'does not exist' oci update --pids-limit 5 live
