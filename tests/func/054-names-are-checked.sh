#!/bin/bash
# what is no container name is refused by every verb, in one line, before any file is touched
# timeout: 300
. "$(dirname "$0")/lib.sh"

make_bundle b
mkdir -p outside
long=$(printf 'a%.0s' {1..5000})
bad=('' . .. ../outside a/b /etc '-x' '.hidden' $'new\nline' $'tab\there' 'sp ace' 'per%cent' "$long" $'\x01' 'ä' '*')
for name in "${bad[@]}"; do
	for verb in create run start state delete kill pause resume ps events update exec; do
		args=() after=()
		case $verb in
		create | run) args=(--bundle b) ;;
		exec) after=(true) ;;
		esac
		# to a file: a container that came to life would keep a pipe open
		oci "$verb" "${args[@]}" -- "$name" "${after[@]}" >out 2>&1 </dev/null && status=0 || status=$?
		output=$(<out)
		if [ "$status" != 1 ] || [ "$(wc -l <<<"$output")" != 1 ] || [ ${#output} -gt 400 ]; then
			not_ok "$verb $(printf %q "${name:0:30}")" "status $status" "${output:0:500}"
		fi
	done
done
ok "${#bad[@]} bad names for twelve verbs"
is "nothing was made" "$(find "$OCI_ROOT" -mindepth 1 -maxdepth 1 -not -name '.*' 2>/dev/null || true)" ""
is "nor outside" "$(ls -A outside)" ""
