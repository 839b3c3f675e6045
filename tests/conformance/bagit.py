#!/usr/bin/python3
"""bagit.py TOOL VECTORS: the public BagIt conformance suite, case for case, each as a folder, tar, zip and ISO; and bags
of ours with one thing wrong each, which has to be named. Prints what failed, and last `bagit: N passed, N failed, 0 skipped`."""
import base64
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
import zipfile

TOOL, VECTORS = sys.argv[1], sys.argv[2]
ABSOLUTE, HOME, WINDOWS, DOTS = "an absolute path", "begins with ~", "a backslash", '".."'
# Case: exit status, and what has to be said.
SUITE = {
    "v0.97/valid/ISO-8859-1-encoded-tag-files": (0, "ISO-8859-1"),
    "v0.97/valid/UTF-16-encoded-tag-files": (0, "UTF-16"),
    "v0.97/valid/bag-in-a-bag": (0, ": valid"),
    "v0.97/valid/bag-with-encoded-names": (0, ": valid"),
    "v0.97/valid/bag-with-escapable-characters": (0, ": valid"),
    "v0.97/valid/bag-with-leading-dot-slash-in-manifest": (0, ": valid"),
    "v0.97/valid/bag-with-space": (0, ": valid"),
    "v0.97/valid/basic-bag": (0, ": valid"),
    "v0.97/valid/duplicate-metadata-entries": (0, ": valid"),
    "v0.97/valid/holey-bag": (0, ": valid"),
    "v0.97/valid/minimal-bag": (0, ": valid"),
    "v0.97/valid/uncommon-metadata-separators": (0, ": valid"),
    "v0.97/warning/duplicate-file-with-different-case": (0, "WARNING data/HELLO.txt: is there only as data/hello.txt"),
    "v0.97/warning/made-with-md5sum-tools": (0, 'WARNING manifest-md5.txt: has "*"'),
    "v0.97/warning/relative-path": (0, 'WARNING manifest-sha512.txt: has "./"'),
    "v0.97/warning/same-filename-listed-twice-with-different-normalization": (0, "WARNING data/N"),
    "v0.97/warning/same-filename-listed-twice-with-the-same-hash": (0, "WARNING data/README: stands twice"),
    "v0.97/warning/special-system-files": (0, "WARNING data/.DS_Store: stands in manifest-sha512.txt and is not there"),
    "v0.97/invalid/baginfo-missing-encoding": (1, "BAD bagit.txt: its second line"),
    "v0.97/invalid/bom-in-bagit.txt": (1, "BAD bagit.txt: begins with a byte order mark"),
    "v0.97/invalid/corrupt-data-file": (1, "BAD data/bare-filename: is not what manifest-md5.txt says"),
    "v0.97/invalid/corrupt-tag-file": (1, "BAD bag-info.txt: is not what tagmanifest-md5.txt says"),
    "v0.97/invalid/extra-file-in-bag": (1, "BAD data/bar: is payload and stands in no manifest"),
    "v0.97/invalid/invalid-version-number": (1, "BAD bagit.txt: its first line"),
    "v0.97/invalid/missing-baginfo": (1, "BAD bag-info.txt: stands in tagmanifest-md5.txt and is not there"),
    "v0.97/invalid/missing-bagit.txt": (1, "BAD bagit.txt: is not there"),
    "v0.97/invalid/out-of-scope-file-paths-using-dot-notation": (1, DOTS),
    "v0.97/invalid/out-of-scope-file-paths-using-dot-notation-for-fetch": (1, DOTS),
    "v0.97/invalid/same-filename-listed-twice-with-different-hashes": (1, "BAD data/README: stands twice"),
    "v0.97/linux-only/out-of-scope-file-paths-using-absolute-path": (1, ABSOLUTE),
    "v0.97/linux-only/out-of-scope-file-paths-using-absolute-path-for-fetch": (1, ABSOLUTE),
    "v0.97/linux-only/out-of-scope-file-paths-using-shortcut": (1, HOME),
    "v0.97/linux-only/out-of-scope-file-paths-using-shortcut-for-fetch": (1, HOME),
    "v0.97/linux-only/out-of-scope-file-paths-using-shortcut-username": (1, HOME),
    "v0.97/linux-only/out-of-scope-file-paths-using-shortcut-username-for-fetch": (1, HOME),
    "v0.97/windows-only/out-of-scope-file-paths-using-absolute-path": (1, WINDOWS),
    "v0.97/windows-only/out-of-scope-file-paths-using-absolute-path-for-fetch": (1, WINDOWS),
    "v0.97/windows-only/out-of-scope-file-paths-using-shortcut": (1, WINDOWS),
    "v0.97/windows-only/out-of-scope-file-paths-using-shortcut-for-fetch": (1, WINDOWS),
    "v0.97/windows-only/out-of-scope-file-paths-using-unc": (1, WINDOWS),
    "v0.97/windows-only/out-of-scope-file-paths-using-unc-for-fetch": (1, WINDOWS),
    "v1.0/valid/basicBag": (0, ": valid"),
    "v1.0/invalid/bagit-with-invalid-whitespace": (1, "BAD bagit.txt: its first line"),
    "v1.0/invalid/notAllManifestsListAllFiles": (1, "does not stand in manifest-sha512.txt"),
    "v1.0/invalid/same-filename-listed-twice-with-different-hashes": (1, "BAD"),
    "v1.0/invalid/same-filename-listed-twice-with-the-same-hash": (1, "BAD data/README: stands twice"),
}
counts = {True: 0, False: 0}


