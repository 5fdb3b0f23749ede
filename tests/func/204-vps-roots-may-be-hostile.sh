#!/bin/bash
# what a tenant leaves in its files never leads a write of ours outside, nor holds our commands up
# timeout: 300
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox

mkdir outside
for name in hosts hostname resolv.conf machine-id passwd; do echo untouched >"outside/$name"; done
chmod 666 outside/*
vps_make one --nameserver 192.0.2.1
root=$private_dir/one

# try WHAT: the VPS starts (or is refused), quickly, and nothing outside changes
try() {
	local status=0
	SECONDS=0
	timeout 20 cella start one >out 2>&1 || status=$?
	[ $status != 124 ] || not_ok "$1: start ends" "$(cat out)"
	cella stop --fast one >/dev/null 2>&1 || true
	is "$1 (status $status)" "$(sort -u outside/*)" untouched
}

for name in hosts hostname resolv.conf machine-id; do
	ln -sf "$TEST_DIR/outside/$name" "$root/etc/$name"
done
try "absolute links to the host"
check "files have taken their place" test -f "$root/etc/hosts" -a ! -L "$root/etc/hosts"
for name in hosts hostname resolv.conf machine-id; do
	ln -sf "../../../../../../../../../../..$TEST_DIR/outside/$name" "$root/etc/$name"
done
try "relative links to the host"
for name in hosts hostname resolv.conf machine-id; do
	rm -f "$root/etc/$name"
	mkfifo "$root/etc/$name"
done
try "fifos"
for name in hosts hostname resolv.conf machine-id; do
	rm -f "$root/etc/$name"
	ln "$TEST_DIR/outside/$name" "$root/etc/$name" 2>/dev/null || true
done
try "hard links"
rm -rf "${root:?}/etc"
ln -s "$TEST_DIR/outside" "$root/etc"
try "/etc is a link to the host"
rm "$root/etc"
ln -s loop "$root/etc"
ln -s etc "$root/loop"
try "/etc is a loop"
rm "$root/etc"
mkfifo "$root/etc"
try "/etc is a fifo"
rm "$root/etc"
mkdir -p "$root/etc"
for name in proc sys dev run; do
	rm -rf "${root:?}/$name"
	ln -s "$TEST_DIR/outside" "$root/$name"
done
try "/proc, /sys, /dev and /run are links to the host"
is "nothing was made there" "$(find outside | wc -l)" 6
for name in proc sys dev run; do rm "$root/$name" && mkdir "$root/$name"; done
ln -sf "$TEST_DIR/outside/passwd" "$root/etc/passwd"
check "it starts when it is whole again" cella start one
is "enter does not read the host's passwd" "$(echo 'echo $0' | timeout 20 cella enter one | tr -d '\r')" /bin/sh
rm -f "$root/etc/passwd"
mkfifo "$root/etc/passwd"
is "nor waits for a fifo" "$(echo 'echo $0' | timeout 20 cella enter one | tr -d '\r')" /bin/sh
