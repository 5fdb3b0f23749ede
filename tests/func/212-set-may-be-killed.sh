#!/bin/bash
# a `cella set` that is killed leaves the old or the new values, in the file and in force alike
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox jq strace

vps_start one
cgroup=/sys/fs/cgroup$(vps_field one .cgroup)
changing=$run_dir/.vps/one.changing

# consistent: file and cgroup say the same, and it is one of both
consistent() {
	local pages
	pages=$(sed -n 's/^PHYSPAGES="0:\(.*\)"/\1/p' "$conf_dir/one.conf")
	[ "$(cat "$cgroup/memory.max")" = $((pages * 4096)) ] || return 1
	[ "$(cat "$cgroup/pids.max")" = "$(sed -n 's/^NUMPROC="[0-9]*:\(.*\)"/\1/p' "$conf_dir/one.conf")" ] || return 1
	[ ! -e "$changing" ]
}
cella set one --ram 64M --numproc 100 >/dev/null

# each renameat is a step: .changing appears, NAME.conf, .running; unlinkat ends it
old=$(cat "$conf_dir/one.conf")
for step in renameat:1 renameat:2 renameat:3 unlinkat:1 write:5 write:9; do
	strace -f -o /dev/null -e trace="${step%:*}" -e inject="${step%:*}:signal=KILL:when=${step#*:}" \
		cella set one --ram 96M --numproc 200 >/dev/null 2>&1 || true
	now=$(cat "$conf_dir/one.conf")
	cella status one >/dev/null
	if consistent; then ok "killed at $step: whole, $([ "$now" = "$old" ] && echo old || echo new)"; else
		not_ok "killed at $step" "$(grep -E 'PHYS|NUMPROC' "$conf_dir/one.conf")" "$(cat "$cgroup/memory.max" "$cgroup/pids.max")" \
			"$(ls "$run_dir/.vps")"
	fi
	cella set one --ram 64M --numproc 100 >/dev/null
	is "and the next set works" "$(cat "$cgroup/memory.max")" 67108864
done
strace -f -o /dev/null -e trace=renameat -e inject=renameat:signal=KILL:when=2 cella set one --ram 96M >/dev/null 2>&1 || true
cella stop --fast one >/dev/null
is "a stop forgets what was begun" "$(find "$run_dir/.vps" -name 'one.changing' -o -name 'one.running')" ""
