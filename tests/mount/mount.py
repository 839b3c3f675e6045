"""What the cases in Python share: people, sealing, refusals, the ledger. See lib.sh for the names."""
import contextlib
import ctypes
import errno
import hashlib
import json
import os
import subprocess
import sys
import time

PEOPLE = {name: 20000 + i for i, name in enumerate(["sa", "so", "au", "o1", "o2", "sv"])}
PEOPLE.update(root=0, stranger=29999)
WORK, MNT, VAULT, OUT, NAME = (os.environ[k] for k in ("WORK", "MNT", "VAULT", "OUT", "NAME"))
CASE = MNT + "/2026/测试〔2026〕1号"
STAGE = CASE + "/02调查取证"
NOTICE, RECEIPTS = MNT + "/提示.txt", MNT + "/入库回执.csv"
libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def person(name):
    """The body runs as this person: the kernel sends fsuid, which follows the effective uid."""
    uid = PEOPLE[name]
    os.setgroups([])
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def place(name="o1", sub=None):
    """A folder of the case's own in a stage."""
    path = "%s/%s" % (STAGE, sub or NAME)
    with person(name):
        os.makedirs(path, exist_ok=True)
    return path


def write(path, data, name="o1"):
    with person(name):
        fd = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o644)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view):]
        finally:
            os.close(fd)


def read(path, name="o1"):
    with person(name), open(path, "rb", buffering=0) as file:
        return file.read()


def state(path, name="o1"):
    with person(name):
        return os.getxattr(path, "user.strongroom.state").decode()


def eventually(seconds, check, what):
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            raise AssertionError("waited in vain: " + what)
        time.sleep(0.05)


def wait_state(path, wanted="sealed", seconds=20, name="o1"):
    eventually(seconds, lambda: state(path, name) == wanted, "%s becomes %s" % (path, wanted))


def snapshot(path, name="o1"):
    with person(name):
        st = os.stat(path)
    data = read(path, name)
    return (st.st_ino, st.st_mode, st.st_uid, st.st_size, st.st_mtime_ns, hashlib.sha256(data).hexdigest())


def errno_of(call):
    """The errno that call ends with, 0 when it succeeds."""
    try:
        call()
    except OSError as error:
        return error.errno
    return 0


def name_of(number):
    return errno.errorcode.get(number, str(number)) if number else "success"


def refuses(wanted, call, what):
    got = errno_of(call)
    if got != wanted:
        raise AssertionError("%s: expected %s, got %s" % (what, name_of(wanted), name_of(got)))


def syscall(name, *args):
    """A function of libc that returns -1 and errno, as an exception."""
    result = getattr(libc, name)(*args)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def tool(name, *args):
    """strongroom --json as this person; the parsed answer."""
    uid = PEOPLE[name]
    command = [OUT + "/strongroom", "-C", VAULT, "--socket-dir", WORK + "/run", "--json", *args]

    def become():
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)

    done = subprocess.run(command, preexec_fn=become, capture_output=True, check=False)
    if done.returncode:
        raise AssertionError("%s: %s" % (" ".join(args), done.stderr.decode() or done.stdout.decode()))
    return json.loads(done.stdout)


def refusals(name=None):
    """The ledger's refuse entries, oldest first, of one person if named."""
    entries = [e.get("entry", e) for e in tool("au", "ledger", "log")]
    return [e for e in entries
            if e.get("act") == "refuse" and (name is None or e["uid"] == PEOPLE[name])]


def notice(name):
    """The lines of 提示.txt for this person."""
    return read(NOTICE, name).decode("utf-8-sig").split("\r\n")


def shown(path):
    """A path as it stands in 提示.txt."""
    return path[len(MNT):]


def die(text):
    sys.exit(text)
