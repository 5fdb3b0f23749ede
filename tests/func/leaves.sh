# What a test left behind: two pictures of the machine, one before and one after it. Sourced by
# lib.sh. LEAVES=0 switches it off, for a machine where others work at the same time.
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of lib.sh

# cgroups and processes of the system's own services come and go by themselves; the parent of our
# containers' cgroups stays, so that the next start finds its controllers enabled, and so do the caches
# of the state directory (names with a dot)
leaves_noise='/(systemd-[a-z-]+|user@[0-9]+|user-runtime-dir@[0-9]+|dbus|ssh|cron|modprobe@[a-z_]+|rtkit-daemon|polkit)\.(service|socket)|/session-[0-9c]+\.scope$|/user-[0-9]+\.slice$|/init\.scope|/sys/fs/cgroup/(machine\.slice|cella(-oci)?|libpod_parent(/conmon)?)$'

# Every process that began before the picture: what began later takes part in making it.
# The start time tells a new process with an old number.
leaves_processes() {
	noise=$leaves_noise awk -v now="$1" '
		function first_line(file, line) {
			line = ""
			getline line <file
			close(file)
			return line
		}
		BEGIN {
			for (i = 1; i < ARGC; i++) {
				stat = first_line(ARGV[i] "/stat")
				# proc_pid_stat(5): the name may have blanks and brackets
				if (!match(stat, /^.*\) /))
					continue
				comm = substr(stat, index(stat, "(") + 1, RLENGTH - index(stat, "(") - 2)
				split(substr(stat, RLENGTH + 1), field, " ") # from field 3 on
				if (field[2] == 2 || field[20] + 0 >= now + 0) # kernel thread
					continue
				cgroup = first_line(ARGV[i] "/cgroup")
				sub(/^0::/, "", cgroup)
				if (cgroup == "" || (cgroup !~ /\/session-[^/]*/ && cgroup ~ ENVIRON["noise"]))
					continue
				print "process", substr(ARGV[i], 7), "(" comm ") started", field[20], "in", cgroup
			}
		}' /proc/[0-9]*
}

# leaves_things: lines that name everything else of interest.
leaves_things() {
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
		true
	)
}

# leaves_picture UPTIME: all of it, sorted.
leaves_picture() {
	{ leaves_things; leaves_processes "${1/./}"; } | sort -u
}

# The things of a clean test's end, which are those of the next one's begin when that comes at once:
# a second of an emulated CPU each.
leaves_last=/run/cella-test.leaves

leaves_begin() {
	local now last

	read -r now _ </proc/uptime
	if mv "$leaves_last" "$TEST_DIR.last" 2>/dev/null; then
		read -r last <"$TEST_DIR.last"
		if [ $((${now/./} - last)) -lt 300 ]; then # hundredths of a second
			{ sed '1d; /^process /d' "$TEST_DIR.last"; leaves_processes "${now/./}"; } | sort -u >"$TEST_DIR.before"
		fi
		rm -f "$TEST_DIR.last"
	fi
	[ -e "$TEST_DIR.before" ] || leaves_picture "$now" >"$TEST_DIR.before"
}

# One check: the machine is as it was. What the kernel ends a moment later has LEAVES_SECONDS (3).
leaves_nothing() {
	local end=$((SECONDS + ${LEAVES_SECONDS:-3})) left now after

	while :; do
		read -r now _ </proc/uptime # before the first fork for the picture
		after=$(leaves_picture "$now")
		left=$(comm -13 "$TEST_DIR.before" - <<<"$after")
		if [ -z "$left" ] || [ $SECONDS -ge $end ]; then break; fi
		sleep 0.2
	done
	rm -f "$TEST_DIR.before"
	if [ -z "$left" ]; then
		ok "leaves nothing behind"
		printf '%s\n' "${now/./}" "$after" >"$leaves_last"
	else
		not_ok "leaves nothing behind" "$left"
	fi
}
