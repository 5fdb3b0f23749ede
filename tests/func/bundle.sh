# OCI bundles with a busybox root, and the runtime under test. Sourced by lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of lib.sh

# oci VERB...: the OCI runtime with this test's own state directory
oci() { "${CELLA_OCI:-cella-oci}" --root "$OCI_ROOT" "$@"; }

# make_rootfs DIR: busybox with a link for every applet, passwd (root, daemon, user 1000), group
make_rootfs() {
	local root=$1 busybox applet

	mkdir -p "$root"
	if [ -r /srv/busybox.tar ]; then
		tar -C "$root" -xf /srv/busybox.tar
		chmod 755 "$root" # for containers' users, whatever mode the archive had
		return
	fi
	busybox=$(command -v busybox) || skip_rest "no busybox here"
	mkdir -p "$root"/{bin,etc,proc,sys,dev,tmp,root,run,var}
	cp "$busybox" "$root/bin/busybox"
	for applet in $(busybox --list); do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
	printf '%s\n' root:x:0:0:root:/root:/bin/sh 'daemon:x:1:1:daemon:/:/bin/false' \
		'user:x:1000:1000:user:/:/bin/sh' >"$root/etc/passwd"
	printf '%s\n' root:x:0: daemon:x:1: user:x:1000: wheel:x:10:root,user >"$root/etc/group"
}

# make_bundle DIR [JQ_FILTER [JQ_ARG...]]: DIR/rootfs and DIR/config.json. The configuration is
# config.json beside this file after the filter: make_bundle b '.process.args = ["sleep", "9"]'
make_bundle() {
	local dir=$1 filter=${2:-.}
	shift
	[ $# = 0 ] || shift

	[ -d "$dir/rootfs" ] || make_rootfs "$dir/rootfs"
	jq "$@" "$filter" "$func_dir/config.json" >"$dir/config.json"
}

# with_python DIR: this machine's python3 in that bundle's container, as /usr/bin/python3
with_python() {
	local link

	needs python3
	for link in lib lib64; do [ -e "$1/rootfs/$link" ] || ln -s "usr/$link" "$1/rootfs/$link"; done
	edit_bundle "$1" '.mounts += [{destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "ro"]}]'
}

# edit_bundle DIR JQ_FILTER [JQ_ARG...]: change its configuration
edit_bundle() {
	local dir=$1 filter=$2
	shift 2
	jq "$@" "$filter" "$dir/config.json" >"$dir/config.json.new"
	mv "$dir/config.json.new" "$dir/config.json"
}

# run_bundle JQ_FILTER SHELL_COMMAND: run that command in a fresh container with the filter applied
# and give its output; the status is the container's.
run_bundle() {
	local id
	id=run-$$-$RANDOM
	make_bundle "$TEST_DIR/run" "$1 | .process.args = [\"sh\", \"-c\", \$command]" --arg command "$2"
	oci run --bundle "$TEST_DIR/run" "$id"
}

# pid_of ID, status_of ID: from the runtime's state
pid_of() { oci state "$1" | jq -r .pid; }
status_of() { oci state "$1" | jq -r .status; }

# start_bundle ID DIR: create and start in the background of this test, removed at its end
start_bundle() {
	cleanup oci delete --force "$1"
	oci create --bundle "$2" "$1" >"$TEST_DIR/$1.out" 2>&1 </dev/null || { cat "$TEST_DIR/$1.out" && return 1; }
	oci start "$1"
}

# podman_image NAME: make localhost/NAME:test known to podman (busybox, debian-systemd)
podman_image() {
	podman image exists "localhost/$1:test" || podman load -q -i "/srv/$1.oci.tar" >/dev/null
}
