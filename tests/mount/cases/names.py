"""Names: 255 bytes and no more, UTF-8, no twins of letter case or Unicode form; each refusal with its
errno and a sentence in 提示.txt, and never a trace in the folder."""
import errno
import os
import unicodedata

import mount


def create(path):
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))


def main():
    folder = os.fsencode(mount.place()) + b"/"
    longest = ("执" * 85).encode()
    assert len(longest) == 255
    nfc = unicodedata.normalize("NFC", "Zür.tmp").encode()
    nfd = unicodedata.normalize("NFD", "Zür.tmp").encode()
    taken = [longest, nfc, "Foto.tmp".encode(), "㊙ 絵文字 😀.tmp".encode()]
    refused = [
        (errno.ENAMETOOLONG, longest + b"x", "name_too_long"),
        (errno.ENAMETOOLONG, b"y" * 1000, "name_too_long"),
        (errno.EILSEQ, b"\xff\xfe.jpg", "name_encoding"),
        (errno.EILSEQ, "照片".encode("gb18030") + b".jpg", "name_encoding"),
        (errno.EILSEQ, b"\xed\xa0\x80.jpg", "name_encoding"),
        (errno.EEXIST, nfd, "name_twin"),
        (errno.EEXIST, b"fOTO.tmp", "name_twin"),
        (errno.EINVAL, b"a\nb.jpg", "name_reserved"),
    ]
    with mount.person("o1"):
        for name in taken:
            create(folder + name)
        create(folder + b"source.tmp")
        before = sorted(os.listdir(folder))
        for number, name, _ in refused:
            mount.refuses(number, lambda n=name: create(folder + n), "create %r" % name[:20])
            mount.refuses(number, lambda n=name: os.mkdir(folder + n), "mkdir %r" % name[:20])
            mount.refuses(number, lambda n=name: os.rename(folder + b"source.tmp", folder + n), "rename to %r" % name[:20])
            mount.refuses(errno.ENOENT, lambda n=name: os.stat(folder + n), "stat %r" % name[:20])
        assert sorted(os.listdir(folder)) == before
        os.rename(folder + b"Foto.tmp", folder + b"FOTO.tmp")  # its own twin
        assert b"FOTO.tmp" in os.listdir(folder)
    reasons = {(e["op"], e["reason"]) for e in mount.refusals("o1")}
    lines = mount.notice("o1")
    for _, _, reason in refused:
        for op in ("create", "mkdir", "rename"):
            assert (op, reason) in reasons, (op, reason)
        assert any("[%s]" % reason in line for line in lines), reason
    assert not any("\ufffd" in line or "\n" in line for line in lines)


main()
