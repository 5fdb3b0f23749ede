#!/bin/bash
# containerd's CRI plugin starts a pod sandbox and a container with us, as Kubernetes does
# timeout: 600
# host: no
. "$(dirname "$0")/lib.sh"
# shellcheck source=containerd.sh
. "$(dirname "$0")/containerd.sh"

python3 -c 'import grpc' 2>/dev/null || skip_rest "no python3-grpcio here"
[ -x /usr/lib/cni/ptp ] || skip_rest "no CNI plugins here"
mkdir "$TEST_DIR/cni"
cat >"$TEST_DIR/cni/10-test.conflist" <<EOF
{"cniVersion": "1.0.0", "name": "cella-test", "plugins": [{"type": "ptp",
 "ipam": {"type": "host-local", "dataDir": "$TEST_DIR/addresses", "ranges": [[{"subnet": "10.253.7.0/24"}]]}}]}
EOF
# start_containerd adds the lines below [grpc]
start_containerd "[plugins.\"io.containerd.grpc.v1.cri\"]
  sandbox_image = \"localhost/pause:test\"
  [plugins.\"io.containerd.grpc.v1.cri\".cni]
    bin_dir = \"/usr/lib/cni\"
    conf_dir = \"$TEST_DIR/cni\"
  [plugins.\"io.containerd.grpc.v1.cri\".containerd]
    default_runtime_name = \"cella\"
  [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.cella]
    runtime_type = \"io.containerd.runc.v2\"
  [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.cella.options]
    BinaryName = \"$runtime\""
for name in pause busybox; do
	python3 "$func_dir/cri.py" --image /srv/busybox.tar localhost/$name:test "$TEST_DIR/$name.tar" sleep 100000
	ctr -n k8s.io images import "$TEST_DIR/$name.tar" >/dev/null
done
# cri METHOD JSON [JQ_FILTER]
cri() { python3 "$func_dir/cri.py" "$containerd_socket" "$1" "$2" | jq -r "${3:-.}"; }

sandbox='{"1": {"1": "pod", "2": "uid-1", "3": "default"}, "2": "in-a-pod", "3": "'$TEST_DIR'/logs",
	"8": {"1": "/cella-test-pods"}}'
cleanup rmdir /sys/fs/cgroup/cella-test-pods
pod=$(cri RunPodSandbox "{\"1\": $sandbox, \"2\": \"cella\"}" '."1"')
like "a sandbox starts" "$pod" '^[0-9a-f]{64}$'
cleanup cri RemovePodSandbox "{\"1\": \"$pod\"}"
cleanup cri StopPodSandbox "{\"1\": \"$pod\"}"
is "it has state with us" "$(cella-oci --root /run/containerd/runc/k8s.io state "$pod" | jq -r .status)" running
container=$(cri CreateContainer "{\"1\": \"$pod\", \"2\": {\"1\": {\"1\": \"one\"}, \"2\": {\"1\": \"localhost/busybox:test\"},
	\"3\": [\"sh\", \"-c\", \"trap 'exit 3' TERM; while :; do sleep 60 & wait; done\"], \"11\": \"one.log\",
	\"15\": {\"1\": {\"4\": 67108864, \"3\": 512}}}, \"3\": $sandbox}" '."1"')
like "a container is created" "$container" '^[0-9a-f]{64}$'
cri StartContainer "{\"1\": \"$container\"}" >/dev/null
is "it is running" "$(cri ContainerStatus "{\"1\": \"$container\"}" '."1"."3"')" 1
inside() { cri ExecSync "{\"1\": \"$container\", \"2\": [\"sh\", \"-c\", \"$1\"], \"3\": 60}" "${2:-.\"1\"}"; }
is "exec" "$(inside 'echo inside')" inside
is "exec's status" "$(inside 'exit 9' '."3"')" 9
is "the pod's host name" "$(inside hostname)" in-a-pod
like "the pod's address" "$(inside 'ip -o -4 addr show dev eth0')" 10.253.7
pid=$(cella-oci --root /run/containerd/runc/k8s.io state "$container" | jq -r .pid)
pause=$(cella-oci --root /run/containerd/runc/k8s.io state "$pod" | jq -r .pid)
is "one network namespace" "$(readlink "/proc/$pid/ns/net")" "$(readlink "/proc/$pause/ns/net")"
cgroup=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
is "below the pod's cgroup" "$cgroup" "/cella-test-pods/$container"
is "with its limit" "$(cat "/sys/fs/cgroup$cgroup/memory.max")" 67108864
cri StopContainer "{\"1\": \"$container\", \"2\": 20}" >/dev/null
is "it stops by itself" "$(cri ContainerStatus "{\"1\": \"$container\"}" '."1" | "\(."3") \(."7")"')" "2 3"
cri RemoveContainer "{\"1\": \"$container\"}" >/dev/null
cri StopPodSandbox "{\"1\": \"$pod\"}" >/dev/null
cri RemovePodSandbox "{\"1\": \"$pod\"}" >/dev/null
check "the sandbox is gone" sh -c "! kill -0 $pause"