def judge(name, path, status, said, *options):
    run = subprocess.run([TOOL, "verify", path, *options], capture_output=True)
    output = (run.stdout + run.stderr).decode("utf-8", "replace")
    good = run.returncode == status and said in output
    counts[good] += 1
    if not good:
        print(f"FAIL {name}: exit status {run.returncode}, expected {status} with {said!r}:\n{output}")


# --- packing ---------------------------------------------------------------------------------------------


def pack_tar(folder, out):
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as package:
        package.add(folder, "bag")


def pack_zip(folder, out):
    with zipfile.ZipFile(out, "w") as package:
        for at, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(at, name)
                package.write(path, "bag/" + os.path.relpath(path, folder))


def pack_iso(folder, out):
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-iso-level", "3", "-R", "-o", out, "-graft-points", "bag=" + folder],
                   check=True, capture_output=True)


PACKERS = {"tar": pack_tar, "zip": pack_zip, "iso": pack_iso}


def suite(work):
    there = {os.path.relpath(os.path.join(at, name), VECTORS)
             for at, folders, _ in os.walk(VECTORS) for name in folders if at.count(os.sep) - VECTORS.count(os.sep) == 2}
    if there != set(SUITE):
        counts[False] += 1
        print(f"FAIL the table of cases: {there ^ set(SUITE)}")
    for name, (status, said) in SUITE.items():
        folder = os.path.join(VECTORS, name)
        judge(name, folder, status, said)
        for kind, pack in PACKERS.items():
            package = os.path.join(work, "suite." + kind)
            pack(folder, package)
            judge(f"{name} as {kind}", package, status, said)
            os.unlink(package)


# --- bags with one thing wrong ---------------------------------------------------------------------------------

PAYLOAD = {"data/objects/0001.mp4": b"film" * 1000, "data/docs/0001.ofd": b"paper", "data/空.txt": b"",
           "data/two%0Alines": b"a name of two lines"}


def lines(files, algorithm="sha256"):
    return "".join(f"{hashlib.new(algorithm, data).hexdigest()}  {name.replace('%', '%25')}\n"
                   for name, data in sorted(files.items())).encode()


def sound():
    files = dict(PAYLOAD)
    files["bagit.txt"] = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    files["bag-info.txt"] = f"Source-Organization: 卫健委\nPayload-Oxum: {sum(map(len, PAYLOAD.values()))}.{len(PAYLOAD)}\n".encode()
    for algorithm in ("sha256", "sha512"):
        files[f"manifest-{algorithm}.txt"] = lines(PAYLOAD, algorithm)
    return files


def with_tags(files):
    files["tagmanifest-sha256.txt"] = lines({n: d for n, d in files.items() if not n.startswith("data/")})
    return files


def write(files, folder):
    for name, data in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(data)


