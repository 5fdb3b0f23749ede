#!/bin/bash
# nothing of the caller's reaches a container: environment, ignored signals, terminal, keys; and nothing of the image runs in us
# timeout: 180
# shellcheck disable=SC2016 # for the container's shell
. "$(dirname "$0")/lib.sh"
program=${CELLA_OCI:-cella-oci}

make_bundle b '.linux.maskedPaths = []'
cleanup oci delete --force mine
(trap '' INT PIPE HUP USR1 && SECRET=token exec "$program" --root "$OCI_ROOT" create --bundle b mine >create.out 2>&1 </dev/null)
oci start mine
pid=$(pid_of mine)
(trap '' INT PIPE HUP USR1 && SECRET=token exec "$program" --root "$OCI_ROOT" exec --detach --pid-file pid mine sleep 1000 >exec.out 2>&1 </dev/null)
for which in "$pid" "$(cat pid)"; do
	unlike "the environment stays outside" "$(tr '\0' '\n' <"/proc/$which/environ")" 'SECRET'
	is "no signal is ignored" "$(proc_status "$which" SigIgn)" 0000000000000000
	is "nor blocked" "$(proc_status "$which" SigBlk)" 0000000000000000
	is "no terminal" "$(awk '{ print $7 }' "/proc/$which/stat")" 0
	is "a session of its own" "$(ps -o sid= -p "$which" | xargs)" "$which"
done
like "exec has a session keyring of its own" "$(oci exec mine cat /proc/keys </dev/null)" 'keyring +_ses.mine'

if command -v script >/dev/null; then
	# TIOCSTI and its kind need the terminal as controlling one
	is "from a terminal: none is the program's" "$(script -qec "$program --root $OCI_ROOT exec mine sh -c 'cut -d\" \" -f7 /proc/self/stat; (exec 3</dev/tty) 2>/dev/null || echo none'" /dev/null </dev/null | tr -d '\r')" \
		$'0\nnone'
fi
oci delete --force mine

# a library loader or name service that read the image's files would wait for a writer of these
mkdir -p b/rootfs/{etc,lib,lib64,usr/lib}
for file in etc/ld.so.preload etc/ld.so.cache etc/nsswitch.conf etc/localtime lib/libnss_files.so.2 lib/libc.so.6 lib64/libc.so.6; do
	rm -f "b/rootfs/$file" && mkfifo "b/rootfs/$file"
done
edit_bundle b '.process.args = ["sh", "-c", "echo ran; sleep 1000"]'
cleanup oci delete --force fifos
check "create opens no library of the image" timeout 20 bash -c "$program --root '$OCI_ROOT' create --bundle b fifos >out 2>&1 </dev/null && $program --root '$OCI_ROOT' start fifos"
is "nor does exec of a user by name" "$(timeout 20 "$program" --root "$OCI_ROOT" exec --user user fifos id -u 2>&1 </dev/null)" 1000
oci delete --force fifos
rm -f b/rootfs/etc/group && mkfifo b/rootfs/etc/group
start_bundle fifos b
check_fails "a fifo as /etc/group is refused, not waited for" 'group' bash -c "timeout 20 $program --root '$OCI_ROOT' exec --user user fifos true </dev/null; exit \$((\$? > 127 ? 0 : 1))"
oci delete --force fifos

# what an attacker names is not shown raw to whoever looks
escape=$'b\e[31mred'
mv b "$escape"
oci create --bundle "$escape" shown >out 2>&1 </dev/null
cleanup oci delete --force shown
unlike "list shows no control characters" "$(oci list)" $'\e'
is "the state has the true path" "$(oci state shown | jq -r .bundle)" "$TEST_DIR/$escape"
unlike "nor do errors" "$(oci create --bundle "$escape"$'\e[1m' other 2>&1 </dev/null || true)" $'\e'
