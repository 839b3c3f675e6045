#!/usr/bin/python3
"""Cases of tests/share/run in which the order of packets matters: packets.py CASE. Exit status 0 when
the case holds; an assertion's text otherwise. Environment: SRT_PORT, SRT_TAG, SRT_MNT."""
import contextlib
import csv
import hashlib
import io
import os
import pwd
import random
import sys
import time

from smb import (
    ATTRIBUTE_READONLY, DELETE, FILE_CREATE, FILE_OPEN, FILE_OPEN_IF, FILE_OVERWRITE_IF, READ,
    READ_ATTRIBUTES, WRITE, WRITE_ATTRIBUTES, Refused, Session)

PORT = int(os.environ["SRT_PORT"])
TAG = os.environ["SRT_TAG"]
MNT = os.environ["SRT_MNT"]
CASE = "2026/测试〔2026〕1号"
STAGE = CASE + "/02调查取证"
MIB = 1 << 20


def session(user="o1", share="cases"):
    return Session(TAG + user, "Pw-%s-%s" % (TAG, user), PORT, share)


def content(size, seed):
    return random.Random(seed).randbytes(size)


@contextlib.contextmanager
def acting(user):
    """The mount knows people by their user id: root itself sees no content."""
    os.seteuid(pwd.getpwnam(TAG + user).pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)


def state(path, user="o1"):
    with acting(user):
        try:
            return os.getxattr(os.path.join(MNT, path), "user.strongroom.state").decode()
        except OSError as error:
            return "errno %d" % error.errno


def wait_state(path, wanted, seconds, user="o1"):
    """Returns the seconds it took."""
    start = time.monotonic()
    while True:
        now = state(path, user)
        took = time.monotonic() - start
        if now == wanted:
            return took
        assert took < seconds, "%s is %s after %.1f s, not %s" % (path, now, took, wanted)
        time.sleep(0.05)


def refusal(function, *args, **kwargs):
    """The status a call is refused with; it must be refused."""
    try:
        function(*args, **kwargs)
    except Refused as refused:
        return str(refused)
    raise AssertionError("%s was not refused" % function.__name__)


def receipts(smb):
    raw = smb.get("入库回执.csv")
    assert raw.startswith(b"\xef\xbb\xbf"), "入库回执.csv has no byte order mark"
    assert raw.count(b"\n") == raw.count(b"\r\n"), "入库回执.csv has a bare LF"
    return list(csv.reader(io.StringIO(raw[3:].decode("utf-8"), newline="")))


def notice(smb):
    raw = smb.get("提示.txt")
    assert raw.startswith(b"\xef\xbb\xbf"), "提示.txt has no byte order mark"
    assert raw.count(b"\n") == raw.count(b"\r\n"), "提示.txt has a bare LF"
    return raw[3:].decode("utf-8")


def assert_content(smb, path, data):
    got = smb.get(path)
    assert hashlib.sha256(got).digest() == hashlib.sha256(data).digest(), \
        "%s: %d bytes came back, not the %d that were sent" % (path, len(got), len(data))


def explorer_order():
    """create, end of file first, writes out of order and unanswered, times, close."""
    smb, path, data = session(), STAGE + "/探路者.mp4", content(24 * MIB + 12345, 1)
    handle = smb.create(path, disposition=FILE_CREATE)
    smb.set_end_of_file(handle, len(data))
    assert smb.size(handle) == len(data)
    pieces = [(at, data[at:at + MIB]) for at in range(0, len(data), MIB)]
    random.Random(2).shuffle(pieces)
    smb.write_all(handle, pieces, outstanding=8)
    smb.set_basic(handle, mtime=1577808512)
    smb.close(handle)
    assert_content(smb, path, data)
    wait_state(path, "sealed", 20)
    assert_content(smb, path, data)
    handle = smb.create(path, READ, FILE_OPEN)
    mtime, attributes = smb.basic(handle)
    smb.close(handle)
    assert mtime == 1577808512, "mtime became %r" % mtime
    assert not attributes & ATTRIBUTE_READONLY, "a sealed record shows READONLY"
    rows = [row for row in receipts(smb) if any("探路者.mp4" in cell for cell in row)]
    assert rows and hashlib.sha256(data).hexdigest() in "".join(rows[0]), "no receipt: %r" % rows


