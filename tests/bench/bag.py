#!/usr/bin/python3
"""bag.py TOOL [MIB]: how fast `strongroom verify` checks a bag (default 4096 MiB in 64 files), beside sha256sum of the same
bytes, as folder and as tar; both sides in turn, medians of 3. Prints one figure a line; exit status 1 when a required one is
missed: 0.9 x sha256sum, 64 MiB resident (issue 5)."""
import hashlib
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

TOOL, MIB = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 4096
FILES, ROUNDS, REQUIRED, REQUIRED_MIB = 64, 3, 0.9, 64


def run(*command):
    """Seconds, and the most MiB that were resident."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"bag bench: {command} ended with {status}")
    return time.monotonic() - start, usage.ru_maxrss / 1024


def make(folder):
    objects = os.path.join(folder, "data", "objects")
    os.makedirs(objects)
    lines, size = [], MIB * 1048576 // FILES
    for number in range(FILES):
        name, digest = f"data/objects/{number:04}.mp4", hashlib.sha256()
        with open(os.path.join(folder, name), "wb") as out:
            for _ in range(size // 1048576):
                piece = os.urandom(1048576)
                digest.update(piece)
                out.write(piece)
        lines.append(f"{digest.hexdigest()}  {name}\n")
    for name, text in (("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"), ("manifest-sha256.txt", "".join(lines))):
        with open(os.path.join(folder, name), "w", encoding="ascii") as out:
            out.write(text)


with tempfile.TemporaryDirectory(prefix="srt-bench.", dir=os.environ.get("BENCH_DIR", "/dev/shm")) as work:
    bag, package = os.path.join(work, "bag"), os.path.join(work, "bag.tar")
    make(bag)
    with tarfile.open(package, "w") as out:
        out.add(bag, "bag")
    files = [os.path.join(bag, "data", "objects", name) for name in sorted(os.listdir(os.path.join(bag, "data", "objects")))]
    sums, folders, tars, resident = [], [], [], 0
    for _ in range(ROUNDS):
        sums.append(run("sha256sum", "--", *files)[0])
        for times, path in ((folders, bag), (tars, package)):
            seconds, mib = run(TOOL, "verify", path)
            times.append(seconds)
            resident = max(resident, mib)
missed = resident > REQUIRED_MIB
for name, times in (("folder", folders), ("tar", tars)):
    ratio = statistics.median(sums) / statistics.median(times)
    missed |= ratio < REQUIRED
    print(f"bag_verify_{name} {MIB / statistics.median(times):.0f} MiB/s, {ratio:.2f} x sha256sum (required: {REQUIRED})")
print(f"bag_verify_resident {resident:.0f} MiB (required: under {REQUIRED_MIB})")
sys.exit(missed)
