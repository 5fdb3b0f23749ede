#!/bin/bash
# on xfs a VPS ends at its limits in every way of growing, and df is right to the block
# timeout: 400
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"

volume xfs
limited dir
# limited by the same quota
limited overlay write links directories
