#!/bin/bash
# malformed, oversized and contradictory configurations: one line that names the place, status 1, nothing left
# timeout: 240
. "$(dirname "$0")/lib.sh"

make_bundle b
cp b/config.json good.json

bad() { # DESCRIPTION REGEX JQ_FILTER
	jq "$3" good.json >b/config.json
	check_fails "$1" "$2" oci create --bundle b bad </dev/null
	[ ! -e "$OCI_ROOT/bad" ] || { not_ok "$1: state is left" && oci delete --force bad; }
}

raw() { # DESCRIPTION REGEX: b/config.json is as it is
	check_fails "$1" "$2" oci create --bundle b bad </dev/null
	[ ! -e "$OCI_ROOT/bad" ] || { not_ok "$1: state is left" && oci delete --force bad; }
}

# one more of each kind: what is not a number of its range, or not of its type, is named by its place
while read -r place filter; do
	bad "$place: $filter" "${place//./\\.}" ".$place = $filter"
done <<'END'
process.user.uid 1.5
process.user.uid 18446744073709551616
process.user.gid "0"
process.user.umask 512
process.oomScoreAdj 1001
process.oomScoreAdj "0"
process.args [1]
process.env {"A": "b"}
process.terminal "yes"
process.capabilities.bounding "CAP_KILL"
process.consoleSize {"height": 65536, "width": 1}
process.rlimits [{"type": "RLIMIT_NOFILE", "hard": -1, "soft": 1}]
process.scheduler {"policy": "SCHED_OTHER", "nice": 20}
process.ioPriority {"class": "IOPRIO_CLASS_BE", "priority": 8}
root "rootfs"
root.readonly 1
hostname ["a"]
hostname "a\nb"
mounts {}
mounts [{"destination": "/x", "options": "ro"}]
annotations {"a": 1}
hooks.poststart [{"path": "/bin/true", "timeout": 0}]
linux []
linux.namespaces [{"type": 5}]
linux.uidMappings [{"containerID": 4294967296, "hostID": 0, "size": 1}]
linux.devices [{"path": "/dev/x", "type": "z"}]
linux.timeOffsets {"boottime": {"secs": 1, "nanosecs": 1000000000}}
linux.resources.memory.limit -2
linux.resources.memory.limit 9223372036854775808
linux.resources.pids.limit 1e400
linux.resources.cpu.shares -1
linux.resources.unified {"../x": "1"}
linux.resources.devices [{"allow": "no"}]
linux.seccomp {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"}]}
linux.maskedPaths "all"
linux.sysctl {"net.ipv4.ip_forward": 1}
END
printf '{"ociVersion":"1.0.0","hostname":"a\0b"}' >b/config.json && raw "a raw NUL" 'config.json'
printf '{"ociVersion":"1.0.0","a\\u0000b":1}' >b/config.json && raw "a NUL in a name" 'NUL'
printf '\377\376{}' >b/config.json && raw "bytes that are no UTF-8" 'config.json'
printf '{"ociVersion":"1.0.0","hostname":"\377"}' >b/config.json && raw "a string that is no UTF-8" 'config.json'
printf '{' >b/config.json && raw "half an object" 'config.json'
printf '' >b/config.json && raw "nothing" 'config.json'
printf '[]' >b/config.json && raw "an array" 'config.json'
printf '{"ociVersion":"1.0.0"} x' >b/config.json && raw "text behind the end" 'config.json'
printf '{"ociVersion":"1.0.0","ociVersion":"1.0.0"}' >b/config.json && raw "a member twice" 'ociVersion|twice'
printf '{"ociVersion":"1.0.0","hostname":"a\\u0000b"}' >b/config.json && raw "a NUL" 'NUL'
{ printf '{"a":' && printf '[%.0s' {1..10000}; } >b/config.json && raw "nested 10,000 deep" 'nest|deep'
head -c 20000000 /dev/zero | tr '\0' ' ' >b/config.json && raw "20 MB" 'larger|bytes'
rm b/config.json && raw "no config.json" 'config.json'
mkfifo b/config.json && raw "a fifo" 'config.json'
rm b/config.json && mkdir b/config.json && raw "a directory" 'config.json'
rmdir b/config.json

bad "no ociVersion" 'ociVersion' 'del(.ociVersion)'
bad "another major version" 'ociVersion' '.ociVersion = "2.0.0"'
bad "no root" 'root' 'del(.root)'
bad "a root that is missing" 'nowhere' '.root.path = "nowhere"'
bad "a root that is a file" 'config.json' '.root.path = "config.json"'
bad "a wrong type" 'process.args' '.process.args = "sh"'
bad "no arguments" 'process.args' '.process.args = []'
bad "a relative working directory" 'process.cwd' '.process.cwd = "tmp"'
bad "a uid that wraps" 'process.user.uid' '.process.user.uid = 4294967296'
bad "a negative uid" 'process.user.uid' '.process.user.uid = -1'
bad "an unknown namespace" 'linux.namespaces' '.linux.namespaces += [{"type": "soul"}]'
bad "a namespace twice" 'linux.namespaces' '.linux.namespaces += [{"type": "pid"}]'
bad "a namespace path that is missing" 'nowhere' '.linux.namespaces[1].path = "/nowhere"'
bad "a namespace path of another kind" 'namespace' '.linux.namespaces[1].path = "/proc/self/ns/pid"'
bad "an unknown rlimit" 'rlimits' '.process.rlimits = [{"type": "RLIMIT_SOUL", "hard": 1, "soft": 1}]'
bad "an unknown seccomp action" 'seccomp' '.linux.seccomp = {"defaultAction": "SCMP_ACT_MAYBE"}'
bad "a mount without a destination" 'mounts' '.mounts += [{"type": "tmpfs"}]'
bad "an unknown file system" 'nofs' '.mounts += [{"destination": "/x", "type": "nofs"}]'
bad "a bind of nothing" 'nowhere' '.mounts += [{"destination": "/x", "type": "bind", "source": "/nowhere", "options": ["bind"]}]'
bad "mappings without a user namespace" '[Mm]apping|user namespace' '.linux.uidMappings = [{"containerID": 0, "hostID": 1, "size": 1}]'
bad "a host name without a UTS namespace" 'hostname' '.linux.namespaces |= map(select(.type != "uts"))'
bad "a sysctl of the host" 'sysctl' '.linux.sysctl = {"kernel.panic": "1"}'
bad "a limit out of range" 'cpu' '.linux.resources.cpu = {"period": 1, "quota": 1}'
bad "a relative hook" 'hooks' '.hooks = {"createRuntime": [{"path": "true"}]}'
bad "a hook that fails" 'createRuntime' '.hooks = {"createRuntime": [{"path": "/bin/false"}]}'
bad "a hook that hangs" 'createRuntime' '.hooks = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "100"], "timeout": 1}]}'
bad "a program that is missing" 'no such file|not found' '.process.args = ["/nowhere"]'
bad "a program that may not be executed" '[Pp]ermission denied' '.process.args = ["/etc/passwd"]'
cp good.json b/config.json
check_fails "a bundle that is missing" 'nowhere' oci create --bundle nowhere bad </dev/null
check_fails "a state root that is a file" 'good.json' "${CELLA_OCI:-cella-oci}" --root good.json create --bundle b bad </dev/null
