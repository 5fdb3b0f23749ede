#!/bin/bash
# CVE-2019-5736: a container whose program is /proc/self/exe cannot write to the runtime's own file
. "$(dirname "$0")/lib.sh"

runtime=$(command -v cella-oci)
before=$(sha256sum "$runtime")
cleanup rm -f /tmp/cella-5736
make_bundle b
printf '#!/proc/self/exe\n' >b/rootfs/bad
chmod +x b/rootfs/bad
# no user namespace and every capability: the worst case
edit_bundle b '.process.capabilities |= with_entries(.value = ["CAP_DAC_OVERRIDE", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN"])
	| .process.noNewPrivileges = false | .process.args = ["sleep", "1000"]'
start_bundle exe b

# inside: hold what /proc/PID/exe of every process is, and write to it once it no longer runs
cat >b/rootfs/attack <<'END'
for i in $(seq 400); do
	for exe in /proc/[0-9]*/exe; do
		case $(readlink "$exe") in *busybox*|"") continue ;; esac
		exec 9<"$exe" || continue
		sleep 0.05
		(echo overwritten >/proc/self/fd/9) && echo "wrote through $exe"
	done
done
END
oci exec exe sh /attack >attack.out 2>attack.err </dev/null &
attacker=$!
cleanup kill $attacker
for ((i = 0; i < 20; i++)); do
	oci exec exe /bad --version >/dev/null 2>&1 </dev/null || true
	oci exec exe /proc/self/exe --version >/dev/null 2>&1 </dev/null || true
done
is "nothing was written through /proc/PID/exe" "$(cat attack.out)" ""
is "the runtime's file is as it was" "$(sha256sum "$runtime")" "$before"
edit_bundle b '.process.args = ["/proc/self/exe", "--version"]'
oci run --bundle b exe2 >/dev/null 2>&1 </dev/null || true
oci delete --force exe2
is "also as the first process" "$(sha256sum "$runtime")" "$before"
