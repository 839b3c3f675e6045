#!/usr/bin/python3
"""document_make.py FOLDER pdf|office|ofd...: documents as offices, tax bureaus and attackers make them, written byte by byte, so that
nothing of them comes from the libraries that the probe reads them with. Names of files say what they are."""
import base64
import hashlib
import os
import struct
import sys
import zipfile
import zlib


# --- PDF -------------------------------------------------------------------------------------------------------------
def pdf(objects, info=None, version="1.4"):
    """objects: of bytes, the first is the catalog."""
    objects = list(objects)
    trailer = b"/Root 1 0 R"
    if info:
        objects.append(b"<<" + b"".join(b"/%s %s" % (k.encode(), v) for k, v in info.items()) + b">>")
        trailer += b"/Info %d 0 R" % len(objects)
    out, places = b"%PDF-" + version.encode() + b"\n", []
    for i, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (i, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer\n<</Size %d%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)


def stream(data, more=b""):
    return b"<</Length %d%s>>\nstream\n%s\nendstream" % (len(data), more, data)


def utf16(text):
    return b"<feff" + text.encode("utf-16-be").hex().encode() + b">"


def chinese_pdf(text, encoding, codec, extra=b""):
    """Its font is not embedded, as those of many office programs: only Adobe's tables say what the codes are."""
    return [
        b"<</Type/Catalog/Pages 2 0 R%s>>" % extra,
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        stream(b"BT /F1 18 Tf 50 700 Td <%s> Tj ET" % text.encode(codec).hex().encode()),
        b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/%s/DescendantFonts[6 0 R]>>" % encoding,
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/FontDescriptor 7 0 R"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>>>",
        b"<</Type/FontDescriptor/FontName/STSong-Light/Flags 4/FontBBox[0 0 1000 1000]/ItalicAngle 0/Ascent 800"
        b"/Descent -200/CapHeight 700/StemV 80>>",
    ]


def repeated(piece, count):
    """zlib of count times piece, without going through all of it."""
    squeeze = zlib.compressobj(9)
    head = squeeze.compress(b"") + squeeze.flush(zlib.Z_FULL_FLUSH)
    block = squeeze.compress(piece) + squeeze.flush(zlib.Z_FULL_FLUSH)
    check = 1
    for _ in range(count):
        check = zlib.adler32(piece, check)
    return head + block * count + b"\x03\x00" + struct.pack(">I", check)


def bomb_pdf(piece, count):
    """A page with a word, and one whose content is piece over and over."""
    font = b"/Resources<</Font<</F1 7 0 R>>>>"
    return pdf([
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R 5 0 R]/Count 2>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R%s>>" % font,
        stream(b"BT /F1 18 Tf 50 700 Td (first) Tj ET"),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 6 0 R%s>>" % font,
        stream(repeated(piece, count), b"/Filter/FlateDecode"),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ], {"Title": utf16("处罚决定")})


