#!/bin/bash
# many creates and deletes of one name at the same time: one wins, none is lost, nothing is left
# timeout: 240
. "$(dirname "$0")/lib.sh"

make_bundle b
for ((round = 0; round < 5; round++)); do
	for ((i = 0; i < 6; i++)); do
		(oci create --bundle b same >"create.$i" 2>&1 </dev/null && echo won >"create.$i") &
	done
	wait
	is "round $round: exactly one create wins" "$(grep -lx won create.* | wc -l)" 1
	is "round $round: the others say why" "$(grep -L -e won -e "exists" create.* | wc -l)" 0
	oci delete --force same
done

# creates against deletes
for ((i = 0; i < 15; i++)); do
	(oci create --bundle b same >/dev/null 2>&1 </dev/null || true) &
	(oci delete --force same >/dev/null 2>&1 || true) &
done
wait
oci delete --force same
check "after 15 creates against 15 deletes no cgroup is left" test ! -e /sys/fs/cgroup/cella-oci/same
check "nor a process" bash -c "! pgrep '^cella:'"

# one start wins, as one create does
for ((round = 0; round < 3; round++)); do
	oci create --bundle b same >create.out 2>&1 </dev/null
	for ((i = 0; i < 5; i++)); do (oci start same >"start.$i" 2>&1 && echo won >"start.$i") & done
	wait
	is "round $round: exactly one start wins" "$(grep -lx won start.* | wc -l)" 1
	is "round $round: the others say one line" "$(cat start.* | grep -vcx won)" 4
	oci delete --force same
done

# execs, pauses and signals against the end
oci create --bundle b same >create.out 2>&1 </dev/null
oci start same
for ((i = 0; i < 8; i++)); do
	(oci exec --detach same sleep 1234 >"exec.$i" 2>&1 </dev/null || true) &
	(oci pause same >/dev/null 2>&1 || true) &
	(oci kill same KILL >/dev/null 2>&1 || true) &
	[ $i != 4 ] || (oci delete --force same >delete.out 2>&1 || cp delete.out delete.failed) &
done
wait
check "delete --force ends it whatever else is asked" test ! -e delete.failed
oci delete --force same
check "no process of an exec is left" bash -c "! pgrep -xf 'sleep 1234'"
check "nor a cgroup" test ! -e /sys/fs/cgroup/cella-oci/same
edit_bundle b '.process.args = ["true"]'
check "the name can be used" oci run --bundle b same </dev/null
