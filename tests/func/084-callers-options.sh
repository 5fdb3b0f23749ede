#!/bin/bash
# the options that engines pass before and behind the verb, and what they read afterwards
# timeout: 240
# shellcheck disable=SC2016 # for the container's shell
. "$(dirname "$0")/lib.sh"
program=${CELLA_OCI:-cella-oci}
status() { "$@" >status.out 2>&1 </dev/null && echo 0 || echo $?; }

# --- logs -----------------------------------------------------------------------------------------
check_fails "an error is one line on standard error" "^cella-oci: container 'nope' does not exist$" oci state nope
is "with a log as well" "$(oci --log log.json --log-format json state nope 2>&1 || true)" "cella-oci: container 'nope' does not exist"
is "as JSON: level and message" "$(jq -r '"\(.level) \(.msg)"' log.json)" "error container 'nope' does not exist"
like "and a time that RFC 3339 knows" "$(jq -r .time log.json)" '^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-9:]{8}Z$'
oci --log=log.json --log-format=json state "nope2" 2>/dev/null || true
is "a log is appended to" "$(jq -rs 'map(.msg[11:16]) | join(",")' log.json)" "nope',nope2"
oci --log log.txt state nope 2>/dev/null || true
like "as text" "$(cat log.txt)" '^time="20.*" level=error msg="container .nope. does not exist"$'
check_fails "an unknown format" 'log-format' oci --log log.txt --log-format xml list
check_fails "a log that cannot be opened" '/no/such' oci --log /no/such/log list
make_bundle b '.process.args = ["true"]'
oci --log quiet.json --log-format json run --bundle b talk 2>/dev/null </dev/null
is "without --debug success is silent" "$(cat quiet.json)" ""
oci --debug --log debug.json --log-format json run --bundle b talk 2>/dev/null </dev/null
is "--debug tells the steps" "$(jq -rs 'map(select(.level == "debug" and (.msg | test("host: cgroup:")))) | length' debug.json)" 1

# --- where state lies -------------------------------------------------------------------------------
edit_bundle b '.process.args = ["sleep", "1000"]'
export XDG_RUNTIME_DIR=$TEST_DIR/xdg
mkdir xdg
cleanup "$program" --rootless=true delete --force callers
"$program" --rootless=true create --bundle b callers >out 2>&1 </dev/null
check "--rootless=true: below XDG_RUNTIME_DIR" test -e xdg/cella-oci/callers/state.json
is "which --root finds" "$("$program" --root xdg/cella-oci state callers | jq -r .status)" created
"$program" --rootless=true delete --force callers
cleanup "$program" delete --force callers
"$program" --rootless=auto create --bundle b callers >out 2>&1 </dev/null
check "auto, for root: /run/cella-oci" test -e /run/cella-oci/callers/state.json
is "for root alone" "$(stat -c '%a %u' /run/cella-oci /run/cella-oci/callers | sort -u)" "700 0"
"$program" --rootless=false delete --force callers
check_fails "nowhere to keep it" 'XDG_RUNTIME_DIR' env -u XDG_RUNTIME_DIR "$program" --rootless=true list
unset XDG_RUNTIME_DIR
if [ -d /run/systemd/system ]; then
	oci --systemd-cgroup create --bundle b callers >out 2>&1 </dev/null
	like "--systemd-cgroup: a scope" "$(cgroup_of "$(pid_of callers)")" '/system.slice/.*callers.scope$'
	oci delete --force callers
fi
oci --cgroup-manager disabled create --bundle b callers >out 2>&1 </dev/null
is "--cgroup-manager disabled: the caller's cgroup" "$(cgroup_of "$(pid_of callers)")" "$(cgroup_of $$)"
oci delete --force callers

# --- exit statuses ----------------------------------------------------------------------------------
for command in 'state nope' 'start nope' 'kill nope' 'delete nope' 'pause nope' 'resume nope' 'ps nope' 'events nope' 'update nope' \
	nosuch '' 'state' 'state a b' 'list --nosuch' '--nosuch list' 'kill nope NOSIGNAL' 'create --bundle /nowhere x'; do
	# shellcheck disable=SC2086 # words
	is "status 1: $command" "$(status oci $command)" 1
done
is "status 255: exec that cannot start" "$(status oci exec nope true)" 255
is "status 0: delete --force of what is not there" "$(status oci delete --force nope)" 0
edit_bundle b '.process.args = ["sh", "-c", "exit 7"]'
is "run gives the program's" "$(status oci run --bundle b callers)" 7
edit_bundle b '.process.args = ["sh", "-c", "kill -9 $$; sleep 9"] | .linux.namespaces |= map(select(.type != "pid"))'
is "or 128 and its signal" "$(status oci run --bundle b callers)" 137
edit_bundle b '.linux.namespaces += [{type: "pid"}] | .process.args = ["sleep", "1000"] | .annotations = {"org.props": "told"}'