def pdfs():
    yield "ucs2.pdf", pdf(chinese_pdf("行政处罚决定书", b"UniGB-UCS2-H", "utf-16-be"),
                          {"Title": utf16("处罚决定"), "Author": utf16("王五"), "Producer": b"(Latin \\351)",
                           "CreationDate": b"(D:20260305140322+08'00')", "ModDate": b"(D:20260306140322+08'00')"}, "1.7")
    yield "gbk.pdf", pdf(chinese_pdf("当事人张三", b"GBK-EUC-H", "gbk"))
    yield "attached.pdf", pdf(chinese_pdf("见附件", b"UniGB-UCS2-H", "utf-16-be",
                                          b"/Names<</EmbeddedFiles<</Names[(a) 8 0 R]>>>>") + [
        b"<</Type/Filespec/F(a.txt)/UF%s/EF<</F 9 0 R>>>>" % utf16("清单.txt"), stream(b"content", b"/Type/EmbeddedFile")])
    kids = b" ".join(b"%d 0 R" % (i + 3) for i in range(3000))
    yield "long.pdf", pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count 3000>>" % kids] +
                          [b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"] * 3000)
    # A tree of pages that is its own child; a stream that unpacks to itself without end.
    yield "loop.pdf", pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>"])
    # One page of 400 MB that draws nothing; a word on the page before.
    yield "operators.pdf", bomb_pdf(b"q Q\n" * (1 << 18), 400)
    yield "empty.pdf", b""
    yield "header.pdf", b"%PDF-1.7\n"



# --- ZIP -------------------------------------------------------------------------------------------------------------
def deflate(data):
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
    return squeeze.compress(data) + squeeze.flush()


def package(members, flags=0, method=8):
    """Names: bytes as they are, or text, which becomes UTF-8 and is marked so. method 0: as they are."""
    out, directory, done, kept = b"", b"", {}, []
    for name, data in members:
        bits = flags | (0 if isinstance(name, bytes) else 0x800)
        name = name if isinstance(name, bytes) else name.encode()
        data = data if isinstance(data, bytes) else data.encode()
        packed, check = done.get(id(data)) or (deflate(data) if method else data, zlib.crc32(data))
        done[id(data)] = packed, check
        kept.append(data)  # so that its id is nobody else's
        common = struct.pack("<HHHHHIIIHH", 20, bits, method, 0, 0x21, check, len(packed), len(data), len(name), 0)
        directory += b"PK\1\2\x14\0" + common + struct.pack("<HHHII", 0, 0, 0, 0, len(out)) + name
        out += b"PK\3\4" + common + name + packed
    return out + directory + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(members), len(members), len(directory), len(out), 0)


# --- OOXML -----------------------------------------------------------------------------------------------------------
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = ("[Content_Types].xml", '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>')
CORE = ("docProps/core.xml", '<c xmlns:dc="d" xmlns:t="t"><dc:title> 台账 </dc:title><dc:creator>李四</dc:creator>'
        "<t:created>2026-03-05T06:03:22Z</t:created><t:modified>2026-03-06T06:03:22.5+08:00</t:modified></c>")
APP = ("docProps/app.xml", "<p><Application>WPS</Application><Pages>7</Pages></p>")


def relations(*items):
    return "<Relationships>%s</Relationships>" % "".join(
        '<Relationship Id="%s" Type="%s/%s" Target="%s"/>' % (i, REL, kind, target) for i, kind, target in items)


def paragraphs(*texts):
    return "".join("<w:p><w:r><w:t>%s</w:t></w:r></w:p>" % text for text in texts)


def docx(body, *more):
    return package([TYPES, ("word/document.xml", '<w:document xmlns:w="w" xmlns:mc="m">%s</w:document>' % body), *more])


