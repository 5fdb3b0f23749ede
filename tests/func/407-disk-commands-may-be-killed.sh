#!/bin/bash
# SIGKILL of create, snapshot, switch, convert, clone and resize at each step that counts: the VPS is the old or the new one, nothing is left; and what a power cut may not turn round is synced in order
# timeout: 400
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"
needs strace

# whole NAME WHEN: it starts, has its file, and stops
whole() {
	{ cella start "$1" && [ "$(cella exec "$1" -- cat /root/file)" = kept ] && cella stop --fast "$1"; } >/dev/null 2>&1 ||
		not_ok "$2: the VPS is whole" "$(cella start "$1" 2>&1)"
}

volume ext4
cella template create busybox >/dev/null
create=(cella create one --ostemplate busybox --diskspace 32M --ram 32M --layout)
# the template's hold, the tree, its name, the definition
for at in overlay:mkdirat:2 overlay:renameat:3 image:syncfs:2 image:renameat2:1; do
	layout=${at%%:*}
	kill_at "${at#*:}" "${create[@]}" "$layout"
	[ ! -e "$conf_dir/one.conf" ] || not_ok "create killed at $at: there is none"
	"${create[@]}" "$layout" >/dev/null || not_ok "create killed at $at: again"
	cella destroy one >/dev/null || not_ok "create killed at $at: destroy"
	nothing_of one || not_ok "create killed at $at: leaves nothing" "$(find "$private_dir")"
done
ok "create"

vps_start one --layout dir --diskspace 32M
cella exec one -- sh -c 'echo kept >/root/file'
cella snapshot one --id base >/dev/null
for at in syncfs:1 renameat2:1; do
	kill_at $at cella snapshot one --id s
	# the next command of this VPS lets it go on and clears up
	cella snapshot one --id t >/dev/null || not_ok "snapshot killed at $at: another"
	is_running=$(cella exec one -- cat /root/file)
	[ "$is_running" = kept ] || not_ok "snapshot killed at $at: it runs on" "$(cella status one)"
	is "snapshot killed at $at: is not there" "$(cella snapshot-list one --json | jq -r '[.[].id] | sort | join(" ")')" "base t"
	cella snapshot-delete one --id t >/dev/null
	tidy "snapshot killed at $at"
done
cella stop --fast one >/dev/null

# the old disk's name, the new one's, the definition
for at in renameat2:1 renameat2:2 renameat:2; do
	kill_at $at cella snapshot-switch one --id base
	# the next command finishes or forgets it
	cella set one --description "$at" >/dev/null || not_ok "switch killed at $at: another command"
	is "switch killed at $at: the VPS is whole" "$(cat "$private_dir/one/root/file")" kept
	tidy "switch killed at $at"
done
is "switch: each step is synced before the next" "$(order cella snapshot-switch one --id base)" \
	"syncfs fsync renameat fsync renameat2 fsync renameat2 fsync fsync renameat fsync fsync renameat fsync"

for at in image:renameat2:2 dir:renameat2:1 image:renameat:2; do
	kill_at "${at#*:}" cella convert one --layout "${at%%:*}"
	cella set one --description "$at" >/dev/null || not_ok "convert killed at $at: another command"
	[ "$(vps_field one .layout)" = "${at%%:*}" ] || cella convert one --layout "${at%%:*}" >/dev/null ||
		not_ok "convert killed at $at: again"
	tidy "convert killed at $at"
done
whole one "convert"
ok "convert"

for at in ftruncate:2 renameat:2; do
	kill_at $at cella set one --diskspace 24M
	is "resize killed at $at: it is the old or the new one" "$(vps_field one .limits.diskBytes)" $((32 << 20))
	cella set one --diskspace 24M >/dev/null || not_ok "resize killed at $at: again"
	is "resize killed at $at: again, and it is done" \
		"$(vps_field one .disk.hardBytes) $(cd "$private_dir/one" && echo *)" "$((24 << 20)) root.img"
	cella set one --diskspace 32M >/dev/null
done
whole one "resize"
is "resize: each step is synced before the next" "$(order cella set one --diskspace 24M)" "fsync fsync renameat fsync fsync renameat fsync"

for at in syncfs:1 renameat:2; do
	kill_at $at cella clone one two
	[ ! -e "$conf_dir/two.conf" ] || not_ok "clone killed at $at: there is none"
	again=$(order cella clone one two)
	# what the killed one left is moved away first
	is "clone killed at $at: again, each step synced before the next" "${again#renameat }" \
		"fsync fsync syncfs fsync renameat2 fsync fsync renameat fsync fsync"
	tidy "clone killed at $at"
	cella destroy two >/dev/null
done
whole one "clone"

# of another VPS: one that was being made, one of which only the disk is left
kill_at renameat:2 cella clone one gone
cella clone one two >/dev/null
check "what a killed clone left is removed by the next one, whatever its name" nothing_of gone
kill_at renameat:2 cella destroy two
[ -d "$private_dir/two" ] || not_ok "destroy killed as it takes the disk: it is there"
cella clone one three >/dev/null
check "so is what a killed destroy left" nothing_of two
is "destroy: each step is synced before the next" "$(order cella destroy three)" "fsync renameat fsync renameat fsync"
tidy "clone and destroy"
