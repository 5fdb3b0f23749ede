#!/bin/bash
# --preserve-fds and LISTEN_FDS of create, run and exec; --pidfd-socket
# shellcheck disable=SC2016 # for the container's shell
. "$(dirname "$0")/lib.sh"
needs python3

make_bundle b '.process.args = ["sh", "-c", "readlink /proc/self/fd/5 >/dev/null && five=open; cat <&3; echo 5 ${five:-closed} $LISTEN_FDS/$LISTEN_PID"]'
echo three >three
run() { oci run "$@" --bundle b passed </dev/null 2>&1 3<three 4</etc/passwd 5</etc/group; }

is "run --preserve-fds" "$(run --preserve-fds 2)" $'three\n5 closed /'
is "LISTEN_FDS passes descriptors and tells of them" "$(LISTEN_FDS=2 LISTEN_PID=77 run)" $'three\n5 closed 2/1'
is "both add up" "$(LISTEN_FDS=2 run --preserve-fds 1)" $'three\n5 open 2/1'
like "without either nothing is passed" "$(run || true)" 'ad file descriptor'
check_fails "one that is not open" 'preserve-fds: descriptor [0-9]+' oci run --preserve-fds 900 --bundle b passed </dev/null
check_fails "LISTEN_FDS that is no number" 'LISTEN_FDS' env LISTEN_FDS=2x "${CELLA_OCI:-cella-oci}" --root "$OCI_ROOT" run --bundle b passed </dev/null
check "nothing is left" test ! -e "$OCI_ROOT/passed"

edit_bundle b '.process.args = ["sh", "-c", "cat <&3 >/tmp/got; echo $LISTEN_FDS/$LISTEN_PID >>/tmp/got; exec sleep 1000"]'
cleanup oci delete --force passed
LISTEN_FDS=1 oci create --bundle b passed >create.out 2>&1 </dev/null 3<three 4<three
oci start passed
check "create keeps them for start" wait_for 10 grep -q 1/1 b/rootfs/tmp/got
is "the same file" "$(head -n 1 b/rootfs/tmp/got)" three
is "init has it, and no other" "$(find "/proc/$(pid_of passed)/fd" -lname "$TEST_DIR/three" -printf '%f ')" "3 "
is "exec" "$(LISTEN_FDS=1 oci exec passed sh -c 'cat <&3; echo $LISTEN_FDS/$LISTEN_PID' 3<three </dev/null)" $'three\n1/1'
oci delete --force passed

# Receives a descriptor and says whose it is.
cat >pidfd.py <<'PY'
import os, re, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
open(sys.argv[1] + ".ready", "w").close()
peer, _ = server.accept()
_, fds, _, _ = socket.recv_fds(peer, 64, 4)
pid = re.search(r"^Pid:\s*(\S+)", open("/proc/self/fdinfo/%d" % fds[0]).read(), re.M).group(1)
open(sys.argv[1] + ".pid.new", "w").write("%d %s" % (len(fds), pid))
os.rename(sys.argv[1] + ".pid.new", sys.argv[1] + ".pid")
PY
receive() { # NAME
	python3 pidfd.py "$1" &
	cleanup kill $!
	wait_for 20 test -e "$1.ready"
}
received() { wait_for 20 test -e "$1.pid" && cat "$1.pid"; }
edit_bundle b '.process.args = ["sleep", "1000"]'
receive created
oci create --bundle b --pidfd-socket created --pid-file pid passed >create.out 2>&1 </dev/null
is "create --pidfd-socket sends one of init" "$(received created)" "1 $(pid_of passed)"
is "--pid-file has that number and no more" "$(od -An -c pid | tr -d ' ')" "$(pid_of passed)"
oci start passed
receive executed
oci exec --detach --pidfd-socket executed --pid-file exec.pid passed sleep 1000 >exec.out 2>&1 </dev/null
is "exec --pidfd-socket" "$(received executed)" "1 $(cat exec.pid)"
oci delete --force passed
receive ran
oci run --detach --bundle b --pidfd-socket ran passed >run.out 2>&1 </dev/null
is "run --detach --pidfd-socket" "$(received ran)" "1 $(pid_of passed)"
oci delete --force passed
check_fails "a socket that is not there" 'nowhere' oci create --bundle b --pidfd-socket nowhere passed </dev/null
check "leaves no container" test ! -e "$OCI_ROOT/passed"
check_fails "a pid file that cannot be written" '/no/such' oci create --bundle b --pid-file /no/such/file passed </dev/null
check "leaves none either" test ! -e "$OCI_ROOT/passed"
