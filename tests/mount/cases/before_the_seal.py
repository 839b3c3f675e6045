"""The answers that the table gives for records before the seal."""
import ctypes
import errno
import fcntl
import os
import stat

import mount

SETFLAGS, FICLONE = 0x40086602, 0x40049409


def fallocate(fd, mode, length):
    mount.syscall("fallocate", fd, mode, ctypes.c_long(0), ctypes.c_long(length))


def rename_flags(source, target, flags):
    mount.syscall("renameat2", -100, os.fsencode(source), -100, os.fsencode(target), flags)


def main():
    folder = mount.place()
    a, b = folder + "/a.tmp", folder + "/b.tmp"  # scratch names: they stay unsealed
    mount.write(a, b"0123456789")
    mount.write(b, b"other")
    before = len(mount.refusals("o1"))
    with mount.person("o1"):
        fd = os.open(a, os.O_RDWR)
        fallocate(fd, 1, 100)
        assert os.fstat(fd).st_size == 10
        fallocate(fd, 0, 5)
        assert os.fstat(fd).st_size == 10
        fallocate(fd, 0, 100)
        assert os.pread(fd, 200, 0) == b"0123456789" + bytes(90)
        for mode in (1 | 2, 8, 0x10, 0x10 | 1, 0x20, 0x40):
            mount.refuses(errno.EOPNOTSUPP, lambda m=mode: fallocate(fd, m, 4096), "fallocate %#x" % mode)
        os.ftruncate(fd, 3)
        os.truncate(a, 4)
        assert os.pread(fd, 200, 0) == b"012\0"
        other = os.open(b, os.O_RDWR)
        assert os.copy_file_range(other, fd, 5, 0, 4) == 5
        assert os.pread(fd, 200, 0) == b"012\0other"
        mount.refuses(errno.EOPNOTSUPP, lambda: fcntl.ioctl(fd, FICLONE, other), "FICLONE")
        mount.refuses(errno.ENOTTY, lambda: fcntl.ioctl(fd, SETFLAGS, bytearray(8)), "chattr")
        mount.refuses(errno.EEXIST, lambda: rename_flags(a, b, 1), "RENAME_NOREPLACE")
        mount.refuses(errno.EINVAL, lambda: rename_flags(a, b, 2), "RENAME_EXCHANGE")
        rename_flags(b, folder + "/c.tmp", 1)
        mount.refuses(errno.EPERM, lambda: os.link(a, a + "2"), "link")
        mount.refuses(errno.EPERM, lambda: os.symlink("x", a + "2"), "symlink")
        mount.refuses(errno.EPERM, lambda: os.mknod(a + "2", stat.S_IFIFO | 0o600), "mkfifo")
        os.mknod(folder + "/made.tmp", stat.S_IFREG | 0o600)
        assert os.stat(folder + "/made.tmp").st_size == 0
        mount.refuses(errno.EOPNOTSUPP, lambda: os.setxattr(a, "user.note", b"x"), "setxattr")
        mount.refuses(errno.EOPNOTSUPP, lambda: os.removexattr(a, "user.note"), "removexattr")
        mount.refuses(errno.EOPNOTSUPP, lambda: os.setxattr(a, "user.DOSATTRIB", b"x"), "user.DOSATTRIB")
        mount.refuses(errno.ENODATA, lambda: os.getxattr(a, "user.strongroom.nothing"), "getxattr")
        assert "user.strongroom.state" in os.listxattr(a)
        os.chown(a, os.geteuid(), -1)
        mount.refuses(errno.EACCES, lambda: os.chown(a, 0, -1), "chown")
        os.chmod(a, 0o600)
        os.utime(a, ns=(1, 1234567890123456789))
        assert os.stat(a).st_mtime_ns == 1234567890123456789
        os.utime(a, ns=(1, -752025600000000000))  # 1946, as Finder marks a copy that goes on
        assert os.stat(a).st_mtime_ns == -752025600000000000
    ops = {e["op"] for e in mount.refusals("o1")[before:]}
    for wanted in ("fallocate", "ioctl", "exchange", "link", "symlink", "mknod", "setxattr", "removexattr", "chown"):
        assert wanted in ops, (wanted, ops)


main()
