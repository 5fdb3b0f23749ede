#!/bin/bash
# the monitor saves traffic unasked, and acts on a VPS's quota of a month: throttle, hook, stop
# timeout: 180
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs jq busybox tc

mkdir -p "$CELLA_ROOT/etc/cella/hooks"
echo 'TRAFFIC_INTERVAL="1"' >"$CELLA_ROOT/etc/cella/cella.conf"
sums=$CELLA_ROOT/var/lib/cella/traffic/one/if.eth0

# saved BYTES: so many are on the disk, both ways together; no command of ours has asked
saved() { [ "$(sed -n 's/^TOTAL="\([0-9]*\) [0-9]* \([0-9]*\) .*/\1 + \2/p' "$sums" 2>/dev/null | xargs -r expr)" -ge "$1" ] 2>/dev/null; }
# send: 100 datagrams there and back, 288,400 bytes
send() { ping -q -c 100 -i 0.005 -s 1400 10.66.0.1 >/dev/null; }
throttled() { tc -j qdisc show dev vethone.0 | jq -e 'any(.kind == "tbf" and .options.rate == 125000)' >/dev/null; }

vps_start one --ipadd 10.66.0.1
send
check "the monitor saves what was counted" wait_for 30 saved 288400
check "no quota, no rate" test -z "$(throttled && echo yes)"

cella set one --traffic-quota 200K:throttle
check "over its quota it gets 1 Mbit/s" wait_for 30 throttled
like "and why says so" "$(cella why one)" "it has sent and received 0 MiB in $(date -u +%Y-%m); its quota is 200K:throttle"
is "show names it" "$(vps_field one '.limits | "\(.trafficBytesPerMonth) \(.trafficQuotaAction)"')" "204800 throttle"
check "it still answers" ping -c 1 -W 3 10.66.0.1
cella stop --fast one >/dev/null
cella start one >/dev/null
check "a restart does not help" throttled
cella set one --traffic-quota 1G:throttle
check "a higher quota does" test -z "$(throttled && echo yes)"

# shellcheck disable=SC2016 # the script's
printf '#!/bin/sh\necho "$VEID $VE_ACTION" >>%s\n' "$PWD/told" >"$CELLA_ROOT/etc/cella/hooks/traffic-quota"
chmod 755 "$CELLA_ROOT/etc/cella/hooks/traffic-quota"
cella set one --traffic-quota 200K:hook
check "a hook is run" wait_for 30 test -s told
send
check "and the next look" wait_for 30 saved 576800
is "does not run it again" "$(cat told)" "one traffic-quota"

cella set one --traffic-quota 200K:stop
check "or it is stopped" wait_for 30 status_is one stopped
check_fails "and not started" "its quota is 200K:stop: raise --traffic-quota, or wait for the next month" cella start one
cella set one --traffic-quota unlimited
check "until it may" cella start one
check_fails "a quota without an action is refused" "--traffic-quota: '5G' is not like 500G:ACTION" cella set one --traffic-quota 5G
