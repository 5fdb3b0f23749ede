#!/bin/bash
# with systemd: a VPS as a unit, its cgroup and its monitor below it, machined, the order of starts; without: the same order
# timeout: 240
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs jq busybox systemctl machinectl
[ -d /run/systemd/system ] || skip_rest "systemd does not run here"
[ -e /usr/local/lib/systemd/system/cella@.service ] || skip_rest "the units are not installed"

# the units, in this test's world
for unit in cella@.service cella.service; do
	mkdir -p /run/systemd/system/$unit.d
	printf '[Service]\nEnvironment=CELLA_ROOT=%s\n' "$CELLA_ROOT" >/run/systemd/system/$unit.d/test.conf
done
systemctl daemon-reload
units_away() {
	systemctl stop cella.service 'cella@*.service' cella.slice
	systemctl stop systemd-machined machine.slice
	rm -rf /run/systemd/system/cella@.service.d /run/systemd/system/cella.service.d
	systemctl daemon-reload
	systemctl reset-failed
}
cleanup units_away
prop() { systemctl show -P "$2" "cella@$1.service"; }
is_state() { [ "$(prop "$1" ActiveState)" = "$2" ]; }

vps_make one --ram 48M --ipadd 10.66.0.1
check "systemctl start" systemctl start cella@one.service
is "the unit is active" "$(prop one ActiveState)" active
monitor=$(prop one MainPID)
is "its main process is the monitor" "$(cat "/proc/$monitor/comm")" cella-monitor
cgroup=/cella.slice/cella@one.service
is "in a cgroup of its own" "$(sed 's/^0:://' "/proc/$monitor/cgroup")" $cgroup/monitor
pid=$(vps_field one .pid)
like "the VPS is beside it" "$(cat "/proc/$pid/cgroup")" "^0::$cgroup/vps"
is "with its limit" "$(cat "/sys/fs/cgroup$cgroup/vps/memory.max")" $((48 << 20))
like "systemd-cgtop shows it" "$(systemd-cgtop --batch --iterations=1 --depth=4 --raw 2>/dev/null)" "${cgroup#/}/vps"
like "machinectl as well" "$(machinectl list --no-legend)" "^one +container +cella"
is "with its init" "$(machinectl show -p Leader --value one)" "$pid"
check "it answers" ping -c 1 -W 5 10.66.0.1

cella exec one -- reboot
other() { local now; now=$(vps_field one .pid) && [ "$now" != null ] && [ "$now" != "$pid" ]; }
check "reboot from inside" wait_for 30 other
is "is the same unit's life" "$(prop one ActiveState) $(prop one MainPID)" "active $monitor"
pid=$(vps_field one .pid)
like "in the same cgroup" "$(cat "/proc/$pid/cgroup")" "^0::$cgroup/vps"
check "machined knows the new init" wait_for 10 test "$(machinectl show -p Leader --value one)" = "$pid"

kill -9 "$monitor"
check "a killed monitor" wait_for 10 is_state one failed
check "takes nothing with it" alive "$pid"
is "status gives it another" "$(cella status one)" "CTID one exist mounted running"
cella stop one >/dev/null
systemctl reset-failed cella@one.service

systemctl start cella@one.service
cella exec one -- poweroff
check "power-off from inside ends the unit" wait_for 30 is_state one inactive
systemctl start cella@one.service
pid=$(vps_field one .pid)
check "systemctl stop" systemctl stop cella@one.service
check "ends the VPS" gone "$pid"
is "and the unit has not failed" "$(prop one ActiveState)" inactive
check "no cgroup is left" test ! -e /sys/fs/cgroup$cgroup
sed -i 's/^PHYSPAGES=.*/PHYSPAGES="nonsense"/' "$conf_dir/one.conf"
output=$(systemctl start cella@one.service 2>&1) && status=0 || status=$?
check "a start that fails is the unit's failure" test "$status" != 0
like "with our line in the journal" "$(journalctl -q -u cella@one.service -n 20 -o cat)" "PHYSPAGES"
systemctl reset-failed cella@one.service
cella destroy one >/dev/null

# the order: numbers, then names; who comes after another waits for it
vps_make a --onboot yes
vps_make b --onboot yes --bootorder 5
vps_make c --onboot yes --bootorder 9 --after d
vps_make d --onboot yes
vps_make e
started=$(cella start --all | sed 's/^VPS \(.*\) is running/\1/' | tr '\n' ' ')
is "start --all: by bootorder, but after others" "$started" "b a d c "
is "and not who does not start with the host" "$(cella list -H -o status e | tr -d ' ')" stopped
stopped=$(cella stop --all --fast | sed 's/^VPS \(.*\) is stopped/\1/' | tr '\n' ' ')
is "stop --all: the other way" "$stopped" "c d a b "
check_fails "a name and --all" "exclude each other" cella start --all a
check_fails "neither" "NAME is missing" cella start
check_fails "after what cannot be a name" "--after" cella create f --ostemplate busybox --after ../x

cella destroy c >/dev/null
check "the host's start" systemctl start cella.service
is "is three units" "$(for vps in a b d; do prop $vps ActiveState; done | tr '\n' ' ')" "active active active "
check "the host's stop" systemctl stop cella.service
is "stops all" "$(cella list -H -o status a b d | tr -d ' ' | tr '\n' ' ')" "stopped stopped stopped "
