# limit: 240
"""A listing of 5,000 entries misses none that was there when it began, while others are made; cookies
are stable: a listing resumed anywhere goes on where it was."""
import ctypes
import os
import threading

import mount

COUNT = 5000


def main():
    folder = mount.place()
    wanted = set()
    stop = threading.Event()
    with mount.person("o1"):
        for number in range(COUNT):
            name = "照片%05d.tmp" % number  # scratch: the ledger has enough to do without sealing them
            os.close(os.open(folder + "/" + name, os.O_CREAT | os.O_WRONLY, 0o644))
            wanted.add(name)

        def maker():
            number = 0
            while not stop.is_set():
                os.close(os.open("%s/同时%05d.tmp" % (folder, number), os.O_CREAT | os.O_WRONLY, 0o644))
                number += 1

        thread = threading.Thread(target=maker)
        thread.start()
        try:
            for _ in range(10):
                names = os.listdir(folder)
                assert len(names) == len(set(names)), "names twice"
                missing = wanted - set(names)
                assert not missing, "%d names missing" % len(missing)
        finally:
            stop.set()
            thread.join()
        check_resume(folder)


def check_resume(folder):
    """telldir, seekdir: from every hundredth entry on, the rest is the same."""
    libc = mount.libc
    libc.opendir.restype = libc.readdir.restype = ctypes.c_void_p
    libc.telldir.restype = ctypes.c_long
    libc.telldir.argtypes = libc.readdir.argtypes = libc.closedir.argtypes = [ctypes.c_void_p]
    libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
    stream = libc.opendir(os.fsencode(folder))

    def next_name():
        entry = libc.readdir(stream)
        return ctypes.string_at(entry + 19) if entry else None  # d_name of struct dirent64

    names, places = [], []
    while True:
        places.append(libc.telldir(stream))
        name = next_name()
        if name is None:
            break
        names.append(name)
    assert names[0] == b"." and names[1] == b"..", names[:2]
    for at in list(range(0, len(names), 100)) + [1, 2, 3]:
        libc.seekdir(stream, places[at])
        assert next_name() == names[at], at
    libc.closedir(stream)


main()
