#!/bin/bash
# a container's first and later processes have descriptors 0 to 2 and what was passed, nothing else (CVE-2024-21626)
. "$(dirname "$0")/lib.sh"

make_bundle b '.process.args = ["ls", "-l", "/proc/1/fd"]'
exec 7</etc/passwd 8<"$TEST_DIR"
opened=$(oci run --bundle b fds </dev/null 2>/dev/null | sed -n 's/.* \([0-9]* ->\)/\1/p')
like "init has three descriptors" "$opened" "^0 -> .*1 -> .*2 -> "
# and that of the directory which it lists
is "and no others" "$(grep -vE '^[012] -> (/dev/null|pipe:.*|/.*out)|-> /proc/' <<<"$opened")" ""
make_bundle b '.process.args = ["sleep", "1000"]'
start_bundle fds b
is "exec has no others" "$(oci exec fds sh -c 'ls /proc/self/fd | tr "\n" " "' </dev/null | tr ' ' '\n' | grep -cE '^[0-9]+$')" 4 # ls opens one itself
is "waiting init has no directory of the host" "$(find "/proc/$(pid_of fds)/fd" ! -name "[012]" -lname "$TEST_DIR*" | wc -l)" 0

echo passed >passed
is "--preserve-fds passes exactly these" \
	"$(oci exec --preserve-fds 1 fds sh -c 'cat <&3; ls /proc/self/fd | tr "\n" " "' 3<passed </dev/null)" $'passed\n0 1 2 3 4 '
output=$(oci exec --preserve-fds 20 fds true 2>&1 </dev/null) && status=0 || status=$?
is "a descriptor that is not open cannot be preserved" "$status" 255
like "and that is said" "$output" 'preserve-fds'


# a descriptor of ours may at most be the container's own root, or its own procfs on the way there
inside='^/(proc/[0-9]+/fd)?$'
for n in 3 4 5 6 7 8 9 10 11 12; do
	edit_bundle b '.process.cwd = $cwd | .process.args = ["pwd", "-P"]' --arg cwd "/proc/self/fd/$n"
	output=$(oci run --bundle b cwd 2>&1 </dev/null) && status=0 || status=$?
	if [ "$status" = 0 ] && [[ ! $output =~ $inside ]]; then not_ok "cwd /proc/self/fd/$n leads out" "$output"; fi
	output=$(oci exec --cwd "/proc/self/fd/$n" fds pwd -P 2>&1 </dev/null) && status=0 || status=$?
	if [ "$status" = 0 ] && [[ ! $output =~ $inside ]]; then not_ok "exec --cwd /proc/self/fd/$n leads out" "$output"; fi
done
ok "a working directory of /proc/self/fd/N led nowhere twenty times"
