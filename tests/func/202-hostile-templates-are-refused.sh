#!/bin/bash
# archives that lead out of their tree, lie about their size or explode are refused in one line, and nothing is left
# timeout: 300
. "$(dirname "$0")/lib.sh"
# shellcheck source=vps.sh
. "$func_dir/vps.sh"
needs python3

mkdir archives
python3 - <<'PYTHON'
import io, tarfile
def make(name, *members, mode="w:gz"):
    with tarfile.open(f"archives/{name}.tar.gz", mode, format=tarfile.PAX_FORMAT) as tar:
        for member, data in members:
            tar.addfile(member, io.BytesIO(data) if data is not None else None)
def file(name, data=b"x", **more):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info, data
def special(name, kind, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.devmajor, info.devminor = 1, 3
    return info, None
L, H = tarfile.SYMTYPE, tarfile.LNKTYPE
make("dotdot", file("../escaped"))
make("dotdot-inside", file("a/b/../../../escaped"))
make("absolute", file("/escaped"))
make("through-link", special("l", L, "/"), file("l/escaped"))
make("through-relative-link", special("l", L, ".."), file("l/escaped"))
make("hard-link-out", special("h", H, "../../../../../../etc/passwd"), file("h"))
make("hard-link-absolute", special("h", H, "/etc/passwd"))
make("hard-link-through-link", special("l", L, "/etc"), special("h", H, "l/passwd"))
make("pax-path", file("ok", pax_headers={"path": "../escaped"}))
make("pax-linkpath", special("h", H, "ok"), (file("x")[0].replace(deep=False), b"x"))
make("foreign-id", file("f", uid=70000))
make("bomb", file("zeros", b"\0" * (80 << 20)))
make("no-system", file("README"))
make("empty")
make("devices", special("dev/null", tarfile.CHRTYPE), special("dev/sda", tarfile.BLKTYPE),
     file("bin/sh", mode=0o755), special("etc/fifo", tarfile.FIFOTYPE))
open("archives/noise.tar.gz", "wb").write(bytes(range(256)) * 1000)
PYTHON

for name in dotdot dotdot-inside absolute through-link through-relative-link hard-link-out hard-link-absolute \
	hard-link-through-link pax-path foreign-id bomb no-system empty noise; do
	check_fails "$name" "import archives/$name.tar.gz: " cella template import archives/$name.tar.gz
done
is "nothing escaped" "$(find / -xdev -name escaped -newer archives -print -quit 2>/dev/null)" ""
is "no template came of it" "$(cella template list --json | tr -d '[:space:]')" "[]"
is "no tree is left" "$(find "$CELLA_ROOT/var/lib/cella/template" -mindepth 1 -not -name .lock)" ""

check "devices are left out" cella template import archives/devices.tar.gz
tree=$(echo "$CELLA_ROOT"/var/lib/cella/template/tree-*)
is "no node is in the tree" "$(find "$tree" -type b -o -type c)" ""
check "the rest is" test -p "$tree/etc/fifo" -a -x "$tree/bin/sh"
for name in '' ../x /x .x 'a b' $'a\nb' "$(printf 'a%.0s' {1..200})"; do
	check_fails "name $(printf %q "${name:0:10}")" "" cella template import archives/devices.tar.gz "$name"
done
