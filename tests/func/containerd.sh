# A containerd of the test's own, in $TEST_DIR; sourced after lib.sh by tests that call us through it.
# shellcheck shell=bash disable=SC2154,SC2034 # variables of lib.sh, and for tests

needs containerd containerd-shim-runc-v2 jq
[ -r /srv/busybox.tar ] || skip_rest "no /srv/busybox.tar here"
runtime=$(command -v "${CELLA_OCI:-cella-oci}") || skip_rest "cella-oci is not installed"
containerd_socket=$TEST_DIR/containerd.sock

# start_containerd CONFIG: those lines are added to the daemon's configuration
start_containerd() {
	cat >"$TEST_DIR/containerd.toml" <<EOF
version = 2
root = "$TEST_DIR/root"
state = "$TEST_DIR/state"
[grpc]
  address = "$containerd_socket"
$1
EOF
	containerd --config "$TEST_DIR/containerd.toml" >"$TEST_DIR/containerd.log" 2>&1 &
	containerd_pid=$!
	cleanup stop_containerd
	wait_for 30 ctr version || { tail -n 20 "$TEST_DIR/containerd.log" && false; }
}

ctr() { command ctr --address "$containerd_socket" "$@"; }

# its shims go with their tasks; what it leaves is at fixed places
# shellcheck disable=SC2317 # called at the end
stop_containerd() {
	local namespace task

	for namespace in default k8s.io; do
		ctr -n $namespace tasks ls -q | while read -r task; do ctr -n $namespace tasks delete --force "$task"; done
	done
	kill "$containerd_pid" && wait "$containerd_pid"
	rm -rf --one-file-system /run/containerd/runc/{default,k8s.io}
	rmdir /run/containerd/{runc,s,} /sys/fs/cgroup/{default,k8s.io}
}