def header_patched_last():
    """A recorder writes the header at the end, after the content (MP4)."""
    smb, path, data = session(), STAGE + "/文件头后写.mp4", content(3 * MIB, 3)
    handle = smb.create(path, disposition=FILE_CREATE)
    smb.write_all(handle, [(0, bytes(4096))])
    smb.write_all(handle, [(at, data[at:at + 65536]) for at in range(4096, len(data), 65536)])
    smb.flush(handle)
    smb.write_all(handle, [(0, data[:4096])])
    smb.close(handle)
    wait_state(path, "sealed", 20)
    assert_content(smb, path, data)


def times_second_handle():
    """robocopy and others set the time stamps through a second handle after the close."""
    smb, path, data = session(), STAGE + "/时间.jpg", content(70000, 4)
    smb.put(path, data)
    handle = smb.create(path, WRITE_ATTRIBUTES | READ_ATTRIBUTES, FILE_OPEN)
    smb.set_basic(handle, mtime=1500000000)
    smb.close(handle)
    wait_state(path, "sealed", 20)
    handle = smb.create(path, READ_ATTRIBUTES, FILE_OPEN)
    assert smb.basic(handle)[0] == 1500000000, smb.basic(handle)
    smb.close(handle)


def new_folder():
    """Explorer makes 新建文件夹, renames it, and copies into it."""
    smb = session()
    smb.mkdir(STAGE + "/新建文件夹")
    handle = smb.create(STAGE + "/新建文件夹", READ | DELETE, FILE_OPEN, folder=True)
    smb.rename(handle, STAGE + "/第一现场")
    smb.close(handle)
    data = content(100_000, 5)
    smb.put(STAGE + "/第一现场/照片.jpg", data)
    wait_state(STAGE + "/第一现场/照片.jpg", "sealed", 20)
    assert_content(smb, STAGE + "/第一现场/照片.jpg", data)
    # From its first sealed record on, the folder stays.
    handle = smb.create(STAGE + "/第一现场", READ | DELETE, FILE_OPEN, folder=True)
    status = refusal(smb.rename, handle, STAGE + "/改名")
    smb.close(handle)
    assert status in ("MEDIA_WRITE_PROTECTED", "ACCESS_DENIED", "SHARING_VIOLATION"), status
    assert_content(smb, STAGE + "/第一现场/照片.jpg", data)
    # A case made the same way at the level of the year.
    smb.mkdir("2026/新建文件夹")
    handle = smb.create("2026/新建文件夹", READ | DELETE, FILE_OPEN, folder=True)
    smb.rename(handle, "2026/测试〔2026〕2号")
    smb.close(handle)
    smb.put("2026/测试〔2026〕2号/01受理立案/申请.pdf", data)
    wait_state("2026/测试〔2026〕2号/01受理立案/申请.pdf", "sealed", 20)


def cut_and_again():
    """Cut off in the middle and sent again, SECONDS later, under the same NAME: both are kept."""
    smb, path, data = session(), STAGE + "/" + sys.argv[2], content(4 * MIB, 6)
    handle = smb.create(path, disposition=FILE_CREATE)
    smb.set_end_of_file(handle, len(data))
    smb.write_all(handle, [(at, data[at:at + MIB]) for at in range(0, 2 * MIB, MIB)])
    smb.cut()
    time.sleep(float(sys.argv[3]))
    smb = session()
    end = time.monotonic() + 20
    while True:  # smbd may not yet have noticed that the first client is gone
        try:
            smb.put(path, data)
            break
        except Refused as refused:
            assert str(refused) == "SHARING_VIOLATION" and time.monotonic() < end, refused
            time.sleep(0.2)
    assert_content(smb, path, data)


