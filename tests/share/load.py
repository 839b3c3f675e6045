#!/usr/bin/python3
"""The load of tests/share/kill.sh, and the check after the restart.

  load.py run USER FOLDER LOG SEED    uploads until the connection breaks; each acknowledgement (a
                                      FLUSH or a CLOSE that returned success) is one line of LOG:
                                      kind, size, SHA-256 of all bytes so far, path
  load.py check USER LOG              reads every acknowledged file through the mount
  load.py sealed USER LOG             is every acknowledged file sealed or incomplete by now?
"""
import hashlib
import os
import pwd
import random
import sys

from smb import FILE_CREATE, Refused, Session

PORT = int(os.environ["SRT_PORT"])
TAG = os.environ["SRT_TAG"]
MNT = os.environ["SRT_MNT"]


def upload(smb, path, dice, log):
    """One file: appends, sometimes FLUSHes, sometimes rewrites its head, and closes."""
    handle = smb.create(path, disposition=FILE_CREATE)
    data = bytearray()
    for _ in range(dice.randint(1, 12)):
        piece = dice.randbytes(dice.choice((700, 16384, 65536, 200_000)))
        smb.write_all(handle, [(len(data) + at, piece[at:at + 65536]) for at in range(0, len(piece), 65536)])
        data += piece
        if dice.random() < 0.2:
            head = dice.randbytes(min(512, len(data)))
            # The earlier acknowledgement no longer speaks of these bytes: the last line counts.
            print("rewrite", 0, "-", path, file=log, flush=True)
            smb.write_all(handle, [(0, head)])
            data[:len(head)] = head
        if dice.random() < 0.4:
            smb.flush(handle)
            print("flush", len(data), hashlib.sha256(data).hexdigest(), path, file=log, flush=True)
    smb.close(handle)
    print("close", len(data), hashlib.sha256(data).hexdigest(), path, file=log, flush=True)


def run(user, folder, log_name, seed):
    dice = random.Random(seed)
    with open(log_name, "a", encoding="utf-8") as log:
        try:
            smb = Session(TAG + user, "Pw-%s-%s" % (TAG, user), PORT)
            for number in range(100_000):
                upload(smb, "%s/%s-%05d.bin" % (folder, seed, number), dice, log)
        except Refused as refused:
            # A dead mount answers with an error status before smbd itself is killed.
            print("refused", refused, file=sys.stderr)
        except Exception as error:  # the connection broke: which class says so depends on the moment
            print("broken", type(error).__name__, error, file=sys.stderr)


def acknowledged(log_name):
    """path -> (kind, size, hash) of the last acknowledgement that still holds."""
    last = {}
    with open(log_name, encoding="utf-8") as log:
        for line in log:
            if not line.endswith("\n"):
                continue
            kind, size, digest, path = line.rstrip("\n").split(" ", 3)
            if kind == "rewrite":
                last[path] = ("rewrite", last.get(path, ("", 0, ""))[1], "-")
            else:
                last[path] = (kind, int(size), digest)
    return last


def check(user, log_name):
    os.seteuid(pwd.getpwnam(TAG + user).pw_uid)
    bad, kinds = 0, {"close": 0, "flush": 0, "rewrite": 0}
    for path, (kind, size, digest) in sorted(acknowledged(log_name).items()):
        kinds[kind] += 1
        try:
            with open(os.path.join(MNT, path), "rb") as record:
                data = record.read()
        except OSError as error:
            if kind != "rewrite" or size > 0:
                print("%s acknowledged, missing: %s: %s" % (kind, path, error))
                bad += 1
            continue
        if kind == "rewrite":
            # A head of up to 512 bytes may be old or new; what follows it was acknowledged.
            if len(data) < size:
                print("flush acknowledged %d bytes, found %d: %s" % (size, len(data), path))
                bad += 1
        elif kind == "close" and len(data) != size:
            print("close acknowledged %d bytes, found %d: %s" % (size, len(data), path))
            bad += 1
        elif hashlib.sha256(data[:size]).hexdigest() != digest:
            print("%s acknowledged, other content: %s" % (kind, path))
            bad += 1
    print("closed %(close)d, flushed %(flush)d, between %(rewrite)d" % kinds)
    return bad


def unsealed(user, log_name):
    os.seteuid(pwd.getpwnam(TAG + user).pw_uid)
    waiting = 0
    for path, (kind, size, _) in acknowledged(log_name).items():
        if kind != "rewrite" or size > 0:
            state = os.getxattr(os.path.join(MNT, path), "user.strongroom.state")
            waiting += state not in (b"sealed", b"incomplete")
    return waiting


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run(*sys.argv[2:6])
    elif sys.argv[1] == "sealed":
        sys.exit(1 if unsealed(*sys.argv[2:4]) else 0)
    else:
        sys.exit(1 if check(*sys.argv[2:4]) else 0)
