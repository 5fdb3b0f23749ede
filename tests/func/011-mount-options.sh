#!/bin/bash
# mounts: each option of runtime-spec has its effect on the kernel's mount table
# timeout: 180
. "$(dirname "$0")/lib.sh"

mkdir -p src/sub && echo text >src/file
mount -t tmpfs props-sub src/sub && cleanup umount "$PWD/src/sub" && echo below >src/sub/file
ln -s file src/link
make_bundle b
mkdir -p b/rootfs/copied && echo copy >b/rootfs/copied/me && chown 12:34 b/rootfs/copied/me && chmod 4711 b/rootfs/copied/me

# add TARGET TYPE SOURCE OPTION...
add() {
	local target=$1 type=$2 source=$3
	shift 3
	printf '%s\t' "$target" "$type" "$source" "$@" >>mounts.tsv && echo >>mounts.tsv
}

# every flag of mount(8)'s file-system-independent kind, alone on a tmpfs of its own
flags='ro nosuid nodev noexec nodiratime noatime strictatime nosymfollow sync dirsync lazytime mand iversion'
for flag in $flags; do add "/f/$flag" tmpfs tmpfs "$flag"; done
# and its opposite after it: the last one counts
for pair in ro,rw nosuid,suid nodev,dev noexec,exec nodiratime,diratime noatime,atime sync,async nosymfollow,symfollow; do
	add "/g/$pair" tmpfs tmpfs "${pair%,*}" "${pair#*,}"
done
add /g/relatime tmpfs tmpfs relatime
add /g/defaults tmpfs tmpfs defaults
add /data tmpfs tmpfs size=123k mode=711 nr_inodes=77 uid=5 gid=6
add /bind bind "$PWD/src" bind
add /rbind bind "$PWD/src" rbind
add /nobindtype none "$PWD/src" rbind
add /bindfile bind "$PWD/src/file" bind ro
add /bindro bind "$PWD/src" rbind ro nosuid
add /rro bind "$PWD/src" rbind rro
for flag in rnosuid rnodev rnoexec rnoatime rnodiratime rrelatime rstrictatime rnosymfollow; do add "/r/$flag" bind "$PWD/src" rbind "$flag"; done
for pair in rro,rrw rnosuid,rsuid rnodev,rdev rnoexec,rexec rnodiratime,rdiratime rnosymfollow,rsymfollow rnoatime,ratime; do
	add "/r/$pair" bind "$PWD/src" rbind "${pair%,*}" "${pair#*,}"
done
for kind in private shared slave unbindable rprivate rshared rslave runbindable; do add "/p/$kind" bind "$PWD/src" rbind "$kind"; done
add /copied tmpfs tmpfs tmpcopyup
add /empty tmpfs tmpfs
mkdir lower upper work && echo low >lower/low
add /overlay overlay overlay "lowerdir=$PWD/lower,upperdir=$PWD/upper,workdir=$PWD/work"
add /a/b/c tmpfs tmpfs
edit_bundle b '.mounts += ($mounts | split("\n") | map(select(. != "") | split("\t")
	| {destination: .[0], type: .[1], source: .[2], options: .[3:-1]}))' --rawfile mounts mounts.tsv
start_bundle mounts b
pid=$(pid_of mounts)
mounts_of "$pid" >mounts.txt

# m TARGET: its line; each option of the mount between commas
m() { awk -v t="$1" '$1 == t' mounts.txt | tail -n 1; }
has() { like "$1 has $2" "$(m "$1" | awk '{ print "," $3 "," $4 "," }')" ",$2,"; }
lacks() { unlike "$1 lacks $2" "$(m "$1" | awk '{ print "," $3 "," $4 "," }')" ",$2,"; }

for flag in $flags; do
	case $flag in
	strictatime) lacks "/f/$flag" relatime ;; # shown as the absence of the others
	iversion) ;; # a kernel-internal flag since 4.17, shown nowhere: that it is accepted is the test
	*) has "/f/$flag" "$flag" ;;
	esac
done
for pair in ro,rw nosuid,suid nodev,dev noexec,exec nodiratime,diratime noatime,atime sync,async nosymfollow,symfollow; do
	lacks "/g/$pair" "${pair%,*}"
done
has /g/relatime relatime && has /g/defaults rw && has /g/defaults relatime
has /data size=124k && has /data nr_inodes=77 && has /data mode=711 && has /data uid=5 && has /data gid=6

is "bind takes one mount" "$(awk '$1 ~ "^/bind(/|$)"' mounts.txt | wc -l)" 1
is "rbind takes those below" "$(awk '$1 ~ "^/rbind(/|$)"' mounts.txt | wc -l)" 2
is "rbind without the type" "$(cat "/proc/$pid/root/nobindtype/sub/file")" below
is "a file can be bound" "$(cat "/proc/$pid/root/bindfile")" text
has /bindfile ro && has /bindro ro && has /bindro nosuid && lacks /bindro/sub ro
has /rro ro && has /rro/sub ro
for flag in nosuid nodev noexec noatime nodiratime nosymfollow relatime; do has "/r/r$flag" "$flag" && has "/r/r$flag/sub" "$flag"; done
lacks /r/rstrictatime relatime && lacks /r/rstrictatime/sub relatime
for pair in rro,rrw rnosuid,rsuid rnodev,rdev rnoexec,rexec rnodiratime,rdiratime rnosymfollow,rsymfollow rnoatime,ratime; do
	flag=${pair%,*} && lacks "/r/$pair" "${flag#r}" && lacks "/r/$pair/sub" "${flag#r}"
done
for kind in private rprivate; do like "$kind" "$(m "/p/$kind")" ' private$'; done
for kind in shared rshared; do like "$kind" "$(m "/p/$kind")" 'shared:'; done
for kind in unbindable runbindable; do like "$kind" "$(m "/p/$kind")" 'unbindable'; done
like "rshared below" "$(m /p/rshared/sub)" 'shared:'
like "rprivate below" "$(m /p/rprivate/sub)" ' private$'
like "runbindable below" "$(m /p/runbindable/sub)" 'unbindable'
like "rslave does not send" "$(m /p/rslave)" '(master:[0-9]+,| private)$'

is "tmpcopyup copies what was there" "$(cat "/proc/$pid/root/copied/me")" copy
is "with mode and owner" "$(stat -c '%a %u:%g' "/proc/$pid/root/copied/me")" "4711 12:34"
check "into memory, not the root" bash -c "echo changed >/proc/$pid/root/copied/me && [ \$(cat b/rootfs/copied/me) = copy ]"
is "overlay" "$(cat "/proc/$pid/root/overlay/low")" low
check "its writes go to upperdir" bash -c "echo up >/proc/$pid/root/overlay/up && [ \$(cat upper/up) = up ]"
like "a missing destination is made, with its parents" "$(m /a/b/c)" tmpfs
is "in the order of the list" "$(awk '$1 ~ "^/(f/ro|data|overlay|a/b/c)$" { printf "%s ", $1 }' mounts.txt)" "/f/ro /data /overlay /a/b/c "
like "proc" "$(m /proc)" '^/proc proc '
like "sysfs" "$(m /sys)" '^/sys sysfs .*ro'
like "mqueue" "$(m /dev/mqueue)" mqueue
like "devpts with its data" "$(m /dev/pts)" 'devpts .*gid=5,mode=620,ptmxmode=666'
like "cgroup gives version 2" "$(m /sys/fs/cgroup)" 'cgroup2 ro'