def ooxmls():
    box = "<w:txbxContent>%s</w:txbxContent>" % paragraphs("框内")
    yield "rich.docx", package([
        TYPES, ("_rels/.rels", relations(("a", "officeDocument", "/word/document2.xml"), ("b", "hyperlink", "http://x/"))), CORE, APP,
        ("word/_rels/document2.xml.rels", relations(
            ("h", "header", "header9.xml"), ("c", "comments", "comments.xml"), ("f", "footnotes", "../word/notes.xml"))),
        ("word/header9.xml", '<w:hdr xmlns:w="w">%s</w:hdr>' % paragraphs("页眉")),
        ("word/comments.xml", '<w:comments xmlns:w="w">%s</w:comments>' % paragraphs("批注")),
        ("word/notes.xml", '<w:footnotes xmlns:w="w">%s</w:footnotes>' % paragraphs("脚注")),
        ("word/document2.xml", '<w:document xmlns:w="w" xmlns:mc="m"><w:body>'
         "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:r><w:t>甲</w:t><w:tab/><w:t xml:space=\"preserve\">乙 </w:t><w:br/><w:t>丙</w:t></w:r></w:p>"
         "<w:p><w:del><w:r><w:delText>删</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>移</w:t></w:r></w:moveFrom>"
         "<w:moveTo><w:r><w:t>移</w:t></w:r></w:moveTo><w:r><w:noBreakHyphen/><w:instrText>PAGE</w:instrText></w:r></w:p>"
         "<w:p><w:r><mc:AlternateContent><mc:Choice>%s</mc:Choice><mc:Fallback>%s</mc:Fallback></mc:AlternateContent></w:r></w:p>"
         "<w:p><w:ruby><w:rt><w:r><w:t>hàn</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>汉</w:t></w:r></w:rubyBase></w:ruby></w:p>"
         "<w:tbl><w:tr><w:tc>%s</w:tc><w:tc>%s</w:tc></w:tr></w:tbl></w:body></w:document>"
         % (box, box, paragraphs("格一"), paragraphs("格二")))])
    row = '<row><c t="s"><v>%d</v></c><c><v>12.5</v></c><c t="inlineStr"><is><t>内</t></is></c><c t="s"><v>99999999999999999999</v></c></row>'
    sheet = "<worksheet><sheetData>%s</sheetData></worksheet>"
    yield "book.xlsx", package([
        TYPES, ("xl/worksheets/sheet1.xml", sheet % (row % 1)), ("xl/worksheets/sheet2.xml", sheet % (row % 0)),
        ("xl/worksheets/_rels/sheet2.xml.rels", relations(("c", "comments", "../comments5.xml"))),
        ("xl/comments5.xml", "<comments><commentList><comment><text><r><t>注</t></r></text></comment></commentList></comments>"),
        ("xl/workbook.xml", '<workbook xmlns:r="%s"><sheets><sheet name="后" sheetId="7" r:id="r2"/><sheet name="前" sheetId="1" r:id="r1"/>'
         '<sheet name="无" sheetId="9" r:id="r9"/></sheets></workbook>' % REL),
        ("xl/_rels/workbook.xml.rels", relations(
            ("r1", "worksheet", "worksheets/sheet1.xml"), ("r2", "worksheet", "/xl/worksheets/sheet2.xml"), ("s", "sharedStrings", "strings.xml"))),
        ("xl/strings.xml", '<sst><si><t>当事人</t><rPh sb="0"><t>ふり</t></rPh></si><si><r><t>张</t></r><r><t>三</t></r></si></sst>')])
    yield "deck.pptx", package([
        TYPES, ("ppt/presentation.xml", '<p xmlns:r="%s"><sldId id="300" r:id="b"/><sldId id="301" r:id="a"/></p>' % REL),
        ("ppt/_rels/presentation.xml.rels", relations(("a", "slide", "slides/slide1.xml"), ("b", "slide", "slides/slide2.xml"))),
        ("ppt/slides/slide1.xml", '<s xmlns:a="a"><a:p><a:r><a:t>二</a:t></a:r></a:p></s>'),
        ("ppt/slides/slide2.xml", '<s xmlns:a="a"><a:p><a:r><a:t>一</a:t></a:r></a:p></s>'),
        ("ppt/slides/_rels/slide2.xml.rels", relations(("n", "notesSlide", "../notesSlides/notesSlide1.xml"))),
        ("ppt/notesSlides/notesSlide1.xml", '<s xmlns:a="a"><a:p><a:t>备注</a:t></a:p></s>')])
    yield "gbk.docx", package([TYPES, ("word/document.xml", '<?xml version="1.0" encoding="GBK"?><w:document xmlns:w="w">%s</w:document>'.encode("gbk")
                                       % paragraphs("简体").encode("gbk"))])
    yield "renamed.pdf", docx(paragraphs("甲"))
    yield "renamed.xlsx", package([("a.txt", "甲")])
    yield "twins.docx", docx(paragraphs("先"), ("word/document.xml", paragraphs("后")))
    yield "nothing.docx", package([TYPES, ("word/other.xml", "<a/>")])
    yield "locked.zip", package([("a.txt", b"x" * 100)], flags=1)
    yield "case.docx", package([TYPES, ("Word/Document.xml", paragraphs("诱饵").replace("w:", "")), ("word/document.xml", paragraphs("真").replace("w:", ""))])
    yield "equals.docx", docx("<w:instrText>%s</w:instrText>" % ("=" * 20000) + paragraphs("后"))
    yield "box.docx", docx("<w:p><w:r><w:t>行政</w:t></w:r><w:r><w:txbxContent>%s</w:txbxContent></w:r></w:p>" % paragraphs("处罚"))
    
    # Archives that are none of ours, however much is in them.
    yield "archive.zip", package([("Documents/video.mp4", bytes(100 << 20)), ("Doc_0/a.xml", "<a>"), (b"\xb5\xb5.txt", "")])
    yield "program.jar", package([("META-INF/MANIFEST.MF", ""), ("A.class", "")])