def damages():
    """name, files, exit status, what has to be said."""
    def change(status, said, **changed):
        files = sound()
        for name, value in changed.items():
            old = files.get(names[name], b"")
            new = value(old) if callable(value) else value
            if new is None:
                del files[names[name]]
            else:
                files[names[name]] = new
        return files, status, said
    names = {"declaration": "bagit.txt", "info": "bag-info.txt", "manifest": "manifest-sha256.txt", "second": "manifest-sha512.txt",
             "film": "data/objects/0001.mp4", "more": "data/more", "fetch": "fetch.txt", "capital": "manifest-SHA256.txt",
             "unknown": "manifest-blake3.txt", "sm3": "manifest-sm3.txt", "system": "data/.DS_Store", "twin": "data/OBJECTS/0001.MP4",
             "nfd": "data/" + unicodedata.normalize("NFD", "Núñez"), "nfc": "data/Núñez"}
    yield "nothing", *change(0, ": valid")
    yield "a payload byte", *change(1, "BAD data/objects/0001.mp4: is not what manifest-sha256.txt says", film=lambda d: b"F" + d[1:])
    yield "a payload file gone", *change(1, "BAD data/objects/0001.mp4: stands in manifest-sha256.txt and is not there", film=None)
    yield "a payload file more", *change(1, "BAD data/more: is payload and does not stand in manifest-sha256.txt", more=b"x")
    for number in range(len(PAYLOAD)):
        def spoil(text, at=number):
            rows = text.split(b"\n")
            rows[at] = (b"0" if rows[at][:1] != b"0" else b"1") + rows[at][1:]
            return b"\n".join(rows)
        yield f"line {number + 1} of a manifest", *change(1, "is not what manifest-sha256.txt says", manifest=spoil)
    yield "the oxum", *change(1, "Payload-Oxum says 1 bytes", info=b"Payload-Oxum: 1.4\n")
    yield "a malformed oxum", *change(1, "that is not \"OCTETS.FILES\"", info=b"Payload-Oxum: many\n")
    yield "a manifest in UTF-16", *change(1, "BAD manifest-sha256.txt: is in UTF-16", manifest=lambda d: b"\xff\xfe" + d.decode().encode("utf-16-le"))
    yield "a manifest with a mark", *change(1, "BAD manifest-sha256.txt: begins with a byte order mark", manifest=lambda d: b"\xef\xbb\xbf" + d)
    yield "a manifest with a NUL", *change(1, "BAD manifest-sha256.txt: is not text", manifest=lambda d: d + b"\0")
    yield "a manifest in GB18030", *change(1, "BAD manifest-sha256.txt: is not text", manifest=lambda d: d.decode().encode("gb18030"))
    yield "GB18030, and said so", *change(0, ": valid", manifest=lambda d: d.decode().encode("gb18030"),
                                          second=lambda d: d.decode().encode("gb18030"), info=lambda d: d.decode().encode("gb18030"),
                                          declaration=lambda d: d.replace(b"UTF-8", b"GB18030"))
    yield "an encoding that is none", *change(1, "in an encoding that is not known", declaration=lambda d: d.replace(b"UTF-8", b"KLINGON"))
    yield "an encoding with a path", *change(1, "BAD bagit.txt: its second line", declaration=lambda d: d.replace(b"UTF-8", b"/tmp/x"))
    yield "a version to come", *change(1, "its version is not known", declaration=lambda d: d.replace(b"1.0", b"2.0"))
    yield "a third line", *change(1, "more than its two lines", declaration=lambda d: d + b"X: y\n")
    yield "an algorithm in capitals", *change(1, "BAD manifest-SHA256.txt: has the algorithm in capitals", capital=lines(PAYLOAD), manifest=None)
    yield "an algorithm unknown", *change(0, "WARNING manifest-blake3.txt: is not checked", unknown=b"00  data/x\n")
    yield "only an algorithm unknown", *change(1, "no payload manifest with an algorithm known", unknown=b"00  data/x\n", manifest=None, second=None)
    yield "SM3, and wrong", *change(1, "is not what manifest-sm3.txt says", sm3=b"".join(b"0" * 64 + row[64:] + b"\n" for row in lines(PAYLOAD).split(b"\n") if row))
    yield "no manifest", *change(1, "no payload manifest", manifest=None, second=None)
    yield "an empty line", *change(0, "WARNING manifest-sha256.txt: line 5 is empty", manifest=lambda d: d + b"\n")
    yield "a line without a path", *change(1, "BAD manifest-sha256.txt: line 5 is not a digest", manifest=lambda d: d + b"00\n")
    yield "a digest too short", *change(1, "a digest of another length", manifest=lambda d: d + b"00  data/x\n")
    for path in (b"../up", b"/etc/passwd", b"~/x", b"data/a\\b", b"C:x", b"data//x", b"data/./x", b"data/../../x"):
        yield f"the path {path}", *change(1, "in manifest-sha256.txt: ", manifest=lambda d, p=path: d + b"0" * 64 + b"  " + p + b"\n")
    yield "a tag file as payload", *change(1, "outside of data/", manifest=lambda d: d + b"0" * 64 + b"  bagit.txt\n")
    yield "a path twice", *change(1, "stands twice in manifest-sha256.txt", manifest=lambda d: d + d.split(b"\n")[0] + b"\n")
    yield "to be fetched", *change(1, "stands in fetch.txt and has not been fetched", film=None, fetch=b"https://example.org/x - data/objects/0001.mp4\n")
    yield "to be fetched, and unknown", *change(1, "stands in fetch.txt and in no manifest", fetch=b"https://example.org/x 12 data/y\n")
    yield "a fetch that is none", *change(1, "BAD fetch.txt: line 1 is not", fetch=b"https://example.org/x\n")
    for extra, said in ((("system",), "is a file of a system"), (("twin",), "are one name on systems"), (("nfd", "nfc"), "are one name on systems"),
                        (("nfd",), ": valid")):
        files = sound()
        files.update({names[key]: b"x" for key in extra})
        payload = {n: d for n, d in files.items() if n.startswith("data/")}
        del files["bag-info.txt"]
        for algorithm in ("sha256", "sha512"):
            files[f"manifest-{algorithm}.txt"] = lines(payload, algorithm)
        yield f"with {extra}", files, 0, said


