#!/bin/bash
# action scripts run in their order, with vzctl's environment, where they belong, and not for ever
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox jq

vps_make one
log=$TEST_DIR/log
hooks=$CELLA_ROOT/etc/cella/hooks

# script PATH LINE...
script() {
	printf '%s\n' '#!/bin/sh' "${@:2}" >"$1"
	chmod 755 "$1"
}
for action in premount mount umount postumount; do
	script "$hooks/$action" "echo all $action \$VEID >>$log"
	script "$conf_dir/one.$action" "echo one $action \$VEID \$VE_CONFFILE >>$log"
done
script "$hooks/start" "echo all start >>$log"
script "$hooks/stop" "echo all stop >>$log"
script "$conf_dir/one.start" 'echo "inside as $(hostname), $$" >/start'
script "$conf_dir/one.stop" 'hostname >/stop'
cella start one >/dev/null
is "on the way up" "$(cat "$log")" "all premount one
one premount one $conf_dir/one.conf
all mount one
one mount one $conf_dir/one.conf
all start"
like "its own start script ran inside" "$(cat "$private_dir/one/start")" "inside as one"
: >"$log"
cella stop one >/dev/null
is "on the way down" "$(cat "$log")" "all stop
all umount one
one umount one $conf_dir/one.conf
all postumount one
one postumount one $conf_dir/one.conf"
is "its own stop script ran inside" "$(cat "$private_dir/one/stop")" one

script "$conf_dir/one.mount" "echo out of order; exit 5"
output=$(cella start one 2>&1) && status=0 || status=$?
is "a failing script stops the start with 79" "$status" 79
like "and is named" "$output" "one.mount ended with status 5: out of order"
is "nothing runs" "$(cella list -H -o status one)" stopped
rm "$conf_dir/one.mount"
script "$conf_dir/one.start" "exit 3"
check_fails "so does one inside" "one.start ended with status 3 inside" cella start one
is "and nothing is left" "$(cella list -H -o status one) $(ls /sys/fs/cgroup/cella/one 2>/dev/null)" "stopped "
rm "$conf_dir/one.start"

script "$conf_dir/one.mount" "touch $TEST_DIR/pwned"
chmod 777 "$conf_dir/one.mount"
check_fails "one that others can write is not run" "can be changed by others" cella start one
chmod 755 "$conf_dir/one.mount"
chown 1:1 "$conf_dir/one.mount"
check_fails "nor another user's" "can be changed by others" cella start one
check "neither was" test ! -e "$TEST_DIR/pwned"

vps_make one.mount
for name in one one.mount onemore; do
	for action in premount mount start stop umount postumount; do
		script "$conf_dir/$name.$action" true
	done
done
cella destroy one >/dev/null
is "destroy removes its own" "$(find "$conf_dir" -name 'one.*' ! -name 'one.mount.*')" "$conf_dir/one.conf.destroyed"
is "and nobody else's" "$(find "$conf_dir" -name 'one.mount.*' -o -name 'onemore.*' | wc -l)" 13
