#!/usr/bin/python3
"""export.py OUT: exports a case of 4 GiB to tar and compares with `cat` of the same records through the mount piped to sha256sum,
turn by turn, caches dropped before each; the bundle is verified once. Ends with 1 when a figure is missed. BENCH_DIR, ROUNDS (3), MIB (4096)."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

OUT = os.path.abspath(sys.argv[1])
TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
MIB = int(os.environ.get("MIB", "4096"))
RECORDS = 4


def main():
    base = tempfile.mkdtemp(prefix="srt-bench.", dir=os.environ.get("BENCH_DIR", "/dev/shm"))
    os.chmod(base, 0o755)
    vault, mount = base + "/vault", base + "/mnt"
    os.mkdir(mount)

    def run(*arguments, uid=0):
        def become():
            if uid:
                os.setgid(uid)
                os.setuid(uid)
        done = subprocess.run(arguments, capture_output=True, preexec_fn=become, check=False)
        if done.returncode:
            sys.exit("%s: %s" % (arguments, done.stderr.decode()))
        return done.stdout

    def tool(uid, *arguments):
        return run(OUT + "/strongroom", "-C", vault, *arguments, uid=uid)

    def write(name, text):
        with open(base + "/" + name, "w", encoding="utf-8") as out:
            out.write(text)
        return base + "/" + name

    def cold():
        os.sync()
        with open("/proc/sys/vm/drop_caches", "w", encoding="utf-8") as out:
            out.write("3")

    def timed(*arguments):
        cold()
        start = time.monotonic()
        said = run(*arguments, uid=20003)
        return time.monotonic() - start, said

    try:
        secret = write("passphrase", "the passphrase of a benchmark\n")
        accounts = write("accounts", "sysadmin:bench_sa:sa:x\nsecoff:bench_so:so:x\nauditor:bench_au:au:x\n")
        run(OUT + "/strongroom", "init", vault, "--passphrase-file", secret, "--accounts", accounts, "--no-accounts")
        run(OUT + "/strongroomd", vault, mount, "--passphrase-file", secret, "--policy", TOP + "/policy", "--allow-other", "--no-accounts",
            "--settle", "3600")
        while not os.path.ismount(mount):
            time.sleep(0.05)
        tool(20000, "user", "add", "bench_head", "--role", "head")
        tool(20003, "case", "open", "2026", "bench")
        folder = mount + "/2026/bench/02调查取证"
        paths = []
        for number in range(RECORDS):
            paths.append("%s/%d.mp4" % (folder, number))
            run("dd", "if=/dev/urandom", "of=" + paths[-1], "bs=1M", "count=%d" % (MIB // RECORDS), "conv=fsync", "status=none", uid=20003)
            tool(20003, "seal", "/2026/bench/02调查取证/%d.mp4" % number, "--wait", "120")
        media = base + "/media"
        os.mkdir(media)
        os.chmod(media, 0o777)
        ratios = []
        for number in range(ROUNDS):
            plain = timed("bash", "-c", 'cat "$@" | sha256sum', "cat", *paths)[0]
            export, _ = timed("/usr/bin/env", "time", "-f", "%M", "-o", media + "/rss", OUT + "/strongroom", "-C", vault, "export", "/2026/bench",
                              "--out", media + "/bundle.tar")
            with open(media + "/rss", encoding="utf-8") as text:
                resident = int(text.read().split()[-1]) / 1024
            ratios.append((plain / export, plain, export))
            print("round %d: cat | sha256sum %.2f s (%.0f MiB/s), export %.2f s (%.0f MiB/s), %.2f x, resident %.0f MiB"
                  % (number + 1, plain, MIB / plain, export, MIB / export, plain / export, resident))
            if number + 1 < ROUNDS:
                os.unlink(media + "/bundle.tar")
        run(OUT + "/strongroom", "verify", media + "/bundle.tar")
        ratio = sorted(ratios)[len(ratios) // 2][0]
        bad = ratio < 0.8 or resident >= 64
        print("export to tar: %.2f x cat | sha256sum (required 0.8), resident %.0f MiB (required < 64): %s"
              % (ratio, resident, "MISS" if bad else "PASS"))
        return 1 if bad else 0
    finally:
        subprocess.run(["pkill", "-TERM", "-f", "strongroomd %s " % vault], check=False)
        while os.path.ismount(mount):
            time.sleep(0.1)
        time.sleep(1)
        subprocess.run(["chattr", "-R", "-i", base], check=False, capture_output=True)
        shutil.rmtree(base, ignore_errors=True)


sys.exit(main())