def wrong_bags(work):
    for name, files, status, said in damages():
        folder = os.path.join(work, "wrong")
        write(with_tags(files), folder)
        judge(name, folder, status, said)
        for kind in ("tar", "zip"):
            package = os.path.join(work, "wrong." + kind)
            PACKERS[kind](folder, package)
            if "nfc" in name:  # an archive's names are read composed
                status, said = 1, "is there twice"
            judge(f"{name} as {kind}", package, status, said)
        shutil.rmtree(folder)
    files = with_tags(sound())
    for name in [n for n in files if n.endswith(".txt") and not n.startswith(("data/", "tagmanifest"))]:
        write(files | {name: files[name].replace(b"\n", b"\r\n")}, folder)
        judge(f"line ends of {name}", folder, 1, f"BAD {name}: is not what tagmanifest-sha256.txt says")
        shutil.rmtree(folder)


def wrong_packages(work):
    files = with_tags(sound())
    package = os.path.join(work, "package")

    def tar(*members):
        with tarfile.open(package, "w") as out:
            for name, data in [("bag/" + n, d) for n, d in files.items()] + list(members):
                info = data if isinstance(data, tarfile.TarInfo) else tarfile.TarInfo(name)
                info.name = name
                info.size = 0 if isinstance(data, tarfile.TarInfo) else len(data)
                out.addfile(info, None if isinstance(data, tarfile.TarInfo) else io.BytesIO(data))

    def of_type(kind, to=""):
        info = tarfile.TarInfo()
        info.type, info.linkname = kind, to
        return info
    for name, member, said in (
            ("a path out of the archive", ("bag/../../out", b"x"), '".." leads out'),
            ("an absolute path", ("/etc/cron.d/x", b"x"), "an absolute path leads out"),
            ("a member twice", ("bag/data/docs/0001.ofd", b"other"), "BAD bag/data/docs/0001.ofd: is there twice"),
            ("a file beside the bag", ("other/x", b"x"), "lies beside the bag's folder"),
            ("a symbolic link", ("bag/data/link", of_type(tarfile.SYMTYPE, "/etc/passwd")), "is a link"),
            ("a hard link", ("bag/data/link", of_type(tarfile.LNKTYPE, "bag/bagit.txt")), "is a link"),
            ("a device", ("bag/data/null", of_type(tarfile.CHRTYPE)), "is neither a file nor a folder")):
        tar(member)
        judge(name, package, 1, said)
    tar()
    judge("a tar without more", package, 0, ": valid")
    size = os.path.getsize(package)
    with open(package, "r+b") as out:
        out.truncate(size // 2)
    judge("half a tar", package, 1, "BAD")
    with open(package, "wb") as out:
        out.write(os.urandom(5000))
    judge("no archive", package, 1, "is neither a folder nor a tar, zip or ISO")
    large = os.path.join(work, "large")
    write(files | {"manifest-sha256.txt": b"\n" * (25 << 20)}, large)
    judge("a huge manifest", large, 1, "manifest-sha256.txt: with it the tag files hold over 24 MiB")
    judge("nothing there", os.path.join(work, "nothing"), 1, "No such file")
    folder = os.path.join(work, "links")
    write(files, folder)
    os.symlink("/etc/passwd", os.path.join(folder, "data/link"))
    os.mkfifo(os.path.join(folder, "data/pipe"))
    judge("a link in a folder", folder, 1, "BAD data/link: is a link")
    judge("a pipe in a folder", folder, 1, "BAD data/pipe: is neither a file nor a folder")
    with zipfile.ZipFile(package, "w") as out:
        for name, data in files.items():
            out.writestr(name, data)
        out.writestr("DATA/../x", b"x")
    judge("a zip with a path that leads out", package, 1, '".." leads out')


# --- signed bags -----------------------------------------------------------------------------------------------------


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def signed_bags(work):
    folder = os.path.join(work, "signed")
    files = with_tags(sound())

    def at(name):
        return os.path.join(work, name)
    for who in ("office", "other"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", f"/CN={who}",
                "-keyout", at(who + ".key"), "-out", at(who + ".pem"))
    write(files, folder)
    openssl("cms", "-sign", "-binary", "-in", os.path.join(folder, "tagmanifest-sha256.txt"), "-signer", at("office.pem"),
            "-inkey", at("office.key"), "-md", "sha256", "-outform", "DER", "-out", os.path.join(folder, "seal.p7s"))
    holds = 'ok seal.p7s: is of tagmanifest-sha256.txt as it is, by "office", '
    judge("signed", folder, 0, "whether its certificate is to be trusted is not asked")
    judge("signed, by whom", folder, 0, holds)
    judge("signed, and trusted", folder, 0, "; its certificate is trusted", "--trust", at("office.pem"))
    judge("signed by another", folder, 1, "its certificate leads to none that is trusted", "--trust", at("other.pem"))
    judge("no such trust", folder, 1, "absent.pem", "--trust", at("absent.pem"))
    pack_tar(folder, at("signed.tar"))
    judge("signed, as tar", at("signed.tar"), 0, "; its certificate is trusted", "--trust", at("office.pem"))
    with open(os.path.join(folder, "seal.p7s"), "rb") as file:
        seal = file.read()
    write({"bag-info.txt": files["bag-info.txt"] + b"X: y\n"}, folder)
    rest = {n: d for n, d in files.items() if not n.startswith(("data/", "tagmanifest"))}
    rest["bag-info.txt"] += b"X: y\n"
    write({"tagmanifest-sha256.txt": lines(rest)}, folder)
    judge("changed with its tag manifest", folder, 1, "BAD seal.p7s: is not of tagmanifest-sha256.txt as it is")
    write(files, folder)
    for number, spoilt in enumerate((b"", seal[:100], b"\0" * len(seal), seal[:-1] + bytes([seal[-1] ^ 1]))):
        write({"seal.p7s": spoilt}, folder)
        judge(f"a spoilt seal, {number}", folder, 1, "BAD seal.p7s: ")
    write({"seal.p7s": seal}, folder)
    os.unlink(os.path.join(folder, "tagmanifest-sha256.txt"))
    judge("a seal over nothing", folder, 1, "BAD seal.p7s: is of tagmanifest-sha256.txt, which is not there")


TSA = """[tsa]
default_tsa = here
[here]
serial = {work}/serial
signer_cert = {work}/clock.pem
signer_key = {work}/clock.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha1, sha256, sha512
ordering = yes
ess_cert_id_alg = sha256
"""


def stamped_bags(work):
    """An authority of openssl's own, its certificate for time stamps alone."""
    folder = os.path.join(work, "stamped")
    sealed = os.path.join(folder, "tagmanifest-sha256.txt")

    def at(name):
        return os.path.join(work, name)

    def stamp(digest, *more):
        openssl("ts", "-query", "-data", sealed, "-" + digest, "-cert", "-out", at("query"))
        openssl("ts", "-reply", "-config", at("tsa.cnf"), "-queryfile", at("query"), "-out", os.path.join(folder, "seal.tsr"), *more)
    with open(at("tsa.cnf"), "w", encoding="ascii") as out:
        out.write(TSA.format(work=work))
    with open(at("serial"), "w", encoding="ascii") as out:
        out.write("01\n")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=clock",
            "-addext", "extendedKeyUsage=critical,timeStamping", "-keyout", at("clock.key"), "-out", at("clock.pem"))
    files = with_tags(sound())
    write(files, folder)
    stamp("sha256")
    holds = 'ok seal.tsr: is of tagmanifest-sha256.txt as it is, by "clock", 20'
    judge("stamped", folder, 0, holds)
    judge("stamped, and trusted", folder, 0, "; its certificate is trusted", "--trust", at("clock.pem"))
    judge("stamped by another", folder, 1, "BAD seal.tsr", "--trust", at("other.pem"))
    with open(os.path.join(folder, "seal.tsr"), "rb") as file:
        whole = file.read()
    unnoticed = []
    for number in range(0, len(whole), 7):
        write({"seal.tsr": whole[:number] + bytes([whole[number] ^ 1]) + whole[number + 1:]}, folder)
        run = subprocess.run([TOOL, "verify", folder, "--trust", at("clock.pem")], capture_output=True)
        # Bits that nothing signs may change: those of the response around the token, and of certificates that are not needed.
        good = run.returncode in (0, 1) and (run.returncode == 1) == (b"BAD seal.tsr" in run.stdout)
        counts[good] += 1
        if run.returncode == 0:
            unnoticed.append(number)
        if not good:
            print(f"FAIL a stamp with byte {number} changed: {run.returncode}: {run.stdout.decode()}")
    counts[len(unnoticed) < 10] += 1
    if len(unnoticed) >= 10:
        print(f"FAIL changed bytes of a stamp that nobody notices: {unnoticed}")
    stamp("sha256", "-token_out")
    judge("a token alone", folder, 0, holds)
    stamp("sha1")
    judge("a stamp of SHA-1", folder, 1, "BAD seal.tsr: is not of tagmanifest-sha256.txt as it is: the time stamp is of other bytes")
    stamp("sha256")
    rest = {n: d for n, d in files.items() if not n.startswith(("data/", "tagmanifest"))}
    rest["bag-info.txt"] += b"X: y\n"
    write({"bag-info.txt": rest["bag-info.txt"], "tagmanifest-sha256.txt": lines(rest)}, folder)
    judge("changed after the stamp", folder, 1, "BAD seal.tsr: is not of tagmanifest-sha256.txt as it is")
    write(files, folder)
    write({"seal.tsr": b"none"}, folder)
    judge("no stamp", folder, 1, "BAD seal.tsr: cannot be checked here: it is no time stamp")


