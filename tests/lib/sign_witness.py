#!/usr/bin/python3
"""sign_witness.py FOLDER: makes, with the openssl program, two authorities (ca.pem, other.pem) and PDFs signed under the
first: good.pdf (RSA), ec.pdf, changed.pdf, appended.pdf, wide.pdf (leaves out more), twice.pdf, endless.pdf (a page that
is not read to its end), sha1.pdf (a kind that is
not checked); good.ofd, changed.ofd. sign_witness.py --member OFD OUT MEMBER: the same OFD with a byte more at the end of a member;
--added OFD OUT MEMBER: with a member more.
sign_witness.py --value OFD: the certificate in PEM that the first seal of an OFD has."""
import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
import zlib


def openssl(*arguments, data=None):
    done = subprocess.run(("openssl",) + arguments, input=data, capture_output=True, check=False)
    if done.returncode:
        sys.exit("%s: %s" % (arguments, done.stderr.decode()))
    return done.stdout


def authority(folder, name):
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder + "/%s.key" % name, "-out", folder + "/%s.pem" % name,
            "-days", "3000", "-subj", "/CN=Test CA %s" % name)


def signer(folder, name, *key):
    openssl("req", "-newkey", *key, "-nodes", "-keyout", folder + "/%s.key" % name, "-out", folder + "/%s.csr" % name,
            "-utf8", "-subj", "/O=示例局/CN=张三")
    openssl("x509", "-req", "-in", folder + "/%s.csr" % name, "-CA", folder + "/ca.pem", "-CAkey", folder + "/ca.key",
            "-CAcreateserial", "-days", "2000", "-out", folder + "/%s.pem" % name)


def sign(folder, name, data):
    return openssl("cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256", "-signer", folder + "/%s.pem" % name,
                   "-inkey", folder + "/%s.key" % name, data=data)


