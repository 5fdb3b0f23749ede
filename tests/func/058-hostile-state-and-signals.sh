#!/bin/bash
# planted or damaged state, changed configurations and odd signal numbers: no stranger is signalled, nothing outside is touched
# timeout: 180
. "$(dirname "$0")/lib.sh"

make_bundle b
mkdir -p "$OCI_ROOT" outside && chmod 700 "$OCI_ROOT"
sleep 1000 &
stranger=$!
cleanup kill $stranger
oci create --bundle b real >real.out 2>&1 </dev/null
cleanup oci delete --force real

# --- a directory that is a link ----------------------------------------------------------------
cp "$OCI_ROOT/real/state.json" outside/
ln -s "$TEST_DIR/outside" "$OCI_ROOT/linked"
for verb in state start kill pause delete 'delete --force'; do
	# shellcheck disable=SC2086 # words
	check_fails "a link as its directory: $verb" 'linked' oci $verb linked
done
is "what it points to is untouched" "$(ls outside)" state.json
rm "$OCI_ROOT/linked"

# --- a state file that names a stranger ----------------------------------------------------------
start=$(awk '{ print $22 }' /proc/$stranger/stat)
for change in ".pid = $stranger" ".pid = 1" ".pid = $stranger | .pidStartTicks = 1" '.pid = -1' '.pid = 0'; do
	mkdir -m 700 "$OCI_ROOT/planted"
	jq --argjson start "$start" ".id = \"planted\" | del(.cgroupPath) | $change" "$OCI_ROOT/real/state.json" >"$OCI_ROOT/planted/state.json"
	oci kill planted KILL >out 2>&1 || true
	oci delete --force planted >out 2>&1 || true
	check "$change: the stranger lives" alive $stranger
	rm -rf "$OCI_ROOT/planted"
done
for text in '' '{' '[]' '{"id": "planted"}' '{"id": "other", "pid": 1}'; do
	mkdir -m 700 "$OCI_ROOT/planted"
	printf '%s' "$text" >"$OCI_ROOT/planted/state.json"
	check_fails "damaged state '$text'" 'planted|state.json' oci state planted
	check "list passes it over: '$text'" bash -c "'${CELLA_OCI:-cella-oci}' --root '$OCI_ROOT' list -q"
	rm -rf "$OCI_ROOT/planted"
done
mkdir -m 700 "$OCI_ROOT/planted" && mkfifo "$OCI_ROOT/planted/state.json"
check_fails "a fifo as state file" 'state.json' timeout 20 "${CELLA_OCI:-cella-oci}" --root "$OCI_ROOT" state planted
rm -rf "$OCI_ROOT/planted"

# --- the configuration is read once ---------------------------------------------------------------
edit_bundle b '.hooks.poststart = [{path: "/bin/touch", args: ["touch", $file]}] | .process.args = ["sleep", "4242"]' --arg file "$TEST_DIR/hooked"
oci start real
pid=$(pid_of real)
is "what is changed after create has no effect: program" "$(tr '\0' ' ' <"/proc/$pid/cmdline")" "sleep 1000 "
check "nor a hook" test ! -e hooked
edit_bundle b '.process.capabilities = {bounding: ["CAP_SYS_ADMIN"], effective: ["CAP_SYS_ADMIN"], permitted: ["CAP_SYS_ADMIN"]}'
is "nor for exec" "$(oci exec real grep CapBnd /proc/self/status </dev/null)" "CapBnd:"$'\t'"$(proc_status "$pid" CapBnd)"

# --- signals ---------------------------------------------------------------------------------------
for signal in -1 0 65 -9 9x 4294967305 18446744073709551625 0x9 ' 9' '' SIGNOPE; do
	check_fails "kill '$signal'" '.' oci kill -- real "$signal"
done
check "it lives" alive "$pid"
check "as does everybody else" alive $stranger
