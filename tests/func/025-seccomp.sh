#!/bin/bash
# linux.seccomp: actions, argument comparisons, defaults, flags, architectures, and the notify listener
# timeout: 180
. "$(dirname "$0")/lib.sh"

# profile JQ: a bundle whose container allows all but what is said
profile() { make_bundle b ".linux.seccomp = ({defaultAction: \"SCMP_ACT_ALLOW\"} + $1) | .process.args = [\"sleep\", \"1000\"]"; }
try() { oci exec props-seccomp sh -c "$1" </dev/null 2>&1 || true; }
fresh() { oci delete --force props-seccomp && profile "$1" && start_bundle props-seccomp b; }

profile '{architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"], syscalls: [
	{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO"}, {names: ["rmdir", "unlinkat"], action: "SCMP_ACT_ERRNO", errnoRet: 18},
	{names: ["sethostname"], action: "SCMP_ACT_KILL_PROCESS"}, {names: ["sync"], action: "SCMP_ACT_TRAP"},
	{names: ["no_such_call_ever"], action: "SCMP_ACT_ERRNO"}]}'
start_bundle props-seccomp b
pid=$(pid_of props-seccomp)
is "a filter is there" "$(proc_status "$pid" Seccomp)" 2
is "exactly one" "$(proc_status "$pid" Seccomp_filters)" 1
like "ERRNO is EPERM" "$(try 'mkdir /tmp/x')" 'Operation not permitted'
like "errnoRet" "$(try 'rmdir /tmp')" 'Invalid cross-device link'
is "KILL_PROCESS: SIGSYS" "$(try 'hostname x; echo $?' | tail -n 1)" 159
is "TRAP: SIGSYS" "$(try 'sync; echo $?' | tail -n 1)" 159
is "others go on" "$(try 'echo fine')" fine

# each comparison, at the signal number of kill(2); URG, CHLD, CONT, WINCH (23, 17, 18, 28) harm nobody
for row in 'EQ 23 0 23 28' 'NE 23 0 28 23' 'LT 20 0 17 23' 'LE 18 0 18 23' 'GE 23 0 23 18' 'GT 18 0 23 18' 'MASKED_EQ 7 7 23 28'; do
	read -r op value two caught passes <<<"$row"
	fresh '{syscalls: [{names: ["kill"], action: "SCMP_ACT_ERRNO", args: [{index: 1, op: "SCMP_CMP_'"$op"'", value: '"$value"', valueTwo: '"$two"'}]}]}'
	is "$op catches $caught and passes $passes" "$(try "kill -$caught \$\$ 2>/dev/null; echo \$?; kill -$passes \$\$; echo \$?" | tr '\n' ' ')" "1 0 "
done

# a list of what is allowed: busybox's sleep and sh, and what starts them; the rest is defaultErrnoRet
make_bundle b '.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 95, syscalls: [{action: "SCMP_ACT_ALLOW", names: $names}]}' \
	--argjson names '["read","write","open","openat","openat2","close","stat","fstat","lstat","newfstatat","mmap","mprotect","munmap","brk","rt_sigaction",
		"rt_sigprocmask","rt_sigreturn","ioctl","access","dup","dup2","dup3","nanosleep","clock_nanosleep","getpid","getppid","getpgrp","clone","clone3","fork","vfork",
		"execve","execveat","exit","exit_group","wait4","fcntl","getcwd","chdir","getuid","geteuid","getgid","getegid","setuid","setgid","setgroups","capset","prctl","arch_prctl",
		"set_tid_address","set_robust_list","rseq","prlimit64","getrandom","futex","sendmsg","sendto","recvmsg","recvfrom","poll","ppoll","umask","fchown","fchownat","close_range","capget","setresuid","setresgid",
		"readlink","readlinkat","sigaltstack","setsid","sched_yield","uname","lseek","pread64","gettid","tgkill","fchdir","pipe2","seccomp","gettimeofday","clock_gettime","setpriority","getpriority"]'
