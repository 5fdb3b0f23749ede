#!/bin/bash
# SIGKILL of backup and restore at many moments: nothing half is listed, the VPS runs on, the next command clears up
# timeout: 400
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"

volume ext4
mkdir to
# held still until the end, and only for a snapshot
for layout in dir overlay; do
	incremental=
	[ $layout = overlay ] || incremental=--incremental
	vps_start $layout --layout $layout --diskspace 32M
	cella exec $layout -- sh -c 'echo kept >/root/file; dd if=/dev/urandom of=/root/more bs=1M count=3 2>/dev/null'
	cella backup $layout --to to --keep 1 >/dev/null
	# shellcheck disable=SC2086 # no word, or one
	for ms in $(moments "$(took cella backup $layout --to to $incremental)"); do
		kill_after "$ms" cella backup $layout --to to $incremental
		for file in $(cella backup-list --in to --json $layout | jq -r '.[].file'); do
			cella backup-verify "$file" >/dev/null || not_ok "$layout: backup killed after $ms ms: $file is whole"
		done
		# the next one lets it go on, and clears up
		cella backup $layout --to to --keep 1 >/dev/null || not_ok "$layout: backup killed after $ms ms: another"
		[ "$(cella exec $layout -- cat /root/file)" = kept ] || not_ok "$layout: backup killed after $ms ms: it runs on"
		tidy "$layout: backup killed after $ms ms"
	done
	ok "$layout: backup"
	cella stop --fast $layout
done

cella backup dir --to to --incremental >/dev/null
file=$(cella backup-list --in to --json dir | jq -r '.[-1].file')
for ms in $(moments "$(took cella restore-backup "$file" new)"); do
	cella destroy new >/dev/null
	kill_after "$ms" cella restore-backup "$file" new
	# whole or not there; then it can be restored
	[ -e "$conf_dir/new.conf" ] || cella restore-backup "$file" new >/dev/null || not_ok "restore killed after $ms ms: again"
	cmp -s "$private_dir/new/root/more" "$private_dir/dir/root/more" || not_ok "restore killed after $ms ms: it is whole"
	tidy "restore killed after $ms ms"
done
ok "restore"
