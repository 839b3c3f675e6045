#!/usr/bin/python3
"""document_witness.py FILE: the text of a docx, odt or ofd, by another road than the probe's.
document_witness.py --make KIND FILE: writes a file of that kind: xlsx, pptx, ods, zipbomb, xmlbomb, deep, many."""
import re
import sys
import xml.etree.ElementTree as ET
import zipfile

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def local(tag):
    return tag.rsplit("}", 1)[-1]


def docx(package):
    root = ET.fromstring(package.read("word/document.xml"))
    return "\n".join("".join(t.text or "" for t in p.iter("{%s}t" % W)) for p in root.iter("{%s}p" % W))


def odt(package):
    root = ET.fromstring(package.read("content.xml"))
    body = next(e for e in root if local(e.tag) == "body")
    return "\n".join("".join(p.itertext()) for p in body.iter() if local(p.tag) in ("p", "h"))


def ofd(package):
    import posixpath
    names = {n.lstrip("/").lower(): n for n in package.namelist()}

    def load(path):
        return ET.fromstring(package.read(names[path.lstrip("/").lower()]))

    head = load("OFD.xml")
    root = next(e.text.strip() for e in head.iter() if local(e.tag) == "DocRoot").lstrip("/")
    document = load(root)
    pages, templates = [], []
    for e in document.iter():
        if local(e.tag) in ("Page", "TemplatePage") and "BaseLoc" in e.attrib:
            place = e.attrib["BaseLoc"]
            place = place if place.startswith("/") else posixpath.normpath(posixpath.join(posixpath.dirname(root), place))
            (templates if local(e.tag) == "TemplatePage" else pages).append(place)
    return "\n".join("".join(e.itertext()) for page in pages + templates if page.lstrip("/").lower() in names
                     for e in load(page).iter() if local(e.tag) == "TextCode")


def make(kind, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        if kind == "xlsx":
            out.writestr("[Content_Types].xml", TYPES)
            out.writestr("xl/workbook.xml", "<workbook/>")
            out.writestr("xl/sharedStrings.xml", '<sst><si><t>当事人</t><rPh sb="0"><t>ふりがな</t></rPh></si><si><r><t>张</t></r><r><t>三</t></r></si></sst>')
            out.writestr("xl/worksheets/sheet1.xml", '<worksheet><sheetData><row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>'
                         '<row><c><v>12.5</v></c><c t="inlineStr"><is><t>备注</t></is></c><c t="s"><v>99</v></c></row></sheetData></worksheet>')
            out.writestr("docProps/core.xml", '<c xmlns:dc="d" xmlns:t="t"><dc:title>台账</dc:title><dc:creator>李四</dc:creator><t:created>2026-03-05T06:03:22Z</t:created></c>')
        elif kind == "pptx":
            out.writestr("[Content_Types].xml", TYPES)
            order, rel = (1, 2, 10), 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
            out.writestr("ppt/presentation.xml", '<p xmlns:r="%s"><sldIdLst>%s</sldIdLst></p>' % (
                rel, "".join('<sldId id="%d" r:id="rId%d"/>' % (256 + i, i) for i in order)))
            out.writestr("ppt/_rels/presentation.xml.rels", "<Relationships>%s</Relationships>" % "".join(
                '<Relationship Id="rId%d" Type="%s/slide" Target="slides/slide%d.xml"/>' % (i, rel, i) for i in order))
            for i in reversed(order):
                out.writestr("ppt/slides/slide%d.xml" % i, '<s xmlns:a="a"><a:p><a:t>第%d页</a:t></a:p></s>' % i)
        elif kind == "ods":
            out.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
            out.writestr("content.xml", '<o:document-content xmlns:o="o" xmlns:t="t"><o:styles><t:p>不是正文</t:p></o:styles><o:body><t:table-row><t:table-cell>'
                         '<t:p>甲</t:p></t:table-cell>\n<t:table-cell><t:p>乙<t:s t:c="3"/>丙</t:p></t:table-cell></t:table-row></o:body></o:document-content>')
        elif kind == "zipbomb":
            out.writestr("[Content_Types].xml", TYPES)
            out.writestr("word/document.xml", b"<w>" + b" " * (300 << 20) + b"</w>")
        elif kind == "xmlbomb":
            entities = "".join('<!ENTITY e%d "%s">' % (i, "&e%d;" % (i - 1) * 10 if i else "lol" * 10) for i in range(10))
            out.writestr("[Content_Types].xml", TYPES)
            out.writestr("word/document.xml", "<?xml version='1.0'?><!DOCTYPE d [%s]><d><p><t>&e9;</t></p></d>" % entities)
        elif kind == "deep":
            out.writestr("[Content_Types].xml", TYPES)
            out.writestr("word/document.xml", "<p><t>先</t></p>".join(["<d>", ""]) + "<a>" * 100000 + "</a>" * 100000 + "</d>")
        elif kind == "many":
            out.writestr("[Content_Types].xml", TYPES)
            for i in range(12000):
                out.writestr("x/%d" % i, "")
            out.writestr("word/document.xml", "<d/>")


def main():
    if sys.argv[1] == "--make":
        return make(*sys.argv[2:])
    with zipfile.ZipFile(sys.argv[1]) as package:
        kind = {"docx": docx, "odt": odt, "ofd": ofd}[re.search(r"\.(\w+)$", sys.argv[1]).group(1)]
        print(kind(package))


main()
