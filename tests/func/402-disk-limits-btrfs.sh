#!/bin/bash
# on btrfs a VPS ends at the limit of its qgroup in every way of growing, also by subvolumes of its own
# timeout: 400
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"

volume btrfs
vps_start dir --layout dir --diskspace 128M
QGROUP_OF=$private_dir/dir fills dir 128
