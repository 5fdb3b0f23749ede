#!/bin/bash
# podman checkpoints a container into an archive and restores it from there, with its connections
# timeout: 300
# host: no
. "$(dirname "$0")/podman.sh"
needs criu

names cella-echo
podman run -d --name cella-echo $image sh -c 'echo up; exec nc -l -p 7000 -e cat' >/dev/null
wait_for 30 sh -c 'podman logs cella-echo | grep -q up'
# talk WORD: say it and print what comes back
talk() {
	local heard
	echo "$1" >&5 && read -r -t 60 heard <&5 && echo "$heard"
}
# again OPTION...: into an archive, away with it, and back from the archive
again() {
	podman container checkpoint "$@" --export "$TEST_DIR/echo.tar" cella-echo &&
		podman rm cella-echo && podman container restore "$@" --import "$TEST_DIR/echo.tar"
}

check "checkpoint --export, rm, restore --import" again
is "the runtime is ours" "$(inspect cella-echo '{{.OCIRuntime}} {{.State.Status}}')" "cella-oci running"
# the journal may have the words of before
check "it has not begun anew" test "$(podman logs cella-echo | grep -cx up)" -le 1
exec 5<>"/dev/tcp/$(inspect cella-echo '{{.NetworkSettings.IPAddress}}')/7000"
is "it still listens" "$(talk before)" before

output=$(podman container checkpoint --export "$TEST_DIR/no.tar" cella-echo 2>&1) || true
like "without --tcp-established an open connection is refused" "$output" 'criu: inet: Connected TCP socket'
is "and lives on then" "$(talk still)" still
check "checkpoint and restore with --tcp-established" again --tcp-established
is "the connection is the same" "$(talk after)" after
