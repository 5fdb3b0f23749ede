#!/bin/bash
# the power goes off at a write of create, set, snapshot, switch, backup, import or destroy: each VPS is the old or the new one and starts, nothing half is listed, and the next command gives its space back
# SWEEP=CUTS: so many cuts in each of these and of all other commands that change a disk; KIND=xfs: on xfs
# timeout: 28800
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"
# shellcheck source=cuts.sh
. "$func_dir/cuts.sh"

# --- what is cut -------------------------------------------------------------------------------

create() { cella create new --ostemplate small --diskspace 16M --ram 32M; }
set_() { cella set kept --description second --diskspace 24M; }
snapshot() { cella snapshot kept --id second; }
switch() { cella snapshot-switch kept --id first; }
backup() { cella backup kept --to to/kept.tar.zst; }
import() { cella import small.tar imported --diskspace 16M; }
destroy() { cella destroy new; }
commands=(create set_ snapshot switch backup import destroy)

overlay() { cella create over --ostemplate small --layout overlay --ram 32M; }
image() { cella create image --ostemplate small --layout image --diskspace 16M --ram 32M; }
resize() { cella set image --diskspace 20M; }
convert() { cella convert image --layout dir; }
clone() { cella clone kept twin; }
rebuild() { cella rebuild twin; }
restore() { cella restore-backup to/kept.tar.zst back; }
login() { cella set kept --userpasswd root:secret; }
snapshot_delete() { cella snapshot-delete kept --id second; }
template() { cella template import other.tar other; }
template_remove() { cella template remove other; }
[ -z "${SWEEP:-}" ] || commands+=(overlay image resize convert clone rebuild restore login snapshot_delete template template_remove)

# --- what there is after it --------------------------------------------------------------------

# good COMMAND: all that is listed as good. Names that begin with a dot are nobody's yet.
good() {
	cella list -H -o name,status || echo "list: status $?"
	case $1 in
	snapshot*) cella snapshot-list --json kept | jq -r '.[].id' ;;
	template*) cella template list ;;
	backup)
		cella backup-list --in to --json | jq -r '.[].file' | while read -r file; do
			echo "$file $(cella backup-verify "$file" >/dev/null 2>&1 && echo is whole)"
		done
		;;
	esac
	shopt -s nullglob
	# shellcheck disable=SC2046 # names of VPSs
	set -- $(cella list -1 | sed 's,^,var/lib/cella/private/,') var/lib/cella/{snapshot/*/[!~]*/,template/[!.]*}
	# what a file has, and the contents of all
	find "$@" ! -name '*.tmp' -printf '%p %y %m %U:%G %s %T@ %l\n' | sort
	{ find "$@" -type f ! -name '*.tmp' -print0 | sort -z | xargs -0 cat etc/cella/conf/*.conf; } | md5sum
}

# everything that lies there, but for logs and what only says that it was
everything() { find . \( -path ./run -o -path ./var/lib/cella/log \) -prune -o ! -name '*.destroyed' -print | sort; }

# starts WHERE: every VPS
starts() {
	local name
	for name in $(cella list -1); do
		{ cella start "$name" && cella exec "$name" -- /bin/true && cella stop --fast "$name"; } >"$TEST_DIR/out" 2>&1 ||
			not_ok "$1: $name starts" "$(cat "$TEST_DIR/out")"
	done
}

# after_cut COMMAND during|after WHERE: the old or the new state; the next command gives back what is nobody's
after_cut() {
	local state=new out=$TEST_DIR/out

	cd "$CELLA_ROOT"
	# the first command of a VPS finishes or forgets what was begun
	[[ $1 == @(create|import|template*) ]] || cella set kept --onboot no >"$out" 2>&1 || not_ok "$3: a command" "$(cat "$out")"
	good "$1" >"$TEST_DIR/now"
	if ! cmp -s "$TEST_DIR/now" "$TEST_DIR/$1.after"; then
		state=old
		{ [ "$2" = during ] && cmp -s "$TEST_DIR/now" "$TEST_DIR/$1.before"; } ||
			not_ok "$3: all is whole" "not the old state:" "$(diff "$TEST_DIR/$1.before" "$TEST_DIR/now")" \
				"not the new one:" "$(diff "$TEST_DIR/$1.after" "$TEST_DIR/now")"
		$1 >"$out" 2>&1 || not_ok "$3: it is done again" "$(cat "$out")"
	fi
	if compgen -G "$private_dir/.[!.]*" >/dev/null; then
		cella create next --ostemplate small >/dev/null
		cella destroy next >/dev/null
	fi
	everything >"$TEST_DIR/all"
	cmp -s "$TEST_DIR/all" "$TEST_DIR/$1.all" || not_ok "$3, $state: nothing is left" "$(diff "$TEST_DIR/$1.all" "$TEST_DIR/all")"
	# which takes time
	if [ "$2" = after ] || { [ "${SWEEP:-}" ] && ((cuts % 5 == 0)); }; then starts "$3"; fi
	cuts=$((cuts + 1))
	[ "$state" = old ] || was_new=$((was_new + 1))
	cd "$TEST_DIR"
}

cuts_make "${KIND:-ext4}"
mkdir -p small/{bin,sbin,etc,root,dev,proc,sys,run,tmp}
cp "$(command -v busybox)" small/bin/
for link in sh true; do ln -s busybox small/bin/$link; done
ln -s ../bin/busybox small/sbin/init
echo '::sysinit:/bin/true' >small/etc/inittab
echo 'root:*:0:0:root:/root:/bin/sh' >small/etc/passwd
mkdir -p "$CELLA_ROOT/to"
cd "$CELLA_ROOT"
tar -C "$TEST_DIR/small" -cf small.tar .
tar -C "$TEST_DIR/small" -cf other.tar ./bin ./sbin ./etc
cella template import small.tar small >/dev/null
cella create kept --ostemplate small --layout dir --diskspace 16M --ram 32M --onboot no >/dev/null
echo first >"$private_dir/kept/root/file"
cella snapshot kept --id first >/dev/null
echo kept >"$private_dir/kept/root/file"
cd "$TEST_DIR"
cuts_begin
cd "$CELLA_ROOT"
for command in "${commands[@]}"; do
	good "$command" >"$TEST_DIR/$command.before"
	cuts_mark begin "$command"
	$command >/dev/null 2>"$TEST_DIR/out" || not_ok "$command" "$(cat "$TEST_DIR/out")"
	cuts_mark end "$command"
	good "$command" >"$TEST_DIR/$command.after"
	everything >"$TEST_DIR/$command.all"
done
cd "$TEST_DIR"
cuts_stop

cuts=0 was_new=0
cuts_each "${SWEEP:-1}" "${SEED:-1}" after_cut
[ $test_failed = 1 ] || ok "after each of $cuts cuts all was whole; $was_new found the command done"
