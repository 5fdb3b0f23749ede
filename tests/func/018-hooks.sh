#!/bin/bash
# hooks: the six kinds in their order, each in its namespace, with state on standard input, arguments and environment
# timeout: 180
. "$(dirname "$0")/lib.sh"

# One line per hook into the log of its place: kind, status and pid of the state, mount and pid namespace, own arguments
hook_log=$TEST_DIR/hooks.log
make_bundle b
cat >hook <<'SH'
#!/bin/sh
# hook KIND LOG [STATUS]
state=$(cat)
echo "$1 $(echo "$state" | sed 's/.*"status":[ ]*"\([a-z]*\)".*/\1/' | tr -d '\n') $(readlink /proc/self/ns/mnt) $(readlink /proc/self/ns/uts) X=$X" >>"$2"
echo "$state" >"$2.$1"
exit ${3:-0}
SH
chmod +x hook && cp hook b/rootfs/hook
cp hook b/rootfs/container-hook && mkdir -p b/rootfs/log

# hooks_of JQ: two of each kind; those of the container's root log into it
hooks='def of($kind; $path; $log): [range(2) | {path: $path, args: ["hook", "\($kind)\(.)", $log], env: ["X=\($kind)\(.)", "PATH=/bin:/usr/bin"], timeout: 60}];
	.hooks = {prestart: of("prestart"; $hook; $log), createRuntime: of("createRuntime"; $hook; $log),
		createContainer: of("createContainer"; $hook; $log),
		startContainer: of("startContainer"; "/hook"; "/log/inside"),
		poststart: of("poststart"; $hook; $log), poststop: of("poststop"; $hook; $log)}'
edit_bundle b "$hooks | .annotations = {\"org.props\": \"told\"}" --arg hook "$TEST_DIR/hook" --arg log "$hook_log"
cleanup oci delete --force hooks
oci create --bundle b hooks >create.out 2>&1 </dev/null || cat create.out
kinds() { cut -d' ' -f1 "$hook_log" | tr '\n' ' '; }
field() { awk -v k="$1" -v f="$2" '$1 == k { print $f }' "$hook_log"; }
is "create runs three kinds, each in its order" "$(kinds)" "prestart0 prestart1 createRuntime0 createRuntime1 createContainer0 createContainer1 "
check "startContainer has not run yet" test ! -e b/rootfs/log/inside
pid=$(pid_of hooks)
host=$(readlink /proc/self/ns/mnt)
is "createRuntime runs in the host's mount namespace" "$(field createRuntime0 3)" "$host"
is "prestart, too" "$(field prestart0 3)" "$host"
is "createContainer runs in the container's" "$(field createContainer0 3)" "$(ns_of "$pid" mnt)"
is "and its other namespaces" "$(field createContainer0 4)" "$(ns_of "$pid" uts)"
is "the environment is the hook's own" "$(field createRuntime1 5)" X=createRuntime1
state() { jq -r "$2" "$hook_log.$1"; }
is "the state says creating" "$(state createRuntime0 .status)" creating
is "and the id" "$(state createRuntime0 .id)" hooks
is "and the pid, as the host counts" "$(state createRuntime0 .pid)" "$pid"
is "and the bundle" "$(state createRuntime0 .bundle)" "$TEST_DIR/b"
is "and annotations" "$(state createRuntime0 '.annotations["org.props"]')" told
is "and the version" "$(state createRuntime0 '.ociVersion | test("^1[.]")')" true

: >"$hook_log"
oci start hooks
check "startContainer ran inside, before the program" test -s b/rootfs/log/inside
is "twice" "$(cut -d' ' -f1 b/rootfs/log/inside | tr '\n' ' ')" "startContainer0 startContainer1 "
is "in the container's mount namespace" "$(awk '$1 == "startContainer0" { print $3 }' b/rootfs/log/inside)" "$(ns_of "$pid" mnt)"
is "with the status created" "$(jq -r .status b/rootfs/log/inside.startContainer0)" created
is "poststart ran" "$(kinds)" "poststart0 poststart1 "
is "with the status running" "$(state poststart0 .status)" running
is "in the host's namespace" "$(field poststart0 3)" "$host"
: >"$hook_log"
oci delete --force hooks
is "poststop runs at delete" "$(kinds)" "poststop0 poststop1 "
is "with the status stopped" "$(state poststop0 .status)" stopped

