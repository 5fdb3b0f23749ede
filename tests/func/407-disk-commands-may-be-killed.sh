#!/bin/bash
# SIGKILL of create, snapshot, switch and convert at many moments: the VPS is the old or the new one, nothing is left
# timeout: 400
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"

# whole NAME WHEN: it starts, has its file, and stops
whole() {
	{ cella start "$1" && [ "$(cella exec "$1" -- cat /root/file)" = kept ] && cella stop --fast "$1"; } >/dev/null 2>&1 ||
		not_ok "$2: the VPS is whole" "$(cella start "$1" 2>&1)"
}

volume ext4
for layout in overlay image; do
	[ -e "$CELLA_ROOT/var/lib/cella/template/busybox.json" ] || cella template create busybox >/dev/null
	whole_ms=$(took cella create one --ostemplate busybox --layout $layout --diskspace 32M --ram 32M)
	cella destroy one >/dev/null
	for ms in $(moments "$whole_ms"); do
		kill_after "$ms" cella create one --ostemplate busybox --layout $layout --diskspace 32M --ram 32M
		[ -e "$conf_dir/one.conf" ] ||
			cella create one --ostemplate busybox --layout $layout --diskspace 32M --ram 32M >/dev/null ||
			not_ok "$layout: create killed after $ms ms: create again"
		cella destroy one >/dev/null || not_ok "$layout: create killed after $ms ms: destroy"
		nothing_of one || not_ok "$layout: create killed after $ms ms: leaves nothing" "$(find "$private_dir")"
	done
	ok "$layout: create"
done

vps_start one --layout dir --diskspace 32M
cella exec one -- sh -c 'echo kept >/root/file'
whole_ms=$(took cella snapshot one --id base)
for ms in $(moments "$whole_ms"); do
	kill_after "$ms" cella snapshot one --id s
	# the next command of this VPS lets it go on and clears up
	cella snapshot one --id t >/dev/null || not_ok "snapshot killed after $ms ms: another"
	is_running=$(cella exec one -- cat /root/file)
	[ "$is_running" = kept ] || not_ok "snapshot killed after $ms ms: it runs on" "$(cella status one)"
	cella snapshot-delete one --id t >/dev/null
	! cella snapshot-list one --json | jq -e '.[] | select(.id == "s")' >/dev/null || cella snapshot-delete one --id s >/dev/null
	tidy "snapshot killed after $ms ms"
done
ok "snapshot"
cella stop --fast one >/dev/null

whole_ms=$(took cella snapshot-switch one --id base)
for ms in $(moments "$whole_ms"); do
	kill_after "$ms" cella snapshot-switch one --id base
	whole one "switch killed after $ms ms"
	cella snapshot-switch one --id base >/dev/null || not_ok "switch killed after $ms ms: again"
	tidy "switch killed after $ms ms"
done
ok "switch"

whole_ms=$(took cella convert one --layout image)
layout=dir
for ms in $(moments "$whole_ms"); do
	kill_after "$ms" cella convert one --layout $layout
	whole one "convert killed after $ms ms"
	[ "$(vps_field one .layout)" = $layout ] || cella convert one --layout $layout >/dev/null ||
		not_ok "convert killed after $ms ms: again"
	tidy "convert killed after $ms ms"
	if [ $layout = image ]; then layout=dir; else layout=image; fi
done
ok "convert"