def readonly_at_create():
    """READONLY in the create is no early commit; the seal comes 2 s after the close."""
    smb, path, data = session(), STAGE + "/只读.wav", content(2 * MIB, 7)
    handle = smb.create(path, disposition=FILE_CREATE, attributes=ATTRIBUTE_READONLY)
    smb.write_all(handle, [(0, data[:MIB])])
    time.sleep(4)
    assert state(path) == "staging", state(path)
    smb.write_all(handle, [(MIB, data[MIB:])])
    smb.close(handle)
    took = wait_state(path, "sealed", 10)
    assert took > 1, "sealed %.2f s after the close, not 2 s" % took
    assert_content(smb, path, data)


def attrib_commits():
    """attrib +r on a closed file is a commit request: sealed within 3 s, whatever the settle time."""
    smb, path = session(), STAGE + "/提交.jpg"
    smb.put(path, content(300_000, 8))
    time.sleep(3)
    assert state(path) == "staging", "settle time of this case is long: %s" % state(path)
    handle = smb.create(path, WRITE_ATTRIBUTES | READ_ATTRIBUTES, FILE_OPEN)
    smb.set_basic(handle, attributes=ATTRIBUTE_READONLY)
    smb.close(handle)
    wait_state(path, "sealed", 3)


def attrib_while_writing():
    """attrib +r through a second handle while a writer is open waits for the writer."""
    smb, path, data = session(), STAGE + "/写时提交.mp4", content(MIB, 9)
    writer = smb.create(path, disposition=FILE_CREATE)
    smb.write_all(writer, [(0, data[:1000])])
    handle = smb.create(path, WRITE_ATTRIBUTES | READ_ATTRIBUTES, FILE_OPEN)
    smb.set_basic(handle, attributes=ATTRIBUTE_READONLY)
    smb.close(handle)
    time.sleep(3.5)
    assert state(path) == "staging", state(path)
    smb.write_all(writer, [(1000, data[1000:])])
    smb.close(writer)
    wait_state(path, "sealed", 6)
    assert_content(smb, path, data)


def delete_sealed():
    """The disposition may be accepted; the CLOSE says MEDIA_WRITE_PROTECTED and nothing is deleted."""
    smb, path, data = session(), STAGE + "/删不掉.mp4", content(50_000, 10)
    smb.put(path, data)
    wait_state(path, "sealed", 20)
    handle = smb.create(path, DELETE | READ_ATTRIBUTES, FILE_OPEN)
    try:
        smb.set_delete(handle)
    except Refused as refused:
        assert str(refused) == "MEDIA_WRITE_PROTECTED", refused
        smb.close(handle)
    else:
        assert refusal(smb.close, handle) == "MEDIA_WRITE_PROTECTED"
    assert_content(smb, path, data)
    assert state(path) == "sealed"
    text = notice(smb)
    assert "删不掉.mp4" in text, "提示.txt does not name the file:\n" + text


def overwrite_sealed():
    """Every way to write to a sealed record is refused with MEDIA_WRITE_PROTECTED."""
    smb, path, data = session(), STAGE + "/改不了.mp4", content(50_000, 11)
    smb.put(path, data)
    wait_state(path, "sealed", 20)
    tries = {
        "overwrite": lambda: smb.put(path, b"x", FILE_OVERWRITE_IF),
        "open for writing": lambda: smb.create(path, READ | WRITE, FILE_OPEN),
    }
    for what, attempt in tries.items():
        status = refusal(attempt)
        assert status == "MEDIA_WRITE_PROTECTED", "%s: %s" % (what, status)
    handle = smb.create(path, DELETE | READ_ATTRIBUTES, FILE_OPEN)
    status = refusal(smb.rename, handle, STAGE + "/改名了.mp4")
    assert status == "MEDIA_WRITE_PROTECTED", "rename: %s" % status
    smb.close(handle)
    smb.put(STAGE + "/替换.mp4", b"new")
    handle = smb.create(STAGE + "/替换.mp4", DELETE | READ_ATTRIBUTES, FILE_OPEN)
    status = refusal(smb.rename, handle, path, replace=True)
    assert status in ("MEDIA_WRITE_PROTECTED", "OBJECT_NAME_COLLISION", "ACCESS_DENIED"), status
    smb.close(handle)
    handle = smb.create(path, WRITE_ATTRIBUTES | READ_ATTRIBUTES, FILE_OPEN)
    status = refusal(smb.set_basic, handle, mtime=1)
    assert status == "MEDIA_WRITE_PROTECTED", "times: %s" % status
    try:
        smb.close(handle)  # Samba tries the pending write time once more
    except Refused as refused:
        assert str(refused) == "MEDIA_WRITE_PROTECTED", refused
    assert_content(smb, path, data)
    assert "改不了.mp4" in notice(smb)


