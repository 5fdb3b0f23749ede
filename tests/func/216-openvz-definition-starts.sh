#!/bin/bash
# a definition and a private area that OpenVZ left are taken over and start
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs busybox jq

vps_make donor
mkdir -p vz/private
cp -a "$private_dir/donor" vz/private/101
cat >"$conf_dir/101.conf" <<'CONF'
# Copyright (C) 2000-2011, Parallels, Inc. All rights reserved.
#
# This file is the configuration file for an OpenVZ container.

# UBC parameters (in form of barrier:limit)
KMEMSIZE="14372700:14790164"
LOCKEDPAGES="2048:2048"
PRIVVMPAGES="65536:69632"
SHMPAGES="21504:21504"
NUMPROC="240:240"
PHYSPAGES="0:16384"
VMGUARPAGES="33792:unlimited"
OOMGUARPAGES="26112:unlimited"
NUMTCPSOCK="360:360"
NUMFLOCK="188:206"
NUMPTY="16:16"
NUMSIGINFO="256:256"
TCPSNDBUF="1720320:2703360"
TCPRCVBUF="1720320:2703360"
OTHERSOCKBUF="1126080:2097152"
DGRAMRCVBUF="262144:262144"
NUMOTHERSOCK="120:120"
DCACHESIZE="3409920:3624960"
NUMFILE="9312:9312"
AVNUMPROC="180:180"
NUMIPTENT="128:128"

# CPU fair scheduler parameter
CPUUNITS="2000"
CPULIMIT="50"
IOPRIO="5"
SWAPPAGES="0:9223372036854775807"
VE_ROOT="/vz/root/$VEID"
VE_PRIVATE="/vz/private/$VEID"
OSTEMPLATE="debian-7.0-x86_64"
ORIGIN_SAMPLE="vswap-256m"
IP_ADDRESS="10.65.2.1"
HOSTNAME="old.example.org"   # its name
NAMESERVER="192.0.2.1"
CONF
sed -i "s|/vz/private|$PWD/vz/private|" "$conf_dir/101.conf"
before=$(cat "$conf_dir/101.conf")

output=$(cella check-config 101) && status=0 || status=$?
like "check-config names what has no effect" "$output" 'KMEMSIZE is kept, without effect: kernel memory is part of --ram'
like "and where its files are" "$output" "VE_PRIVATE says .*/vz/private/.VEID: 'cella register PATH 101'"
is "and ends with 1" "$status" 1
check_fails "it does not start without its files" "." cella start 101
check "register takes the private area over" cella register "$PWD/vz/private/101" 101
check "by moving it" test ! -e vz/private/101 -a -d "$private_dir/101"
check "it starts" cella start 101
cgroup=/sys/fs/cgroup$(vps_field 101 .cgroup)
is "with its limits" "$(cd "$cgroup" && cat memory.max pids.max cpu.weight cpu.max memory.swap.max | xargs)" "67108864 240 200 50000 100000 max"
is "its name" "$(cella exec 101 -- hostname)" old.example.org
like "its ids" "$(cat "/proc/$(vps_field 101 .pid)/uid_map")" "^ +0 +$(sed -n 's/LOCAL_UID="\(.*\)"/\1/p' "$conf_dir/101.conf") +65536$"
is "and its file as it was, but for the ids" "$(grep -v '^LOCAL_' "$conf_dir/101.conf")" "$before"
cella set 101 --cpulimit 75 --ipdel all --at-restart >/dev/null
is "a changed line keeps its place" "$(diff <(echo "$before") <(grep -v '^LOCAL_' "$conf_dir/101.conf") | grep '^[<>]')" \
	$'< CPULIMIT="50"\n> CPULIMIT="75"\n< IP_ADDRESS="10.65.2.1"'

cella stop --fast 101 >/dev/null
check_fails "a root that is none" "not the root of a system" cella register /proc/sys 102
check_fails "a second area" "has a private area already" cella register "$private_dir/donor" 101
check "unregister" cella unregister 101
check "keeps the files" test -d "$private_dir/101" -a -e "$conf_dir/101.conf.destroyed" -a ! -e "$conf_dir/101.conf"
check "which can be registered where they lie" cella register "$private_dir/101" 101
check "and start" cella start 101
