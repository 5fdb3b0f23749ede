#!/bin/bash
# linux.seccomp.architectures: the filter judges the 32-bit entry as well when listed, and lets nobody through it when not
# timeout: 180
. "$(dirname "$0")/lib.sh"
[ "$(uname -m)" = x86_64 ] || skip_rest "the second entry is x86-64's"

# getppid(2) by its number of both entries, from machine code: mov eax, N; int 0x80 or syscall; ret
cat >calls.py <<'PY'
import ctypes, mmap, sys
def call(number, entry):
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(b"\xb8" + number.to_bytes(4, "little") + entry + b"\xc3")
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
print("native", call(110, b"\x0f\x05"), flush=True)
if "x32" in sys.argv: print("x32", call(110 | 0x40000000, b"\x0f\x05"), flush=True)
print("i386", call(64, b"\xcd\x80"), flush=True)
PY
make_bundle base
cp calls.py base/rootfs/calls.py
with_python base
mkdir b && ln -s ../base/rootfs b/rootfs
calls() { # ARCHITECTURES DEFAULT RULE [ARGUMENT]
	jq '.root.path = $root | .linux.seccomp = ({defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getppid"]} + $rule]} + $archs)
		| .process.args = ["/usr/bin/python3", "/calls.py", $arg]' --arg root "$TEST_DIR/base/rootfs" \
		--argjson archs "$1" --argjson rule "$2" --arg arg "${3:-}" base/config.json >b/config.json
	oci run --bundle b arch </dev/null 2>&1 && status=0 || status=$?
	echo "status $status"
}
errno42='{"action": "SCMP_ACT_ERRNO", "errnoRet": 42}'
entry=$(python3 calls.py 2>&1 | tail -n 1) || true
[[ $entry == i386* ]] || skip_rest "no 32-bit entry in this kernel"

is "listed: both entries are judged" "$(calls '{"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]}' "$errno42" | tr '\n' ' ')" \
	"native -42 i386 -42 status 0 "
is "only the other one listed: the native one is judged too" "$(calls '{"architectures": ["SCMP_ARCH_X86"]}' "$errno42" | tr '\n' ' ')" \
	"native -42 i386 -42 status 0 "
is "not listed: SIGSYS at the 32-bit entry" "$(calls '{"architectures": ["SCMP_ARCH_X86_64"]}' "$errno42" | tr '\n' ' ')" \
	"native -42 status 159 "
is "no list: the same" "$(calls '{}' "$errno42" | tr '\n' ' ')" "native -42 status 159 "
is "x32 numbers do not pass for native ones" "$(calls '{"architectures": ["SCMP_ARCH_X86_64"]}' "$errno42" x32 | tr '\n' ' ')" \
	"native -42 status 159 "
is "foreign ones may be listed" "$(calls '{"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64", "SCMP_ARCH_S390X"]}' "$errno42" | tr '\n' ' ')" \
	"native -42 i386 -42 status 0 "
jq '.linux.seccomp.architectures = ["SCMP_ARCH_ABACUS"]' b/config.json >b/new && mv b/new b/config.json
check_fails "an unknown one" 'linux.seccomp.architectures.*ABACUS' oci create --bundle b arch </dev/null
