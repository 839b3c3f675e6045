# limit: 120
"""Random writes, reads, truncations, reopens and renames against a model in memory, and the sealed
record once more: what a file system owes every program. The seed is printed; SEED= repeats."""
import os
import random
import time

import mount

LIMIT = 700000  # eleven segments of 64 KiB
SECONDS = 15


class Model:
    def __init__(self, path, rng):
        self.path, self.rng, self.data = path, rng, bytearray()
        self.fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)

    def span(self, limit):
        """Offsets and lengths that like the borders of segments."""
        near = self.rng.choice([0, 4096, 65536, 65568, 131072, LIMIT // 2, self.rng.randrange(LIMIT)])
        start = min(max(0, near + self.rng.choice([-1, 0, 1, self.rng.randrange(-500, 500)])), limit)
        return start, self.rng.choice([1, 2, 511, 4096, 65536, 65537, self.rng.randrange(1, 200000)])

    def write(self):
        start, length = self.span(LIMIT)
        data = self.rng.randbytes(length)
        if start > len(self.data):
            self.data.extend(bytes(start - len(self.data)))
        self.data[start:start + length] = data
        assert os.pwrite(self.fd, data, start) == length

    def append(self):
        data = self.rng.randbytes(self.rng.randrange(1, 5000))
        if len(self.data) + len(data) > 2 * LIMIT:
            return
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        assert os.write(fd, data) == len(data)
        os.close(fd)
        self.data.extend(data)

    def read(self):
        start, length = self.span(len(self.data))
        got = os.pread(self.fd, length, start)
        assert got == bytes(self.data[start:start + length]), "read of %d at %d" % (length, start)

    def truncate(self):
        size = self.rng.choice([1, 65536, 65535, self.rng.randrange(1, LIMIT)])
        (os.ftruncate(self.fd, size) if self.rng.random() < 0.5 else os.truncate(self.path, size))
        if size < len(self.data):
            del self.data[size:]
        else:
            self.data.extend(bytes(size - len(self.data)))

    def size(self):
        assert os.fstat(self.fd).st_size == len(self.data)
        assert os.stat(self.path).st_size == len(self.data)

    def sync(self):
        os.fsync(self.fd)

    def reopen(self):
        os.close(self.fd)
        self.fd = os.open(self.path, os.O_RDWR)

    def rename(self):
        target = self.path + "x" if not self.path.endswith("x") else self.path[:-1]
        os.rename(self.path, target)
        self.path = target

    def whole(self):
        assert os.pread(self.fd, len(self.data) + 10, 0) == bytes(self.data), "whole content"


def one_file(folder, seed):
    rng = random.Random(seed)
    model = Model("%s/%d.mp4" % (folder, seed), rng)
    steps = [model.write] * 8 + [model.read] * 6 + [model.append, model.truncate, model.size, model.sync,
                                                    model.reopen, model.rename, model.whole]
    log = []
    try:
        for _ in range(rng.randrange(20, 150)):
            step = rng.choice(steps)
            log.append(step.__name__)
            step()
        model.whole()
        model.size()
        os.close(model.fd)
    except (AssertionError, OSError) as error:
        mount.die("SEED=%d: %s after %s" % (seed, error, " ".join(log)))
    return model


def main():
    folder = mount.place()
    seed = int(os.environ.get("SEED") or int(time.time()))
    print("SEED=%d" % seed)
    models, end = [], time.monotonic() + SECONDS
    with mount.person("o1"):
        while time.monotonic() < end:
            models.append(one_file(folder, seed))
            seed += 1
    for model in models:
        if not model.data:
            continue
        mount.eventually(30, lambda p=model.path: mount.state(p) in ("sealed", "incomplete"), model.path)
        if mount.read(model.path) != bytes(model.data):
            mount.die("%s: the sealed record differs" % model.path)
    print("%d files" % len(models))


main()
