#!/bin/bash
# linux.sysctl, annotations and ociVersion in the state, the session keyring
. "$(dirname "$0")/lib.sh"

make_bundle b '.linux.sysctl = {"net.ipv4.ip_forward": "1", "net/ipv4/ping_group_range": "5 9", "kernel.shmmax": "123456", "kernel.msgmax": "4321",
	"fs.mqueue.msg_max": "9", "kernel.sem": "100 200 30 40"} | .annotations = {"org.example.a": "one", "b": ""}'
start_bundle props-names b
pid=$(pid_of props-names)
# read with the host's procfs in the container's namespaces
value() { nsenter -t "$pid" -n -i cat "/proc/sys/$1"; }
is "sysctl of the network" "$(value net/ipv4/ip_forward)" 1
is "with slashes in its name" "$(value net/ipv4/ping_group_range | xargs)" "5 9"
is "of System V IPC" "$(value kernel/shmmax)" 123456
is "of messages" "$(value kernel/msgmax)" 4321
is "of semaphores" "$(value kernel/sem | xargs)" "100 200 30 40"
is "of message queues" "$(value fs/mqueue/msg_max)" 9
unlike "the host keeps its own" "$(cat /proc/sys/kernel/shmmax)" '^123456$'
is "annotations in the state" "$(oci state props-names | jq -cS .annotations)" '{"b":"","org.example.a":"one"}'
is "the bundle" "$(oci state props-names | jq -r .bundle)" "$TEST_DIR/b"
like "ociVersion" "$(oci state props-names | jq -r .ociVersion)" '^1\.[0-9]+\.[0-9]+'

# keyrings(7): /proc/keys shows keys that the reader possesses: from inside, the session keyring of the container's name
edit_bundle b '.linux.maskedPaths = [] | .process.args = ["sh", "-c", "cat /proc/keys"] | del(.linux.sysctl)'
like "a session keyring of its own" "$(oci run --bundle b props-keyring </dev/null)" 'keyring +_ses.*props-keyring'
unlike "--no-new-keyring stays in the caller's" "$(oci run --no-new-keyring --bundle b props-keyring </dev/null)" 'props-keyring'
oci delete --force props-names
edit_bundle b '.linux.namespaces |= map(select(.type != "ipc" and .type != "network")) | .linux.sysctl = {"kernel.shmmax": "1"}'
check_fails "a sysctl of the host's namespace is refused" 'shmmax' oci create --bundle b props-names </dev/null
edit_bundle b '.linux.sysctl = {"net.ipv4.ip_forward": "0"}'
check_fails "the network's as well" 'ip_forward' oci create --bundle b props-names </dev/null