def odfs():
    def odf(kind, content, *more):
        return package([("mimetype", "application/vnd.oasis.opendocument." + kind),
                        ("content.xml", '<o:document xmlns:o="o" xmlns:t="t" xmlns:d="d"><o:styles><t:p>不是</t:p></o:styles><o:body>%s</o:body></o:document>' % content), *more])
    yield "text.odt", odf(
        "text", "<t:tracked-changes><t:p>删去</t:p></t:tracked-changes><t:h>题</t:h>\n<t:p>甲<t:s t:c=\"3\"/>乙<t:s/>丙<t:tab/>丁<t:line-break/>戊</t:p>",
        ("styles.xml", '<o:styles xmlns:o="o" xmlns:t="t"><t:p>样式</t:p><o:header><t:p>眉</t:p></o:header><o:footer><t:p>脚</t:p></o:footer></o:styles>'),
        ("meta.xml", '<m xmlns:dc="d" xmlns:e="e"><dc:creator>改者</dc:creator><dc:date>2026-03-06T06:03:22</dc:date><e:creation-date>2026-03-05T06:03:22</e:creation-date>'
         '<e:initial-creator>作者</e:initial-creator><e:generator>G</e:generator><e:document-statistic e:page-count="3"/></m>'))
    yield "table.ods", odf("spreadsheet", '<t:table t:name="表一"><t:table-row><t:table-cell><t:p>甲</t:p></t:table-cell>\n<t:table-cell><t:p>乙</t:p></t:table-cell></t:table-row></t:table>')
    yield "spans.odt", odf("text", "<t:p><t:span>No.</t:span> <t:span>7</t:span></t:p>\n<t:p><t:ruby><t:ruby-base>汉</t:ruby-base><t:ruby-text>han</t:ruby-text></t:ruby>字</t:p>")
    yield "notes.odt", odf("text", "<t:p>行政<o:annotation><d:creator>某人</d:creator><d:date>2026-03-05</d:date><t:p>批注一</t:p><t:p>批注二</t:p></o:annotation>处"
                           "<t:note><t:note-citation>1</t:note-citation><t:note-body><t:p>脚<t:s/>注</t:p></t:note-body></t:note>罚<t:creator>甲</t:creator></t:p><t:p>后</t:p>")
    yield "deck.odp", odf("presentation", "<d:page><t:p>一</t:p></d:page><d:page><t:p>二</t:p></d:page>")
    yield "locked.odt", odf("text", "<t:p>密文</t:p>", ("META-INF/manifest.xml", '<m:manifest xmlns:m="m"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>'), ("meta.xml", b"\x8a\x01\xfe" * 99))


