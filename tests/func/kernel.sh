# What the kernel says about a process: the truth that tests compare with. Sourced by lib.sh.
# shellcheck shell=bash

# proc_status PID FIELD: "proc_status 1 CapEff"
proc_status() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }

# ns_of PID TYPE: "ns_of 1 net" gives net:[4026531840]
ns_of() { readlink "/proc/$1/ns/$2"; }

# cgroup_of PID: its directory
cgroup_of() { echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")"; }

# cgroup_read PID FILE: "cgroup_read 42 memory.max"
cgroup_read() { cat "$(cgroup_of "$1")/$2"; }

# mounts_of PID: lines "TARGET FSTYPE OPTIONS SUPER_OPTIONS PROPAGATION" of its mount namespace
mounts_of() {
	awk '{ sep = 7; prop = ""
		while ($sep != "-") { prop = prop $sep ","; sep++ }
		print $5, $(sep + 1), $6, $(sep + 3), (prop == "" ? "private" : prop) }' "/proc/$1/mountinfo"
}

# mount_of PID TARGET: that line of the topmost mount there
mount_of() { mounts_of "$1" | awk -v t="$2" '$1 == t' | tail -n 1; }

# inside PID COMMAND...: run with the programs of this machine's PATH in all namespaces of PID
inside() {
	local pid=$1
	shift
	nsenter -t "$pid" -a -- "$@"
}

# alive PID: exists and is no zombie
alive() { [[ $(cat "/proc/$1/stat" 2>/dev/null) == *') '[!ZX]* ]]; }
gone() { ! alive "$1"; }

# has_controllers NAME...: cgroup v2 with these controllers at its root
has_controllers() {
	local name
	[ "$(stat -fc %T /sys/fs/cgroup 2>/dev/null)" = cgroup2fs ] || return 1
	for name; do
		grep -qw "$name" /sys/fs/cgroup/cgroup.controllers || return 1
	done
}

# peer COMMAND...: run on the second machine of a test with "# guests: 2"
peer() {
	ssh -q -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		"root@${PEER:?this test needs two guests}" "$@"
}
