# Boots a guest, talks to it, ends it. Sourced by tests/vm/guest and by the runners.
# A guest NAME is a directory in the cache: pid port key console (the serial line) qemu.log.
# shellcheck shell=bash disable=SC2154,SC2029 # $guests is config.sh's; commands are for the guest's shell
boot_seconds=${BOOT_SECONDS:-180}

guest_dir() { echo "$guests/$1"; }

# The options that ssh needs for guest NAME, in the array ssh_options. One connection is kept and
# shared: a handshake costs half a second under emulation.
set_ssh_options() {
	local dir
	dir=$(guest_dir "$1")
	ssh_options=(-q -F none -i "$dir/key" -p "$(cat "$dir/port")" -o BatchMode=yes
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=10
		-o ServerAliveInterval=10 -o ServerAliveCountMax=6
		-o ControlMaster=auto -o ControlPath="$dir/ssh" -o ControlPersist=600)
}

guest_alive() {
	local pid stat
	pid=$(cat "$(guest_dir "$1")/pid" 2>/dev/null) || return 1
	stat=$(cat "/proc/$pid/stat" 2>/dev/null) || return 1
	# the pid must still be a QEMU (after a crash of this machine it may be anybody's), not a zombie
	[[ $stat == *'(qemu-system-x86) '[!Z]* ]]
}

# guest_ssh NAME COMMAND...: the words are joined by spaces and read by a shell in the guest.
guest_ssh() {
	local name=$1 ssh_options
	shift
	guest_alive "$name" || die "guest $name is not running"
	set_ssh_options "$name"
	ssh "${ssh_options[@]}" root@127.0.0.1 "$@"
}

# guest_put NAME SOURCE DIRECTORY: a file or the folder itself, by tar.
guest_put() {
	tar -C "$(dirname "$2")" --owner=0 --group=0 -cf - "$(basename "$2")" |
		guest_ssh "$1" "mkdir -p '$3' && tar -C '$3' -xf -"
}

# guest_get NAME SOURCE DIRECTORY: the other way.
guest_get() {
	mkdir -p "$3"
	guest_ssh "$1" "tar -C '$(dirname "$2")' -cf - '$(basename "$2")'" </dev/null | tar -C "$3" -xf -
}

free_port() {
	local port
	while :; do
		port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
		# a listener or a connection on this port: column 2 of /proc/net/tcp is address:port in hex
		grep -q ":$(printf %04X $port) " /proc/net/tcp || break
	done
	echo $port
}

# MiB: a quarter of the machine's memory, but not more than a guest needs.
guest_mem_mib() {
	awk '/^MemTotal/ { m = int($2 / 1024 / 4); print (m > 4096 ? 4096 : m) }' /proc/meminfo
}

# Start QEMU; it ends with this shell when TIED is 1, and goes on alone otherwise.
guest_spawn() {
	local name=$1 number=$2 peer=$3 dir args accel
	dir=$(guest_dir "$name")

	free_port >"$dir/port"
	accel=$(accelerator "$dir")
	mapfile -t args < <(qemu_args "$dir" "$number" "$(cat "$dir/port")" "$(guest_mem_mib)" "$peer" "$accel")
	: >"$dir/console"
	(
		# held while the guest runs, so that nobody removes the image under it
		exec 7<"$(image_dir)"
		flock -s 7
		export TMPDIR=/mnt/guests/$name # for the blocks the guest writes
		if [ "${TIED:-0}" = 1 ]; then
			in_qemu_tree setpriv --pdeathsig KILL qemu-system-x86_64 "${args[@]}"
		else
			in_qemu_tree setsid qemu-system-x86_64 "${args[@]}"
		fi
	) </dev/null >"$dir/qemu.log" 2>&1 8>&- 9>&- &
	echo $! >"$dir/pid"
	disown # its end is no news for this shell
}

# Wait for the guest's mark on its console: 0 ready, 1 dead or too late.
guest_wait() {
	local name=$1 dir deadline=$((SECONDS + boot_seconds))
	dir=$(guest_dir "$name")

	while ! grep -aq 'cella-test-guest ready' "$dir/console"; do
		kill -0 "$(cat "$dir/pid")" 2>/dev/null || return 1
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.2
	done
}

# guest_begin NAME [NUMBER] [PEER]: switch a fresh guest on. With TIED=1 it must be called from the
# shell that the guest shall die with, not from a subshell of it.
guest_begin() {
	local name=$1 number=${2:-1} peer=${3:-} dir
	dir=$(guest_dir "$name")

	if guest_alive "$name"; then die "guest $name is running already"; fi
	rm -rf "$dir"
	mkdir -p "$dir"
	printf '%s\n' "$number" "$peer" >"$dir/role"
	install -m 600 "$(image_dir)/key" "$dir/key"
	guest_spawn "$name" "$number" "$peer"
}

# guest_ready NAME: wait until a guest that was begun takes commands.
guest_ready() {
	local name=$1 dir started=$SECONDS role
	dir=$(guest_dir "$name")

	for attempt in 1 2; do
		if guest_wait "$name" && guest_ssh "$name" true; then
			say "guest $name is up after $((SECONDS - started)) s ($(accelerator "$dir"))"
			return
		fi
		tail -n 20 "$dir/console" "$dir/qemu.log" >&2
		guest_kill "$name"
		[ $attempt = 2 ] && break
		# the port may have been taken between its choice and its use
		mapfile -t role <"$dir/role"
		guest_spawn "$name" "${role[0]}" "${role[1]}"
	done
	die "guest $name did not boot"
}

guest_kill() {
	local dir pid
	dir=$(guest_dir "$1")

	if guest_alive "$1"; then
		pid=$(cat "$dir/pid")
		kill -KILL "$pid" 2>/dev/null || true
		while guest_alive "$1"; do sleep 0.05; done
	fi
	rm -f "$dir/pid" "$dir/cable"
}

# guest_down NAME: power off at once (nothing of it is kept) and forget it.
guest_down() {
	local ssh_options
	if [ -S "$(guest_dir "$1")/ssh" ]; then
		set_ssh_options "$1"
		ssh "${ssh_options[@]}" -O exit root@127.0.0.1 2>/dev/null || true
	fi
	guest_kill "$1"
	rm -rf "$(guest_dir "$1")"
}
