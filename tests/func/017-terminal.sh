#!/bin/bash
# process.terminal and consoleSize: the master of the container's own devpts comes through --console-socket
. "$(dirname "$0")/lib.sh"
needs python3

# Receives one descriptor at a socket and keeps it: what comes out of it goes to MASTER.out, its size to MASTER.size
cat >receive.py <<'PY'
import array, fcntl, os, socket, struct, sys, termios
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
open(sys.argv[1] + ".ready", "w").close()
peer, _ = server.accept()
text, fds, _, _ = socket.recv_fds(peer, 4096, 4)
rows, columns = struct.unpack("HHHH", fcntl.ioctl(fds[0], termios.TIOCGWINSZ, b"\0" * 8))[:2]
with open(sys.argv[1] + ".size", "w") as out:
    out.write("%d fd, %dx%d, %s" % (len(fds), columns, rows, text.decode()))
os.write(fds[0], b"typed\n")
with open(sys.argv[1] + ".out", "wb", 0) as out:
    try:
        while True:
            out.write(os.read(fds[0], 4096))
    except OSError:
        pass
PY

receive() { # NAME
	python3 receive.py "$1" &
	cleanup kill $!
	wait_for 10 test -e "$1.ready"
}

make_bundle b '.process.terminal = true | .process.consoleSize = {width: 91, height: 17}
	| .process.args = ["sh", "-c", "tty; stty size; read x; echo got $x; exec sleep 1000"]'
receive one
cleanup oci delete --force tty
oci create --bundle b --console-socket one tty >tty.out 2>&1 </dev/null
oci start tty
pid=$(pid_of tty)
check "the program reads what the master writes" wait_for 10 grep -q 'got typed' one.out
like "one descriptor came, of the size asked for" "$(cat one.size)" '^1 fd, 91x17, /dev/p'
like "the terminal has it inside as well" "$(cat one.out)" '17 91'
for fd in 0 1 2; do like "descriptor $fd" "$(readlink "/proc/$pid/fd/$fd")" '^/dev/(pts/0|console)$'; done
is "it is the controlling terminal" "$(awk '{ print $7 }' "/proc/$pid/stat")" $((136 << 8))
like "/dev/console is it" "$(mount_of "$pid" /dev/console)" devpts
is "of the container's own devpts" "$(stat -Lc %d "/proc/$pid/root/dev/console")" "$(stat -Lc %d "/proc/$pid/root/dev/pts")"

receive two
oci exec --tty --detach --console-socket two tty sh -c 'tty; read x; echo exec $x' >exec.out 2>&1 </dev/null
check "exec --tty sends its own" wait_for 10 grep -q 'exec typed' two.out
like "which is another" "$(cat two.out)" '/dev/pts/1'
check_fails "a terminal without a socket is refused" 'console' oci create --bundle b none </dev/null
check_fails "a socket that is missing" 'nowhere' oci create --bundle b --console-socket nowhere none </dev/null
edit_bundle b '.process.terminal = false'
check_fails "a socket without a terminal is refused" 'terminal' oci create --bundle b --console-socket one none </dev/null
