# What a test left behind: two pictures of the machine, one before and one after it. Sourced by
# lib.sh. LEAVES=0 switches it off, for a machine where others work at the same time.
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of lib.sh

# cgroups and processes of the system's own services come and go by themselves; the parent of our
# containers' cgroups stays, so that the next start finds its controllers enabled, and so do the caches
# of the state directory (names with a dot)
leaves_noise='/(systemd-[a-z-]+|user@[0-9]+|user-runtime-dir@[0-9]+|dbus|ssh|cron|modprobe@[a-z_]+|rtkit-daemon|polkit)\.(service|socket)|/session-[0-9c]+\.scope$|/user-[0-9]+\.slice$|/init\.scope|/sys/fs/cgroup/(machine\.slice|cella(-oci)?|libpod_parent(/conmon)?)$'

# Every process that began before the picture: what began later takes part in making it.
leaves_processes() {
	local now=$1 stat pid comm rest cgroup fields

	for stat in /proc/[0-9]*/stat; do
		{ read -r stat <"$stat"; } 2>/dev/null || continue
		pid=${stat%% *} comm=${stat#*\(} rest=${stat##*) }
		read -ra fields <<<"$rest" # proc_pid_stat(5) from field 3 on
		if [ "${fields[1]}" = 2 ] || [ "${fields[19]}" -ge "$now" ]; then continue; fi # kernel thread
		{ read -r cgroup <"/proc/$pid/cgroup"; } 2>/dev/null || continue
		cgroup=${cgroup#0::}
		if [[ $cgroup != */session-* && $cgroup =~ $leaves_noise ]]; then continue; fi
		# the start time tells a new process with an old number
		echo "process $pid (${comm%)*}) started ${fields[19]} in $cgroup"
	done
}

# leaves_picture UPTIME: lines that name everything of interest, sorted.
leaves_picture() {
	local now=$1

	# routes that a router announces (ra) come and go by themselves
	(
		set +e
		find /sys/fs/cgroup -type d -printf 'cgroup %p\n' 2>/dev/null | grep -vE "$leaves_noise"
		awk '$5 !~ "^/run/(credentials|user)" { print "mount", $5, $4 }' /proc/self/mountinfo
		ip -o link 2>/dev/null | sed 's/^[0-9]*: \([^:@]*\).*/link \1/'
		ip netns list 2>/dev/null | sed 's/^/netns /'
		ip rule 2>/dev/null | sed 's/^/rule /'
		ip -o route show table all 2>/dev/null |
			sed '/ proto ra/d; s/ metric.*//; s/ expires.*//; s/^/route /'
		ip -o -6 route show table all 2>/dev/null |
			sed '/ proto ra/d; s/ metric.*//; s/ expires.*//; s/^/route /'
		nft -s list ruleset 2>/dev/null | sed 's/^/nft /'
		losetup -nO BACK-FILE 2>/dev/null | sed 's/^/loop /'
		find /run/cella /run/cella-oci /var/lib/cella /etc/cella/conf -maxdepth 2 -mindepth 1 \
			-name '.?*' -prune -o -printf 'state %p\n' 2>/dev/null
		leaves_processes "${now/./}"
	) | sort -u
}

leaves_begin() {
	local now

	read -r now _ </proc/uptime
	leaves_picture "$now" >"$TEST_DIR.before"
}

# One check: the machine is as it was. What the kernel ends a moment later has three seconds.
leaves_nothing() {
	local end=$((SECONDS + 3)) left now

	while :; do
		read -r now _ </proc/uptime # before the first fork for the picture
		left=$(leaves_picture "$now" | comm -13 "$TEST_DIR.before" -)
		if [ -z "$left" ] || [ $SECONDS -ge $end ]; then break; fi
		sleep 0.2
	done
	rm -f "$TEST_DIR.before"
	if [ -z "$left" ]; then ok "leaves nothing behind"; else not_ok "leaves nothing behind" "$left"; fi
}
