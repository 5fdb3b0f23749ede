#!/bin/bash
# user namespaces, read-only roots, devices and seccomp profiles as podman asks for them
# timeout: 400
# host: no
. "$(dirname "$0")/podman.sh"

run() { podman run --rm --network none "$@"; }

# --userns=auto takes ids from those of the user "containers"
for file in /etc/subuid /etc/subgid; do
	cp "$file" "$TEST_DIR/${file##*/}"
	cleanup cp "$TEST_DIR/${file##*/}" "$file"
	grep -q ^containers: "$file" || echo containers:2147483648:1048576 >>"$file"
done
map=$(run --userns=auto $image cat /proc/self/uid_map)
like "--userns=auto has ids of its own" "$map" '^ +0 +(2[0-9]{9}|[1-9][0-9]{4,}) +[0-9]+'
is "and is root inside" "$(run --userns=auto $image sh -c 'id -u; touch /new && stat -c %u /new' | tr '\n' ' ')" "0 0 "
like "two have different ids" "$(run --userns=auto:size=1000 $image cat /proc/self/uid_map)" ' 1000$'

is "--read-only: the root cannot be written" "$(status run --read-only $image touch /file)" 1
is "--read-only: /tmp and /dev/shm can" "$(status run --read-only $image sh -c 'touch /tmp/a /dev/shm/b')" 0
is "--read-only --read-only-tmpfs=false" "$(status run --read-only --read-only-tmpfs=false $image touch /tmp/a)" 1

[ -e /dev/loop0 ] || modprobe loop
is "--device gives one" "$(run --device /dev/zero:/dev/nothing $image sh -c 'head -c 3 /dev/nothing | wc -c')" 3
is "--device :r may be read" "$(status run --device /dev/loop0:/dev/disk:r $image sh -c ': </dev/disk')" 0
is "--device :r may not be written" "$(status run --device /dev/loop0:/dev/disk:r $image sh -c ': >/dev/disk')" 1
check "others are refused" sh -c "! podman run --rm --network none --cap-add MKNOD $image sh -c 'mknod /tmp/d b 7 0 && : </tmp/d'"

cat >"$TEST_DIR/profile.json" <<EOF
{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
 "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
EOF
like "--security-opt seccomp=FILE" \
	"$(run --security-opt seccomp="$TEST_DIR/profile.json" $image sh -c 'mkdir /tmp/x 2>&1 || true')" 'No space left'
is "podman's own profile is loaded" "$(run $image sed -n 's/^Seccomp:\t//p' /proc/self/status)" 2
is "--security-opt seccomp=unconfined" \
	"$(run --security-opt seccomp=unconfined $image sed -n 's/^Seccomp:\t//p' /proc/self/status)" 0
is "--security-opt no-new-privileges" \
	"$(run --security-opt no-new-privileges $image sed -n 's/^NoNewPrivs:\t//p' /proc/self/status)" 1
is "--cap-drop all" "$(run --cap-drop all $image sed -n 's/^CapBnd:\t//p' /proc/self/status)" 0000000000000000
is "--cap-add" "$(run --cap-drop all --cap-add NET_BIND_SERVICE $image sed -n 's/^CapEff:\t//p' /proc/self/status)" 0000000000000400
is "--user" "$(run --user 1000:10 --group-add 7 $image sh -c 'id -u; id -g; id -G' | tr '\n' ' ')" "1000 10 10 7 "
is "--ulimit, --sysctl, --hostname" \
	"$(run --ulimit nofile=123:456 --sysctl net.ipv4.ip_forward=1 --hostname aname $image \
		sh -c 'ulimit -n; cat /proc/sys/net/ipv4/ip_forward; hostname' | tr '\n' ' ')" "123 1 aname "
is "--volume" "$(run --volume "$TEST_DIR:/given:ro" $image sh -c 'cmp /given/profile.json /given/profile.json && touch /given/x 2>&1 | grep -c Read-only')" 1
is "--tmpfs" "$(run --tmpfs /scratch:size=64k $image sh -c 'df -k /scratch | tail -n 1 | tr -s " " | cut -d " " -f 2')" 64
is "--pid=host sees the host" "$(run --pid=host $image sh -c 'cat /proc/1/comm')" "$(cat /proc/1/comm)"
like "--privileged has all capabilities" "$(run --privileged $image sed -n 's/^CapEff:\t//p' /proc/self/status)" 'ff$'
