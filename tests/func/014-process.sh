#!/bin/bash
# process: args, env, cwd, user, groups, umask, and what they default to
. "$(dirname "$0")/lib.sh"

make_bundle b '.process.args = ["sleep", "1000", "with space", ""] | .process.cwd = "/var/made/here"
	| .process.env = ["PATH=/bin", "A=1", "B=x=y", "EMPTY="]
	| .process.user = {uid: 1000, gid: 1001, additionalGids: [10, 20, 4294967294], umask: 23}'
edit_bundle b '.process.args = ["sleep", "1000"]'
start_bundle process b
pid=$(pid_of process)
is "args" "$(tr '\0' '|' <"/proc/$pid/cmdline")" "sleep|1000|"
is "env, and HOME from passwd" "$(tr '\0' '\n' <"/proc/$pid/environ" | sort | tr '\n' ' ')" "A=1 B=x=y EMPTY= HOME=/ PATH=/bin "
is "cwd, made when missing" "$(readlink "/proc/$pid/cwd")" "/var/made/here"
is "uid, all four" "$(proc_status "$pid" Uid)" $'1000\t1000\t1000\t1000'
is "gid, all four" "$(proc_status "$pid" Gid)" $'1001\t1001\t1001\t1001'
is "additionalGids" "$(proc_status "$pid" Groups | xargs)" "10 20 4294967294"
is "umask" "$(proc_status "$pid" Umask)" 0027
is "init of its pid namespace" "$(proc_status "$pid" NSpid | awk '{ print $NF }')" 1
oci delete --force process

make_bundle b
start_bundle plain b
pid=$(pid_of plain)
is "no additionalGids: none of the caller's" "$(setpriv --groups 4,5 true 2>&1; proc_status "$pid" Groups)" ""
is "HOME of root" "$(tr '\0' '\n' <"/proc/$pid/environ" | grep ^HOME=)" HOME=/root
is "no umask: 0022" "$(proc_status "$pid" Umask)" 0022
oci delete --force plain

edit_bundle b '.process.env += ["HOME=/mine"] | .process.args = ["sh", "-c", "echo $HOME"]'
is "HOME given is kept" "$(oci run --bundle b home </dev/null)" /mine
edit_bundle b '.annotations = {"run.oci.keep_original_groups": "1"} | .process.args = ["grep", "Groups", "/proc/self/status"]'
like "run.oci.keep_original_groups" "$(setpriv --groups 4,5 "${CELLA_OCI:-cella-oci}" --root "$OCI_ROOT" run --bundle b groups </dev/null)" '4 5'
edit_bundle b 'del(.annotations)'
unlike "not without it" "$(setpriv --groups 4,5 "${CELLA_OCI:-cella-oci}" --root "$OCI_ROOT" run --bundle b groups </dev/null)" '4|5'
edit_bundle b '.process.env = ["PATH=/nowhere:/sbin:/bin"] | .process.args = ["echo", "$HOME *", "two words", ""]'
is "args go untouched to a program found by the container's PATH" "$(oci run --bundle b args </dev/null)" '$HOME * two words '
