#!/bin/bash
# linux.maskedPaths hide files and directories, linux.readonlyPaths stop writes, root included
. "$(dirname "$0")/lib.sh"

make_bundle b '.process.capabilities |= map_values(["CAP_DAC_OVERRIDE"])
	| .linux.maskedPaths = ["/secret", "/hidden", "/proc/version", "/not/there"]
	| .linux.readonlyPaths = ["/fixed", "/proc/sys", "/not/there"]'
mkdir -p b/rootfs/{hidden,fixed,open} && echo key >b/rootfs/secret && echo key >b/rootfs/hidden/key && touch b/rootfs/fixed/file
start_bundle masks b
pid=$(pid_of masks)
is "a masked file is empty" "$(oci exec masks cat /secret </dev/null)" ""
is "as is one of procfs" "$(oci exec masks cat /proc/version </dev/null)" ""
is "a masked directory is empty" "$(oci exec masks ls -A /hidden </dev/null)" ""
output=$(oci exec masks touch /hidden/new 2>&1 </dev/null) || true
like "and takes no files" "$output" 'Read-only file system'
like "a directory is covered by a tmpfs, read-only" "$(mount_of "$pid" /hidden)" 'tmpfs ro'
like "a read-only path" "$(mount_of "$pid" /fixed)" ' ro'
output=$(oci exec masks touch /fixed/file2 2>&1 </dev/null) || true
like "writes there fail" "$output" 'Read-only file system'
output=$(oci exec masks sh -c 'echo 1 >/proc/sys/kernel/sysrq' 2>&1 </dev/null) || true
like "sysctl cannot be changed" "$output" 'Read-only file system'
check "the rest stays writable" oci exec masks touch /open/file </dev/null
check "what does not exist is passed over, and not made" test ! -e b/rootfs/not
oci delete --force masks
edit_bundle b '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
start_bundle open b
is "without the lists all is visible" "$(oci exec open cat /secret /hidden/key </dev/null)" $'key\nkey'
check "and writable" oci exec open touch /fixed/file2 </dev/null