def handle_from_before_the_seal():
    """A handle opened for reading before the seal reads after it; one with DELETE still deletes nothing."""
    smb, path, data = session(), STAGE + "/先开.mp4", content(200_000, 12)
    smb.put(path, data)
    handle = smb.create(path, READ | DELETE, FILE_OPEN)
    wait_state(path, "sealed", 20)
    assert smb.read(handle, 0, len(data)) == data
    try:
        smb.set_delete(handle)
        smb.close(handle)
    except Refused as refused:
        assert str(refused) == "MEDIA_WRITE_PROTECTED", refused
    assert_content(smb, path, data)


def zone_identifier():
    """A downloaded file: the stream is refused, the file itself arrives and is sealed."""
    smb, path, data = session(), STAGE + "/下载.pdf", content(30_000, 13)
    smb.put(path, data)
    status = refusal(smb.create, path + ":Zone.Identifier", READ | WRITE, FILE_OPEN_IF)
    assert status == "OBJECT_NAME_INVALID", status
    wait_state(path, "sealed", 20)
    assert_content(smb, path, data)


def virtual_files():
    """Exact sizes through SMB, own lines only, no writing, for two users."""
    one, two = session("o1"), session("o2")
    one.put(STAGE + "/回执一.txt", b"one" * 100)
    two.put(STAGE + "/回执二.txt", b"two" * 100)
    wait_state(STAGE + "/回执一.txt", "sealed", 20)
    wait_state(STAGE + "/回执二.txt", "sealed", 20, "o2")
    for smb in (one, two):
        for name in ("提示.txt", "入库回执.csv"):
            handle = smb.create(name, READ, FILE_OPEN)
            size = smb.size(handle)
            body = smb.read(handle, 0, size + 4096)
            smb.close(handle)
            assert len(body) == size, "%s: shown %d bytes, read %d" % (name, size, len(body))
            assert refusal(smb.create, name, READ | WRITE, FILE_OPEN) in (
                "MEDIA_WRITE_PROTECTED", "ACCESS_DENIED")
    mine, theirs = receipts(one), receipts(two)
    assert any("回执一.txt" in cell for row in mine for cell in row), mine
    assert not any("回执二.txt" in cell for row in mine for cell in row), mine
    assert any("回执二.txt" in cell for row in theirs for cell in row), theirs
    assert not any("回执一.txt" in cell for row in theirs for cell in row), theirs
    header = mine[0]
    assert any("可清卡" in cell for cell in header), header
    row = next(row for row in mine if any("回执一.txt" in cell for cell in row))
    column = next(i for i, cell in enumerate(header) if "可清卡" in cell)
    assert row[column].startswith("是"), row
    assert hashlib.sha256(b"one" * 100).hexdigest() in row, row


def server_copy():
    """FSCTL_SRV_COPYCHUNK from a sealed record into a new one; never onto a sealed one."""
    smb, data = session(), content(900_000, 14)
    smb.put(STAGE + "/原件.mp4", data)
    wait_state(STAGE + "/原件.mp4", "sealed", 20)
    source = smb.create(STAGE + "/原件.mp4", READ, FILE_OPEN)
    target = smb.create(STAGE + "/副本.mp4", READ | WRITE, FILE_CREATE)
    assert smb.copy_chunks(source, target, len(data)) == len(data)
    smb.close(target)
    smb.close(source)
    wait_state(STAGE + "/副本.mp4", "sealed", 20)
    assert_content(smb, STAGE + "/副本.mp4", data)


