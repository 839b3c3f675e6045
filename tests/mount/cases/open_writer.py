"""The seal waits for the last writer; a descriptor for writing on an incomplete record writes nothing
unless it truncates, which makes a new version."""
import errno
import os
import time

import mount


def main():
    path = mount.place() + "/长.mp4"
    with mount.person("o1"):
        fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
        os.write(fd, b"begin")
        again = os.open(path, os.O_RDWR)
        os.close(again)
        os.chmod(path, 0o444)  # a commit request; it takes effect after the last close
    time.sleep(4)
    assert mount.state(path) == "staging"
    with mount.person("o1"):
        os.write(fd, b" end")
        os.close(fd)
    mount.wait_state(path)
    assert mount.read(path) == b"begin end"
    mount.tool("o1", "record", "incomplete", mount.shown(path), "--reason", "拷贝中断")
    assert mount.state(path) == "incomplete"
    with mount.person("o1"):
        fd = os.open(path, os.O_WRONLY)
        mount.refuses(errno.EROFS, lambda: os.pwrite(fd, b"x", 0), "write without truncation")
        mount.refuses(errno.EROFS, lambda: os.ftruncate(fd, 2), "ftruncate to other than 0")
        os.close(fd)
    assert mount.read(path) == b"begin end"
    mount.write(path, b"sent again")
    mount.wait_state(path)
    assert mount.read(path) == b"sent again"
    assert len(mount.tool("o1", "record", "versions", mount.shown(path))) == 2
    assert any(e["op"] == "write" and e["reason"] == "sealed" for e in mount.refusals("o1"))


main()
