#!/bin/bash
# process.capabilities: each of the five sets, for root and for another user
. "$(dirname "$0")/lib.sh"

# CHOWN is bit 0, KILL 5, SETUID 7, NET_BIND_SERVICE 10, NET_RAW 13, SYS_CHROOT 18
make_bundle b '.process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW"],
	permitted: ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"], inheritable: ["CAP_KILL", "CAP_NET_BIND_SERVICE"],
	effective: ["CAP_KILL"], ambient: ["CAP_NET_BIND_SERVICE"]} | .process.user = {uid: 1000, gid: 1000}'
start_bundle user b
pid=$(pid_of user)
is "bounding" "$(proc_status "$pid" CapBnd)" 00000000000024a1
is "inheritable" "$(proc_status "$pid" CapInh)" 0000000000000420
is "ambient" "$(proc_status "$pid" CapAmb)" 0000000000000400
# capabilities(7), execve of a program without file capabilities by another user than root: P'(permitted) = P(ambient)
is "permitted after execve is ambient" "$(proc_status "$pid" CapPrm)" 0000000000000400
is "effective as well" "$(proc_status "$pid" CapEff)" 0000000000000400
oci delete --force user

edit_bundle b '.process.user = {uid: 0, gid: 0} | .process.capabilities |= (.permitted = .bounding | .effective = .bounding)'
start_bundle root b
pid=$(pid_of root)
is "root has the bounding set, permitted" "$(proc_status "$pid" CapPrm)" 00000000000024a1
is "and effective" "$(proc_status "$pid" CapEff)" 00000000000024a1
check "so it may chown" oci exec root chown 5 /tmp </dev/null
output=$(oci exec root chroot / true 2>&1 </dev/null) || true
like "and not chroot" "$output" 'not permitted'
oci delete --force root

edit_bundle b 'del(.process.capabilities)'
start_bundle none b
pid=$(pid_of none)
is "no capabilities member: empty sets" "$(for set in Inh Prm Eff Bnd Amb; do proc_status "$pid" Cap$set; done | sort -u)" 0000000000000000
oci delete --force none
edit_bundle b '.process.capabilities = {bounding: ["CAP_KILL"], permitted: ["CAP_KILL"], effective: ["CAP_KILL", "CAP_FROM_THE_FUTURE"]}'
cleanup oci delete --force future
oci create --bundle b future >future.out 2>&1 </dev/null || true # config.md, "Linux Process": a warning or an error
like "an unknown capability is said" "$(cat future.out)" 'CAP_FROM_THE_FUTURE'
