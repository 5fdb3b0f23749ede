#!/usr/bin/env python3
"""backup_tree.py make PID | list PID: a tree of all that a backup has to carry, made below /srv of
a VPS as its root, and what that root sees of it: a line for each file, with all but its inode."""
import hashlib, os, socket, stat, struct, sys

what, pid = sys.argv[1:]
root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY)
namespace = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY)
os.setns(namespace, os.CLONE_NEWUSER)
os.setgroups([])
os.setresgid(0, 0, 0)
os.setresuid(0, 0, 0)
os.umask(0)
os.fchdir(root)


def acl(*entries):
    """An ACL as the kernel has it: (tag, permissions, id)."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def file(name, data, mode=0o644, uid=0, gid=0):
    with open(name, "wb") as f:
        f.write(data)
    os.chown(name, uid, gid)
    os.chmod(name, mode)


def make():
    none = 0xFFFFFFFF
    os.makedirs("srv/t/deep/er", exist_ok=True)
    os.chdir("srv/t")
    file("plain", b"plain\n", 0o640, 1000, 1001)
    file("set-id", b"#!/bin/true\n", 0o6755, 7, 8)
    file("big", os.urandom(300000))
    file("last-id", b"", 0o600, 65535, 65535)
    file(b"odd \xe9\n\x01name", b"odd")
    file("n" * 255, b"long")
    file("capable", b"\x7fELF", 0o755)
    os.setxattr("capable", "security.capability", struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0))
    file("noted", b"noted")
    os.setxattr("noted", "user.note", bytes(range(256)))
    file("listed", b"listed", 0o664)
    os.setxattr("listed", "system.posix_acl_access", acl((1, 6, none), (2, 4, 1234), (4, 6, none), (16, 6, none), (32, 4, none)))
    os.setxattr("deep", "system.posix_acl_default", acl((1, 7, none), (4, 5, none), (8, 7, 4321), (16, 7, none), (32, 0, none)))
    with open("sparse", "wb") as f:
        f.truncate(4 << 20)
        f.seek(3 << 20)
        f.write(b"in the middle")
    os.link("plain", "deep/hard")
    os.symlink("/etc/../../outside", "link")
    os.lchown("link", 5, 6)
    os.mkfifo("fifo", 0o620)
    os.mknod("whiteout", stat.S_IFCHR, 0)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("socket")
    os.mkdir("sticky", 0o1777)
    for i, name in enumerate(["plain", "link", "fifo", "deep/er", "deep", "sticky", "."]):
        os.utime(name, ns=(1, 1234567890123456789 + i), follow_symlinks=False)


def attributes(path):
    return " ".join(f"{name}={os.getxattr(path, name, follow_symlinks=False).hex()}"
                    for name in sorted(os.listxattr(path, follow_symlinks=False)))


def describe(path, names):
    st = os.lstat(path)
    names.setdefault((st.st_dev, st.st_ino), path)
    content = ""
    if stat.S_ISREG(st.st_mode):
        with open(path, "rb") as f:
            content = hashlib.sha256(f.read()).hexdigest()
        content += " sparse" if st.st_blocks * 512 < st.st_size // 2 else ""
    if stat.S_ISLNK(st.st_mode):
        content = os.readlink(path)
    size = 0 if stat.S_ISDIR(st.st_mode) else st.st_size
    print(ascii(path), oct(st.st_mode), st.st_uid, st.st_gid, size, st.st_nlink, st.st_rdev, st.st_mtime_ns,
          ascii(names[st.st_dev, st.st_ino]), content, attributes(path))


def walk(path, names):
    describe(path, names)
    for entry in sorted(os.scandir(path), key=lambda e: e.path):
        if entry.is_dir(follow_symlinks=False):
            walk(entry.path, names)
        elif not stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode):
            describe(entry.path, names)


make() if what == "make" else walk(b"srv/t", {})