# failures
for kind in prestart createRuntime createContainer; do
	: >"$hook_log"
	edit_bundle b "$hooks"' | .hooks[$kind] = [{path: "/bin/sh", args: ["sh", "-c", "echo broken >&2; exit 3"]}]' \
		--arg kind "$kind" --arg hook "$TEST_DIR/hook" --arg log "$hook_log"
	check_fails "$kind fails: create fails, with its words" "$kind.*3.*broken" oci create --bundle b failing </dev/null
	check "and no container is left" test ! -e "$OCI_ROOT/failing"
	like "poststop ran" "$(kinds)" 'poststop0 poststop1'
done
edit_bundle b "$hooks"' | .hooks.startContainer = [{path: "/bin/false"}]' --arg hook "$TEST_DIR/hook" --arg log "$hook_log"
oci create --bundle b failing >create.out 2>&1 </dev/null
check_fails "startContainer fails: start fails" 'startContainer' oci start failing
oci delete --force failing
edit_bundle b "$hooks"' | .hooks.poststart = [{path: "/bin/false"}]' --arg hook "$TEST_DIR/hook" --arg log "$hook_log"
oci create --bundle b failing >create.out 2>&1 </dev/null
check_fails "poststart fails: start fails" 'poststart' oci start failing
oci delete --force failing
: >"$hook_log"
edit_bundle b "$hooks"' | .hooks.poststop |= [{path: "/bin/false"}] + .' --arg hook "$TEST_DIR/hook" --arg log "$hook_log"
oci create --bundle b failing >create.out 2>&1 </dev/null
oci delete --force failing >delete.out 2>&1
like "poststop fails: delete warns" "$(cat delete.out)" poststop
is "and goes on with the others" "$(kinds | grep -o 'poststop.*')" "poststop0 poststop1 "
: >"$hook_log" && rm -f b/rootfs/log/*
edit_bundle b "$hooks"' | .process.args = ["true"]' --arg hook "$TEST_DIR/hook" --arg log "$hook_log"
oci run --bundle b at-once >run.out 2>&1 </dev/null || cat run.out
is "run runs those of create, start and delete" "$(kinds)" "prestart0 prestart1 createRuntime0 createRuntime1 createContainer0 createContainer1 poststart0 poststart1 poststop0 poststop1 "
is "and startContainer's inside" "$(cut -d' ' -f1 b/rootfs/log/inside | tr '\n' ' ')" "startContainer0 startContainer1 "
edit_bundle b '.hooks.poststart = [{path: "/bin/false"}] | .process.args = ["sleep", "1000"]'
check_fails "poststart fails: run fails" 'poststart' oci run --bundle b at-once </dev/null
check "and no container is left" test ! -e "$OCI_ROOT/at-once"

edit_bundle b 'del(.hooks) | .hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "4711"], timeout: 1}]'
start=$SECONDS
check_fails "a timeout" 'createRuntime.*(time|1 s)' oci create --bundle b failing </dev/null
check "ends the hook after its second" test $((SECONDS - start)) -lt 10
check "which is gone" bash -c '! pgrep -xf "sleep 4711"'

# a program of the host that somebody else could have written
edit_bundle b '.hooks.createRuntime = [{path: $hook, args: ["hook", "createRuntime", $log]}]' --arg hook "$TEST_DIR/hook" --arg log "$hook_log"
chmod o+w hook
check_fails "a hook that every user may write to is refused" 'createRuntime.*every user may write' oci create --bundle b failing </dev/null
chmod o-w hook && chown 12345 hook
check_fails "so is another user's" 'createRuntime.*belongs to user 12345' oci create --bundle b failing </dev/null
chown 0 hook
oci create --bundle b failing >create.out 2>&1 </dev/null || cat create.out
is "root's runs" "$(jq -r .status <<<"$(oci state failing)")" created
oci delete --force failing
