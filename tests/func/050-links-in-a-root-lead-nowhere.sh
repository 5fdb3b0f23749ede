#!/bin/bash
# a hostile root file system: links at /proc, /sys, /dev, mount targets and masks never reach the host
# timeout: 240
. "$(dirname "$0")/lib.sh"

refused() { # DESCRIPTION REGEX: create of bundle "b" says so and leaves nothing
	check_fails "$1" "$2" oci create --bundle b bad </dev/null
	check "$1: nothing is left" test ! -e "$OCI_ROOT/bad" -a ! -e /sys/fs/cgroup/cella-oci/bad
}

# --- links where the kernel's own file systems go ----------------------------------------------
make_bundle b
mkdir -p "$TEST_DIR/host/proc" "$TEST_DIR/host/dev" "$TEST_DIR/host/sys"
for dir in proc sys dev; do
	rmdir "b/rootfs/$dir"
	ln -s "$TEST_DIR/host/$dir" "b/rootfs/$dir"
	refused "/$dir is an absolute link" "/$dir"
	rm "b/rootfs/$dir"
	ln -s "../../host/$dir" "b/rootfs/$dir"
	refused "/$dir is a relative link" "/$dir"
	rm "b/rootfs/$dir"
	mkdir "b/rootfs/$dir"
done
is "nothing was made on the host through them" "$(find "$TEST_DIR/host" -mindepth 2)" ""

# --- a mount target that is a link stays inside -------------------------------------------------
mkdir -p "$TEST_DIR/source" "$TEST_DIR/victim"
echo secret >"$TEST_DIR/source/file"
for link in "$TEST_DIR/victim" ../../../../../../../../../../.."$TEST_DIR/victim" /data/../..; do
	rm -rf b/rootfs/data b/rootfs/target
	mkdir -p b/rootfs/data "b/rootfs$TEST_DIR/victim"
	ln -s "$link" b/rootfs/target
	edit_bundle b '.mounts |= (map(select(.destination != "/target")) + [{destination: "/target", type: "bind", source: $source, options: ["bind"]}])
		| .process.args = ["sh", "-c", "cat /target/file"]' --arg source "$TEST_DIR/source"
	oci run --bundle b link >out 2>&1 </dev/null || true
	is "the host's directory stays empty with target -> $link" "$(ls -A "$TEST_DIR/victim")" ""
	is "no mount appeared on the host" "$(grep -c " $TEST_DIR/victim " /proc/self/mountinfo || true)" 0
	oci delete --force link
done
rm -f b/rootfs/target
make_bundle b

# --- masks are ours, not the image's -------------------------------------------------------------
rm -rf b/rootfs/dev
mkdir b/rootfs/dev
echo "not null" >b/rootfs/dev/null
edit_bundle b '.mounts |= map(select(.destination | startswith("/dev") | not)) | .linux.maskedPaths += ["/etc/hidden"]
	| .process.args = ["sh", "-c", "cat /etc/hidden /proc/kcore; stat -c %t:%T /etc/hidden /dev/null"]'
echo visible >b/rootfs/etc/hidden
# the image's own file lies where the node belongs: refused, never followed
if output=$(oci run --bundle b mask 2>&1 </dev/null); then
	is "masked files read empty and are null devices" "$output" $'1:3\n1:3'
else
	like "a file in the node's place is an error" "$output" '/dev/null'
fi
oci delete --force mask
is "the image's file is as it was" "$(cat b/rootfs/etc/hidden)" visible

# --- a fifo as /etc/passwd does not hang -----------------------------------------------------------
make_bundle b '.process.args = ["true"] | .process.env |= map(select(startswith("HOME") | not))'
rm b/rootfs/etc/passwd
mkfifo b/rootfs/etc/passwd
check "a fifo as /etc/passwd does not stop a start" timeout 20 "${CELLA_OCI:-cella-oci}" --root "$OCI_ROOT" run --bundle b fifo </dev/null
oci delete --force fifo

# --- a volume whose directory turns into a link while we mount ---------------------------------------
make_bundle b '.mounts += [{destination: "/vol/a/b", type: "bind", source: $source, options: ["bind"]}] | .process.args = ["true"]' \
	--arg source "$TEST_DIR/source"
(set +e # it races with the container's mount points
while :; do
	mkdir -p b/rootfs/vol/a && rm -rf b/rootfs/vol && ln -sfn "$TEST_DIR/victim" b/rootfs/vol && rm -f b/rootfs/vol
done) 2>/dev/null &
swapper=$!
cleanup kill $swapper
for ((i = 0; i < 25; i++)); do
	oci run --bundle b race >/dev/null 2>&1 </dev/null || true
	oci delete --force race
done
kill $swapper
wait $swapper 2>/dev/null || true
is "25 starts against a swapping directory made nothing outside" "$(ls -A "$TEST_DIR/victim")" ""
