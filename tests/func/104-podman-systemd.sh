#!/bin/bash
# systemd as the first process of a podman container
# timeout: 600
# host: no
. "$(dirname "$0")/podman.sh"

[ -r /srv/debian-systemd.oci.tar ] || podman image exists localhost/debian-systemd:test ||
	skip_rest "no image /srv/debian-systemd.oci.tar here"
podman_image debian-systemd
names cella-systemd
podman run -d --name cella-systemd --systemd=always --network none localhost/debian-systemd:test /sbin/init >/dev/null
check "it comes up" wait_for 120 sh -c \
	'podman exec cella-systemd systemctl is-system-running --wait | grep -Eqx "running|degraded"'
is "it is running" "$(podman exec cella-systemd systemctl is-system-running || true)" running
is "no unit has failed" "$(podman exec cella-systemd systemctl --failed --no-legend --plain)" ""
pid=$(inspect cella-systemd '{{.State.Pid}}')
is "process 1 is systemd" "$(cat "/proc/$pid/comm")" systemd
check "it manages its own control groups" podman exec cella-systemd test -d /sys/fs/cgroup/system.slice
is "a service runs there" "$(podman exec cella-systemd systemd-run --quiet --pipe --wait cat /proc/self/cgroup | grep -c system.slice)" 1
podman stop --time 60 cella-systemd >/dev/null
like "it shuts down by its own signal" "$(inspect cella-systemd '{{.State.Status}} {{.State.ExitCode}}')" '^exited (0|130)$'
