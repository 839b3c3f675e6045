# limit: 240
"""Walks the table of operations (strongroomd --verdicts) on sealed records, as the officer who made
them and as root. Each refusal has the errno of the table, changes nothing, and stands in the ledger
and in 提示.txt where the table says so. A row without a test here fails, and so does the reverse."""
import ctypes
import errno
import fcntl
import mmap
import os
import stat
import struct
import subprocess

import mount

FALLOCATE_MODES = [0, 1, 1 | 2, 8, 0x10, 0x10 | 1, 0x20, 0x40]
FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR, FICLONE, FIBMAP = (
    0x80086601, 0x40086602, 0x401C5820, 0x40049409, 1)
RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT = 1, 2, 4
NOBODY = 0xFFFFFFFF
ACL = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in (
    (1, 6, NOBODY), (2, 6, mount.PEOPLE["o2"]), (4, 6, NOBODY), (0x10, 6, NOBODY), (0x20, 4, NOBODY)))


class Record:
    """One sealed record, the officer's descriptors from before and after the seal, and a sibling."""

    def __init__(self, path):
        self.path, self.content = path, os.urandom(70000)
        self.sibling = None

    def make(self):
        mount.write(self.path, self.content)
        with mount.person("o1"):
            self.fd = os.open(self.path, os.O_RDONLY)

    def sealed(self):
        mount.wait_state(self.path)
        with mount.person("o1"):
            self.late_fd = os.open(self.path, os.O_RDONLY)

    def fresh(self):
        """An unsealed file beside it, made now: the settle time is one second."""
        path = "%s.%d.new" % (self.path, os.getpid())
        mount.write(path, b"unsealed")
        self.sibling = path
        return path


def renameat2(source, target, flags):
    mount.syscall("renameat2", -100, os.fsencode(source), -100, os.fsencode(target), flags)


def fallocate_all(record):
    codes = set()
    for mode in FALLOCATE_MODES:
        codes.add(mount.errno_of(lambda m=mode: mount.syscall(
            "fallocate", record.fd, m, ctypes.c_long(0), ctypes.c_long(4096))))
    if len(codes) != 1:
        raise AssertionError("modes differ: %s" % codes)
    if codes != {0}:
        raise OSError(codes.pop(), "fallocate")


def mprotect_writable(record):
    area = mmap.mmap(record.late_fd, 4096, mmap.MAP_SHARED, mmap.PROT_READ)
    try:
        mount.syscall("mprotect", ctypes.c_void_p(address_of(record.path)), ctypes.c_size_t(4096), 3)
    finally:
        area.close()


def address_of(path):
    for line in open("/proc/self/maps", encoding="utf-8"):
        if line.rstrip("\n").endswith(path):
            return int(line.split("-")[0], 16)
    raise AssertionError("not mapped: " + path)


def whole_ancestors(operation):
    """Every ancestor gives the same errno; the last one is raised."""
    def act(record):
        path, codes = os.path.dirname(record.path), {}
        while path != mount.MNT:
            codes[path] = mount.errno_of(lambda p=path: operation(p))
            path = os.path.dirname(path)
        if len(codes) < 4 or len(set(codes.values())) != 1:
            raise AssertionError("ancestors differ: %s" % codes)
        code = codes.popitem()[1]
        if code:
            raise OSError(code, "ancestors")
    return act


def splice_onto(record):
    reader, writer = os.pipe()
    try:
        os.write(writer, b"x")
        os.splice(reader, record.fd, 1)
    finally:
        os.close(reader)
        os.close(writer)


def fileattr(request, size):
    def act(record):
        fcntl.ioctl(record.fd, request, bytearray(size))
    return act


def copy_onto(record):
    with open("/proc/self/exe", "rb") as source:
        os.copy_file_range(source.fileno(), record.fd, 100, 0, 0)


def clone_onto(record):
    fcntl.ioctl(record.fd, FICLONE, record.late_fd)


def open_with(flags):
    def act(record):
        os.close(os.open(record.path, flags, 0o644))
    return act


