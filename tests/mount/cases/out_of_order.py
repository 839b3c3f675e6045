"""As Samba writes: end of file set first, eight threads at once, pieces in any order, header last."""
import os
import random
import threading

import mount


def main():
    path = mount.place() + "/执法记录.mp4"
    content = os.urandom(9 * 1024 * 1024 + 12345)
    piece = 1024 * 1024
    offsets = list(range(0, len(content), piece))
    random.shuffle(offsets)
    with mount.person("o1"):
        fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
        os.ftruncate(fd, len(content))

        def worker(mine):
            for offset in mine:
                data = content[offset:offset + piece] if offset else bytes(piece)
                assert os.pwrite(fd, data, offset) == len(data)

        threads = [threading.Thread(target=worker, args=(offsets[i::8],)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        os.pwrite(fd, content[:piece], 0)
        os.utime(fd, ns=(1, 1600000000000000001))
        os.close(fd)
    mount.wait_state(path)
    assert mount.read(path) == content
    with mount.person("o1"):
        assert os.stat(path).st_mtime_ns == 1600000000000000001


main()
