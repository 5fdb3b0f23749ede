#!/bin/bash
# the console: what was said before is shown, input goes in, it survives stop, reboot and a killed monitor
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs jq busybox script

# sit NAME: a console in the background, its input a pipe held open, its output in NAME.out
sit() {
	mkfifo "$1.in"
	cella console one <"$1.in" >"$1.out" 2>&1 &
	cleanup kill $!
	seats+=($!)
}
seats=()
says() { wait_for 20 grep -aq "$2" "$1.out"; }

vps_make one
# every line that is typed comes back with a mark, and the size of the window is told
cat >"$private_dir/one/etc/inittab" <<'END'
::sysinit:/bin/echo early words
console::respawn:/bin/sh -c 'while read -r l; do case $l in size) stty size | sed "s/^/now /" ;; *) echo "heard $l" ;; esac; done'
console::shutdown:/bin/echo late words
END
sit a
exec 5>a.in
cella start one >/dev/null
check "who attached before the start sees it" says a "early words"
sit b
exec 6>b.in
check "who comes later sees what was said before" says b "early words"
echo hello >&5
check "input goes in" says a "heard hello"
check "and all see the answer" says b "heard hello"
socket=$run_dir/.vps/one.console
is "the socket is closed to others" "$(stat -c %a "$socket")" 600

kill -9 "$(monitor_of one)"
check "after the monitor's death another serves" status_is one running
echo again >&6
check "those who were attached" says b "heard again"
check "and with what was said" wait_for 5 grep -q "heard again" "$CELLA_ROOT/var/lib/cella/log/one.console"

# then it waits in sigtimedwait, and no signal is shown as blocked
idle() { grep -q 'SigBlk:.0*$' "/proc/$(vps_field one .pid)/status"; }
check "init is idle" wait_for 20 idle
cella stop one >/dev/null
check "the last words" says a "late words"
check "attached ones stay while it is down" kill -0 "${seats[@]}"
: >a.out
cella start one >/dev/null
check "and see the next start" says a "early words"
echo "two lives" >&5
check "and are heard" says a "heard two lives"
: >a.out
check "reboot from inside" cella exec one -- reboot
check "is seen" says a "early words"
printf '~.' >&5
check "~. leaves" wait_for 5 gone "${seats[0]}"
exec 5>&- 6>&-

# a terminal: raw while attached, as before afterwards; the size goes in
cat >in-terminal <<'END'
stty rows 33 cols 77
stty -g >before
cella console one
stty -g >after
END
mkfifo keys
script -qec "bash in-terminal" /dev/null <keys >screen 2>&1 &
exec 7>keys
on_screen() { wait_for 20 grep -aq "$1" screen; }
check "on a terminal it says how to leave" on_screen "~. after"
printf 'size\r' >&7
check "the window's size goes in" on_screen "now 33 77"
printf '\r~.' >&7
check "it ends" wait_for 10 test -s after
is "and the terminal is as it was" "$(cat after)" "$(cat before)"
rm -f after
script -qec "bash in-terminal" /dev/null <keys >screen 2>&1 &
check "again" on_screen "~. after"
pkill -TERM -nx -f "cella console one"
check "ended by a signal" wait_for 10 test -s after
is "it puts the terminal back as well" "$(cat after)" "$(cat before)"
exec 7>&-

check_fails "no console of what is not there" "does not exist" cella console two
check_fails "monitor-end is not for people" "for cella-monitor alone" cella monitor-end one 1 1 0 halt

# the log has a bound and one predecessor
cella exec one -- sh -c 'i=0; while [ $i -lt 5000 ]; do echo "$i: a line that fills the log, of about a hundred bytes with its number, to be rotated away"; i=$((i + 1)); done >/dev/console'
log=$CELLA_ROOT/var/lib/cella/log/one.console
check "the log rotates" wait_for 10 test -s "$log.1"
check "and is bounded" test "$(stat -c %s "$log")" -le $((256 << 10)) -a "$(stat -c %s "$log.1")" -le $((256 << 10))
like "with the last line" "$(tail -n 1 "$log")" "4999: a line"
