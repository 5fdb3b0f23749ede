#!/bin/bash
# NOTIFY_SOCKET: READY=1 of a container reaches the host with init's pid; start and run --detach wait for it
. "$(dirname "$0")/lib.sh"
needs python3
program=${CELLA_OCI:-cella-oci}

# Keeps what comes to the host's socket, one message a line.
cat >host.py <<'PY'
import socket
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("host.sock")
open("host.ready", "w").close()
with open("host.out", "ab", 0) as out:
    while True:
        out.write(server.recv(4096).replace(b"\n", b" ") + b"\n")
PY
python3 host.py &
cleanup kill $!
wait_for 10 test -e host.ready
export NOTIFY_SOCKET=$TEST_DIR/host.sock

# a sender inside, as a user of a user namespace, with the machine's own python
# shellcheck disable=SC2016 # for the container's shell
make_bundle b '.process.args = ["/usr/bin/python3", "-c", $send] | .process.user = {uid: 5, gid: 5}
	| .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
	| .linux.gidMappings = .linux.uidMappings
	| .mounts += [{destination: "/run", type: "tmpfs", source: "run"}]' --arg send '
import os, socket, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
def say(text): s.sendto(text, os.environ["NOTIFY_SOCKET"])
say(b"STATUS=coming\nNOTREADY=1")
while not os.path.exists("/tmp/go"): time.sleep(0.05)
say(b"STATUS=there\nREADY=1\n")
time.sleep(1000)'
with_python b
chown -R 100000:100000 b/rootfs
chmod 755 . b

# its status; check's subshell could not wait for one that has not ended yet
status_of() { local status=0; wait "$1" || status=$?; echo "$status" >status; }
reset() { rm -f b/rootfs/tmp/go && : >host.out; }
heard() { wait_for 20 test -s host.out && cat host.out; }

cleanup oci delete --force ready
oci create --bundle b ready >create.out 2>&1 </dev/null || cat create.out
oci start ready >start.out 2>&1 &
starter=$!
pid=$(pid_of ready)
check "the program runs" wait_for 20 grep -qz python "/proc/$pid/cmdline"
is "its variable" "$(tr '\0' '\n' <"/proc/$pid/environ" | grep ^NOTIFY_SOCKET)" NOTIFY_SOCKET=/run/notify/notify.sock
sleep 0.5
check "start waits for it to be ready" alive $starter
is "what is not READY=1 does not come through" "$(cat host.out)" ""
touch b/rootfs/tmp/go
is "READY=1 comes with the pid that the host knows" "$(heard)" "READY=1 MAINPID=$pid "
status_of $starter
is "start ends" "$(cat status)" 0
oci delete --force ready

reset
oci run --bundle b ready >run.out 2>&1 </dev/null &
runner=$!
touch b/rootfs/tmp/go
is "run in the foreground relays as well" "$(heard)" "READY=1 MAINPID=$(pid_of ready) "
check "and stays" alive $runner
oci kill ready KILL
wait $runner || true

reset
oci run --detach --bundle b ready >run.out 2>&1 </dev/null &
runner=$!
check "run --detach runs it" wait_for 20 bash -c "[ \"\$($program --root '$OCI_ROOT' state ready | jq -r .status)\" = running ]"
sleep 0.5
check "and waits" alive $runner
check "a container that is not ready can be deleted" timeout 10 "$program" --root "$OCI_ROOT" delete --force ready
status_of $runner
is "which ends the wait" "$(cat status)" 0
is "and says nothing to the host" "$(cat host.out)" ""

edit_bundle b '.process.args = ["true"] | .process.user = {uid: 0, gid: 0}'
check "one that ends without a word is no failure of start" bash -c "
	$program --root '$OCI_ROOT' create --bundle b brief </dev/null >brief.out 2>&1 &&
	timeout 20 $program --root '$OCI_ROOT' start brief"
oci delete --force brief
unset NOTIFY_SOCKET
start_bundle brief b
check "without the variable there is no socket" test ! -e "$OCI_ROOT/brief/notify"
