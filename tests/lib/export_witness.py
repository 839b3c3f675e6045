#!/usr/bin/python3
"""export_witness.py keys FOLDER: an authority (ca.pem, ca.key) and, under an authority between, a P-256 key for bundles (seal.key) with its
chain (chain.pem); and one for time stamps (tsa.key). authority FOLDER PORT: gives them. custody FILE: the chain of hashes holds. damage TOOL BAG TRUST FOLDER: every file of a bag changed, taken away, every line of
its manifests changed, in copies below FOLDER, and each time `strongroom verify` has to say so and name it."""
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys


def openssl(*arguments):
    subprocess.run(("openssl",) + arguments, check=True, capture_output=True)


def under(folder, name, by, *extensions):
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder + "/%s.key" % name,
            "-out", folder + "/%s.csr" % name, "-utf8", "-subj", "/O=示例局/CN=%s" % name)
    with open(folder + "/ext", "w", encoding="utf-8") as out:
        out.write("\n".join(extensions) + "\n")
    openssl("x509", "-req", "-in", folder + "/%s.csr" % name, "-CA", folder + "/%s.pem" % by, "-CAkey", folder + "/%s.key" % by,
            "-CAcreateserial", "-days", "2000", "-extfile", folder + "/ext", "-out", folder + "/%s.pem" % name)


def keys(folder):
    os.makedirs(folder)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder + "/ca.key", "-out", folder + "/ca.pem", "-days", "3000",
            "-subj", "/CN=Test CA")
    under(folder, "middle", "ca", "basicConstraints=critical,CA:true")
    under(folder, "seal", "middle", "keyUsage=digitalSignature")
    under(folder, "tsa", "ca", "keyUsage=critical,digitalSignature", "extendedKeyUsage=critical,timeStamping")
    for name, kind in (("rsa", ("rsa:2048",)), ("ec", ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")), ("rsa2", ("rsa:2048",))):
        openssl("req", "-x509", "-newkey", *kind, "-nodes", "-keyout", folder + "/to-%s.key" % name, "-out", folder + "/to-%s.pem" % name,
                "-days", "3000", "-subj", "/CN=archive " + name)
    with open(folder + "/tsa.cnf", "w", encoding="utf-8") as out:
        out.write("[tsa]\ndefault_tsa=t\n[t]\nserial=%s/serial\nsigner_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\n" % folder)
    with open(folder + "/chain.pem", "wb") as out:
        for name in ("seal", "middle"):
            with open(folder + "/%s.pem" % name, "rb") as part:
                out.write(part.read())


class Authority(http.server.BaseHTTPRequestHandler):
    """/good stamps, /other stamps other bytes, /none refuses."""

    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        folder, status, answer = self.server.folder, 200, b"no"
        if self.headers["Content-Type"] != "application/timestamp-query" or self.path == "/none":
            status = 503
        else:
            if self.path == "/other":
                body = subprocess.run(["openssl", "ts", "-query", "-digest", "00" * 32, "-sha256", "-cert"], check=True, capture_output=True).stdout
            with open(folder + "/query", "wb") as out:
                out.write(body)
            answer = subprocess.run(["openssl", "ts", "-reply", "-config", folder + "/tsa.cnf", "-section", "t", "-queryfile", folder + "/query",
                                     "-signer", folder + "/tsa.pem", "-inkey", folder + "/tsa.key"], check=True, capture_output=True).stdout
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def authority(folder, port):
    server = http.server.HTTPServer(("127.0.0.1", int(port)), Authority)
    server.folder = folder
    server.serve_forever()


def custody(path):
    previous = "0" * 64
    with open(path, "rb") as lines:
        events = []
        for number, line in enumerate(lines, 1):
            line = line.rstrip(b"\n")
            value = json.loads(line)
            assert value["prev"] == previous, "line %d does not follow" % number
            assert value["seq"] == number
            previous = hashlib.sha256(line).hexdigest()
            events.append(value["event"])
    for event in ("opened", "collected", "sealed", "described", "entered", "numbered"):
        assert event in events, "no event %s in %s" % (event, events)
    indexes = [json.loads(line)["index"] for line in open(path, "rb")]
    assert indexes == sorted(indexes, key=int)


def files_of(bag):
    for folder, _, names in os.walk(bag):
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), bag)


