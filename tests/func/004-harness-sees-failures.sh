#!/bin/bash
# the harness itself: what a test leaves behind, dies of or takes too long for is reported as failed
# timeout: 500
. "$(dirname "$0")/lib.sh"

cp "$func_dir"/{lib,leaves,kernel,bundle}.sh "$func_dir/config.json" .

# verdict TEXT: run a test with this body as the runner does; TAP in $tap, the tally's status in $?
leaves=0 # the picture before and after costs a second under emulation: only where it is the subject
verdict() {
	local status=0

	# shellcheck disable=SC2016 # for the inner test
	printf '%s\n' '. "$(dirname "$0")/lib.sh"' "$1" >inner.sh
	tap=$(LEAVES=$leaves "$func_dir/one" "$TEST_DIR/inner.sh") || status=$?
	"$func_dir/../tally" tally-file inner "$status" 0 <<<"$tap" >/dev/null
}

# sees DESCRIPTION BODY REGEX: the run counts as failed and its TAP says so
sees() {
	if verdict "$2"; then not_ok "$1" "$tap"; else like "$1" "$tap" "$3"; fi
}

check "a test that passes passes" verdict 'ok fine'
sees "a failed check" 'check "truth" false' 'not ok 1 - truth'
sees "a wrong value" 'is "sum" 4 5' 'not ok 1 - sum'
sees "a command that fails outside a check" $'ok fine\nfalse\nok unreachable' 'runs to its end'
sees "an exit in the middle" $'ok fine\nexit 3' 'runs to its end'
sees "a test that is killed" $'ok fine\nkill -KILL $$' '^ok 1 - fine'
sees "a test that takes too long" $'# timeout: 1\nok fine\nsleep 30' 'took longer'
sees "a check that must fail and succeeds" 'check_fails "refused" "no" true' 'not ok 1'
sees "two lines where one is promised" 'check_fails "one line" "a" sh -c "echo a; echo b; exit 1"' 'not ok 1'
sees "a death by signal where a refusal is promised" 'check_fails "refused" "" sh -c "kill -9 \$\$"' 'not ok 1'

leaves=1
check "a test that leaves nothing passes" verdict 'mkdir /run/left && cleanup rmdir /run/left'
export LEAVES_SECONDS=0 # what follows stays for longer than that
sees "a process left" 'setsid sleep 47 &' 'leaves nothing.*(sleep)'
pkill -f '^sleep 47$' || true
# the rest in one run, as each picture takes a second
verdict 'mkdir -p /run/left && mount -t tmpfs left /run/left
	mkdir /sys/fs/cgroup/left
	ip link add left type dummy
	nft add table inet left
	mkdir -p /run/cella-oci/left' && not_ok "all kinds left" "$tap"
while read -r line; do
	like "${line%% *} left" "$tap" "leaves nothing.*$line"
done <<'LINES'
mount /run/left
cgroup /sys/fs/cgroup/left
link left
nft table inet left
state /run/cella-oci/left
LINES
umount /run/left && rmdir /run/left /sys/fs/cgroup/left /run/cella-oci/left
ip link delete left
nft delete table inet left
rmdir --ignore-fail-on-non-empty /run/cella-oci
unset LEAVES_SECONDS
