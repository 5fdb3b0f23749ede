#!/bin/bash
# a backup of a VPS that writes restores under other names with all of it; flipped bytes are found; a path alone; --keep
# timeout: 400
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"
needs sqlite3 tar

tree() { python3 "$func_dir/backup_tree.py" "$1" "$(vps_field "$2" .pid)"; }
files_of() { cella backup-list --json "$@" | jq -r '.[].file'; }

# sql NAME TEXT: the host's sqlite3, which was put into the VPS
sql() { cella exec "$1" -- sqlite3 /root/db "$2"; }

# writes: a transaction after the other, each told of once it is on disk
writes() {
	# shellcheck disable=SC2016 # the VPS's shell expands it
	local loop='i=0; while [ ! -e /root/stop ]; do
		i=$((i + 1)); sqlite3 /root/db "insert into t values($i, randomblob(3000))" && echo $i; done'
	cella exec one -- sh -c "$loop"
}
told() { tail -n 1 told 2>/dev/null || true; }
told_more_than() { [ "$(told)" -gt "$1" ]; }

volume ext4
vps_make one --layout dir --diskspace 64M --description "as it was"
for file in $(ldd "$(command -v sqlite3)" | grep -o '/[^ ]*') "$(command -v sqlite3)"; do
	install -D "$file" "$private_dir/one/$file"
done
cella start one
tree make one
tree list one >before
check "all of the tree is there" test "$(wc -l <before)" = 18
sql one "create table t(i, data)" >/dev/null
writes >told &
writer=$!
wait_for 30 told_more_than 2
backed_up=$(told)
check "backup of a running one" cella backup one --json
file=$(files_of one)
is "its socket is not in it, and said" "$(cella backup-list --json | jq -c '.[] | [.name, .layout, .skipped]')" '["one","dir",1]'
check "it goes on" wait_for 30 told_more_than "$(told)"
cella exec one -- touch /root/stop
wait $writer
# shellcheck disable=SC2016 # the VPS's shell expands it
cella exec one -- sh -c 'cd /srv/t && echo more >>big && rm noted && mv capable deep && chmod 600 plain && rm link && mkdir link && ln set-id link && rm whiteout'
tree list one >after
check "an increment" cella backup one --incremental
increment=$(files_of | tail -n 1)
is "it is one" "$(cella backup-list -H | awk '{ print $3 }' | xargs)" "full +1"
check "verify it and its base" cella backup-verify "$increment"

check "verify" cella backup-verify "$file"
is "tar reads it, the definition first" "$(tar --warning=no-unknown-keyword -tf "$file" 2>/dev/null | head -n 2)" $'cella/conf\nroot/'
cp "$file" broken.tar.zst
python3 - <<'PYTHON'
with open("broken.tar.zst", "r+b") as f:
    middle = f.seek(0, 2) // 2
    f.seek(middle)
    byte = f.read(1)[0]
    f.seek(middle)
    f.write(bytes([byte ^ 16]))
PYTHON
check_fails "a flipped bit is found" "broken.tar.zst: it is damaged" cella -q backup-verify broken.tar.zst
check_fails "under its own name it is there" "exists already" cella -q restore-backup "$file"

check "restore under another name" cella restore-backup "$file" copy
cella start copy
is "its files are the same" "$(diff before <(tree list copy))" ""
is "its database is whole" "$(sql copy "pragma integrity_check")" ok
is "with one row after the other" "$(sql copy "select count(*) = max(i) from t")" 1
check "and none that was told of is missing" test "$(sql copy "select max(i) from t")" -ge "$backed_up"
is "its limit and description too" "$(tenant copy df | cut -d ' ' -f 1) $(vps_field copy .description)" "$((64 << 20)) as it was"
is "it has its own name" "$(cella exec copy -- cat /proc/sys/kernel/hostname)" copy
cella stop --fast copy
cella stop --fast one
cella destroy one
check "restore the increment as an image, by the file's name" cella restore-backup "${increment##*/}" --layout image
cella start one
is "the image's files are the same" "$(diff after <(tree list one))" ""
is "its database is whole" "$(sql one "pragma integrity_check")" ok
check "backup of an image" cella backup one --to image.tar.zst
check "which is whole" cella backup-verify image.tar.zst
cella stop --fast one

check_fails "a name that no archive has" "is not called .tar" cella -q export copy copy.zip
check "export" cella export copy copy.tar.zst
check "which is a template" cella template import copy.tar.zst copied
check "and has the files" diff -r --no-dereference "$private_dir/copy/srv/t/deep" "$(echo "$CELLA_ROOT"/var/lib/cella/template/tree-*/srv/t/deep)"
check "export as an image" cella export copy image.tar --format oci
is "which is an OCI layout" "$(tar -xOf image.tar oci-layout) $(tar -tf image.tar | cut -c 1-13 | sort | uniq -c | xargs)" \
	'{"imageLayoutVersion":"1.0.0"} 3 blobs/sha256/ 1 index.json 1 oci-layout'

mkdir -m 755 open
check_fails "not where others can enter" "can be entered by others" cella -q restore-backup "$file" --path /srv/t --to open
check "a path alone" cella restore-backup "$file" --path /srv/t/noted --to part
is "it is what it was, and alone" "$(cd part && find . -type f -exec cat {} + && find . | sort | tr '\n' ' ')" "noted. ./srv ./srv/t ./srv/t/noted "
check_fails "what is not in it" "there is no srv/no in it" cella -q restore-backup "$file" --path /srv/no --to part
check_fails "what is no backup" "no backup" cella -q restore-backup "$conf_dir/one.conf" three
check_fails "a file that is there" "is there already" cella -q backup one --to image.tar.zst

mkdir kept
echo hello >kept/other.tar.zst
began=${EPOCHREALTIME/./}
cella backup copy --to kept --bwlimit 4M >/dev/null
took_us=$((${EPOCHREALTIME/./} - began))
disk=$(cella backup-list --in kept --json | jq '.[0].diskBytes')
check "not faster than --bwlimit" test "$disk" -gt $((4 << 20)) -a $took_us -ge $((disk * 1000000 / (4 << 20)))
first=$(files_of --in kept)
cella backup copy --to kept --incremental --keep 1 >/dev/null
is "what an increment builds upon is kept" "$(files_of --in kept | wc -l)" 2
mv "$first" first
check_fails "without that it is nothing" "that it builds upon is not beside it" cella -q backup-verify "$(files_of --in kept)"
is "and the list says so" "$(cella backup-list --in kept -H | awk '{ print $3, $4 }')" "no base"
mv first kept/other-name
check "under another name it is found" cella backup-verify "$(files_of --in kept | tail -n 1)"
cella backup copy --to kept --keep 1 >/dev/null
is "so many are kept, and other files" "$(files_of --in kept | wc -l) $(find kept -type f | wc -l)" "1 2"
check "the younger one" test ! -e "$first"
is "what is left has its own names" "$(find . "$private_dir" "$CELLA_ROOT/var/lib/cella/backup" -name '.*~*')" ""
