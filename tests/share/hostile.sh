#!/usr/bin/env bash
# What is broken, disguised, misnamed or forged comes in through the share like everything else: it is sealed, what was
# found of it stands on record, and who uses the store goes on.
. "$(dirname "$0")/lib.sh"

STAGE='2026/测试〔2026〕1号/02调查取证'
SAMPLES=/usr/share/forensics-samples/original-files

property() { # property NAME PYTHON: of the description d
    tool o1 record properties "/$STAGE/$1" --json | "$py" -c "import json, sys; d = json.load(sys.stdin); print($2)"
}
copy_in() { # copy_in FROM NAME: through Samba, as o1
    smb o1 cases "cd \"${STAGE//\//\\}\"; put \"$1\" \"$2\"" >>"$work/smb.log" || die "$(tail -n 3 "$work/smb.log")"
    sealed "$STAGE/$2"
}
notice() { as o1 cat "$mnt/提示.txt"; }
found() { property "$1" '[f["code"] for f in d["media"].get("findings", [])]'; }

case_damaged() {
    local file commands= outcome
    mkdir "$work/damaged"
    "$py" - "$work/damaged" "$SAMPLES" "${SHARED:-$top/../shared}/vectors/ofd" <<'PYTHON'
import os, random, sys
dice, count = random.Random(4), 0
paths = sorted(os.path.join(at, name) for top in sys.argv[2:] for at, _, names in os.walk(top) for name in names if name != "LICENSE")
for path in paths:
    data = bytearray(open(path, "rb").read())
    if count % 3 == 0:
        del data[dice.randrange(len(data)):]
    for _ in range(1 + count % 9):
        if data:
            data[dice.randrange(min(len(data), 4096 if count % 2 else len(data)))] ^= 1 << dice.randrange(8)
    with open("%s/%02d-%s" % (sys.argv[1], count, os.path.basename(path)), "wb") as out:
        out.write(data)
    count += 1
PYTHON
    [ "$(ls "$work/damaged" | wc -l)" -ge 40 ] || die 'too few'
    for file in "$work"/damaged/*; do commands+="put \"$file\" \"$(basename "$file")\"; "; done
    smb o1 cases "cd \"${STAGE//\//\\}\"; $commands" >>"$work/smb.log" || die "$(tail -n 3 "$work/smb.log")"
    for file in "$work"/damaged/*; do sealed "$STAGE/$(basename "$file")" 60; done
    eventually 120 all_looked_into
    for file in "$work"/damaged/*; do
        outcome=$(property "$(basename "$file")" 'd["outcome"]')
        expect "$file" "$outcome" '^(described|crashed|timeout|memory)$'
        cmp -s "$file" <(as o1 cat "$mnt/$STAGE/$(basename "$file")") || die "$file is another now"
    done
    printf '当事人拒不配合，现场秩序混乱。\n' >"$work/after.txt"
    copy_in "$work/after.txt" after.txt
    eventually 60 all_looked_into
    by_text() { tool o1 search 全文:秩序混乱 | grep -q after.txt; }
    eventually 30 by_text
    tool au verify
}
case_disguised() { # the name says one thing, the content another
    local pair from name type
    for pair in movie1/VID_20191220_170832.mp4=录像.pdf pic1/debian.png=照片.jpg text1/a-text.pdf=说明.docx text1/a-text.docx=文书.pdf \
        audio1/debian.mp3=录音.txt text2/test.sh=程序.jpg pic1/empty.jpg=空.mp4; do
        from=${pair%%=*} name=${pair#*=}
        copy_in "$SAMPLES/$from" "$name"
    done
    eventually 60 all_looked_into
    for pair in movie1/VID_20191220_170832.mp4=录像.pdf pic1/debian.png=照片.jpg text1/a-text.pdf=说明.docx text1/a-text.docx=文书.pdf \
        audio1/debian.mp3=录音.txt text2/test.sh=程序.jpg pic1/empty.jpg=空.mp4; do
        from=${pair%%=*} name=${pair#*=}
        type=$(file -b --mime-type "$SAMPLES/$from")
        expect_same "type of $name" "$(property "$name" 'd["media"]["type"]')" "$type"
        expect "$name" "$(found "$name")" "'extension'"
        expect "$name, to a person" "$(tool o1 record properties "/$STAGE/$name")" "the name ends in .${name##*.}, the content is $type"
    done
    expect_same 'the type is searched, not the name' "$(tool o1 search '类型:视频' | grep -c 录像.pdf)" 1
}
signature() { property "$1" '"|".join(str(d["media"]["signatures"][0].get(k)) for k in ("kind", "signer", "intact", "chain"))'; }
trust() { # trust CERTIFICATES: of the agency, from the next start on
    cp "$1" "$work/policy/trust.pem"
    daemon_stop
    daemon_start --settle 1 --policy "$work/policy"
    smbd_stop
    smbd_start
}
case_signed() {
    local name
    "$py" tests/lib/sign_witness.py "$work/sign"
    cp -r policy "$work/policy"
    trust "$work/sign/ca.pem"
    for name in good.pdf good.ofd changed.pdf changed.ofd; do copy_in "$work/sign/$name" "$name"; done
    eventually 60 all_looked_into
    expect_same 'PDF' "$(signature good.pdf)" 'pdf|张三, 示例局|True|trusted'
    expect_same 'OFD' "$(signature good.ofd)" 'ofd|张三, 示例局|True|trusted'
    expect_same 'when' "$(property good.pdf 'abs(int(d["media"]["signatures"][0]["time_ns"]) / 1e9 - __import__("time").time()) < 3600')" True
    expect_same 'a letter of the PDF is another' "$(signature changed.pdf)" 'pdf|张三, 示例局|False|trusted'
    expect_same 'a letter of the OFD is another' "$(signature changed.ofd)" 'ofd|张三, 示例局|False|trusted'
    for name in changed.pdf changed.ofd; do expect "$name" "$(found $name)" "'signature'"; done
    expect 'to a person' "$(tool o1 record properties "/$STAGE/good.pdf")" '张三, 示例局'
    trust "$work/sign/other.pem"
    for name in good.pdf good.ofd; do tool o1 reindex "/$STAGE/$name"; done
    eventually 60 all_looked_into
    expect_same 'PDF, of another authority' "$(signature good.pdf)" 'pdf|张三, 示例局|True|untrusted'
    expect_same 'OFD, of another authority' "$(signature good.ofd)" 'ofd|张三, 示例局|True|untrusted'
    printf 'no certificate\n' >"$work/none.pem"
    trust "$work/none.pem"
    tool o1 reindex "/$STAGE/good.pdf"
    eventually 60 all_looked_into
    expect_same 'nobody to trust' "$(signature good.pdf)" 'pdf|张三, 示例局|True|unknown'
    expect 'the daemon says so' "$(cat "$daemon_log")" 'trust.pem'
}
case_misnamed() { # a program on the mount; Windows
    local gb nfc nfd
    gb=$(printf '照片.jpg' | iconv -t GB18030)
    ! as o1 cp "$SAMPLES/pic1/debian_logo.jpg" "$mnt/$STAGE/$gb" 2>"$work/gb.err" || die 'a name of GB18030 bytes was taken'
    expect 'what to do' "$(notice)" 'GB18030.*UTF-8.*\[name_encoding\]'
    nfc=$("$py" -c 'print(__import__("unicodedata").normalize("NFC", "Zu\u0308rich.jpg"))')
    nfd=$("$py" -c 'print(__import__("unicodedata").normalize("NFD", "Zu\u0308rich.jpg"))')
    [ "$nfc" != "$nfd" ] || die 'they are the same bytes'
    copy_in "$SAMPLES/pic1/debian_logo.jpg" "$nfc"
    smb o1 cases "cd \"${STAGE//\//\\}\"; put \"$SAMPLES/pic1/empty.jpg\" \"$nfd\"" >"$work/twin.log" 2>&1 || true
    cat "$work/twin.log"
    cmp "$SAMPLES/pic1/debian_logo.jpg" <(as o1 cat "$mnt/$STAGE/$nfc") || die 'the first is another now'
    expect 'the second is told' "$(notice)" '\[(name_twin|sealed)\]'
    copy_in "$SAMPLES/pic1/debian_logo.jpg" '㊙𠮷😀.jpg'
    as o1 test -e "$mnt/$STAGE/㊙𠮷😀.jpg" || die 'surrogates'
    eventually 60 all_looked_into
}
place_of() { tool o1 record labels "/$STAGE/$1" --json | "$py" -c 'import json, sys
print(*[l["value"] for l in json.load(sys.stdin)["labels"] if l["label"] == "place"])'; }
case_forged_lists() { # label files
    local name before after
    cp "$SAMPLES/pic1/debian.png" "$work/p.png"
    mkdir -p "$work/lists"
    "$py" - "$work/lists" <<'PYTHON'
import os, sys
def put(name, data):
    with open(os.path.join(sys.argv[1], name), "wb") as out:
        out.write(data)
head = "文件名,采集地点\r\n"
put("bom", b"\xef\xbb\xbf" + (head + "bom.png,甲地\r\n").encode())
put("utf16", ("\ufeff" + head + "utf16.png,乙地\r\n").encode("utf-16-le"))
put("gb", (head + "gb.png,丙地\r\n").encode("gb18030"))
put("tabs", (head + "tabs.png,丁地\r\n").replace(",", "\t").encode())
put("columns", "文件名,地点,采集地点\r\ncolumns.png,错,戊地,多,余\r\n".encode())
put("unknown", "甲,乙\r\nunknown.png,己地\r\n".encode())
put("formula", (head + "formula.png,\"=HYPERLINK(\"\"http://x/\"\",\"\"1\"\")\"\r\nformula2.png,@SUM(1)\r\n").encode())
put("quotes", (head + "quotes.png,\"庚地\r\n").encode())
put("long", head.encode() + b"long.png," + b"x" * (10 << 20) + b"\r\n")
put("picture", open("/usr/share/forensics-samples/original-files/pic1/debian_logo.png", "rb").read())
put("nul", (head + "nul.png,辛\0地\r\n").encode())
PYTHON
    for name in bom utf16 gb tabs columns unknown formula quotes long nul picture; do
        as o1 mkdir "$mnt/$STAGE/$name"
        smb o1 cases "cd \"${STAGE//\//\\}\\$name\"; put \"$work/p.png\" \"$name.png\"; put \"$work/lists/$name\" 标签.csv" >>"$work/smb.log"
        sealed "$STAGE/$name/标签.csv"
    done
    eventually 60 all_looked_into
    expect_same 'with a mark' "$(place_of bom/bom.png)" 甲地
    expect_same 'UTF-16' "$(place_of utf16/utf16.png)" 乙地
    expect_same 'GB18030' "$(place_of gb/gb.png)" 丙地
    expect_same 'tabs' "$(place_of tabs/tabs.png)" 丁地
    expect_same 'a formula is a text' "$(place_of formula/formula.png)" '=HYPERLINK("http://x/","1")'
    for name in columns unknown quotes long nul picture; do expect_same "$name: nothing of it" "$(place_of $name/$name.png)" ''; done
    said() { notice | tr -d '\r' | grep -A4 "/$1/标签.csv" || true; }
    expect 'columns' "$(said columns)" '第 2 行：'
    expect 'unknown' "$(said unknown)" '第 1 行：标题行没有“文件名”一列，整份未采用'
    expect 'quotes' "$(said quotes)" '第 2 行：引号没有结束'
    expect 'long' "$(said long)" '第 1 行：标签文件超过 4 MiB，未采用'
    expect 'nul' "$(said nul)" '第 2 行：含有空字符（NUL），整份未采用'
    expect 'picture' "$(said picture)" '第 1 行：内容不是文字（image/png），整份未采用'
    # Nothing that a spreadsheet opens begins a cell with a formula.
    copy_in "$work/p.png" '=1+1.png'
    copy_in "$work/p.png" '@a,b.png'
    eventually 60 all_looked_into
    as o1 cat "$mnt/入库回执.csv" >"$work/receipt.csv"
    "$py" - "$work/receipt.csv" <<'PYTHON'
import csv, sys
cells = [cell for row in csv.reader(open(sys.argv[1], encoding="utf-8-sig", newline="")) for cell in row]
assert any("=1+1.png" in cell for cell in cells), cells[-40:]
assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")], [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")]
PYTHON
}
case_forged_yaml() { # aliases without end, a key twice, a second document: of one recording
    local name
    cp "$SAMPLES/pic1/debian.png" "$work/p.png"
    { echo 'a: &a [x,x,x,x,x,x,x,x,x]'; for n in b c d e f g h i; do echo "$n: &$n [$(printf "*$(tr b-i a-h <<<$n),%.0s" 1 2 3 4 5 6 7 8)x]"; done; echo '采集地点: *i'; } >"$work/aliases.yaml"
    printf '采集地点: 甲地\n采集地点: 乙地\n' >"$work/twice.yaml"
    printf '采集地点: 甲地\n---\n采集地点: 乙地\n' >"$work/second.yaml"
    printf '采集地点: [甲地\n' >"$work/open.yaml"
    for name in aliases twice second open; do
        copy_in "$work/p.png" "y-$name.png"
        copy_in "$work/$name.yaml" "y-$name.png.label.yaml"
    done
    eventually 60 all_looked_into
    expect_same 'the first document alone' "$(place_of y-second.png)" 甲地
    for name in aliases twice open; do expect_same "$name: nothing of it" "$(place_of "y-$name.png")" ''; done
    for name in aliases twice second open; do
        expect "$name" "$(notice | tr -d '\r' | grep -A4 "/y-$name.png.label.yaml")" '第 [0-9]+ 行：'
    done
}
body() {
    fixture_up --settle 1 >>"$work/build.log" 2>&1
    for name in damaged disguised signed misnamed forged_lists forged_yaml; do run_case "$name" 240; done
}
share_main body "$@"
