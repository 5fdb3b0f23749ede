#!/bin/bash
# a VPS moves to another host over ssh, most of it while it runs: files, addresses, MAC and sums of traffic go with it, and it runs on one alone
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
# shellcheck source=move.sh
. "$func_dir/move.sh"

other_host "$(command -v cella)"
vps_start one --ipadd 10.64.0.9
cella exec one -- sh -c 'echo mine >/root/file; chmod 4711 /root/file; ln /root/file /root/same'
pid=$(vps_field one .pid)
mac=$(vps_field one '.interfaces[0].mac')
check_fails "what ssh would take for an option" "no \[USER@\]HOST" cella migrate one -- -oProxyCommand=x
mkdir -p "$there_conf" # its definitions
echo 'IP_ADDRESS="10.64.0.9"' >"$there_conf/two.conf"
echo 'HOSTNAME="one"' >"$there_conf/one.conf"
said=$(cella migrate one there --json 2>&1) && not_ok "refused"
like "all reasons at once: the name" "$said" "there is a VPS one already"
like "and the address" "$said" "10.64.0.9 belongs to VPS two"
is "nothing was stopped" "$(vps_field one .pid)" "$pid"
rm "$there_conf"/*.conf
is "--check" "$(cella migrate one there --check --json | jq -c '[.possible, .moved, .mode, .refusals]')" '[true,false,"near-live",[]]'
is "nothing was stopped" "$(vps_field one .pid)$(journal "$CELLA_ROOT" one)" "$pid"

ping -c 3 -i 0.2 -s 8000 -q 10.64.0.9 >/dev/null
# what it does while it is sent comes with it: each number is said when it is in the file
cella exec one -- sh -c 'cd /root; mkdir was; echo 1 >was/file'
cella exec one -- sh -c 'cd /root; i=0; while i=$((i+1)) && echo $i >>log; do echo $i; usleep 100000; done' >said 2>/dev/null &
wait_for 30 test -s said
said=$(cella migrate one there --near-live) || not_ok "near-live" "$said"
like "what comes is said before" "$said" "^VPS one moves near-live: it is sent while it runs.*"$'\n'"VPS one is stopped now"$'\n'
like "and what came" "$said" "VPS one has moved to there near-live: .* in [2-9] rounds, it was down for [0-9]+\.[0-9] s$"
is "it runs there" "$(there list -H -o status one)" running
is "with its files" "$(there exec one -- sh -c 'cd /root; cat was/file same; stat -c "%a %h" file')" $'1\nmine\n4711 2'
check "none that was said is lost" there exec one -- grep -qx "$(tail -n 1 said)" /root/log
is "its MAC" "$(there show one --json | jq -r '.interfaces[0].mac')" "$mac"
check "it answers" ping -c 1 -W 5 -q 10.64.0.9
check "its traffic goes on from what it was" test "$(there traffic one --json | jq '[.. | .receivedBytes? // empty] | max')" -ge 24000
check_fails "here it does not start" "VPS one has moved to there" cella start one
is "nothing of it is here" "$(find "$conf_dir" "$private_dir" -name "one*" -printf %f) $(journal "$CELLA_ROOT" one)" "one.conf.destroyed gone"
is "nor of the move there" "$(ls -A "$there_root/var/lib/cella/moving")" ""
check "its name can be forgotten" cella destroy one
is "it is" "$(journal "$CELLA_ROOT" one)" ""

# lies NAME...: what the target says in the end to a source that lies so
lies() { CELLA_ROOT=$there_root python3 "$func_dir/move_liar.py" cella "$@"; }
before=$(find "$there_root/etc" "$there_root/var" | sort)
said=$(lies digest round many damaged more path replay other long early cut version)
like "a wrong digest" "$said" "digest: FAILED the disk did not arrive as it was sent"
like "of a round" "$said" "round: FAILED the disk did not arrive as it was sent"
like "what is no disk" "$said" "damaged: FAILED .*no backup"
like "nor a round without one" "$said" "many: FAILED .*no backup"
like "more than was offered" "$said" "more: FAILED it sends more than it offered"
like "a path for a name" "$said" "path: FAILED .*OFFER: name: it is not what it should be"
like "a commit of nothing" "$said" "replay: STATE unknown"$'\n'"other: STATE unknown"
like "a frame too long" "$said" "long: FAILED .*BEGIN has 5000 bytes, and 4096 are the most"
like "a beginning before the offer" "$said" "early: FAILED .*BEGIN of nothing that was offered"
like "a connection that ends" "$said" "cut: FAILED .*"
like "another protocol" "$said" "version: FAILED .*by another protocol \(3, not 2\)"
is "nothing is left of them" "$(find "$there_root/etc" "$there_root/var" | sort | grep -v '/liar.conf.destroyed$')" "$before"
