#!/bin/bash
# rootless podman of an ordinary user runs containers with us
# timeout: 600
# host: no
. "$(dirname "$0")/podman.sh"

user=${ROOTLESS_USER:-tester}
uid=$(id -u "$user" 2>/dev/null) || skip_rest "no user $user here"
grep -q "^$user:" /etc/subuid || skip_rest "$user has no subordinate ids"
needs newuidmap loginctl
# a session of the user's own systemd, as a login gives it
loginctl enable-linger "$user"
cleanup loginctl disable-linger "$user"
manager=systemd
wait_for 20 test -S "/run/user/$uid/bus" || manager=cgroupfs # no dbus-user-session here

# as_user COMMAND...
as_user() {
	(cd / && runuser -u "$user" -- env HOME="$(getent passwd "$user" | cut -d: -f6)" USER="$user" \
		XDG_RUNTIME_DIR="/run/user/$uid" DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" \
		CONTAINERS_CONF_OVERRIDE="$CONTAINERS_CONF_OVERRIDE" PATH="$PATH" "$@")
}
pod() { as_user podman --cgroup-manager $manager "$@"; }
# limits and pause need a control group of the user's own, which only the user's systemd hands out
with_cgroup() { if [ $manager = systemd ]; then "$@"; else skip "$2" "no user bus here"; fi; }

cleanup pod system migrate
cleanup pod rm --all --force --time 0
as_user podman image exists $image || as_user podman load -q -i /srv/busybox.oci.tar >/dev/null
# a podman command costs seconds of an emulated machine: one shows several things
said=$(pod run --rm --network none $image sh -c 'id -u; cat /proc/self/uid_map; exit 7') && status=0 || status=$?
is "run gives the status" "$status" 7
like "ids are the user's and the subordinate ones" "$said" $'^0\n'" +0 +$uid +1"$'\n'" +1 +[0-9]+ +[0-9]+"
is "run -t" "$(pod run --rm -t --network none $image tty | tr -d '\r')" /dev/pts/0

limits=(--memory 40m --pids-limit 60)
[ $manager = systemd ] || limits=()
pod run -d --name cella-less "${limits[@]}" --network none $image \
	sh -c 'trap "exit 5" TERM; while :; do sleep 60 & wait; done' >/dev/null
pid=$(pod inspect --format '{{.State.Pid}}' cella-less)
is "the runtime is ours" "$(pod inspect --format '{{.OCIRuntime}}' cella-less)" cella-oci
like "the process is the user's" "$(stat -c %u "/proc/$pid")" "^$uid$"
is "exec -t" "$(pod exec -t cella-less sh -c 'cat /proc/1/comm; tty' | tr -d '\r')" $'sh\n/dev/pts/0'
cgroup=$(cgroup_of "$pid")
with_cgroup like "its cgroup is the user's" "$cgroup" "/user@$uid.service/"
with_cgroup is "with its limits" "$(cat "${cgroup%/container}"/{memory,pids}.max | tr '\n' ' ')" "41943040 60 "
[ $manager != systemd ] || pod pause cella-less >/dev/null
with_cgroup is "pause" "$(sed -n 's/^frozen //p' "$cgroup/cgroup.events")" 1
[ $manager != systemd ] || { pod unpause cella-less && pod update --memory 50m cella-less; } >/dev/null
with_cgroup is "update" "$(cat "${cgroup%/container}/memory.max")" 52428800
pod stop --time 20 cella-less >/dev/null
is "stop" "$(pod inspect --format '{{.State.Status}} {{.State.ExitCode}}' cella-less)" "exited 5"
pod rm cella-less >/dev/null
with_cgroup check "its cgroup is gone" test ! -e "$cgroup"
is "--userns=keep-id --read-only" \
	"$(pod run --rm --network none --userns=keep-id --read-only $image sh -c 'id -u; touch /file 2>/dev/null; echo $?')" "$uid"$'\n1'
is "--cgroup-manager cgroupfs" "$(as_user podman --cgroup-manager cgroupfs run --rm --network none $image echo fs)" fs
pod run -d --name cella-first --network none $image sleep 300 >/dev/null
is "--pid container:NAME joins" "$(pod run --rm --network none --pid container:cella-first $image cat /proc/1/comm)" sleep
pod rm --force --time 0 cella-first >/dev/null
