#!/bin/bash
# user namespaces, read-only roots, devices and seccomp profiles as podman asks for them
# timeout: 600
# host: no
. "$(dirname "$0")/podman.sh"

run() { podman run --rm --network none "$@"; }

# --userns=auto takes ids from those of the user "containers"
for file in /etc/subuid /etc/subgid; do
	cp "$file" "$TEST_DIR/${file##*/}"
	cleanup cp "$TEST_DIR/${file##*/}" "$file"
	grep -q ^containers: "$file" || echo containers:2147483648:1048576 >>"$file"
done
# out NUMBER: that line of what the last run printed
out() { sed -n "$1p" "$TEST_DIR/said"; }
# a container costs seconds of an emulated machine: one shows several things
said() { run "$@" >"$TEST_DIR/said" 2>"$TEST_DIR/complaints" || cat "$TEST_DIR/complaints"; }

said --userns=auto $image sh -c 'cat /proc/self/uid_map; id -u; touch /new && stat -c %u /new'
like "--userns=auto has ids of its own" "$(out 1)" '^ +0 +(2[0-9]{9}|[1-9][0-9]{4,}) +[0-9]+'
is "and is root inside" "$(out 2) $(out 3)" "0 0"
like "two have different ids" "$(run --userns=auto:size=1000 $image cat /proc/self/uid_map)" ' 1000$'

said --read-only $image sh -c 'touch /file; echo $?; touch /tmp/a /dev/shm/b; echo $?'
is "--read-only: the root cannot be written" "$(out 1)" 1
is "--read-only: /tmp and /dev/shm can" "$(out 2)" 0
is "--read-only --read-only-tmpfs=false" "$(status run --read-only --read-only-tmpfs=false $image touch /tmp/a)" 1

[ -e /dev/loop0 ] || modprobe loop
said --device /dev/zero:/dev/nothing --device /dev/loop0:/dev/disk:r --cap-add MKNOD $image sh -c '
	head -c 3 /dev/nothing | wc -c
	(: </dev/disk) 2>/dev/null; echo $?
	(: >/dev/disk) 2>/dev/null; echo $?
	mknod /tmp/d b 7 1; (: </tmp/d) 2>&1'
is "--device gives one" "$(out 1)" 3
is "--device :r may be read" "$(out 2)" 0
is "--device :r may not be written" "$(out 3)" 1
like "others are refused" "$(out 4)" "not permitted"

cat >"$TEST_DIR/profile.json" <<EOF
{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
 "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
EOF
said --security-opt seccomp="$TEST_DIR/profile.json" --volume "$TEST_DIR:/given:ro" --tmpfs /scratch:size=64k $image sh -c '
	mkdir /tmp/x 2>&1
	cmp /given/profile.json /given/profile.json && touch /given/x 2>&1
	df -k /scratch | tail -n 1 | tr -s " " | cut -d " " -f 2'
like "--security-opt seccomp=FILE" "$(out 1)" 'No space left'
like "--volume" "$(out 2)" 'Read-only'
is "--tmpfs" "$(out 3)" 64
confined='sed -n "s/^Seccomp:\t//p; s/^NoNewPrivs:\t//p; s/^CapBnd:\t//p; s/^CapEff:\t//p" /proc/self/status'
said --cap-drop all --cap-add NET_BIND_SERVICE $image sh -c "$confined"
is "podman's own profile is loaded" "$(out 4)" 2
is "--cap-add" "$(out 1)" 0000000000000400
said --security-opt seccomp=unconfined --security-opt no-new-privileges --cap-drop all $image sh -c "$confined"
is "--security-opt seccomp=unconfined" "$(out 4)" 0
is "--security-opt no-new-privileges" "$(out 3)" 1
is "--cap-drop all" "$(out 2)" 0000000000000000
said --user 1000:10 --group-add 7 --ulimit nofile=123:456 --sysctl net.ipv4.ip_forward=1 --hostname aname $image \
	sh -c 'echo $(id -u; id -g; id -G); echo $(ulimit -n; cat /proc/sys/net/ipv4/ip_forward; hostname)'
is "--user" "$(out 1)" "1000 10 10 7"
is "--ulimit, --sysctl, --hostname" "$(out 2)" "123 1 aname"
said --pid=host --privileged $image sh -c "cat /proc/1/comm; $confined"
is "--pid=host sees the host" "$(out 1)" "$(cat /proc/1/comm)"
like "--privileged has all capabilities" "$(out 2)" 'ff$'
