#!/bin/bash
# a full disk is its VPS's own trouble: neighbour and host write on, it starts again, and its tenant cannot leave the quota
# timeout: 400
. "$(dirname "$0")/lib.sh"
# shellcheck source=disk.sh
. "$func_dir/disk.sh"
needs repquota

volume ext4
vps_start full --layout dir --diskspace 24M
vps_start other --layout overlay --diskspace 24M
[ "$(stat -c %i "$private_dir/full")" ] || exit 1
tenant full grow most $((23 << 20))
cella exec full -- sh -c 'cat /dev/zero >rest 2>/dev/null' || true
check_fails "it is full" "EDQUOT" tenant full grow more $((30 << 20))
check "the neighbour writes" cella exec other -- sh -c 'dd if=/dev/zero of=x bs=64k count=32 2>/dev/null && sync && rm x'
check "the host writes" dd if=/dev/zero of="$CELLA_ROOT/x" bs=64k count=32 status=none
is "the kernel counts what df shows" "$(repquota -P -O csv "$TEST_DIR/volume" | awk -F, -v id="#$(vps_field full .idRange.first)" '$1 == id { print $4 * 1024 }')" \
	"$(tenant full df | cut -d ' ' -f 2)"
is "and show as well" "$(vps_field full .disk.usedBytes)" "$(tenant full df | cut -d ' ' -f 2)"
check "stop" cella stop --fast full
check "a full one starts again" cella start full
is "the tenant cannot change its project" "$(tenant full project file)" EINVAL
is "nor link a neighbour's file in" "$(ln "$private_dir/other/upper/etc/hostname" "$private_dir/full/stolen" 2>&1 | grep -o 'cross-device')" cross-device

cella stop --fast full
id=$(vps_field full .idRange.first)
cella destroy full
is "destroy removes the quota" "$(repquota -P -O csv "$TEST_DIR/volume" | awk -F, -v id="#$id" '$1 == id && ($5 > 0 || $6 > 0)')" ""
