#!/bin/bash
# containers of a pod share namespaces, and each has its own root
# timeout: 600
# host: no
. "$(dirname "$0")/podman.sh"

[ -x /usr/bin/catatonit ] || [ -x /usr/libexec/podman/catatonit ] || skip_rest "no catatonit for podman's pods here"
cleanup podman pod rm --force --time 0 --ignore cella-pod
podman pod create --name cella-pod --hostname in-a-pod >/dev/null
podman run -d --pod cella-pod --name cella-server $image \
	sh -c 'while :; do echo served | nc -l -p 4711; done' >/dev/null
is "they share the network" "$(podman run --rm --pod cella-pod $image sh -c \
	'for i in 1 2 3 4 5 6 7 8 9; do nc 127.0.0.1 4711 </dev/null && exit; sleep 0.3; done')" served
is "they share the host name" "$(podman exec cella-server hostname)" in-a-pod
server=$(inspect cella-server '{{.State.Pid}}')
infra=$(inspect "$(podman pod inspect --format '{{.InfraContainerID}}' cella-pod)" '{{.State.Pid}}')
for ns in net ipc uts; do
	is "one $ns namespace" "$(readlink "/proc/$server/ns/$ns")" "$(readlink "/proc/$infra/ns/$ns")"
done
for ns in mnt pid; do
	check "a $ns namespace each" test "$(readlink "/proc/$server/ns/$ns")" != "$(readlink "/proc/$infra/ns/$ns")"
done
names cella-lone
podman run -d --name cella-lone --network none $image sleep 300 >/dev/null
is "--network container:NAME joins" "$(podman run --rm --network container:cella-lone $image readlink /proc/self/ns/net)" \
	"$(podman exec cella-lone readlink /proc/self/ns/net)"
podman rm --force --time 0 cella-lone >/dev/null
podman pod stop --time 1 cella-pod >/dev/null
check "the pod stops" wait_for 10 sh -c "! kill -0 $server"
podman pod rm cella-pod >/dev/null
check "the pod is removed" sh -c '! podman pod exists cella-pod'
