#!/bin/bash
# mounts[].uidMappings, gidMappings, idmap and ridmap: files get other owners in that mount alone
. "$(dirname "$0")/lib.sh"

mkdir -p src/sub && mount -t tmpfs props-sub src/sub && cleanup umount "$PWD/src/sub"
touch src/file src/sub/file && chown 1000:2000 src/file src/sub/file
make_bundle b '.mounts += [
	{destination: "/plain", type: "bind", source: $src, options: ["rbind"]},
	{destination: "/mapped", type: "bind", source: $src, options: ["rbind", "idmap"], uidMappings: $u, gidMappings: $g},
	{destination: "/implied", type: "bind", source: $src, options: ["rbind"], uidMappings: $u, gidMappings: $g},
	{destination: "/deep", type: "bind", source: $src, options: ["rbind", "ridmap"], uidMappings: $u, gidMappings: $g}]' \
	--arg src "$PWD/src" --argjson u '[{"containerID":1000,"hostID":5000,"size":10}]' \
	--argjson g '[{"containerID":2000,"hostID":6000,"size":10}]'
start_bundle idmap b
owner() { oci exec idmap stat -c %u:%g "$1" </dev/null; }
is "without it owners are the file system's" "$(owner /plain/file)" 1000:2000
is "idmap" "$(owner /mapped/file)" 5000:6000
is "mappings alone mean idmap" "$(owner /implied/file)" 5000:6000
is "idmap leaves mounts below alone" "$(owner /mapped/sub/file)" 1000:2000
is "ridmap takes them along" "$(owner /deep/sub/file)" 5000:6000
chown 1000:2000 src
check "can be made by the mapped user" oci exec --user 5000:6000 idmap touch /mapped/new </dev/null
is "and lies on disk with the other number" "$(stat -c %u:%g src/new)" 1000:2000
like "the kernel calls the mount idmapped" "$(mount_of "$(pid_of idmap)" /mapped)" idmapped
edit_bundle b '.mounts = [.mounts[] | select(.destination == "/mapped") | del(.uidMappings)]'
check_fails "one mapping without the other is refused" 'apping' oci create --bundle b half </dev/null
