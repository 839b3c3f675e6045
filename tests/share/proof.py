#!/usr/bin/python3
"""proof.py VKEY PROOF ENTRY [LEDGER]: checks a tlog-proof without any code of the product.

VKEY is a file with the verifier key (signed-note vkey), PROOF a C2SP tlog-proof, ENTRY the bytes of
the entry. With LEDGER, a folder of tiles, the root is also computed anew from the level-0 tiles.
Signatures are checked by the openssl command. Exit status 0: proved; otherwise it says what is wrong.
"""
import base64
import hashlib
import os
import subprocess
import sys
import tempfile

ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")  # RFC 8410


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(leaf, index, size, path):
    """RFC 9162, 2.1.3.2."""
    assert index < size, "the index lies beyond the checkpoint"
    at, last, got = index, size - 1, leaf
    for hash_ in path:
        assert last > 0, "the proof has too many hashes"
        if at & 1 or at == last:
            got = node(hash_, got)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            got = node(got, hash_)
        at, last = at >> 1, last >> 1
    assert last == 0, "the proof has too few hashes"
    return got


def open_checkpoint(note, vkey):
    name, _, key = vkey.strip().split("+", 2)
    key_id, key = vkey.strip().split("+", 2)[1], base64.b64decode(key)
    assert key[0] == 1, "not an Ed25519 key"
    assert hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_id, "the key's id is wrong"
    body, signatures = note.rsplit("\n\n", 1)
    body += "\n"
    for line in signatures.splitlines():
        dash, who, blob = line.split(" ")
        blob = base64.b64decode(blob)
        if dash == "—" and who == name and blob[:4].hex() == key_id:
            break
    else:
        raise AssertionError("no signature by this key")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        for file, data in (("key", ED25519_SPKI + key[1:]), ("body", body.encode()), ("sig", blob[4:])):
            with open(os.path.join(folder, file), "wb") as out:
                out.write(data)
        subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", folder + "/key",
                        "-rawin", "-in", folder + "/body", "-sigfile", folder + "/sig"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    origin, size, root = body.splitlines()[:3]
    assert origin == name, "the checkpoint is of another log"
    return int(size), base64.b64decode(root)


def tile_path(number):
    groups = ["%03d" % (number % 1000)]
    while number >= 1000:
        number //= 1000
        groups.insert(0, "x%03d" % (number % 1000))
    return "/".join(groups)


def leaves_of(ledger, size):
    for number in range((size + 255) // 256):
        path = os.path.join(ledger, "tile/0", tile_path(number))
        width = min(256, size - number * 256)
        if width < 256 and os.path.exists("%s.p/%d" % (path, width)):
            path = "%s.p/%d" % (path, width)
        with open(path, "rb") as tile:
            data = tile.read()
        assert len(data) >= 32 * width, path + " is too short"
        for at in range(width):
            yield data[32 * at:32 * at + 32]


def root_of(leaves):
    """RFC 9162, 2.1.1, without recursion: a stack of (height, hash)."""
    stack = []
    for leaf in leaves:
        stack.append((0, leaf))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            height, right = stack.pop()
            stack[-1] = (height + 1, node(stack[-1][1], right))
    got = stack.pop()[1]
    while stack:
        got = node(stack.pop()[1], got)
    return got


def main(vkey_file, proof_file, entry_file, ledger=None):
    with open(vkey_file, encoding="utf-8") as file:
        vkey = file.read()
    with open(proof_file, encoding="utf-8") as file:
        head, note = file.read().split("\n\n", 1)
    with open(entry_file, "rb") as file:
        entry = file.read().rstrip(b"\n")
    lines = head.splitlines()
    assert lines.pop(0) == "c2sp.org/tlog-proof@v1", "not a tlog-proof"
    if lines[0].startswith("extra "):
        lines.pop(0)
    index = int(lines.pop(0).removeprefix("index "))
    size, root = open_checkpoint(note, vkey)
    leaf = hashlib.sha256(b"\x00" + entry).digest()
    assert fold(leaf, index, size, [base64.b64decode(line) for line in lines]) == root, \
        "the entry is not in the log of this checkpoint"
    print("entry %d is in the log of %d entries that this key signed" % (index, size))
    if ledger:
        leaves = list(leaves_of(ledger, size))
        assert leaves[index] == leaf, "the tile holds another hash at this index"
        assert root_of(leaves) == root, "the tiles do not add up to the checkpoint's root"
        print("the tiles add up to the same root")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (AssertionError, ValueError, OSError, subprocess.CalledProcessError) as error:
        sys.exit("proof.py: %s" % (error or type(error).__name__))
