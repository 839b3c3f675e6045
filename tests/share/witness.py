#!/usr/bin/python3
"""witness.py DESCRIPTIONS SAMPLE...: what the store says of each sample (DESCRIPTIONS/NAME.json) against what ffprobe,
exiftool, pdfinfo, file and a script say. A line for each difference; prints how many values were compared at the end.
witness.py --word SAMPLE: a word of its text, by pdftotext or that script; nothing for a sample without text."""
import json
import os
import re
import subprocess
import sys

SCRIPT = os.path.join(os.path.dirname(__file__), "../lib/document_witness.py")
compared = 0


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, TZ="UTC")).stdout


def text_of(path):
    if path.endswith(".pdf"):
        return run("pdftotext", "-enc", "UTF-8", path, "-")
    if re.search(r"\.(docx|odt|ofd)$", path):
        return run("/usr/bin/python3", SCRIPT, path)
    return ""


def word_of(path):
    """The longest that the index may hold: of Chinese or of letters."""
    words = re.findall(r"[\u4e00-\u9fff]{2,8}|[A-Za-z]{4,16}", text_of(path))
    return max(words, key=len, default="")


def same(path, what, ours, theirs, near=0):
    global compared
    compared += 1
    if ours == theirs or (near and ours is not None and abs(ours - theirs) <= near):
        return
    print("%s: %s is %r, the witness says %r" % (os.path.basename(path), what, ours, theirs))


def check_av(path, media):
    witness = json.loads(run("ffprobe", "-v", "error", "-print_format", "json", "-show_format", "-show_streams", path))
    if "streams" not in media:
        return
    same(path, "codecs", [s.get("codec") for s in media["streams"]], [s.get("codec_name") for s in witness["streams"]])
    for ours, theirs in zip(media["streams"], witness["streams"]):
        for key in ("width", "height", "channels"):
            if key in theirs:
                same(path, key, ours.get(key), theirs[key])
        if theirs.get("sample_rate"):
            same(path, "sample_rate", ours.get("sample_rate"), int(theirs["sample_rate"]))
    if "duration_ms" in media:
        same(path, "duration", media["duration_ms"], round(float(witness["format"]["duration"]) * 1000), 1)
    elif media["type"].startswith(("audio/", "video/")):
        print("%s: no duration" % path)


def check_photo(path, media):
    witness = json.loads(run("exiftool", "-j", "-n", path) or "[{}]")[0]
    for ours, theirs in (("make", "Make"), ("model", "Model")):
        if witness.get(theirs):
            same(path, ours, media.get(ours), str(witness[theirs]).strip())
    taken = witness.get("DateTimeOriginal")
    if taken and not taken.startswith("0000"):
        same(path, "created", media.get("created", "")[:19], taken[:10].replace(":", "-") + "T" + taken[11:19])
    for ours, theirs in (("latitude", "GPSLatitude"), ("longitude", "GPSLongitude")):
        if isinstance(witness.get(theirs), (int, float)):
            same(path, ours, media.get(ours), witness[theirs], 1e-6)


def check_pdf(path, media):
    info = dict(re.findall(r"^([^:\n]+): +(.*)$", run("pdfinfo", "-enc", "UTF-8", path), re.M))
    if not info:
        same(path, "encrypted", media.get("encrypted"), True)
        return
    same(path, "pages", media.get("pages"), int(info["Pages"]))
    same(path, "format_version", media.get("format_version"), info["PDF version"])
    same(path, "author", media.get("author", ""), info.get("Author", ""))
    same(path, "title", media.get("title", ""), info.get("Title", ""))


def check_package(path, media):
    head = run("unzip", "-p", path, "OFD.xml", "docProps/core.xml", "meta.xml")
    made = re.search(r"(?:CreationDate|created|creation-date)\b[^>]*>(\d{4}-\d\d-\d\d)", head)
    same(path, "created", media.get("created", "")[:10], made.group(1) if made else "")
    if path.endswith(".ofd"):
        root = re.search(r"DocRoot>([^<]+)<", head).group(1).strip().lstrip("/")
        document = run("unzip", "-p", path, root)
        same(path, "pages", media.get("pages"), len(re.findall(r"<(?:\w+:)?Page\s", document)))
    else:
        pages = re.search(r'(?:Pages>|page-count=")(\d+)', run("unzip", "-p", path, "docProps/app.xml", "meta.xml"))
        same(path, "pages", media.get("pages"), int(pages.group(1)))


def check(path, description):
    media = description.get("media") or {}
    same(path, "outcome", description.get("outcome"), "described")
    kind = "application/ofd" if path.endswith(".ofd") else run("file", "-b", "--mime-type", path).strip()
    same(path, "type", media.get("type"), kind)
    same(path, "findings", [f["code"] for f in media.get("findings", []) if f["code"] != "encrypted"], [])
    if kind.startswith(("audio/", "video/", "application/ogg")):
        check_av(path, media)
    elif kind == "image/jpeg":
        check_photo(path, media)
    elif kind == "application/pdf":
        check_pdf(path, media)
    elif re.search(r"\.(docx|odt|ofd)$", path):
        check_package(path, media)
    if re.search(r"\.(docx|odt|ofd|pdf)$", path):
        length = len("".join(text_of(path).split()).encode())
        same(path, "has text", media.get("text", {}).get("bytes", 0) >= max(length, 1), length > 0)


def main():
    if sys.argv[1] == "--word":
        print(word_of(sys.argv[2]))
        return
    for path in sys.argv[2:]:
        name = "-".join(path.split("/")[-2:])
        with open(os.path.join(sys.argv[1], name + ".json")) as file:
            check(path, json.load(file))
    print("compared: %d" % compared)


main()
