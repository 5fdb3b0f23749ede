#!/bin/bash
# on ext4 a VPS ends at its limits in every way of growing, and df is right to the block
# timeout: 240
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"

volume ext4
limited dir --layout dir
limited overlay --layout overlay
