#!/bin/bash
# SIGKILL of create, or of the init it makes, at any step: the next delete --force leaves nothing
# timeout: 300
. "$(dirname "$0")/lib.sh"
# shellcheck source=faults.sh
. "$func_dir/faults.sh"

make_fault_bundle b
mapfile -t rows < <(fault_rows b)
check "create goes through its rows (${#rows[@]})" test ${#rows[@]} -ge 25

for row in "${rows[@]}"; do
	case $row in
	init:start | "init:start hooks" | init:run) continue ;;
	esac
	CELLA_FAIL=$row:kill "$faulty" --root "$OCI_ROOT" create --bundle b dead >out 2>&1 </dev/null && status=0 || status=$?
	# init's death is an error of create; create's own death is status 137; "saved" is past the point of no return
	if [ "$status" = 0 ] && [ "$row" != init:saved ]; then
		not_ok "$row: create notices" "status 0" "$(cat out)"
	fi
	if ! output=$(oci delete --force dead 2>&1); then
		not_ok "$row: delete --force" "$output"
	elif left=$(wait_for 3 nothing_left dead || nothing_left dead); then
		ok "$row"
	else
		not_ok "$row" "$left"
	fi
done

start_bundle dead b
is "the name can be used again" "$(status_of dead)" running
