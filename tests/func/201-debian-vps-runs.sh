#!/bin/bash
# a Debian 13 VPS with systemd: running with no failed unit, suspended and resumed, reboots and powers off from inside, stops cleanly
# timeout: 600
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs jq
archive=${DEBIAN_ARCHIVE:-/srv/debian-13.tar.zst}
[ -r "$archive" ] || skip_rest "no $archive here"

# waits inside: asking over and over takes the CPU that it boots with
is_up() { [ "$(cella exec deb -- systemctl is-system-running --wait)" = running ]; }
new_init() { [ "$(vps_field deb .pid)" != null ] && [ "$(vps_field deb .pid)" != "$pid" ]; }

check "import" cella template import "$archive" debian-13
like "it knows what it is" "$(cella template list)" "Debian GNU/Linux 13"
check "create" cella create deb --ostemplate debian-13 --ram 512M --ipadd 10.62.0.1
check "start" cella start deb
check "systemd reaches running" wait_for 120 is_up
is "no unit failed" "$(cella exec deb -- systemctl --failed --no-legend --plain)" ""
is "it knows that it is contained" "$(cella exec deb -- sh -c 'systemd-detect-virt --container')" container-other
is "machine id of its own" "$(cella exec deb -- sh -c 'grep -cE "^[0-9a-f]{32}$" /etc/machine-id')" 1
check "units make control groups inside" cella exec deb -- test -d /sys/fs/cgroup/system.slice/dbus.service
check "IPv4 answers" ping -c 1 -W 5 10.62.0.1
check "a unit with its own devices, tunables and user runs" cella exec deb -- systemd-run --wait --quiet \
	-p PrivateDevices=yes -p ProtectKernelTunables=yes -p ProtectSystem=strict -p DynamicUser=yes \
	-p PrivateTmp=yes -p ProtectHome=yes -p NoNewPrivileges=yes true

if command -v criu >/dev/null; then
	# one process in a cgroup of its own limits, and one with what CRIU cannot take along
	cella exec deb -- systemd-run --quiet --unit limited -p MemoryMax=77M -p TasksMax=7 sleep 1000
	cella exec deb -- systemd-run --quiet --unit holder -p PrivateUsers=yes sleep 1000
	check_fails "who cannot be taken along is named with his unit" \
		"process [0-9]+ .sleep. of unit holder.service has a user namespace of its own, .*PrivateUsers=" cella suspend deb
	cella exec deb -- systemctl stop holder
	# name, owners, controllers and limits; nobody is in the last one
	groups_now() {
		local dir
		for dir in . init.scope user.slice system.slice/{.,dbus.service,limited.service,system-getty.slice}; do
			(cd "/sys/fs/cgroup/cella/deb/$dir" && echo "$dir $(stat -c %u . pids.max memory.pressure | xargs)" \
				"$(cat cgroup.subtree_control pids.max memory.max | xargs)")
		done
	}
	processes_now() { cella exec deb -- sh -c 'cat /proc/sys/kernel/random/boot_id; ps -o pid,comm -C systemd,systemd-journal,systemd-logind,dbus-daemon,sleep'; }
	spent() { awk '{ print $14 + $15 }' "/proc/$(vps_field deb .pid)/stat"; }
	before=$(groups_now) processes=$(processes_now)
	like "a limit is there" "$before" "limited.service .* 7 80740352"
	check "suspend" cella suspend deb
	is "nothing of it runs" "$(cella list -H -o status deb) $(find /sys/fs/cgroup/cella -name 'deb*')" "suspended "
	check "resume" cella resume deb
	is "the same processes, since the same boot" "$(processes_now)" "$processes"
	is "in the same control groups with the same limits" "$(groups_now)" "$before"
	is "no unit failed meanwhile" "$(cella exec deb -- systemctl is-system-running)" running
	is "the journal goes on" "$(cella exec deb -- sh -c 'systemd-cat -t probe echo word && journalctl --sync && journalctl -t probe -o cat')" word
	spent=$(spent)
	check "IPv4 answers again" ping -c 3 -i 1 -W 5 10.62.0.1
	# 200 is two seconds of one CPU
	check "and init rests ($(($(spent) - spent)) of 200)" test $(($(spent) - spent)) -lt 100
else
	skip "suspend" "no criu here"
fi

pid=$(vps_field deb .pid)
check "reboot from inside" cella exec deb -- systemctl reboot
check "comes up as another init" wait_for 60 new_init
check "and reaches running" wait_for 120 is_up
like "the console has a log" "$(cat "$CELLA_ROOT/var/lib/cella/log/deb.console")" "login:"

check "power-off from inside" cella exec deb -- systemctl poweroff
check "ends it" wait_for 60 test ! -e "$run_dir/deb"
check "and its control group" wait_for 5 test ! -e /sys/fs/cgroup/cella/deb

check "start" cella start deb
check "its init is there again" wait_for 60 cella exec deb -- test -S /run/systemd/private
SECONDS=0
check "stop" cella stop deb
check "a clean stop takes less than 30 s ($SECONDS)" test $SECONDS -lt 30
like "systemd took its time to say so" "$(cella exec deb -- true 2>&1)" "not running"
check "destroy" cella destroy deb
check "nothing is left" nothing_of deb
