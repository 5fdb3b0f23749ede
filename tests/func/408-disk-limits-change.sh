#!/bin/bash
# set changes the limits of a disk at once, running and stopped, and keeps every byte; files of a running VPS are changed in any layout
# timeout: 400
# shellcheck disable=SC2094 # a check reads a file and names it, and writes none
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"

# total NAME: what df inside shows, in MiB
total() { echo $(($(tenant "$1" df | cut -d ' ' -f 1) >> 20)); }

volume ext4
cella events --json >events &
cleanup kill $!
for layout in dir overlay image; do
	vps_start $layout --layout $layout --diskspace 32M
	cella exec $layout -- sh -c 'head -c 18000000 /dev/urandom >/root/data; sha256sum /root/data >/root/sum'
	check "$layout: grow while it runs" cella set $layout --diskspace 48M
	is "$layout: df shows it" "$(total $layout)" 48
	is "$layout: and show" "$(vps_field $layout .disk.hardBytes)" $((48 << 20))

	check "$layout: another host name and server" cella set $layout --hostname fresh --nameserver 192.0.2.1
	is "$layout: are there at once" "$(cella exec $layout -- cat /etc/hostname /etc/resolv.conf)" $'fresh\nnameserver 192.0.2.1'
	is "$layout: as files of its root" "$(cella exec $layout -- stat -c %u:%g /etc/hostname)" 0:0
	check "$layout: a password" cella set $layout --userpasswd root:secret
	like "$layout: is set" "$(cella exec $layout -- cat /etc/shadow /etc/passwd 2>/dev/null)" '(^|'$'\n'')root:\$'

	check_fails "$layout: not below what is used" "in use" cella set $layout --diskspace 17M
	cella stop --fast $layout
	check "$layout: shrink while it is stopped" cella set $layout --diskspace 24M
	cella start $layout >/dev/null
	is "$layout: df shows that as well" "$(total $layout)" 24
	check "$layout: every byte is there" cella exec $layout -- sha256sum -c /root/sum
done

# told EVENT: and when it becomes hard
told() { jq -es --arg e "$1" 'any(.[]; .name == "overlay" and .event == $e and (.reason | test("^20")))' events; }
why_soft() { cella why overlay --json | jq -c '[.[] | .kind | select(test("soft"))]'; }
is "overlay: it is not over soft limits" "$(why_soft)" "[]"
cella set overlay --diskspace 8M:64M --diskinodes 500:1000
cella exec overlay -- sh -c 'i=0; while [ $i -lt 520 ]; do : >/root/f$i; i=$((i + 1)); done; echo more >>/root/data'
is "overlay: why it is, of space and files" "$(why_soft)" '["disk-soft-limit","inode-soft-limit"]'
like "overlay: and until when" "$(cella why overlay)" "soft limit of its disk's space, which becomes a hard one at 20"
check "overlay: events tell of space" wait_for 30 told disk-soft-limit
check "overlay: and of files" wait_for 30 told inode-soft-limit
is "and of nobody else" "$(jq -r 'select(.event | test("soft")) | .name' events | sort -u)" overlay
check_fails "an image does not shrink while it runs" "cannot shrink" cella set image --diskspace 20M
is "and keeps its limit" "$(vps_field image .limits.diskBytes)" $((24 << 20))