# --- compound files: a document with a password --------------------------------------------------------------------------
def compound(filler, name="EncryptedPackage"):
    """A directory of two sectors behind so many sectors of content, the entry in the second of them."""
    def entry(text, kind):
        raw = (text + "\0").encode("utf-16-le")
        return raw.ljust(64, b"\0") + struct.pack("<HB", len(raw), kind) + bytes(61)
    size, total = 512, filler + 2
    tables = -(-(total + total // 128 + 8) // 128)
    more = -(-max(tables - 109, 0) // 127)
    table = list(range(1, filler)) + [0xFFFFFFFE] + [filler + 1, 0xFFFFFFFE]
    table += [0xFFFFFFFD] * tables + [0xFFFFFFFC] * more
    table += [0xFFFFFFFF] * (tables * 128 - len(table))
    places = list(range(total, total + tables))
    header = bytearray(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0"))
    struct.pack_into("<HHHHH", header, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<IIIIIIIII", header, 40, 0, tables, filler, 0, 4096, 0xFFFFFFFE, 0, total + tables if more else 0xFFFFFFFE, more)
    struct.pack_into("<109I", header, 76, *(places + [0xFFFFFFFF] * 109)[:109])
    directory = entry("Root Entry", 5) + entry("EncryptionInfo", 2) + entry("A", 2) * 2 + entry(name, 2) + bytes(128) * 3
    rest = places[109:]
    chain = b"".join(struct.pack("<128I", *(rest[127 * i:127 * i + 127] + [0xFFFFFFFF] * 127)[:127],
                                 total + tables + i + 1 if i + 1 < more else 0xFFFFFFFE) for i in range(more))
    return bytes(header) + bytes(size * filler) + directory + struct.pack("<%dI" % len(table), *table) + chain


def compounds():
    yield "locked.docx", compound(10)
    yield "locked_large.xlsx", compound(1000)
    yield "locked_huge.pptx", compound(40000)
    yield "old.doc", compound(10, "WordDocument")
    # A directory without end, whose table has its places at the end of a long chain, far from each other.
    count, step = 40000, 4001
    header = bytearray(compound(10)[:512])
    struct.pack_into("<I", header, 48, 0x3000000)
    struct.pack_into("<I", header, 68, 1)
    sectors = [struct.pack("<128I", *[0] * 127, (i + step) % count) for i in range(count)]
    sectors[0] = struct.pack("<128I", *[0x3000000] * 127, step)
    yield "chains.doc", bytes(header) + b"".join(sectors)


# --- OFD -------------------------------------------------------------------------------------------------------------
def ofd(bodies, members, ns="http://www.ofdspec.org/2016"):
    head = "<o:OFD xmlns:o='%s' DocType='OFD'>%s</o:OFD>" % (ns, "".join("<o:DocBody>%s</o:DocBody>" % body for body in bodies))
    return [("OFD.xml", head)] + [(name, data.replace("@", "xmlns:o='%s'" % ns)) for name, data in members]


def page(*texts):
    return "<o:Page @><o:Content><o:Layer>%s</o:Layer></o:Content></o:Page>" % "".join(
        "<o:TextObject Boundary='%g %g %g 5'><o:TextCode>%s</o:TextCode></o:TextObject>" % (x, y, w, text) for x, y, w, text in texts)


def ofds():
    info = ("<o:DocInfo><o:Title>决定书</o:Title><o:Author>王五</o:Author><o:Creator>甲程序</o:Creator>"
            "<o:CreationDate>2026-03-05</o:CreationDate><o:ModDate>2026-03-06T10:00:00 </o:ModDate></o:DocInfo>")
    named = ofd([info + "<o:DocRoot>文档/正文.xml</o:DocRoot>"], [
        ("文档/正文.xml", "<o:Document @><o:Pages><o:Page BaseLoc='页/一.xml'/></o:Pages></o:Document>"),
        ("文档/页/一.xml", page((10, 10, 20, "强制措施")))])
    yield "utf8.ofd", package(named)
    yield "gbk.ofd", package([(name.encode("gbk"), data) for name, data in named])
    yield "two.ofd", package(ofd([info + "<o:DocRoot>/Doc_0/Document.xml</o:DocRoot>", "<o:DocRoot>Doc_1/Document.xml</o:DocRoot>"], [
        ("Doc_0/Document.xml", "<o:Document @><o:CommonData><o:TemplatePage ID='1' BaseLoc='T.xml'/></o:CommonData><o:Pages><o:Page BaseLoc='P2.xml'/>"
         "<o:Page BaseLoc='./x/../P1.xml'/></o:Pages><o:Attachments>Files/All.xml</o:Attachments></o:Document>"),
        ("Doc_0/P1.xml", page((10, 10, 5, "乙"))),
        ("Doc_0/P2.xml", page((10, 10, 5, "甲"), (15.2, 10.3, 5, "连"), (40, 10, 5, "隔"), (10, 20, 5, "行"))),
        ("Doc_0/T.xml", page((1, 1, 1, "底"))),
        ("Doc_0/Files/All.xml", "<o:Attachments @><o:Attachment ID='1' Name='清单' Format='xml'/><o:Attachment ID='2' Name='图.png' Format='png'/></o:Attachments>"),
        ("Doc_1/Document.xml", "<o:Document @><o:Pages><o:Page BaseLoc='P.xml'/><o:Page BaseLoc='gone.xml'/></o:Pages></o:Document>"),
        ("Doc_1/P.xml", page((10, 10, 5, "丙")))]))
    one = [("D.xml", "<o:Document @><o:Pages><o:Page BaseLoc='P.xml'/></o:Pages></o:Document>"), ("P.xml", page((1, 1, 1, "字")))]
    date = "<o:DocInfo><o:CreationDate>%s</o:CreationDate></o:DocInfo><o:DocRoot>D.xml</o:DocRoot>"
    yield "dates.ofd", package(ofd([date % "2026-03-05", date % "2026-03-06T10:00:00+08:00"], one))
    yield "many.ofd", package(ofd(["<o:DocRoot>D.xml</o:DocRoot>"] * 65, one))
    yield "case.ofd", package([("p.XML", page((1, 1, 1, "假")).replace("@", "xmlns:o='o'"))] + ofd(["<o:DocRoot>D.xml</o:DocRoot>"], one))
    # What was signed, under the name in other letters, before what is shown.
    signed = ("D/S.xml", "<o:Signatures @><o:Signature BaseLoc='G.xml'/></o:Signatures>"), ("D/G.xml", (
        "<o:Signature @><o:SignedInfo><o:References CheckMethod='MD5'><o:Reference FileRef='/D/1.jpg'><o:CheckValue>%s</o:CheckValue></o:Reference>"
        "</o:References></o:SignedInfo><o:SignedValue>/D/x.dat</o:SignedValue></o:Signature>"
        % base64.b64encode(hashlib.md5(b"signed").digest()).decode()))
    body = "<o:DocRoot>D.xml</o:DocRoot><o:Signatures>D/S.xml</o:Signatures>"
    yield "signed_case.ofd", package([("d/1.JPG", b"signed")] + ofd([body], one + list(signed)) + [("D/1.jpg", b"forged")])
    yield "signed_space.ofd", package(ofd([body.replace("</o:Signatures", "</o:Signatures\n")], one + list(signed)) + [("D/1.jpg", b"signed")])
    yield "other_namespace.ofd", package(ofd(["<o:DocRoot>D.xml</o:DocRoot>"], [
        ("D.xml", "<o:Document @><o:Pages><o:Page BaseLoc='P.xml'/></o:Pages></o:Document>"), ("P.xml", page((1, 1, 1, "字")))], "urn:other"))
    yield "renamed_ofd.zip", package(named)
    # Signed parts that are too large to be read, before and behind the text.
    large = bytes(60 << 20)
    yield "signed_large.ofd", package([("D/0.jpg", large), *ofd(["<o:DocRoot>D/Document.xml</o:DocRoot><o:Signatures>D/S.xml</o:Signatures>"], [
        ("D/S.xml", "<o:Signatures @><o:Signature BaseLoc='G.xml'/></o:Signatures>"),
        ("D/G.xml", "<o:Signature @><o:SignedInfo><o:References CheckMethod='MD5'><o:Reference FileRef='/D/1.jpg'><o:CheckValue>AAAA</o:CheckValue>"
         "</o:Reference></o:References></o:SignedInfo><o:SignedValue>/D/x.dat</o:SignedValue></o:Signature>"),
        ("D/Document.xml", "<o:Document @><o:Pages><o:Page BaseLoc='P.xml'/></o:Pages></o:Document>"), ("D/P.xml", page((1, 1, 1, "大")))]),
        ("D/1.jpg", large), ("/", "")])
    # The same page without end, which holds much and says nothing.
    yield "again.ofd", package(ofd(["<o:DocRoot>D.xml</o:DocRoot>"], [
        ("D.xml", "<o:Document @><o:Pages>%s</o:Pages></o:Document>" % ("<o:Page BaseLoc='P.xml'/>" * 19000)), ("P.xml", "<o:P @>%s</o:P>" % ("<o:x/>" * 1000000))]))


# --- bombs -----------------------------------------------------------------------------------------------------------
def bombs():
    sheet = b"<w>" + (b"<!--" + b" " * (1 << 20) + b"-->") * 40 + b"</w>"
    yield "sheets.xlsx", package([TYPES, ("xl/workbook.xml", "<w/>")] + [("xl/worksheets/sheet%d.xml" % i, sheet) for i in range(40)])
    laughs = "".join('<!ENTITY e%d "%s">' % (i, "&e%d;" % (i - 1) * 10 if i else "lol" * 10) for i in range(10))
    quadratic = '<!ENTITY e "%s">' % ("a" * 50000)
    for name, definitions, use in (("laughs", laughs, "&e9;"), ("quadratic", quadratic, "&e;" * 50000)):
        text = "<?xml version='1.0'?><!DOCTYPE d [%s]><d><p><t>%s</t></p></d>" % (definitions, use)
        yield name + ".docx", package([TYPES, ("word/document.xml", text)])
        yield name + "_16.docx", package([TYPES, ("word/document.xml", text.replace("'1.0'", "'1.0' encoding='UTF-16'").encode("utf-16"))])
        yield name + "_value.docx", package([TYPES, ("word/document.xml", text.replace("<p>", '<p a="%s">' % use).replace("<t>%s</t>" % use, "").encode("utf-16"))])
        yield name + ".ofd", package([("OFD.xml", text)])
    yield "outside.docx", package([TYPES, ("word/document.xml", "<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><d><p><t>&e;</t></p></d>")])
    yield "wide.docx", docx("<a %s/>" % " ".join("a%d=''" % i for i in range(400000)))
    # Just below a limit, again and again; and Chinese characters of UTF-16 with the byte of an angle bracket.
    wide = " ".join("a%d=''" % i for i in range(9990))
    yield "wide_many.docx", docx("<a %s/>" % wide * 700)
    yield "wide_16.docx", package([TYPES, ("word/document.xml", ("<d><a %s/></d>" % " ".join("a%d='\u4e3c'" % i for i in range(400000))).encode("utf-16"))])
    yield "prolog.docx", package([TYPES, ("word/document.xml", "<?a <!DOCTYPE ?><!-- <!DOCTYPE --><w:d xmlns:w='w'><w:p><w:t><![CDATA[<!DOCTYPE]]></w:t></w:p></w:d>")])
    yield "overlong.docx", package([TYPES, ("word/document.xml", b"<w:d xmlns:w='w'><w:p><w:t><![CDATA[a\xc1\x87b]]></w:t></w:p></w:d>")])
    yield "deep.docx", docx("<a>" * 100000 + "</a>" * 100000)


# --- for damage behind the sums ------------------------------------------------------------------------------------------
def stored():
    """The packages of the samples and of the folder with their members as they are."""
    folders = ["/usr/share/forensics-samples/original-files/text1", os.environ.get("SHARED", "../shared") + "/vectors/ofd", sys.argv[1]]
    for path in sorted(os.path.join(folder, name) for folder in folders for name in os.listdir(folder)):
        if zipfile.is_zipfile(path) and os.path.getsize(path) < 100000 and sum(i.file_size for i in zipfile.ZipFile(path).infolist()) < 500000:
            with zipfile.ZipFile(path) as old:
                members = [(i.filename, old.read(i)) for i in old.infolist() if not i.flag_bits & 1]
            yield "stored-" + os.path.basename(path), package(members, method=0)


def main():
    groups = {"ooxml": [ooxmls], "odf": [odfs], "compound": [compounds], "stored": [stored], "pdf": [pdfs], "office": [ooxmls, odfs, compounds, bombs], "ofd": [ofds]}
    for group in sys.argv[2:]:
        for makers in groups[group]:
            for name, data in makers():
                with open(os.path.join(sys.argv[1], name), "wb") as out:
                    out.write(data)


main()