def judged(tool, bag, trust):
    done = subprocess.run([tool, "verify", bag, "--trust", trust], capture_output=True, check=False, text=True)
    return done.returncode, done.stdout + done.stderr


def expect_bad(tool, bag, trust, name, what):
    status, said = judged(tool, bag, trust)
    bad = [line for line in said.splitlines() if line.startswith("BAD ")]
    assert status == 1 and bad, "%s: not found (%d): %s" % (what, status, said)
    assert any(name in line for line in bad), "%s: %s is not named: %s" % (what, name, bad)


def change(path):
    with open(path, "r+b") as out:
        data = out.read()
        at = len(data) // 2
        out.seek(at)
        out.write(bytes([data[at] ^ 1]) if data else b"x")


def manifests(source, bag, changed):
    """Both, as they would be of the changed member."""
    for manifest, name in (("manifest-sha256.txt", changed), ("tagmanifest-sha256.txt", "manifest-sha256.txt")):
        with open(os.path.join(bag, name), "rb") as data:
            digest = hashlib.sha256(data.read()).hexdigest()
        with open(os.path.join(source, manifest), encoding="utf-8") as text:
            lines = [digest + line[64:] if line[66:].strip() == name else line for line in text]
        with open(os.path.join(bag, manifest), "w", encoding="utf-8") as out:
            out.writelines(lines)


def damage(tool, source, trust, folder):
    os.makedirs(folder)
    bag = folder + "/bag"
    shutil.copytree(source, bag)
    assert judged(tool, bag, trust)[0] == 0
    count = 0
    for name in sorted(files_of(source)):
        path = os.path.join(bag, name)
        change(path)
        expect_bad(tool, bag, trust, name, "changed " + name)
        os.unlink(path)
        if name not in ("seal.p7s", "seal.tsr"):  # taken away, the bag is whole and unsigned
            expect_bad(tool, bag, trust, "" if name == "bagit.txt" else os.path.basename(name), "without " + name)
        shutil.copy2(os.path.join(source, name), path)
        count += 1
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        with open(os.path.join(source, manifest), "rb") as text:
            lines = text.readlines()
        for at in range(len(lines)):
            changed = list(lines)
            digit = lines[at][:1]
            changed[at] = (b"0" if digit != b"0" else b"1") + lines[at][1:]
            with open(os.path.join(bag, manifest), "wb") as out:
                out.writelines(changed)
            expect_bad(tool, bag, trust, lines[at][66:].decode().strip(), "line %d of %s" % (at + 1, manifest))
            count += 1
        shutil.copy2(os.path.join(source, manifest), os.path.join(bag, manifest))
    # proofs that are of another record
    for one, other in (("0001", "0002"), ("0002", "0003")):
        shutil.copy2(source + "/data/ledger/%s.tlog-proof" % other, bag + "/data/ledger/%s.tlog-proof" % one)
        expect_bad(tool, bag, trust, "data/ledger/%s" % one, "another's proof")
        shutil.copy2(source + "/data/ledger/%s.tlog-proof" % one, bag + "/data/ledger/%s.tlog-proof" % one)
    # and with manifests made anew, as who can do without the seal would
    for name, old, new in (("data/eep.xml", "<密级>公开", "<密级>很密"), ("data/eep.xml", "</封装内容>", ""),
                           ("data/eep.xml", '<电子文件封装包', '<!DOCTYPE x [<!ENTITY a "a">]><电子文件封装包'), ("data/check.xml", "未检测", "大概"),
                           ("data/av/0001.xml", "<密级>", "<保密>x</保密><密级>"), ("data/custody.jsonl", '"seq":2', '"seq":3'),
                           ("data/custody.jsonl", "collected", "gathered")):
        with open(os.path.join(source, name), encoding="utf-8") as text:
            changed = text.read().replace(old, new, 1)
        with open(os.path.join(bag, name), "w", encoding="utf-8") as out:
            out.write(changed)
        manifests(source, bag, name)
        expect_bad(tool, bag, trust, name, "%s for %s" % (new, old))
        for restored in (name, "manifest-sha256.txt", "tagmanifest-sha256.txt"):
            shutil.copy2(os.path.join(source, restored), os.path.join(bag, restored))
        count += 1
    assert judged(tool, bag, trust)[0] == 0
    print("%d damages, each found and named" % count)


if __name__ == "__main__":
    {"keys": keys, "custody": custody, "damage": damage, "authority": authority}[sys.argv[1]](*sys.argv[2:])