def empty_flagged():
    """An empty file is a copy that went wrong: flagged, not silently sealed as evidence."""
    smb, path = session(), STAGE + "/空文件.mp4"
    smb.close(smb.create(path, disposition=FILE_CREATE))
    time.sleep(5)
    assert state(path) != "sealed", "an empty file was sealed"
    rows = [row for row in receipts(smb) if any("空文件.mp4" in cell for cell in row)]
    assert rows, "no line for the empty file in 入库回执.csv"
    assert not any(cell == "是" for cell in rows[0]), rows


def office_save():
    """Word: owner file, temporary file, rename over, delete: one record with the last content."""
    smb, first, last = session(), content(20_000, 15), content(25_000, 16)
    owner = smb.create(CASE + "/草稿/~$笔录.docx", disposition=FILE_CREATE)
    smb.write_all(owner, [(0, bytes(162))])
    smb.put(CASE + "/草稿/笔录.docx", first)
    smb.put(CASE + "/草稿/~WRD0001.tmp", last)
    handle = smb.create(CASE + "/草稿/笔录.docx", DELETE | READ_ATTRIBUTES, FILE_OPEN)
    smb.rename(handle, CASE + "/草稿/~WRL0002.tmp")
    smb.close(handle)
    handle = smb.create(CASE + "/草稿/~WRD0001.tmp", DELETE | READ_ATTRIBUTES, FILE_OPEN)
    smb.rename(handle, CASE + "/草稿/笔录.docx")
    smb.close(handle)
    for junk in ("~WRL0002.tmp", "~$笔录.docx"):
        if junk.startswith("~$"):
            smb.close(owner)
        handle = smb.create(CASE + "/草稿/" + junk, DELETE | READ_ATTRIBUTES, FILE_OPEN)
        smb.set_delete(handle)
        smb.close(handle)
    assert_content(smb, CASE + "/草稿/笔录.docx", last)
    time.sleep(4)
    assert state(CASE + "/草稿/笔录.docx") == "staging", "a draft is never sealed"
    # Moving it into a stage starts the settling.
    handle = smb.create(CASE + "/草稿/笔录.docx", DELETE | READ_ATTRIBUTES, FILE_OPEN)
    smb.rename(handle, STAGE + "/笔录.docx")
    smb.close(handle)
    wait_state(STAGE + "/笔录.docx", "sealed", 20)
    assert_content(smb, STAGE + "/笔录.docx", last)


def flush_for_kill():
    """Writes and FLUSHes without closing, prints the hash of what is acknowledged, and waits."""
    smb, path, data = session(), STAGE + "/冲刷.mp4", content(5 * MIB + 777, 17)
    handle = smb.create(path, disposition=FILE_CREATE)
    smb.write_all(handle, [(at, data[at:at + MIB]) for at in range(0, len(data), MIB)])
    smb.flush(handle)
    print(hashlib.sha256(data).hexdigest(), flush=True)
    time.sleep(60)


def marked_upload():
    """marked_upload PATH SOURCE: sends a file, FLUSHes, says so, and keeps it open."""
    smb = session()
    with open(sys.argv[3], "rb") as source:
        data = source.read()
    handle = smb.create(sys.argv[2], disposition=FILE_CREATE)
    smb.write_all(handle, [(at, data[at:at + 65536]) for at in range(0, len(data), 65536)])
    smb.flush(handle)
    smb.write_all(handle, [(0, data[:5000])])  # a rewrite of what was acknowledged: the redo file
    smb.flush(handle)
    print("flushed", flush=True)
    time.sleep(60)


def twenty_files():
    """Load of one user among several: packets.py twenty_files USER FOLDER."""
    user, folder = sys.argv[2], sys.argv[3]
    smb = session(user)
    smb.mkdir(folder)
    files = {"%s/文件%02d.bin" % (folder, n): content(20_000 + 37_000 * n, n) for n in range(20)}
    for path, data in files.items():
        smb.put(path, data)
    for path, data in files.items():
        wait_state(path, "sealed", 40, user)
        assert_content(smb, path, data)


CASES = {name: value for name, value in list(globals().items())
         if callable(value) and getattr(value, "__module__", "") == "__main__" and value.__doc__}

if __name__ == "__main__":
    CASES[sys.argv[1]]()
