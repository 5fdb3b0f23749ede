#!/bin/bash
# set changes the limits of a disk at once, running and stopped, and keeps every byte; files of a running VPS are changed in any layout
# timeout: 400
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"

# total NAME: what df inside shows, in MiB
total() { echo $(($(tenant "$1" df | cut -d ' ' -f 1) >> 20)); }

volume ext4
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
check_fails "an image does not shrink while it runs" "cannot shrink" cella set image --diskspace 20M
is "and keeps its limit" "$(vps_field image .limits.diskBytes)" $((24 << 20))