# --- create, start, kill, delete ----------------------------------------------------------------------
cleanup oci delete --force callers
oci create --bundle b --pid-file pid callers >out 2>&1 </dev/null
is "create prints nothing" "$(cat out)" ""
pid=$(cat pid)
is "the pid file has the state's pid" "$pid" "$(pid_of callers)"
oci state callers >created.json
is "state: the fields" "$(jq -r 'keys | join(" ")' created.json)" "annotations bundle created id ociVersion owner pid rootfs status"
is "with their types" "$(jq -r '[.annotations, .bundle, .created, .id, .ociVersion, .pid, .rootfs, .status] | map(type) | join(" ")' created.json)" \
	"object string string string string number string string"
like "created is a time of RFC 3339" "$(jq -r .created created.json)" '^20[0-9-]{8}T[0-9:]{8}\.[0-9]{9}Z$'
is "its status" "$(jq -r .status created.json)" created
is "an existing name: status 1" "$(status oci create --bundle b callers)" 1
is "delete of a running one without --force: status 1" "$(oci start callers; status oci delete callers)" 1
is "start of a running one: status 1" "$(status oci start callers)" 1
is "nothing happened to it" "$(status_of callers)" running
oci run --detach --keep --bundle b --pid-file pid2 callers2 >out 2>&1 </dev/null
cleanup oci delete --force callers2
is "run --detach leaves it running" "$(status_of callers2)" running
check "as nobody's child that needs us" bash -c "[ \$(ps -o ppid= -p $(cat pid2)) != $$ ]"
for spelling in SIGURG urg 23; do is "kill $spelling" "$(status oci kill callers $spelling)" 0; done
oci kill callers KILL
wait_for 10 gone "$pid"
oci state callers >stopped.json
is "stopped, pid 0" "$(jq -r '"\(.status) \(.pid)"' stopped.json)" "stopped 0"
is "kill of a stopped one: status 1" "$(status oci kill callers)" 1
oci delete callers
is "delete makes the name free: status 1" "$(status oci state callers)" 1
is "delete --regex" "$(status oci delete --force --regex '^callers2$'; oci list -q)" 0
edit_bundle b '.process.args = ["true"]'
oci run --keep --bundle b callers >out 2>&1 </dev/null
is "run --keep keeps the stopped one" "$(status_of callers)" stopped
oci delete callers

# --- other options of create and exec ------------------------------------------------------------------
edit_bundle b '.process.args = ["sleep", "1000"] | .linux.maskedPaths = [] | .process.capabilities |= map_values(["CAP_KILL"])'
oci create --no-pivot --no-new-keyring --config b/config.json --bundle b callers >out 2>&1 </dev/null
oci start callers
pid=$(pid_of callers)
is "--no-pivot: the root is the bundle's" "$(stat -Lc %d:%i "/proc/$pid/root")" "$(stat -c %d:%i b/rootfs)"
is "and cannot be left" "$(oci exec callers sh -c 'cd /; for i in 1 2 3 4; do cd ..; done; stat -c %i .' </dev/null)" "$(stat -c %i b/rootfs)"
is "nor is the host's procfs in sight" "$(oci exec callers sh -c 'set -- /proc/[0-9]* && echo $#' </dev/null)" 2
jq -n '{args: ["sh", "-c", "echo $A $(id -u) $PWD"], env: ["A=b", "PATH=/bin"], cwd: "/tmp", user: {uid: 12, gid: 13}}' >process.json
is "exec --process" "$(oci exec --process process.json callers </dev/null)" "b 12 /tmp"
is "exec --env --cwd --user" "$(oci exec -e A=c --cwd /var -u 5 callers sh -c 'echo $A $(id -u) $PWD' </dev/null)" "c 5 /var"
is "exec --additional-gids" "$(oci exec -g 77 -g 78 callers grep Groups /proc/self/status </dev/null | xargs)" "Groups: 77 78"
like "exec --cap" "$(oci exec -c CAP_CHOWN callers grep CapEff /proc/self/status </dev/null)" '0000000000000021$'
edit_bundle b '.process.noNewPrivileges = false'
like "exec --no-new-privs" "$(oci exec --no-new-privs callers grep NoNewPrivs /proc/self/status </dev/null)" '1$'
is "exec gives the program's status" "$(status oci exec callers sh -c 'exit 9')" 9
is "or 128 and its signal" "$(status oci exec callers sh -c 'kill -15 $$')" 143
is "a program that is missing: status 255" "$(status oci exec callers /no/such)" 255
oci exec --detach --pid-file exec.pid callers sleep 77 >out 2>&1 </dev/null
is "exec --detach --pid-file" "$(tr '\0' ' ' <"/proc/$(cat exec.pid)/cmdline")" "sleep 77 "
if command -v script >/dev/null; then
	like "exec --tty in the foreground relays a terminal" "$(script -qec "$program --root $OCI_ROOT exec --tty callers tty" /dev/null </dev/null)" '/dev/pts/0'
fi
oci delete --force callers
