#!/bin/bash
# exec --user: numbers that wrap, carry signs or trail text never become root (CVE-2026-30892)
. "$(dirname "$0")/lib.sh"

make_bundle b
start_bundle users b
for user in -1 4294967295 4294967296 18446744073709551616 +0 '0x0' ' 0' '0 ' 1e0 '' : 0: :0x 0:4294967295 nobody-here 0:nobody-here; do
	output=$(oci exec --user "$user" users id -u 2>&1 </dev/null) && status=0 || status=$?
	[ "$status" != 0 ] || not_ok "user '$user' is refused" "$output"
done
ok "sixteen spellings that are no user"
is "a number" "$(oci exec --user 1234 users id -u </dev/null)" 1234
is "a number and a group" "$(oci exec --user 1234:5678 users id -g </dev/null)" 5678
is "a name" "$(oci exec --user user users id -u </dev/null)" 1000
is "a name brings its groups" "$(oci exec --user user users id -G </dev/null)" "1000 10"
is "name and group" "$(oci exec --user user:daemon users id -g </dev/null)" 1

# a passwd file that tries to confuse: numbers as names, long lines, no newline at the end
printf '0:x:4242:4242::/:/bin/sh\nroot:x:0:0:root:/root:/bin/sh\n%s\nlast:x:77:78::/last:/bin/sh' "$(printf 'x%.0s' {1..40000})" \
	>"$TEST_DIR/passwd"
cp "$TEST_DIR/passwd" b/rootfs/etc/passwd
is "a user named 0 is not what 0 means" "$(oci exec --user 0 users id -u </dev/null)" 0
output=$(timeout 10 "${CELLA_OCI:-cella-oci}" --root "$OCI_ROOT" exec --user last users id -u 2>&1 </dev/null) || true
like "a line of 40,000 bytes is refused or skipped, not a hang" "$output" '^77$|passwd'
ln -sf /proc/self/environ b/rootfs/etc/passwd
timeout 10 "${CELLA_OCI:-cella-oci}" --root "$OCI_ROOT" exec --user 5 users true 2>out </dev/null && status=0 || status=$?
is "a link into /proc is refused, not read" "$status: $(cat out)" "1: cella-oci: /etc/passwd is not a regular file"
