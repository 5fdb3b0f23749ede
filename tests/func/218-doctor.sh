#!/bin/bash
# doctor tells what of the host should be otherwise, with the cure, and the cure works
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox jq

old=$(sysctl -n kernel.dmesg_restrict)
cleanup sysctl -qw kernel.dmesg_restrict="$old"
finding() { cella doctor --json | jq -r --arg what "$1" '.[] | select(.what | startswith($what)) | .level'; }

sysctl -qw kernel.dmesg_restrict=0
is "a setting that is open" "$(finding kernel.dmesg_restrict)" advice
cure=$(cella doctor | sed -n '/dmesg_restrict/{n;s/.*cure: \(sysctl [^,]*\),.*/\1/p}')
like "its cure" "$cure" "^sysctl -w kernel.dmesg_restrict=1$"
$cure >/dev/null
is "cures it" "$(finding kernel.dmesg_restrict)" ok
unlike "and it is not shown any more" "$(cella doctor)" dmesg_restrict
like "but with --all" "$(cella doctor --all)" "ok +kernel.dmesg_restrict is 1"
is "controllers" "$(finding 'cgroup v2 has the memory')" ok

vps_make one --ram 900G
like "over-commit of limits is told" "$(cella doctor)" 'memory limits of 1 VPSs add up to 921600 MiB'
is "as advice, not as wrong" "$(finding 'memory limits')" advice
unlike "without a quota no clock is looked at" "$(cella doctor --all)" 'the clock'
cella set one --traffic-quota 500G:hook >/dev/null
is "a quota that calls no program" "$(finding 'the traffic quota of VPS one calls 0')" wrong
mkdir -p "$CELLA_ROOT/etc/cella/hooks"
install -m 755 /dev/stdin "$CELLA_ROOT/etc/cella/hooks/traffic-quota" <<<'#!/bin/sh'
is "and one that has it" "$(finding 'the traffic quota of VPS one calls 1')" ok
like "the month's clock" "$(finding 'the clock is ')" '^(ok|advice)$'
cella set one --traffic-quota unlimited >/dev/null
is "a definition that is well" "$(cella check-config one)" "VPS one: nothing to say"
echo 'CPUBURST="50"' >>"$conf_dir/one.conf"
check_fails "values that do not go together" "wrong +--cpu-burst: needs a limit" cella check-config one
