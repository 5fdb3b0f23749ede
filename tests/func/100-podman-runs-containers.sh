#!/bin/bash
# podman runs, attaches to, stops and removes containers with us
# timeout: 800
# host: no
. "$(dirname "$0")/podman.sh"

# a podman command costs seconds of an emulated machine: one shows several things
is "run gives the output and the status" "$(podman run --rm $image sh -c 'echo hello; exit 7' || echo $?)" $'hello\n7'
is "a missing program is 127" "$(status podman run --rm $image /no/such/program)" 127
is "a program that is no program is 126" "$(status podman run --rm $image /etc/passwd)" 126
like "run -t gives a terminal" "$(podman run --rm -t $image tty)" '^/dev/pts/0'
is "standard input arrives, run without -t gives no terminal" "$(echo words | podman run --rm -i $image sh -c 'cat; tty')" \
	$'words\nnot a tty'

make_rootfs "$TEST_DIR/root"
is "--rootfs" "$(podman run --rm --rootfs "$TEST_DIR/root" sh -c 'echo $0-$$')" sh-1
if [ -r /srv/busybox.tar ]; then
	cleanup podman rmi --force localhost/cella-imported
	podman import -q /srv/busybox.tar localhost/cella-imported >/dev/null
	is "an imported image" "$(podman run --rm localhost/cella-imported sh -c 'echo $PATH')" \
		/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
else
	skip "an imported image" "no /srv/busybox.tar"
fi

names cella-life
podman run -d --name cella-life $image sh -c 'trap "echo usr1" USR1; trap "exit 3" TERM; echo up; while :; do sleep 60 & wait; done' >/dev/null
wait_for 20 sh -c 'podman logs cella-life | grep -q up' || true
is "the runtime is ours" "$(inspect cella-life '{{.OCIRuntime}} {{.State.Status}}')" "cella-oci running"
is "exec --user --workdir --env gives the output and the status" \
	"$(podman exec --user user --workdir /tmp --env A=b cella-life sh -c 'echo $(id -un) $PWD $A; exit 9' || echo $?)" \
	$'user /tmp b\n9'
like "exec -t gives a terminal" "$(podman exec -t cella-life tty)" '/dev/pts/'
is "exec of a missing program is 127" "$(status podman exec cella-life /no/such)" 127
podman exec -d cella-life sleep 71 >/dev/null
check "exec -d goes on" wait_for 10 sh -c 'podman exec cella-life ps | grep -q "[s]leep 71"'
podman kill --signal USR1 cella-life >/dev/null
check "kill sends a signal" wait_for 10 sh -c 'podman logs cella-life | grep -q usr1'
podman stop --time 20 cella-life >/dev/null
is "stop lets it end by itself" "$(inspect cella-life '{{.State.Status}} {{.State.ExitCode}}')" "exited 3"
podman start cella-life >/dev/null
is "it starts again" "$(inspect cella-life '{{.State.Status}}')" running
podman kill cella-life >/dev/null
check "kill ends it" wait_for 10 sh -c "podman inspect --format '{{.State.ExitCode}}' cella-life | grep -qx 137"
podman rm cella-life >/dev/null
check "rm removes it" sh -c '! podman container exists cella-life'
