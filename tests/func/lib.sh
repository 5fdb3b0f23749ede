# Help for functional tests. A test begins:
#
#   #!/bin/bash
#   # what it shows, one line
#   . "$(dirname "$0")/lib.sh"
#
# and then makes its checks; TAP comes out, the plan is printed at the end by itself. A command that
# fails outside a check ends the test as a failure with its line. At the end what was made is
# compared with what was there before: cgroups, mounts, processes, links, firewall, state (see
# leaves.sh). Header lines the runner reads: "# timeout: SECONDS", "# guests: 2", "# host: no".
# shellcheck shell=bash disable=SC2034 # variables for tests
set -euo pipefail
shopt -s inherit_errexit

func_dir=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
TEST_DIR=$(mktemp -d "${TMPDIR:-/var/tmp}/cella-func.XXXXXX")
OCI_ROOT=$TEST_DIR/oci-state # state directory of this test's containers
test_count=0
test_failed=0
test_cleanups=()

# --- checks ----------------------------------------------------------------------------------

# ok DESCRIPTION
ok() { printf 'ok %d - %s\n' $((++test_count)) "$1"; }

# not_ok DESCRIPTION [DETAIL...]: the details become comment lines.
not_ok() {
	printf 'not ok %d - %s\n' $((++test_count)) "$1"
	test_failed=1
	shift
	[ $# = 0 ] || printf '%s\n' "$@" | sed 's/^/#   /'
}

# skip DESCRIPTION REASON: counted, and CI compares the number with a known one.
skip() { printf 'ok %d - %s # SKIP %s\n' $((++test_count)) "$1" "$2"; }

# skip_rest REASON: end here, as one skip.
skip_rest() {
	skip "${0##*/}" "$1"
	exit 0
}

# second_cpu: for this test the guest has two CPUs, of which an emulated one boots only the first. False: no second one.
second_cpu() {
	local online=/sys/devices/system/cpu/cpu1/online

	[ "$(nproc)" -lt 2 ] || return 0
	[ "${CELLA_TEST_GUEST:-}" ] && [ -w $online ] || return 1
	echo 1 >$online
	cleanup sh -c "echo 0 >$online"
}

# needs COMMAND...: end as a skip when the machine has none.
needs() {
	local command
	for command; do
		command -v "$command" >/dev/null || skip_rest "no program $command here"
	done
}

# check DESCRIPTION COMMAND...: the command must succeed; its output is shown when it does not.
check() {
	local description=$1 output status=0
	shift
	output=$("$@" 2>&1) || status=$?
	if [ $status = 0 ]; then ok "$description"; else not_ok "$description" "status $status: $*" "$output"; fi
}

# check_fails DESCRIPTION REGEX COMMAND...: it must end with a status from 1 to 127, and say one line
# that matches the extended regular expression.
check_fails() {
	local description=$1 regex=$2 output status=0
	shift 2
	output=$("$@" 2>&1) || status=$?
	if [ $status = 0 ] || [ $status -gt 127 ]; then
		not_ok "$description" "status $status: $*" "$output"
	elif [[ $output == *$'\n'* ]]; then
		not_ok "$description" "more than one line:" "$output"
	elif [[ ! $output =~ $regex ]]; then
		not_ok "$description" "said:    $output" "expected: $regex"
	else
		ok "$description"
	fi
}

# is DESCRIPTION GOT WANTED
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got:    $2" "wanted: $3"; fi
}

# like DESCRIPTION GOT REGEX
like() {
	if [[ $2 =~ $3 ]]; then ok "$1"; else not_ok "$1" "got:     $2" "matches: $3"; fi
}

# unlike DESCRIPTION GOT REGEX
unlike() {
	if [[ $2 =~ $3 ]]; then not_ok "$1" "got:           $2" "must not match: $3"; else ok "$1"; fi
}

# wait_for SECONDS COMMAND...: until the command succeeds; 1 when the time is over. Asked less and less often:
# on an emulated CPU the question takes time from what is waited for.
wait_for() {
	local end=$((SECONDS + $1)) pause=0.05
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep $pause
		if [ $pause = 0.05 ]; then pause=0.15; else pause=0.4; fi
	done
}

# --- the end ---------------------------------------------------------------------------------

# cleanup COMMAND...: run at the end, last one first, whatever happens.
cleanup() { test_cleanups+=("$(printf '%q ' "$@")"); }

test_died() {
	not_ok "${0##*/} runs to its end" "line $1: $2"
	trap - ERR
	exit 1
}

# shellcheck disable=SC2317 # called by the trap
test_end() {
	local status=$? i

	trap - ERR EXIT
	set +e
	[ $status = 0 ] || [ $test_failed = 1 ] || not_ok "${0##*/} runs to its end" "exit status $status"
	for ((i = ${#test_cleanups[@]} - 1; i >= 0; i--)); do
		eval "${test_cleanups[$i]}" >/dev/null 2>&1
	done
	rm -rf --one-file-system "$TEST_DIR"
	[ "${LEAVES:-1}" = 0 ] || leaves_nothing
	echo "1..$test_count"
	exit $test_failed
}
trap 'test_died $LINENO "$BASH_COMMAND"' ERR
trap test_end EXIT
trap 'exit 143' TERM

# shellcheck source=leaves.sh
. "$func_dir/leaves.sh"
# shellcheck source=kernel.sh
. "$func_dir/kernel.sh"
# shellcheck source=bundle.sh
. "$func_dir/bundle.sh"
[ "${LEAVES:-1}" = 0 ] || leaves_begin
cd "$TEST_DIR"