oci delete --force props-seccomp
start_bundle props-seccomp b
like "defaultErrnoRet" "$(try 'mkdir /tmp/x')" '[Nn]ot supported'
oci delete --force props-seccomp

# flags: LOG and SPEC_ALLOW are visible as the speculation state; TSYNC is accepted
profile '{flags: ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"], syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}'
start_bundle props-seccomp b
is "flags LOG and TSYNC" "$(proc_status "$(pid_of props-seccomp)" Seccomp)" 2
fresh '{flags: ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"], syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}'
unlike "flag SPEC_ALLOW keeps speculation" "$(proc_status "$(pid_of props-seccomp)" Speculation_Store_Bypass)" 'force mitigated'
oci delete --force props-seccomp

# a listener: it receives the descriptor with the container's state, and answers mkdir with an error of its own
cat >listener.py <<'PY'
import array, ctypes, fcntl, json, os, socket, struct, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
open("listener.ready", "w").close()
peer, _ = server.accept()
text, fds, _, _ = socket.recv_fds(peer, 65536, 4)
open("listener.json", "wb").write(text)
while True:
    note = bytearray(80)  # struct seccomp_notif: id, pid, flags, data
    try:
        fcntl.ioctl(fds[0], 0xC0502100, note)
    except OSError:
        break
    ident, = struct.unpack_from("Q", note)
    fcntl.ioctl(fds[0], 0xC0182101, bytearray(struct.pack("QqiI", ident, 0, -28, 0)))  # ENOSPC
PY
needs python3
python3 listener.py "$TEST_DIR/l.sock" >listener.out 2>&1 &
listener=$!
cleanup kill $listener
wait_for 10 test -e listener.ready
make_bundle b '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $path, listenerMetadata: "told",
	syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]} | .process.args = ["sh", "-c", "mkdir /tmp/x 2>/tmp/said; sleep 1000"]' \
	--arg path "$TEST_DIR/l.sock"
start_bundle props-seccomp b
check "the listener answered" wait_for 10 grep -q 'No space left' b/rootfs/tmp/said
is "with its metadata" "$(jq -r .metadata listener.json)" told
is "the state's id" "$(jq -r .state.id listener.json)" props-seccomp
is "the process's pid" "$(jq -r .pid listener.json)" "$(pid_of props-seccomp)"
is "and the descriptor's name" "$(jq -c .fds listener.json)" '["seccompFd"]'
kill $listener && rm -f l.sock listener.ready
python3 listener.py "$TEST_DIR/l.sock" >listener.out 2>&1 &
cleanup kill $!
wait_for 10 test -e listener.ready
oci exec --detach --pid-file pid props-seccomp sh -c 'mkdir /tmp/x 2>/tmp/said2; sleep 1000' >exec.out 2>&1 </dev/null
check "exec hands its filter to the listener, too" wait_for 10 grep -q 'No space left' b/rootfs/tmp/said2
is "with its own pid" "$(jq -r .pid listener.json)" "$(cat pid)"
is "beside init's in the state" "$(jq -r .state.pid listener.json)" "$(pid_of props-seccomp)"
is "and the metadata" "$(jq -r .metadata listener.json)" told

# the same, with the path in an annotation
kill $! && rm -f l.sock listener.ready listener.json
python3 listener.py "$TEST_DIR/l.sock" >listener.out 2>&1 &
cleanup kill $!
wait_for 10 test -e listener.ready
oci delete --force props-seccomp
edit_bundle b 'del(.linux.seccomp.listenerPath, .linux.seccomp.listenerMetadata) | .annotations = {"run.oci.seccomp.receiver": $path}' --arg path "$TEST_DIR/l.sock"
rm -f b/rootfs/tmp/said && start_bundle props-seccomp b
check "run.oci.seccomp.receiver" wait_for 10 grep -q 'No space left' b/rootfs/tmp/said