def lock(record, kind):
    if kind == "flock":
        fcntl.flock(record.fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(record.fd, fcntl.LOCK_UN)
    else:
        fcntl.lockf(record.fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.lockf(record.fd, fcntl.LOCK_UN)


def read_all(record):
    if os.pread(record.fd, len(record.content) + 1, 0) != record.content:
        raise AssertionError("descriptor from before the seal reads other bytes")


TESTS = {
    "truncate": lambda r: os.truncate(r.path, 0),
    "ftruncate, descriptor from before the seal": lambda r: os.ftruncate(r.fd, 10),
    "chmod": lambda r: os.chmod(r.path, 0o600),
    "fchmod, descriptor from before the seal": lambda r: os.fchmod(r.fd, 0o444),
    "chown": lambda r: os.chown(r.path, os.geteuid(), -1),
    "utimensat": lambda r: os.utime(r.path, (1, 1)),
    "futimens, descriptor from before the seal": lambda r: os.utime(r.fd),
    "readlink": lambda r: os.readlink(r.path),
    "mknod onto its name": lambda r: os.mknod(r.path, stat.S_IFREG | 0o644),
    "mkdir onto its name": lambda r: os.mkdir(r.path),
    "unlink": lambda r: os.unlink(r.path),
    "rmdir on the record": lambda r: os.rmdir(r.path),
    "rmdir of an ancestor": whole_ancestors(os.rmdir),
    "symlink onto its name": lambda r: os.symlink("x", r.path),
    "rename it": lambda r: os.rename(r.path, r.path + ".moved"),
    "rename onto it": lambda r: os.rename(r.sibling, r.path),
    "rename onto it, RENAME_NOREPLACE": lambda r: renameat2(r.sibling, r.path, RENAME_NOREPLACE),
    "rename an ancestor": whole_ancestors(lambda p: os.rename(p, p + "x")),
    "rename, RENAME_EXCHANGE": lambda r: renameat2(r.path, r.sibling, RENAME_EXCHANGE),
    "rename, RENAME_WHITEOUT": lambda r: renameat2(r.path, r.path + "w", RENAME_WHITEOUT),
    "link": lambda r: os.link(r.path, r.path + ".link"),
    "open for reading": open_with(os.O_RDONLY),
    "open for writing": open_with(os.O_WRONLY),
    "open with O_APPEND": open_with(os.O_RDWR | os.O_APPEND),
    "open with O_TRUNC": open_with(os.O_RDONLY | os.O_TRUNC),
    "read": read_all,
    "write, descriptor from before the seal": lambda r: os.pwrite(r.fd, b"x", 0),
    "close": lambda r: os.close(os.dup(r.fd)),
    "last close": lambda r: None,  # Record.fd, at the end
    "fsync": lambda r: os.fsync(r.fd),
    "opendir": lambda r: os.listdir(os.path.dirname(r.path)),
    "readdir": lambda r: os.listdir(os.path.dirname(r.path)),
    "closedir": lambda r: os.listdir(os.path.dirname(r.path)),
    "fsync of a folder": lambda r: fsync_folder(os.path.dirname(r.path)),
    "statfs": lambda r: os.statvfs(r.path),
    "setxattr": lambda r: os.setxattr(r.path, "user.note", b"x"),
    "setxattr of user.strongroom.*": lambda r: os.setxattr(r.path, "user.strongroom.state", b"staging"),
    "setxattr of user.strongroom.classification": lambda r: os.setxattr(
        r.path, "user.strongroom.classification", "公开".encode()),
    "set a POSIX ACL": lambda r: os.setxattr(r.path, "system.posix_acl_access", ACL),
    "getxattr": lambda r: os.getxattr(r.path, "user.strongroom.sha256"),
    "listxattr": lambda r: os.listxattr(r.path),
    "removexattr": lambda r: os.removexattr(r.path, "user.strongroom.state"),
    "access": lambda r: os.access(r.path, os.W_OK) or errno_raise(errno.EACCES),
    "stat": lambda r: os.stat(r.path),
    "look a name up": lambda r: os.lstat(r.path),
    "kernel drops an inode": lambda r: None,  # follows from the others
    "kernel drops inodes": lambda r: None,
    "open with O_CREAT|O_EXCL": open_with(os.O_CREAT | os.O_EXCL | os.O_WRONLY),
    "open with O_CREAT|O_TRUNC": open_with(os.O_CREAT | os.O_TRUNC | os.O_WRONLY),
    "fcntl F_GETLK: the kernel's own": lambda r: fcntl.fcntl(r.fd, fcntl.F_GETLK, struct.pack("hhqqi4x", 0, 0, 0, 0, 0)),
    "fcntl F_SETLK: the kernel's own": lambda r: lock(r, "lockf"),
    "flock: the kernel's own": lambda r: lock(r, "flock"),
    "ioctl FIBMAP: the kernel's own": lambda r: fibmap(r),
    "ioctl FS_IOC_SETFLAGS (chattr)": fileattr(FS_IOC_SETFLAGS, 8),
    "ioctl FS_IOC_FSSETXATTR": fileattr(FS_IOC_FSSETXATTR, 28),
    "poll: the kernel's own": lambda r: poll_once(r.fd),
    "fallocate in every mode": fallocate_all,
    "copy_file_range onto it": copy_onto,
    "lseek SEEK_DATA, SEEK_HOLE: the kernel's own": lambda r: os.lseek(r.fd, 0, os.SEEK_HOLE),
    "mmap, shared and writable": lambda r: mmap.mmap(r.fd, 4096, mmap.MAP_SHARED, mmap.PROT_WRITE | mmap.PROT_READ),
    "mprotect to writable, shared": mprotect_writable,
    "open with O_TMPFILE in its folder": lambda r: os.open(os.path.dirname(r.path), os.O_TMPFILE | os.O_RDWR, 0o600),
    "link onto its name": lambda r: os.link(r.sibling, r.path),
    "ioctl FICLONE onto it": clone_onto,
    "splice, sendfile onto it": splice_onto,
}
NEEDS_SIBLING = {"rename onto it", "rename onto it, RENAME_NOREPLACE", "rename, RENAME_EXCHANGE", "link onto its name"}
# On an ancestor the ledger names the ancestor, not the record.
ON_ANCESTORS = {"rmdir of an ancestor", "rename an ancestor"}

# Where root gets something else, having no right to open, list or move records at all.
AS_ROOT = {
    "open for reading": errno.EACCES,
    "opendir": errno.EACCES,
    "readdir": errno.EACCES,
    "closedir": errno.EACCES,
    "fsync of a folder": errno.EACCES,
    "getxattr": errno.ENODATA,
    "setxattr of user.strongroom.classification": errno.EACCES,
    "rename onto it": errno.EACCES,
    # The kernel opens the record in root's name before it sends the request.
    "ioctl FS_IOC_SETFLAGS (chattr)": errno.EACCES,
    "ioctl FS_IOC_FSSETXATTR": errno.EACCES,
}
# The kernel asks for CAP_SYS_RAWIO before anything else.
AS_OFFICER = {"ioctl FIBMAP: the kernel's own": errno.EPERM}


def errno_raise(number):
    raise OSError(number, os.strerror(number))


def fsync_folder(path):
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def fibmap(record):
    fcntl.ioctl(record.fd, FIBMAP, struct.pack("i", 0))


def poll_once(fd):
    import select
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    if poller.poll(0) != [(fd, select.POLLIN)]:
        raise AssertionError("poll")


def table():
    out = subprocess.run([mount.OUT + "/strongroomd", "--verdicts"], capture_output=True, check=True)
    rows = [line.split("\t") for line in out.stdout.decode().splitlines()[1:]]
    return [row for row in rows if row[2] != "none"]


def expected_of(row, who):
    special = (AS_ROOT if who == "root" else AS_OFFICER).get(row[1])
    if special is not None:
        return special, None
    number = 0 if row[3] == "-" else getattr(errno, row[3])
    return number, None if row[4] == "-" else row[4]


def walk(who, rows, failures):
    folder = mount.place(sub="verdicts-" + who)
    records = {}
    for number, row in enumerate(rows):
        records[row[1]] = Record("%s/r%02d.mp4" % (folder, number))
        records[row[1]].make()
    for record in records.values():
        record.sealed()
    wanted_entries = []
    for row in rows:
        request, record = row[1], records[row[1]]
        before = mount.snapshot(record.path)
        if request in NEEDS_SIBLING:
            record.fresh()
        number, act = expected_of(row, who)
        with mount.person(who):
            try:
                got = mount.errno_of(lambda r=record, q=request: TESTS[q](r))
            except AssertionError as error:
                got = None
                failures.append("%s, as %s: %s" % (request, who, error))
        if got is not None and got != number:
            failures.append("%s, as %s: the table says %s, got %s" % (
                request, who, mount.name_of(number), mount.name_of(got)))
        if mount.snapshot(record.path) != before or mount.state(record.path) != "sealed":
            failures.append("%s, as %s: the record has changed" % (request, who))
        if act:
            wanted_entries.append((request, act, record))
    check_records(who, wanted_entries, failures)
    names = os.path.dirname(next(iter(records.values())).path)
    with mount.person("o1"):
        left = set(os.listdir(names))
    for record in records.values():
        os.close(record.fd)
        os.close(record.late_fd)
        if os.path.basename(record.path) not in left:
            failures.append("%s is not listed any more" % record.path)


def check_records(who, wanted, failures):
    """Refusals that reached the daemon: in the ledger by node, in 提示.txt by path."""
    entries = mount.refusals(who)
    lines = mount.notice(who)
    for request, act, record in wanted:
        path = os.path.dirname(record.path) if request in ON_ANCESTORS else record.path
        with mount.person("o1"):
            node = str(os.stat(path).st_ino)
        reason = "fixed_folder" if request in ON_ANCESTORS else "sealed"
        hits = [e for e in entries
                if e["op"] == act and str(e.get("node")) == node and e["reason"] == reason]
        if len(hits) != 1:
            failures.append("%s, as %s: %d entries in the ledger" % (request, who, len(hits)))
        told = [line for line in lines if "（%s）" % act in line and mount.shown(path) in line]
        if not told and who != "root":  # root may see no record's name
            failures.append("%s, as %s: not in 提示.txt" % (request, who))


def main():
    rows = table()
    failures = []
    for row in rows:
        if row[1] not in TESTS:
            failures.append("no test for the row: " + row[1])
    for request in TESTS:
        if request not in [row[1] for row in rows]:
            failures.append("no row for the test: " + request)
    if not failures:
        for who in ("o1", "root"):
            walk(who, rows, failures)
    if failures:
        mount.die("\n".join(failures))


main()
