# Help for tests that call us through podman; sourced instead of lib.sh. podman is told of us by a containers.conf as the
# README has it. What podman itself keeps on a machine (slices, its bridge, firewall tables) is made before the first
# picture, by a container of another runtime.
# shellcheck shell=bash disable=SC2034 # variables for tests
# shellcheck source-path=SCRIPTDIR

podman_warm_up() {
	command -v podman crun >/dev/null || return 0
	podman image exists localhost/busybox:test || podman load -q -i /srv/busybox.oci.tar
	podman --runtime crun run --rm localhost/busybox:test true
} >/dev/null 2>&1

podman_warm_up || true
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs podman conmon jq
[ -r /srv/busybox.oci.tar ] || podman image exists localhost/busybox:test ||
	skip_rest "no image /srv/busybox.oci.tar here"

runtime=$(command -v "${CELLA_OCI:-cella-oci}") || skip_rest "cella-oci is not installed"
image=localhost/busybox:test
export CONTAINERS_CONF_OVERRIDE=$TEST_DIR/containers.conf
cat >"$CONTAINERS_CONF_OVERRIDE" <<EOF
[engine]
runtime = "cella-oci"
runtime_supports_json = ["cella-oci", "crun", "runc"]
runtime_supports_nocgroup = ["cella-oci", "crun"] # as podman spells it; its manual adds an "s"
[engine.runtimes]
cella-oci = ["$runtime"]
EOF
chmod 755 "$TEST_DIR"
chmod 644 "$CONTAINERS_CONF_OVERRIDE"

# names NAME...: remove these containers at the end
names() {
	local name
	for name; do cleanup podman rm --force --time 0 --ignore "$name"; done
}

# cgroup_of PID: its directory
cgroup_of() { echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")"; }

# inspect NAME FORMAT
inspect() { podman inspect --format "$2" "$1"; }

# status COMMAND...: print its exit status
status() {
	local status=0
	"$@" >/dev/null 2>&1 || status=$?
	echo $status
}
