#!/usr/bin/env python3
"""disk_tenant.py PID df|fill LIMIT|...: what root of a VPS can do to its disk: a process with
the ids and the user namespace of PID, on a descriptor of its root. With QGROUP_OF=DIR, a btrfs
subvolume, what is used is what its qgroup counts."""
import ctypes, errno, mmap, os, signal, subprocess, sys, time

pid, what, args = sys.argv[1], sys.argv[2], sys.argv[3:]
counter = None
if subvolume := os.environ.get("QGROUP_OF"):  # asked by somebody who stays root of the host
    counter = subprocess.Popen(["sh", "-c", 'while read _; do btrfs qgroup show -f --raw --sync "$1" | tail -n 1; done', "sh", subvolume],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY)
namespace = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY)
os.setns(namespace, os.CLONE_NEWUSER)
os.setgroups([])
os.setresgid(0, 0, 0)
os.setresuid(0, 0, 0)
os.fchdir(root)
here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
libc = ctypes.CDLL(None)
MIB = 1 << 20


def usage():
    """Bytes in all and used, files in all and used."""
    st = os.statvfs(".")
    if counter:
        counter.stdin.write("\n")
        counter.stdin.flush()
        return st.f_blocks * st.f_frsize, int(counter.stdout.readline().split()[1]), 0, 0
    return st.f_blocks * st.f_frsize, (st.f_blocks - st.f_bfree) * st.f_frsize, st.f_files, st.f_files - st.f_ffree


def grow(path, end):
    """Take space until so many bytes are used."""
    fd = os.open(path, os.O_CREAT | os.O_WRONLY)
    size = 0
    while (step := (end - usage()[1]) & ~4095) > 0:
        os.posix_fallocate(fd, size, step)
        size += step
    os.close(fd)


def write(d):
    with open(f"{d}/file", "wb", buffering=0) as f:
        while True:
            f.write(b"x" * 65536)


def fallocate(d):
    fd = os.open(f"{d}/file", os.O_CREAT | os.O_WRONLY)
    size = 0
    step = 256 << 10
    while True:
        try:
            os.posix_fallocate(fd, size, step)
            size += step
        except OSError:
            if step == 4096:
                raise
            step //= 2


def mapped(d):
    fd = os.open(f"{d}/file", os.O_CREAT | os.O_RDWR)
    os.ftruncate(fd, 8 * MIB)
    with mmap.mmap(fd, 8 * MIB) as m:
        for at in range(0, 8 * MIB, 4096):
            m[at : at + 1] = b"x"


def small(d):
    for i in range(10**6):
        with open(f"{d}/{i}", "wb", buffering=0) as f:
            f.write(b"x" * 3000)


def links(d):
    for i in range(10**6):
        if i % 30000 == 0:
            os.close(os.open(f"{d}/file{i}", os.O_CREAT | os.O_WRONLY))
        os.link(f"{d}/file{i - i % 30000}", f"{d}/{i:0250}")


def xattrs(d):
    for i in range(10**6):
        path = f"{d}/{i}"
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        # no two alike: ext4 shares blocks of equal attributes
        os.setxattr(path, "user.x", os.urandom(3000))


def directories(d):
    for i in range(10**6):
        os.mkdir(f"{d}/{i}")
        # one that is empty takes no block on every file system
        for k in range(8):
            os.mkdir(f"{d}/{i}/{k:0200}")


kept = []


def deleted(d):
    for i in range(10**6):
        f = open(f"{d}/{i}", "wb", buffering=0)
        os.unlink(f"{d}/{i}")
        kept.append(f)
        f.write(b"x" * (64 << 10))
        if len(kept) > 200:
            raise OSError(errno.EMFILE, "no limit")


WAYS = {"write": write, "fallocate": fallocate, "mmap": mapped, "small": small, "links": links,
        "xattrs": xattrs, "directories": directories, "deleted": deleted}


def attempt(way, d):
    """In a child, which a fault may kill: what ended it, told over a pipe; it stays until told."""
    r, w = os.pipe()
    go_r, go_w = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(r)
        os.close(go_w)
        try:
            WAYS[way](d)
            name = "nothing"
        except OSError as e:
            name = errno.errorcode[e.errno]
        os.write(w, name.encode())
        os.close(w)
        os.read(go_r, 1)  # open files of "deleted" count until then
        os._exit(0)
    os.close(w)
    os.close(go_r)
    name = os.read(r, 100).decode()
    return child, go_w, name


def tolerance(limit):
    return min(MIB, limit // 100)


def fill(way, limit):
    began = time.monotonic()
    os.mkdir("fill")
    child, go, name = attempt(way, "fill")
    libc.syncfs(here)
    total, used, _, _ = usage()
    os.close(go)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
    missing = limit - used
    print(f"{way}: {missing // 1024} KiB below it, after {time.monotonic() - began:.1f} s", file=sys.stderr)
    if abs(missing) <= tolerance(limit):
        print(f"{way}: {name} at the limit")
    else:
        print(f"{way}: {name} with {used} used of {limit}, df says {total}")
    clear("fill")


def clear(d):
    for base, dirs, files in os.walk(d, topdown=False):
        for f in files:
            os.unlink(f"{base}/{f}")
        for f in dirs:
            os.rmdir(f"{base}/{f}")
    if os.path.isdir(d):
        os.rmdir(d)
    libc.syncfs(here)


if what == "df":
    print(*usage())
elif what == "fill":
    # the last in each way, the rest at once
    grow("most", int(args[0]) - tolerance(int(args[0])) * 5 // 4)
    for way in args[1:] or WAYS:
        fill(way, int(args[0]))
    os.unlink("most")
elif what == "grow":
    try:
        grow(args[0], int(args[1]))
    except OSError as e:
        sys.exit(f"grow: {errno.errorcode[e.errno]}")
elif what == "project":  # try to leave the project: FS_IOC_FSSETXATTR with project id 0
    import fcntl

    fd = os.open(args[0], os.O_RDONLY | os.O_CREAT)
    attr = bytearray(28)
    fcntl.ioctl(fd, 0x801C581F, attr)
    attr[12:16] = bytes(4)
    try:
        fcntl.ioctl(fd, 0x401C5820, bytes(attr))
        print("left")
    except OSError as e:
        print(errno.errorcode[e.errno])