# --- proofs, by RFC 6962 and C2SP's texts, made here -------------------------------------------------------------------


def tree_hash(leaves):
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree_hash(leaves[:left]) + tree_hash(leaves[left:])).digest()


def path_of(index, leaves):
    if len(leaves) == 1:
        return []
    left = 1 << (len(leaves) - 1).bit_length() - 1
    if index < left:
        return path_of(index, leaves[:left]) + [tree_hash(leaves[left:])]
    return path_of(index - left, leaves[left:]) + [tree_hash(leaves[:left])]


def text64(data):
    return base64.b64encode(data).decode()


class Log:
    def __init__(self, work, name):
        self.name, self.key, self.work = name, os.path.join(work, name + ".key"), work
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.key)
        openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER", "-out", self.key + ".pub")
        with open(self.key + ".pub", "rb") as file:
            public = b"\1" + file.read()[-32:]
        self.id = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
        self.vkey = f"{name}+{self.id.hex()}+{text64(public)}"

    def checkpoint(self, leaves):
        body = f"{self.name}\n{len(leaves)}\n{text64(tree_hash(leaves))}\n"
        with open(self.key + ".body", "w", encoding="utf-8") as out:
            out.write(body)
        openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.key, "-in", self.key + ".body", "-out", self.key + ".sig")
        with open(self.key + ".sig", "rb") as file:
            return body + "\n\u2014 " + self.name + " " + text64(self.id + file.read()) + "\n"

    def proof(self, index, leaves):
        rows = "".join(text64(one) + "\n" for one in path_of(index, leaves))
        return ("c2sp.org/tlog-proof@v1\nindex %d\n%s\n%s" % (index, rows, self.checkpoint(leaves))).encode()


