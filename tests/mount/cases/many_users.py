"""Several people and programs at once in one folder: nobody loses a byte, each name is one record."""
import hashlib
import os

import mount

WRITERS, FILES = 6, 25


def writer(folder, number):
    hashes = {}
    for index in range(FILES):
        name = "%s/%d-%d.jpg" % (folder, number, index)
        data = os.urandom(1 + (index * 7919 * (number + 1)) % 180000)
        mount.write(name, data, "o1" if number % 2 else "o2")
        hashes[name] = hashlib.sha256(data).hexdigest()
    return hashes


def main():
    folder = mount.place()
    children = []
    for number in range(WRITERS):
        reader, sender = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.write(sender, repr(writer(folder, number)).encode())
                status = 0
            finally:
                os._exit(status)
        os.close(sender)
        children.append((pid, reader))
    wanted = {}
    for pid, reader in children:
        with os.fdopen(reader, "rb") as pipe:
            text = pipe.read()
        assert os.waitpid(pid, 0)[1] == 0
        wanted.update(eval(text))  # our own child's repr of a dict of strings
    for name, digest in wanted.items():
        mount.wait_state(name, seconds=40)
        assert hashlib.sha256(mount.read(name)).hexdigest() == digest, name
    with mount.person("sv"):
        assert {folder + "/" + n for n in os.listdir(folder)} == set(wanted)


main()
