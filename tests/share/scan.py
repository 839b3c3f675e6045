#!/usr/bin/python3
"""scan.py IMAGE MARKERS: looks for each line of MARKERS in the raw bytes of IMAGE, as UTF-8 and as
UTF-16LE, and prints what it finds: encoding, offset, marker. Exit status 0: found nothing, 1: found."""
import mmap
import sys


def scan(image, markers):
    found = 0
    with open(image, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for marker in markers:
            for encoding in ("utf-8", "utf-16-le"):
                at = data.find(marker.encode(encoding))
                if at >= 0:
                    print("%s at %d: %s" % (encoding, at, marker))
                    found += 1
    return found


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as lines:
        wanted = [line.rstrip("\n") for line in lines if line.strip()]
    assert wanted and min(len(marker) for marker in wanted) >= 4, "markers are too short to mean anything"
    sys.exit(1 if scan(sys.argv[1], wanted) else 0)
