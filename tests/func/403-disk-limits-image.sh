#!/bin/bash
# where the file system has no quotas a VPS with limits has an image: it ends at its size in every way of growing
# timeout: 400
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"

volume ext4-plain
check_fails "a directory cannot be limited here" "prjquota" vps_make dir --layout dir --diskspace 128M
check "without a word about the layout it is an image" vps_make image --diskspace 128M --diskinodes 8192
is "says show" "$(vps_field image .layout)" image
check "start" cella start image
read -r total used inodes _ <<<"$(tenant image df)"
is "df shows the limit" "$total" $((128 << 20))
is "df -i shows the limit" "$inodes" 8192
fills image 128

check "a directory without limits" vps_make tree --layout dir
echo 'DISKSPACE="1G:1G"' >>"$conf_dir/tree.conf"
check_fails "a limit that nobody would keep" "cannot be kept .*--best-effort" cella start tree
check "best effort" cella set tree --best-effort
check "does without" cella start tree
