#!/bin/bash
# bad names and values are refused in one line that names the option, and change nothing
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox

cella template create busybox >/dev/null
long=$(printf 'a%.0s' {1..5000})
for name in '' . .. ../x a/b /etc .hidden $'new\nline' 'sp ace' 'per%cent' "$long" $'\x01' 'ä' '*'; do
	for verb in create start stop status show exec destroy; do
		args=()
		case $verb in
		create) args=(--ostemplate busybox) ;;
		exec) [ -n "$name" ] && args=() ;;
		esac
		output=$(cella "$verb" "${args[@]}" -- "$name" 2>&1 </dev/null) && status=0 || status=$?
		if [ "$status" = 0 ] || [ "$(wc -l <<<"$output")" != 1 ] || [ ${#output} -gt 400 ]; then
			not_ok "$verb $(printf %q "${name:0:30}")" "status $status" "${output:0:500}"
		fi
	done
done
ok "names"

while read -r option value; do
	check_fails "--$option $(printf %q "${value:0:30}")" "--$option" \
		cella create one --ostemplate busybox "--$option=$value"
done <<VALUES
ram 12x
ram -1
ram 1K
ram 18446744073709551616
cpus 0
cpus 99999
cpuunits 1
cpulimit abc
numproc 0
numproc many
hostname a_b/c
hostname -a
hostname a..b
hostname $long
ipadd 1.2.3
ipadd 127.0.0.1
ipadd 10.0.0.1/33
ipadd fe80::1
ipadd ::ffff:1.2.3.4
nameserver example.org
nameserver 192.0.2.1/24
searchdomain a b;c
description say "hi"
description \$(reboot)
description a\\nb'
onboot maybe
stop-timeout 1e3
layout floppy
VALUES
check_fails "a description with a line break" "--description" cella create one --ostemplate busybox --description $'a\nPHYSPAGES="0:1"'
check_fails "no template" "--ostemplate" cella create one
check_fails "an unknown template" "does not exist; there are: busybox" cella create one --ostemplate nope
is "nothing was made" "$(find "$conf_dir" "$private_dir" -mindepth 1)" ""

vps_make one --ipadd 10.65.0.1
check_fails "a name twice" "exists already" cella create one --ostemplate busybox
check_fails "an address of another VPS" "belongs to VPS one" cella create two --ostemplate busybox --ipadd 10.65.0.1
vps_make two
is "ids are never shared" "$(grep -h LOCAL_UID "$conf_dir"/*.conf | sort -u | wc -l)" 2
echo 'garbage' >>"$conf_dir/two.conf"
check_fails "a damaged definition" "two.conf: line [0-9]+: not a KEY" cella start two
like "is shown as such" "$(cella list)" "two +- +damaged"
check "and can be destroyed" cella destroy two
mkdir "$private_dir/three"
check_fails "a tree of somebody's is not taken" "is there, but no VPS" cella create three --ostemplate busybox
rmdir "$private_dir/three"
