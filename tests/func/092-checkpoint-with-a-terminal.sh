#!/bin/bash
# a restored container has its terminal again, and hooks run; killed anywhere, a restore leaves nothing
# timeout: 200
# host: no
. "$(dirname "$0")/lib.sh"
# shellcheck source=faults.sh
. "$func_dir/faults.sh"
needs criu jq python3

# receive SOCKET FILE: what the terminal says goes to the file
receive() {
	python3 - "$1" "$2" <<'PY' &
import array, os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
connection, _ = listener.accept()
_, control, _, _ = connection.recvmsg(64, socket.CMSG_SPACE(4))
master = array.array("i", control[0][2])[0]
os.write(master, b"word\n")
out = open(sys.argv[2], "wb", buffering=0)
try:
    while True:
        out.write(os.read(master, 4096))
except OSError:
    pass
PY
	cleanup kill $!
	wait_for 20 test -S "$1"
}

make_bundle b '.process.terminal = true | .process.args = ["sh", "-c", "while read -r word; do echo heard $word on $(tty); done"]
	| .hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "cat >>\($dir)/hooks"]}], poststop: [{path: "/bin/sh", args: ["sh", "-c", "cat >>\($dir)/stops"]}]}' \
	--arg dir "$TEST_DIR"
cleanup oci delete --force tty
receive "$TEST_DIR/first.sock" first
oci create --bundle b --console-socket "$TEST_DIR/first.sock" tty
oci start tty
check "it hears and answers" wait_for 20 grep -q 'heard word on /dev/' first
check "checkpoint" oci checkpoint --image-path images tty
is "hooks of its end ran once" "$(grep -c . stops)" 1
: >hooks
check_fails "without a socket for the terminal" "give a --console-socket" oci restore --detach --bundle b --image-path images tty
receive "$TEST_DIR/second.sock" second
check "restore" oci restore --detach --console-socket "$TEST_DIR/second.sock" --bundle b --image-path images tty
check "it hears and answers again" wait_for 20 grep -q 'heard word on /dev/' second
is "createRuntime hooks ran with its process" "$(jq -r .pid hooks)" "$(pid_of tty)"
oci delete --force tty

# --- each row of a restore, killed after it ---
faulty_criu=${faulty%/*}/cella-criu
make_bundle k '.process.args = ["sleep", "1000"]'
cleanup oci delete --force killed
oci create --bundle k killed >/dev/null 2>&1 </dev/null
oci start killed
oci checkpoint --image-path killed-images killed
restore() { "$faulty_criu" --root "$OCI_ROOT" restore --detach --bundle k --image-path killed-images killed 2>&1 >/dev/null </dev/null | cat >out; return "${PIPESTATUS[0]}"; }
CELLA_FAIL=list restore
mapfile -t rows < <(grep ^adopt: out | sort -u)
oci delete --force killed
check "restore goes through its rows (${#rows[@]})" test ${#rows[@]} -ge 6
for row in "${rows[@]}"; do
	said="$row fails"
	if CELLA_FAIL=$row restore; then not_ok "$said" "it did not"; fi
	if left=$(nothing_left killed) && grep -q 'injected fault' out; then ok "$said"; else not_ok "$said" "$left" "$(cat out)"; fi
	said="$row is killed"
	if CELLA_FAIL=$row:kill restore; then not_ok "$said" "it was not"; fi
	"$faulty_criu" --root "$OCI_ROOT" delete --force killed
	if left=$(nothing_left killed) && ! pgrep -x criu >/dev/null; then ok "$said"; else not_ok "$said" "$left" "$(pgrep -a criu)"; fi
done
