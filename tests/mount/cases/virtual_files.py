"""提示.txt and 入库回执.csv: exact size, BOM, CRLF, each person their own, never writable."""
import csv
import errno
import hashlib
import io
import os

import mount


def check_text(path, name):
    found = []

    def exact():  # a record of another case may be sealed between the two
        with mount.person(name):
            size = os.stat(path).st_size
        found[:] = [mount.read(path, name)]
        return len(found[0]) == size

    mount.eventually(10, exact, "exact size of " + path)
    with mount.person(name):
        mode = os.stat(path).st_mode & 0o777
    data = found[0]
    assert mode == 0o444, oct(mode)
    assert data.startswith(b"\xef\xbb\xbf") and not data.startswith(b"\xef\xbb\xbf", 3)
    assert data.count(b"\n") == data.count(b"\r\n") > 0 and data.endswith(b"\r\n")
    return data.decode("utf-8-sig")


def receipt(path, name):
    rows = list(csv.DictReader(io.StringIO(check_text(mount.RECEIPTS, name), newline="")))
    found = [row for row in rows if row["文件"] == mount.shown(path)]
    return found[0] if found else None


def main():
    path, copy = mount.place() + "/现场,\"一\".mp4", mount.place() + "/副本.mp4"
    content = os.urandom(200000)
    mount.write(path, content)
    assert receipt(path, "o1")["可清卡"] == "否"
    mount.wait_state(path)
    row = receipt(path, "o1")
    assert row["可清卡"] == "是" and row["大小（字节）"] == "200000"
    assert row["SHA-256"] == hashlib.sha256(content).hexdigest()
    assert receipt(path, "o2") is None
    mount.write(copy, content)
    mount.wait_state(copy)
    assert receipt(copy, "o1")["内容相同的记录"] == mount.shown(path)
    with mount.person("o1"):
        mount.refuses(errno.EROFS, lambda: os.unlink(path), "unlink")
    text = check_text(mount.NOTICE, "o1")
    assert mount.shown(path) in text and "（unlink）" in text
    assert mount.shown(path) not in check_text(mount.NOTICE, "o2")
    for name in (mount.NOTICE, mount.RECEIPTS):
        with mount.person("o1"):
            for what, call in {
                    "open": lambda n=name: os.open(n, os.O_WRONLY), "truncate": lambda n=name: os.truncate(n, 0),
                    "unlink": lambda n=name: os.unlink(n), "rename": lambda n=name: os.rename(n, n + "x"),
                    "utime": lambda n=name: os.utime(n), "chmod": lambda n=name: os.chmod(n, 0o600)}.items():
                mount.refuses(errno.EROFS, call, what + " of " + name)
        check_text(name, "o1")


main()
