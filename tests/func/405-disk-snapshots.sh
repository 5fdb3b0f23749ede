#!/bin/bash
# snapshots keep disk and configuration, go back, mount read-only, and leave nothing
# timeout: 400
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"

# inside NAME COMMAND...: its output
inside() { cella exec "$1" -- "${@:2}"; }

# and_back NAME: a snapshot that others come from goes, and the VPS is another one
and_back() {
	local name=$1

	check "delete" cella snapshot-delete "$name" --id first
	is "its child has no parent" "$(cella snapshot-list "$name" --json | jq -r '.[0].parent')" null
	check "switch to the other" cella snapshot-switch "$name" --id second
	cella start "$name"
	is "the state of then" "$(inside "$name" cat /root/state)" two
	cella stop --fast "$name"
}

# round LAYOUT OPTION...: a life with snapshots
round() {
	local name=$1 layout=$1

	vps_start "$name" --layout "$layout" --description "as it was" "${@:2}"
	inside "$name" sh -c 'echo one >/root/state; mkdir /root/dir; rm /etc/shells 2>/dev/null; sync'
	check "$layout: snapshot of a running one" cella snapshot "$name" --id first --name before
	is "$layout: it runs on" "$(inside "$name" cat /root/state)" one
	inside "$name" sh -c 'echo two >/root/state; rmdir /root/dir'
	check "$layout: another" cella snapshot "$name" --id second
	is "$layout: the tree of snapshots" "$(cella snapshot-list "$name" --json | jq -c '[.[] | [.id, .parent, .current]]')" \
		'[["first",null,false],["second","first",true]]'
	check_fails "$layout: no switch while it runs" "is running" cella snapshot-switch "$name" --id first
	cella stop --fast "$name"

	mkdir -p old
	check "$layout: mount" cella snapshot-mount "$name" --id first --target "$PWD/old"
	is "$layout: it has the old state" "$(cat old/root/state)" one
	like "$layout: read-only" "$(findmnt -no OPTIONS old)" "^ro,"
	check_fails "$layout: what is mounted is not deleted" "is mounted on" cella snapshot-delete "$name" --id first
	check "$layout: umount" cella snapshot-umount "$name" --id first
	is "$layout: it is gone" "$(findmnt -no OPTIONS old)" ""

	check "$layout: switch" cella snapshot-switch "$name" --id first
	cella start "$name"
	is "$layout: the old state" "$(inside "$name" sh -c 'cat /root/state; ls -d /root/dir')" $'one\n/root/dir'
	is "$layout: and the definition" "$(vps_field "$name" '.description, .limits.diskBytes')" $'as it was\n33554432'
	is "$layout: with its limits" "$(tenant "$name" df | cut -d ' ' -f 1)" $((32 << 20))
	inside "$name" sh -c 'echo three >/root/state'
	cella stop --fast "$name"
	[ "$layout" != dir ] || and_back "$name"
	check "$layout: clone of a snapshot" cella clone "$name" copy --id second
	check_fails "$layout: the name is taken" "exists already" cella clone "$name" copy
	cella start copy
	is "$layout: the clone has the state of then" "$(inside copy cat /root/state)" two
	is "$layout: and its own name" "$(inside copy cat /proc/sys/kernel/hostname /etc/hostname)" $'copy\ncopy'
	is "$layout: and limits" "$(tenant copy df | cut -d ' ' -f 1)" $((32 << 20))
	cella stop --fast copy
	check "$layout: the clone goes away" cella destroy copy
	check "$layout: destroy" cella destroy "$name"
	check "$layout: nothing is left" nothing_of "$name"
	is "$layout: no snapshot either" "$(find "$CELLA_ROOT/var/lib/cella/snapshot" -mindepth 1)" ""
}

volume ext4
for layout in dir overlay image; do
	round $layout --diskspace 32M
done
check "no loop device is left" no_loops
