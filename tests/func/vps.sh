# Help for tests of cella: a world of their own below TEST_DIR, VPSs that are removed at the end.
# Sourced by tests after lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of lib.sh

export CELLA_ROOT=${world:-$TEST_DIR/world}
conf_dir=$CELLA_ROOT/etc/cella/conf
private_dir=$CELLA_ROOT/var/lib/cella/private
run_dir=$CELLA_ROOT/run/cella

# vps_field NAME FIELD: "vps_field one .pid", by jq
vps_field() { cella show "$1" --json | jq -r "$2"; }

# vps_remove_all: stop and destroy every VPS of this test's world
vps_remove_all() {
	local name
	for name in $(cella list -1 2>/dev/null); do
		cella stop --fast "$name"
		cella destroy "$name"
	done
}
cleanup vps_remove_all

# vps_make NAME [OPTION...]: a busybox VPS
vps_make() {
	[ -e "$CELLA_ROOT/var/lib/cella/template/busybox.json" ] || cella template create busybox >/dev/null
	cella create "$1" --ostemplate busybox --ram 64M "${@:2}" >/dev/null
}

# vps_start NAME [OPTION...]: made and started
vps_start() {
	vps_make "$@"
	cella start "$1" >/dev/null
}

# monitor_of NAME: pid of its monitor
monitor_of() {
	local file
	# find's status tells of processes that ended meanwhile
	file=$(find /proc/[0-9]*/fd -lname "$run_dir/.vps/$1.monitor" -print -quit 2>/dev/null || true)
	[ -n "$file" ] || return 1
	file=${file#/proc/}
	echo "${file%%/*}"
}

# status_is NAME STATUS
status_is() { [ "$(cella list -H -o status "$1" 2>/dev/null)" = "$2" ]; }

# nothing_of NAME: no state, cgroup, interface or tree bears the name
nothing_of() {
	[ ! -e "$run_dir/$1" ] && [ ! -e "/sys/fs/cgroup/cella/$1" ] && [ ! -e "/sys/class/net/veth$1.0" ] &&
		[ ! -e "$private_dir/$1" ] && [ ! -e "$private_dir/.$1" ] && [ ! -e "$conf_dir/$1.conf" ]
}
