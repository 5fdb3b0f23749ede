#!/bin/bash
# a failure at any step of create is one line that names the step, and leaves nothing behind
# timeout: 300
. "$(dirname "$0")/lib.sh"
# shellcheck source=faults.sh
. "$func_dir/faults.sh"

make_fault_bundle b
mapfile -t rows < <(fault_rows b)
check "create goes through its rows (${#rows[@]})" test ${#rows[@]} -ge 25

for row in "${rows[@]}"; do
	side=${row%%:*} name=${row#*:}
	# the host may be done with what follows "ready" in init, which is otherwise a matter of start
	case $row in
	init:saved | init:start | "init:start hooks" | init:run) continue ;;
	esac
	output=$(CELLA_FAIL=$row "$faulty" --root "$OCI_ROOT" create --bundle b fail 2>&1 </dev/null) && status=0 || status=$?
	if [ "$status" = 1 ] && [[ $output == *"injected fault"* && $output != *$'\n'* ]]; then
		if left=$(wait_for 3 nothing_left fail || nothing_left fail); then ok "$side: $name"; else not_ok "$side: $name" "$left"; fi
	else
		not_ok "$side: $name" "status $status" "$output"
	fi
	"$faulty" --root "$OCI_ROOT" delete --force fail
done
