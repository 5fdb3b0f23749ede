#!/bin/bash
# list, stats, top and metrics tell what the kernel counts
# shellcheck disable=SC2094 # a check reads a file and names it, and writes none
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs jq busybox script ping

vps_start busy --ipadd 10.65.0.1 --cpus 1
vps_start idle --ipadd 10.65.0.2
vps_make down
cgroup=/sys/fs/cgroup$(vps_field busy .cgroup)
# dd: read and write, past the page cache where the file system can
cella exec busy -- sh -c 'dd if=/dev/zero of=/file bs=1M count=8 conv=fsync 2>/dev/null'
ping -q -c 5 -s 1000 -i 0.2 10.65.0.1 >/dev/null
cella exec busy -- sh -c 'while :; do :; done' &
cleanup kill $!

is "the new fields are known" "$(cella list -H -o name,read,write,in,out,uptime,cpu down | tr -s ' ')" "down - - - - - -"
unlike "and have values where it runs" "$(cella list -H -o write,in,out,uptime,cpu busy)" " - "
written=$(awk '{ for (i = 2; i <= NF; i++) if ($i ~ /^wbytes=/) { sub(/.*=/, "", $i); sum += $i } } END { print sum + 0 }' "$cgroup/io.stat")
check "what was written is counted" test "$written" -ge $((8 << 20))

cella stats busy --json --interval 1s --count 2 >stats
is "stats --json: an object a line" "$(jq -s length stats)" 2
check "a loop takes most of a CPU" jq -es '.[1].cpuPercent > 50 and .[1].cpuPercent < 130' stats
check "memory as the kernel has it" jq -es --argjson now "$(cat "$cgroup/memory.current")" '.[1].ramBytes > $now / 2 and .[1].ramBytes < $now * 2' stats
check "processes as well" jq -es --argjson now "$(cat "$cgroup/pids.current")" '(.[1].processes - $now) | . <= 1 and . >= -1' stats
like "stats as lines" "$(cella stats busy --interval 200ms --count 1)" "^ *CPU% .*PSI-IO"$'\n'" *[0-9.]+ "
like "stats on a terminal draws" "$(script -qec 'cella stats busy --interval 200ms --count 3' /dev/null)" "cpu .*%.*[▁▂▃▄▅▆▇█]"
check_fails "stats of a stopped one" "not running" cella stats down
check_fails "too often" "is not in 100ms..24h" cella stats busy --interval 1ms

cella top --interval 1s >top
is "top: who runs, and the total" "$(awk '{ print $1 }' top | tr '\n' ' ')" "NAME busy idle total "
check "the busy one is first" awk '$1 == "busy" { busy = $2 } $1 == "idle" { idle = $2 } END { exit !(busy > 40 && idle < 20) }' top
is "sorted by name, with stopped ones" "$(cella top --interval 200ms --all --sort name | awk '{ print $1 }' | tr '\n' ' ')" "NAME busy down idle total "
check_fails "an unknown column" "there are: name cpu" cella top --sort size
mkfifo keys
TERM=xterm script -qec 'stty rows 24 cols 100; cella top --interval 300ms' /dev/null <keys >screen &
exec 7>keys
on_screen() { wait_for 15 grep -aq "$1" screen; }
check "on a terminal it is a screen" on_screen "sorted by cpu"
printf '>' >&7
check "keys change the column" on_screen "throttled"
printf q >&7
gone_top() { ! pgrep -f "cella top --interval 300ms"; }
check "q ends it" wait_for 10 gone_top
exec 7>&-

cella metrics >metrics
is "metrics end as they must" "$(tail -n 1 metrics)" "# EOF"
is "a sample per VPS" "$(grep -c '^cella_vps_up{' metrics)" 3
is "who is down is down" "$(grep '^cella_vps_up{name="down"}' metrics)" 'cella_vps_up{name="down"} 0'
seconds=$(sed -n 's/^cella_vps_cpu_seconds_total{name="busy"} //p' metrics)
usage=$(sed -n 's/^usage_usec //p' "$cgroup/cpu.stat")
check "CPU seconds are the kernel's" awk -v s="$seconds" -v u="$usage" 'BEGIN { exit !(s > 0 && s <= u / 1e6 && s > u / 1e6 - 10) }'
# every sample belongs to the family before it, and no family comes twice
check "families stand together" awk '
	/^# TYPE/ { if (seen[$3]++) exit 1; family = $3; suffix = $4 == "counter" ? "_total" : ""; next }
	/^#/ { next }
	{ split($1, parts, "{"); if (parts[1] != family suffix) exit 1 }' metrics
cella metrics --textfile "$TEST_DIR/out.prom"
is "the textfile has the same families" "$(grep -c '^# TYPE' out.prom)" "$(grep -c '^# TYPE' metrics)"
is "and nothing beside it" "$(find . -name 'out.prom*')" ./out.prom
check_fails "a directory that is not there" "textfile: .*No such file" cella metrics --textfile /nonexistent/x