BODY = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj
4 0 obj<</Length 38>>stream
BT /F 12 Tf 10 10 Td (hello) Tj ET    
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
"""
ROOM = 12000


def endless():
    """The same page of 400 MB that draws nothing, which is text at its end alone."""
    piece = b"q Q\n" * (1 << 18)
    squeeze = zlib.compressobj(9)
    head = squeeze.compress(b"") + squeeze.flush(zlib.Z_FULL_FLUSH)
    content = head + (squeeze.compress(piece) + squeeze.flush(zlib.Z_FULL_FLUSH)) * 400 + b"\3\0"
    start, end = BODY.index(b"4 0 obj"), BODY.index(b"5 0 obj")
    return BODY[:start] + b"4 0 obj<</Length %d/Filter/FlateDecode>>stream\n" % len(content) + content + b"\nendstream endobj\n" + BODY[end:]


def signed(folder, name, before, number, kind=b"adbe.pkcs7.detached", wide=0):
    head = before + b"%d 0 obj<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/%s/ByteRange [" % (number, kind)
    places = b"%010d %010d %010d %010d" % (0, 0, 0, 0)
    middle = b"]/Contents "
    tail = b"/M(D:20260305140322+08'00')/Name(x)>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    start = len(head) + len(places) + len(middle) - wide
    after = start + wide + ROOM + 2
    places = b"%010d %010d %010d %010d" % (0, start, after, len(tail))
    first = (head + places + middle)[:start]
    value = sign(folder, name, first + tail).hex().encode().ljust(ROOM, b"0")
    return head + places + middle + b"<" + value + b">" + tail


def pdfs(folder):
    authority(folder, "ca")
    authority(folder, "other")
    signer(folder, "rsa", "rsa:2048")
    signer(folder, "ec", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    good = signed(folder, "rsa", BODY, 6)
    files = {"good": good, "ec": signed(folder, "ec", BODY, 6), "endless": signed(folder, "rsa", endless(), 6), "changed": good.replace(b"(hello)", b"(hallo)"),
             "appended": good + b"% more\n", "wide": signed(folder, "rsa", BODY, 6, wide=4),
             "twice": signed(folder, "ec", good, 7), "sha1": signed(folder, "rsa", BODY, 6, kind=b"adbe.x509.rsa_sha1")}
    for name, data in files.items():
        with open("%s/%s.pdf" % (folder, name), "wb") as out:
            out.write(data)


def ofds(folder):
    """good.ofd: its one page signed by a CMS of the same; changed.ofd: a letter of the page is another."""
    page = ("<o:Page xmlns:o='http://www.ofdspec.org/2016'><o:Content><o:Layer><o:TextObject Boundary='1 1 9 5'><o:TextCode>已签名的通知"
            "</o:TextCode></o:TextObject></o:Layer></o:Content></o:Page>").encode()
    head = "<o:%s xmlns:o='http://www.ofdspec.org/2016'>%s</o:%s>"
    digest = base64.b64encode(hashlib.sha256(page).digest()).decode()
    listed = (head % ("Signature", "<o:SignedInfo><o:References CheckMethod='2.16.840.1.101.3.4.2.1'><o:Reference FileRef='/D/P.xml'><o:CheckValue>%s"
                      "</o:CheckValue></o:Reference></o:References></o:SignedInfo><o:SignedValue>/D/S.dat</o:SignedValue>" % digest, "Signature")).encode()
    members = {"OFD.xml": head % ("OFD", "<o:DocBody><o:DocRoot>D/Document.xml</o:DocRoot><o:Signatures>D/S.xml</o:Signatures></o:DocBody>", "OFD"),
               "D/Document.xml": head % ("Document", "<o:Pages><o:Page BaseLoc='P.xml'/></o:Pages>", "Document"), "D/P.xml": page,
               "D/S.xml": head % ("Signatures", "<o:Signature BaseLoc='G.xml'/>", "Signatures"), "D/G.xml": listed, "D/S.dat": sign(folder, "rsa", listed)}
    for name, content in (("good", page), ("changed", page.replace("通知".encode(), "通告".encode()))):
        with zipfile.ZipFile("%s/%s.ofd" % (folder, name), "w") as out:
            for path, data in dict(members, **{"D/P.xml": content}).items():
                out.writestr(path, data)


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8 or 1, "big")
    return bytes([tag]) + (size if len(body) < 128 else bytes([0x80 | len(size)]) + size) + body


def sm2_seal(folder):
    """sm2.ses over the bytes "sealed": GB/T 38540, signed under an authority that signs with SM2 itself (sm2ca.pem)."""
    who = ("-sigopt", "distid:1234567812345678")
    at = folder + "/"
    openssl("req", "-x509", "-newkey", "sm2", "-nodes", "-sm3", *who, "-keyout", at + "sm2ca.key", "-out", at + "sm2ca.pem",
            "-days", "3000", "-subj", "/CN=SM2 CA")
    openssl("req", "-newkey", "sm2", "-nodes", "-sm3", *who, "-keyout", at + "sm2.key", "-out", at + "sm2.csr", "-utf8",
            "-subj", "/O=示例局/CN=李四")
    openssl("x509", "-req", "-in", at + "sm2.csr", "-vfyopt", "distid:1234567812345678", "-CA", at + "sm2ca.pem", "-CAkey", at + "sm2ca.key",
            "-CAcreateserial", "-sm3", *who, "-days", "2000", "-out", at + "sm2.pem")
    to_sign = der(0x30, der(2, b"\4"), der(0x30), der(0x18, b"20260305060322Z"),
                  der(3, b"\0", openssl("dgst", "-sm3", "-binary", data=b"sealed")), der(0x16, b"/D/G.xml"))
    with open(at + "sm2.tbs", "wb") as out:
        out.write(to_sign)
    value = openssl("pkeyutl", "-sign", "-rawin", "-digest", "sm3", "-inkey", at + "sm2.key", "-in", at + "sm2.tbs",
                    "-pkeyopt", "distid:1234567812345678")
    with open(at + "sm2.ses", "wb") as out:
        out.write(der(0x30, to_sign, der(4, openssl("x509", "-in", at + "sm2.pem", "-outform", "DER")),
                      der(6, bytes.fromhex("2a811ccf55018375")), der(3, b"\0", value)))


def sm2_cms(folder):
    """sm2.cms over "sealed": a SignedData of the usual numbers whose signer has an SM2 key. The openssl program writes none."""
    at, sm3, certificate = folder + "/", der(0x30, der(6, bytes.fromhex("2a811ccf55018311"))), openssl("x509", "-in", folder + "/sm2.pem", "-outform", "DER")
    serial = bytes.fromhex(openssl("x509", "-in", at + "sm2.pem", "-noout", "-serial").decode().strip().split("=")[1])
    issuer = der(0x30, der(0x31, der(0x30, der(6, b"\x55\4\3"), der(0xc, b"SM2 CA"))))
    with open(at + "sm2.content", "wb") as out:
        out.write(b"sealed")
    value = openssl("pkeyutl", "-sign", "-rawin", "-digest", "sm3", "-inkey", at + "sm2.key", "-in", at + "sm2.content",
                    "-pkeyopt", "distid:1234567812345678")
    who = der(0x30, der(2, b"\1"), der(0x30, issuer, der(2, (b"\0" if serial[0] > 127 else b"") + serial)), sm3,
              der(0x30, der(6, bytes.fromhex("2a811ccf55018375"))), der(4, value))
    with open(at + "sm2.cms", "wb") as out:
        out.write(der(0x30, der(6, bytes.fromhex("2a864886f70d010702")), der(0xa0, der(
            0x30, der(2, b"\1"), der(0x31, sm3), der(0x30, der(6, bytes.fromhex("2a864886f70d010701"))), der(0xa0, certificate), der(0x31, who)))))


def added(path, out, name):
    """path with a member more, that no signature knows of."""
    shutil.copyfile(path, out)
    with zipfile.ZipFile(out, "a") as package:
        package.writestr(name, b"<added/>")


def member(path, out, name):
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            new.writestr(info, data + b" " if info.filename.lstrip("/") == name else data)


def value(path):
    with zipfile.ZipFile(path) as package:
        der = next(package.read(n) for n in package.namelist() if n.endswith("SignedValue.dat"))
    # The last certificate in it that is whole: "30 82 xx xx 30 82" inside of an OCTET STRING.
    places = [m.start() + 4 for m in re.finditer(b"\x04\x82..\x30\x82..\x30\x82", der, re.S)]
    at = places[-1]
    size = int.from_bytes(der[at + 2:at + 4], "big") + 4
    text = base64.encodebytes(der[at:at + size]).decode()
    print("-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----" % text)


if sys.argv[1] == "--member":
    member(*sys.argv[2:])
elif sys.argv[1] == "--added":
    added(*sys.argv[2:])
elif sys.argv[1] == "--value":
    value(sys.argv[2])
else:
    os.makedirs(sys.argv[1], exist_ok=True)
    pdfs(sys.argv[1])
    ofds(sys.argv[1])
    sm2_seal(sys.argv[1])
    sm2_cms(sys.argv[1])