def proven_bags(work):
    folder, log = os.path.join(work, "proven"), Log(work, "archive.example")
    film = hashlib.sha256(PAYLOAD["data/objects/0001.mp4"]).hexdigest()
    entries = [b'{"act":"unlock","slot":"1","v":1}', ('{"act":"record.seal","sha256":"%s","v":1}' % film).encode(),
               b'{"act":"record.seal","sha256":"%s","v":1}' % (b"0" * 64), b"[1]", b'{"act":"shutdown","v":1}']
    leaves = [hashlib.sha256(b"\0" + entry).digest() for entry in entries]

    def bag(*numbers, **changed):
        payload = dict(PAYLOAD)
        payload["data/ledger/log.vkey"] = log.vkey.encode() + b"\n"
        for number in numbers:
            payload[f"data/ledger/{number:04}.json"] = entries[number]
            payload[f"data/ledger/{number:04}.tlog-proof"] = log.proof(number, leaves)
        for name, value in changed.items():
            name = {"key": "data/ledger/log.vkey", "leaf": "data/ledger/0001.json", "proof": "data/ledger/0001.tlog-proof"}[name]
            payload[name] = value(payload[name])
        payload = {name: data for name, data in payload.items() if data is not None}
        files = {"bagit.txt": sound()["bagit.txt"], "manifest-sha256.txt": lines(payload)} | payload
        shutil.rmtree(folder, ignore_errors=True)
        write(with_tags(files), folder)
    bag(0, 1, 4)
    for said in ("ok data/ledger/0001.tlog-proof: is entry 1 of archive.example, which had 5 entries: the seal of data/objects/0001.mp4",
                 "ok data/ledger/0000.tlog-proof: is entry 0 (unlock) of archive.example", ": valid"):
        judge("proofs", folder, 0, said)
    pack_tar(folder, os.path.join(work, "proven.tar"))
    judge("proofs in a tar", os.path.join(work, "proven.tar"), 0, "the seal of data/objects/0001.mp4")
    bag(2)
    judge("a seal of what is not there", folder, 1, "BAD data/ledger/0002.tlog-proof: seals content that is not in the bag")
    bag(3)
    judge("a proof of no entry", folder, 1, "BAD data/ledger/0003.tlog-proof: proves something that is no entry")
    bag(1, leaf=lambda entry: entry + b" ")
    judge("another entry", folder, 1, "BAD data/ledger/0001.tlog-proof: does not prove data/ledger/0001.json")
    bag(1, leaf=lambda entry: None)
    judge("no entry", folder, 1, "BAD data/ledger/0001.tlog-proof: its entry data/ledger/0001.json is not there")
    bag(1, key=lambda key: Log(work, "archive.example").vkey.encode())
    judge("another key", folder, 1, "BAD data/ledger/0001.tlog-proof: does not prove")
    log = Log(work, "archive.example")
    bag(1, key=lambda key: None)
    judge("no key", folder, 1, "BAD data/ledger/log.vkey: is not there")
    bag(1, key=lambda key: b"key\n")
    judge("no key in the file", folder, 1, "BAD data/ledger/log.vkey: ")
    whole = log.proof(1, leaves)
    for number in range(0, len(whole), 5):
        bag(1, proof=lambda proof, at=number: proof[:at] + bytes([proof[at] ^ 1]) + proof[at + 1:])
        judge(f"a proof with byte {number} changed", folder, 1, "BAD data/ledger/0001.tlog-proof: does not prove")


with tempfile.TemporaryDirectory(prefix="srt-bagit.") as place:
    suite(place)
    wrong_bags(place)
    wrong_packages(place)
    signed_bags(place)
    stamped_bags(place)
    proven_bags(place)
print(f"bagit: {counts[True]} passed, {counts[False]} failed, 0 skipped")
sys.exit(counts[False] > 0)
