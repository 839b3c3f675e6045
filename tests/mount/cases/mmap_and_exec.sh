# The mount runs no programs, and shared writable maps do not exist (MAP_PRIVATE ones do).
d=$(place)
as o1 cp /usr/bin/true "$d/true.bin"
refused 'Permission denied' as o1 "$d/true.bin"
as o1 /usr/bin/python3 - "$d/a.bin" <<'P'
import errno, mmap, os, sys
fd = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR)
os.write(fd, b"x" * 8192)
assert mmap.mmap(fd, 4096, mmap.MAP_PRIVATE)[0] == ord("x")
try:
    mmap.mmap(fd, 4096, mmap.MAP_SHARED)
    sys.exit("mapped")
except OSError as error:
    assert error.errno == errno.ENODEV, error
P
