#!/bin/bash
# on btrfs a disk is a subvolume and its snapshots share its blocks
# timeout: 400
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"

volume btrfs
vps_make one --layout dir --diskspace 100M
is "the disk is a subvolume" "$(stat -c %i "$private_dir/one")" 256
dd if=/dev/urandom of="$private_dir/one/root/data" bs=1M count=32 status=none
sync
before=$(btrfs filesystem usage -b "$TEST_DIR/volume" | awk '/^ *Used:/ { print $2; exit }')
check "snapshot" cella snapshot one --id s
sync
after=$(btrfs filesystem usage -b "$TEST_DIR/volume" | awk '/^ *Used:/ { print $2; exit }')
check "it takes no second 32 MiB" test $((after - before)) -lt $((4 << 20))
rm "$private_dir/one/root/data"
check "switch" cella snapshot-switch one --id s
is "the data is back" "$(stat -c %s "$private_dir/one/root/data")" $((32 << 20))
is "its limit as well" "$(vps_field one .disk.hardBytes)" $((100 << 20))
check "destroy" cella destroy one
check "no subvolume is left" test "$(btrfs subvolume list "$TEST_DIR/volume" | wc -l)" = 0
