#!/bin/bash
# SIGKILL of either end of a move at each step: then or after migrate-resolve the VPS is on one host, never on both or on none
# timeout: 400
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
# shellcheck source=move.sh
. "$func_dir/move.sh"
faulty=${CELLA_FAULTY:-/srv/cella/faulty/cella-oci}
faulty=${faulty%-oci}-template
[ -x "$faulty" ] || skip_rest "no cella with failure points (make faults)"

# may_start ROOT: it is there, and nothing forbids its start
may_start() {
	[ -e "$1/etc/cella/conf/one.conf" ] || return 1
	case $(journal "$1" one) in '' | returned | done) ;; *) return 1 ;; esac
}
# whose: the hosts on which it may start
whose() {
	local hosts=''
	! may_start "$CELLA_ROOT" || hosts+=here
	! may_start "$there_root" || hosts+=there
	echo "$hosts"
}
# made: a small stopped VPS, here alone
made() {
	rm -rf {"$CELLA_ROOT","$there_root"}/{etc/cella/conf/one.conf,var/lib/cella/{private/one,moving/one.*}}
	mkdir -p "$private_dir/one/etc"
	echo one >"$private_dir/one/etc/hostname"
	echo 'HOSTNAME="one"' >"$conf_dir/one.conf"
}
receives() { pgrep -f migrate-receive; }

other_host "$faulty"
cella list >/dev/null
# POINT HOST HOST-WHEN-RESOLVED; "-": in doubt until then
while read -r point expected after; do
	made
	if [[ $point == source:* ]]; then
		CELLA_MOVE_FAIL=$point "$faulty" -q migrate one there >/dev/null 2>&1 || true
	else
		echo "export CELLA_MOVE_FAIL=$point" >there-env
		"$faulty" -q migrate one there >/dev/null 2>&1 || true
	fi
	wait_for 30 eval '! receives'
	cella status one >/dev/null || true
	there status one >/dev/null || true
	is "$point" "$(whose)" "${expected#-}"
	[ "$after" = . ] || cella -q migrate-resolve one >/dev/null 2>&1 || not_ok "$point: resolve"
	[ "$after" = . ] || is "$point: resolved" "$(whose)" "$after"
done <<'POINTS'
source:sending here .
source:data here .
source:prepared here here
source:committed - there
source:commit-said there there
source:removing there .
target:data here .
target:before-vote here here
target:prepared there .
target:active there .
target:done there .
POINTS
made
CELLA_MOVE_FAIL=source:committed "$faulty" -q migrate one there >/dev/null 2>&1 || true
check_fails "it does not start here" "was handed over to there" cella start one
check_fails "nor there" "has not given it away yet" there start one
check_fails "nor is it destroyed" "was handed over to there" cella destroy one
check_fails "nor moved again" "was handed over to there" "$faulty" -q migrate one there
cella -q migrate-resolve one --here
is "the operator's word" "$(whose)" here

# the target must be free of it, or nothing is begun; and it was stopped, or nothing is started again
made
cella destroy one
vps_start one
pid=$(vps_field one .pid)
CELLA_MOVE_FAIL=source:data "$faulty" -q migrate one there >/dev/null 2>&1 || true
is "a running one is sent while it runs" "$(vps_field one .pid)" "$pid"
CELLA_MOVE_FAIL=source:last-data "$faulty" -q migrate one there >/dev/null 2>&1 || true
check "it was stopped for the rest" test ! -e "/proc/$pid"
check "and is started again by the next look" status_is one running
wait_for 30 eval '! receives'
is "there is nothing of it there" "$(find "$there_root/var/lib/cella/"{moving,private} -name '*one*' ! -name '*.lock')" ""
echo 'exit 1' >there-env
check_fails "a target that says nothing" "there ended the connection" cella -q migrate one there --cold
is "it runs on" "$(cella list -H -o status one)" running
