#!/bin/bash
# on btrfs a VPS ends at the limit of its qgroup in every way of growing, also by subvolumes of its own
# timeout: 240
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"

volume btrfs
vps_start dir --layout dir --diskspace 24M
fills dir $((24 << 10))
