#!/usr/bin/env bash
# Retention bundles: exported through the tool by an archivist, verified with programs that are not ours, and with ours.
. "$(dirname "$0")/lib.sh"

CASE='2026/测试〔2026〕1号'
STAGE="$CASE/02调查取证"
SAMPLES=/usr/share/forensics-samples/original-files
FOLDER=X043-LX_2026-Y-JC-0001

copy_in() { # copy_in FROM NAME: through Samba, as o1
    smb o1 cases "cd \"${STAGE//\//\\}\"; put \"$1\" \"$2\"" >>"$work/smb.log"
    sealed "$STAGE/$2"
}
media() { echo "$work/media/$1"; }
export_as() { # export_as SHORT FILE ARGUMENT...
    tool "$1" export "/$CASE" --out "$(media "$2")" "${@:3}"
}
unpack() { # unpack FILE FOLDER: by bsdtar
    mkdir -p "$work/$2"
    bsdtar -xf "$(media "$1")" -C "$work/$2"
}

case_prepare() {
    local field
    cp "$SAMPLES"/movie1/*.mp4 "$work/video.mp4"
    head -c 6000000 /dev/urandom >"$work/big.bin"
    printf '询问笔录：李四承认无证经营。\n' >"$work/note.txt"
    copy_in "$work/video.mp4" '现场 录像（1）.mp4'
    copy_in "$work/note.txt" '询问笔录.txt'
    copy_in "$work/big.bin" '附件.bin'
    eventually 60 all_looked_into
    for field in '现场 录像（1）.mp4' '询问笔录.txt'; do
        tool o1 record label "/$STAGE/$field" 案件编号='测试〔2026〕1号' 采集时间=2026-03-05T14:03:22+08:00 \
            采集地点='城东市场<东门>&"口"' 采集人=川H001 证明对象=无证经营 摄录内容=现场检查
    done
    sed -i 's/^#全宗号/全宗号/' "$work/policy/archive.yaml"
    tool so policy reload
    tool ar case archive-numbers "/$CASE"
    $py tests/lib/export_witness.py keys "$work/keys"
    chmod -R a+rX "$work/keys"
}
case_tar() {
    local said tsa
    tsa=$(free_port)
    $py tests/lib/export_witness.py authority "$work/keys" "$tsa" &
    trap "kill $!" EXIT
    eventually 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$tsa" 2>/dev/null
    expect 'no stamp' "$(export_as ar one.tar --tsa "http://127.0.0.1:$tsa/none" 2>&1 || true)" 'it answered 503'
    expect 'no stamp' "$(export_as ar one.tar --tsa "http://127.0.0.1:$tsa/other" 2>&1 || true)" 'is of other bytes'
    expect 'no stamp' "$(export_as ar one.tar --tsa "http://127.0.0.1:1/" 2>&1 || true)" 'time stamp authority'
    expect 'no file' "$(export_as ar one.tar --tsa "file:///etc/passwd" 2>&1 || true)" 'time stamp authority'
    [ -z "$(ls "$work/media")" ] || die 'a bundle without the stamp'
    said=$(export_as ar one.tar --seal-key "$work/keys/seal.key" --seal-cert "$work/keys/chain.pem" --tsa "http://127.0.0.1:$tsa/good")
    expect 'folder, count' "$said" "$FOLDER，3 件"
    [ ! -e "$(media one.tar.partial)" ] || die 'a partial file is left'
    unpack one.tar one
    cd "$work/one/$FOLDER"
    sha256sum --quiet --strict -c manifest-sha256.txt
    sha256sum --quiet --strict -c tagmanifest-sha256.txt
    openssl cms -verify -binary -inform DER -in seal.p7s -content tagmanifest-sha256.txt -CAfile "$work/keys/ca.pem" -purpose any -out /dev/null
    ! openssl cms -verify -binary -inform DER -in seal.p7s -content manifest-sha256.txt -CAfile "$work/keys/ca.pem" -purpose any -out /dev/null 2>&1 || die 'the seal is of anything'
    openssl ts -verify -in seal.tsr -data tagmanifest-sha256.txt -CAfile "$work/keys/ca.pem"
    cmp data/objects/0001.mp4 "$work/video.mp4"
    cmp data/docs/0002.txt "$work/note.txt"
    cmp data/docs/0003.bin "$work/big.bin"
    expect 'bag-info' "$(cat bag-info.txt)" '^External-Identifier: X043-LX·2026-Y-JC-0001$'
    expect 'bag-info' "$(cat bag-info.txt)" '^Internal-Sender-Identifier: 测试〔2026〕1号$'
    expect 'bag-info' "$(cat bag-info.txt)" '^密级: 公开$'
    expect 'bag-info' "$(cat bag-info.txt)" '^保管期限: 永久$'
    expect_same 'Payload-Oxum' "$(sed -n 's/^Payload-Oxum: //p' bag-info.txt)" "$(find data -type f -printf '%s\n' | awk '{s += $1} END {print s "." NR}')"
    ! LC_ALL=C grep -rl "$mnt" . || die 'a path of the appliance is in it'
}
case_xml() {
    cd "$work/one/$FOLDER"
    xmllint --noout --nonet --schema xsd/eep.xsd data/eep.xml
    xmllint --noout --nonet --schema xsd/check.xsd data/check.xml
    xmllint --noout --nonet --schema xsd/av.xsd data/av/0001.xml
    sed 's/<密级>公开/<密级>很密/' data/eep.xml >"$work/bad.xml"
    ! xmllint --noout --nonet --schema xsd/eep.xsd "$work/bad.xml" 2>/dev/null || die 'the schema takes everything'
    expect_same 'original name' "$(xmllint --xpath "string(//*[local-name()='文件实体'][1]//*[local-name()='计算机文件名'])" data/eep.xml)" '现场 录像（1）.mp4'
    expect_same 'place, ours' "$(xmllint --xpath "string(//*[local-name()='采集地点'])" data/av/0001.xml)" '城东市场<东门>&"口"'
    expect_same 'records' "$(xmllint --xpath "count(//*[local-name()='文件实体'])" data/eep.xml)" 3
    expect_same 'labels missing' "$(xmllint --xpath "string(//*[@编号='2-4']/*[local-name()='结果'])" data/check.xml)" 不通过
    expect_same 'gaps' "$(xmllint --xpath "string(//*[@编号='2-6']/*[local-name()='结果'])" data/check.xml)" 通过
    expect_same 'dates are of the entry' "$(xmllint --xpath "string(//*[local-name()='封装包创建时间'])" data/eep.xml)" "$(xmllint --xpath "string(//*[local-name()='检测时间'])" data/check.xml)"
}
case_custody_and_proofs() {
    cd "$work/one/$FOLDER"
    $py "$top/tests/lib/export_witness.py" custody data/custody.jsonl
    for id in 0001 0002 0003; do
        "$bin_tool" ledger verify --proof "data/ledger/$id.tlog-proof" --leaf "data/ledger/$id.json" --key data/ledger/log.vkey
    done
    expect 'collected' "$(cat data/custody.jsonl)" '"event":"collected".*"person":"测试o1"|"person":"测试o1".*"event":"collected"'
    expect 'the note' "$(cat data/shuoming/0001.txt)" '^摄录内容：现场检查'
}
case_ours() {
    local said
    said=$("$bin_tool" verify "$(media one.tar)" --trust "$work/keys/ca.pem")
    expect 'signed' "$said" '^ok seal.p7s:'
    expect 'stamped' "$said" '^ok seal.tsr:'
    expect 'XML' "$said" '^ok data/eep.xml: fits its schema'
    expect 'custody' "$said" '^ok data/custody.jsonl: [0-9]+ acts'
    expect 'proofs' "$said" '^ok data/ledger/0001.tlog-proof: .*data/objects/0001.mp4'
    expect 'whole' "$said" 'valid$'
}
case_zip() {
    export_as ar one.zip --format zip --seal-key "$work/keys/seal.key" --seal-cert "$work/keys/chain.pem"
    unzip -tq "$(media one.zip)"
    "$bin_tool" verify "$(media one.zip)"
    mkdir "$work/zip"
    (cd "$work/zip" && unzip -q "$(media one.zip)")
    diff -r -x 'seal.*' "$work/one/$FOLDER" "$work/zip/$FOLDER"
}
case_iso() {
    export_as ar one.iso --format iso --seal-key "$work/keys/seal.key" --seal-cert "$work/keys/chain.pem"
    [ -z "$(ls "$work/media" | grep -v '^one\.')" ] || die 'something is left beside it'
    "$bin_tool" verify "$(media one.iso)" --trust "$work/keys/ca.pem"
    mkdir "$work/iso"
    xorriso -osirrox on -indev "$(media one.iso)" -extract / "$work/iso" >/dev/null 2>&1
    chmod -R u+w "$work/iso"
    diff -r -x 'seal.*' "$work/one/$FOLDER" "$work/iso/$FOLDER"
    expect 'as Windows sees it' "$(bsdtar --options 'iso9660:!rockridge' -tf "$(media one.iso)")" "$FOLDER/data/objects/0001.mp4"
    export_as ar two.iso --format iso
    export_as ar three.iso --format iso
    cmp "$(media two.iso)" "$(media three.iso)"
    mkdir "$work/iso2" # and by another reader
    bsdtar -xf "$(media one.iso)" -C "$work/iso2"
    (cd "$work/iso2/$FOLDER" && sha256sum --quiet --strict -c manifest-sha256.txt tagmanifest-sha256.txt)
}
case_same_again() {
    export_as sv two.tar 2>&1 && die 'a supervisor exports' || true
    tool ar view "/$STAGE/附件.bin" --purpose 复核 >/dev/null
    daemon_stop
    daemon_start --settle 1 --policy "$work/policy"
    export_as ar two.tar
    export_as ar three.tar
    cmp "$(media two.tar)" "$(media three.tar)"
    unpack two.tar two
    diff -r -x 'seal.*' "$work/one" "$work/two"
    # and later: another act on the case changes it, but not as it was
    local as_of
    as_of=$(sed -n 's/^Strongroom-As-Of: //p' "$work/two/$FOLDER/bag-info.txt")
    tool o1 record label "/$STAGE/附件.bin" 摄录内容=补充
    tool sa user set "${tag}o1" --name 张三改名
    export_as ar four.tar --as-of "$as_of"
    cmp "$(media two.tar)" "$(media four.tar)"
    export_as ar five.tar
    ! cmp -s "$(media two.tar)" "$(media five.tar)" || die 'a later act is not in it'
    expect 'refused' "$(export_as ar six.tar --as-of 99999999 2>&1 || true)" 'there is no entry 99999999'
    expect 'refused' "$(export_as ar six.tar --as-of 2 2>&1 || true)" 'the case was not opened yet'
}
case_nothing_overwritten() {
    local before
    before=$(sha <"$(media one.tar)")
    expect 'refused' "$(export_as ar one.tar 2>&1 || true)" 'is there already: nothing is overwritten'
    expect_same 'untouched' "$(sha <"$(media one.tar)")" "$before"
}
case_on_record() {
    expect 'begun' "$(tool au ledger log --act export.begin --json)" '"format": *"tar"'
    expect 'ended' "$(tool au ledger log --act export.end --json)" "\"sha256\": *\"$(sha <"$work/one/$FOLDER/tagmanifest-sha256.txt")\""
    expect 'refused' "$(tool au ledger log --act refuse --json)" '"op": *"export"'
}
case_restricted() {
    tool o1 record classify "/$STAGE/附件.bin" --mark 商业秘密 --reason 涉及配方
    local said
    said=$(export_as ar seven.tar 2>&1 || true)
    expect 'not by an archivist' "$said" '不能导出 /.*附件.bin.*--leave-out'
    [ ! -e "$(media seven.tar)" ] || die 'a bundle that was refused'
    export_as ar seven.tar --leave-out
    unpack seven.tar seven
    expect 'said so' "$(cat "$work/seven/$FOLDER/bag-info.txt")" '^Strongroom-Left-Out: 1$'
    ! grep -rl '附件.bin' "$work/seven" || die 'a name that was left out'
    "$bin_tool" verify "$(media seven.tar)"
    said=$(export_as hd eight.tar 2>&1 || true)
    expect 'a purpose' "$said" '须说明事由才能导出：--purpose'
    export_as hd eight.tar --purpose 移交档案馆
    unpack eight.tar eight
    cmp "$work/eight/$FOLDER/data/docs/0003.bin" "$work/big.bin"
    expect 'marked' "$(cat "$work/eight/$FOLDER/data/custody.jsonl")" '"marks":\["trade_secret"\]'
    expect 'read on record' "$(tool hd record views "/$STAGE/附件.bin")" '移交档案馆'
}
case_recipients() {
    local key
    export_as hd sealed --purpose 移交 --recipient "$work/keys/to-rsa.pem" --recipient "$work/keys/to-ec.pem"
    expect_same 'a folder' "$(ls "$(media sealed)" | tr '\n' ' ')" 'SHA256SUMS join.sh part-0001.p7m '
    expect 'AuthEnvelopedData' "$(openssl cms -cmsout -print -inform DER -in "$(media sealed)/part-0001.p7m" 2>/dev/null | head -5)" 'authEnveloped'
    for key in rsa ec; do
        sh "$(media sealed)/join.sh" "$work/keys/to-$key.key" "$work/keys/to-$key.pem" "$work/opened-$key.tar"
        "$bin_tool" verify "$work/opened-$key.tar"
    done
    export_as hd plain.tar --purpose 移交
    cmp "$work/opened-rsa.tar" "$(media plain.tar)"
    ! sh "$(media sealed)/join.sh" "$work/keys/to-rsa2.key" "$work/keys/to-rsa2.pem" "$work/stranger.tar" 2>&1 || die 'a stranger opens it'
    [ ! -e "$work/stranger.tar" ] || die 'something for a stranger'
    cp -r "$(media sealed)" "$work/changed"
    printf x | dd of="$work/changed/part-0001.p7m" bs=1 seek=100000 conv=notrunc status=none
    expect 'changed' "$(sh "$work/changed/join.sh" "$work/keys/to-rsa.key" "$work/keys/to-rsa.pem" "$work/changed.tar" 2>&1 || true)" 'BAD: a part is not as it was made'
    (cd "$work/changed" && sha256sum part-*.p7m >SHA256SUMS)
    expect 'by its tag' "$(sh "$work/changed/join.sh" "$work/keys/to-rsa.key" "$work/keys/to-rsa.pem" "$work/changed.tar" 2>&1 || true)" 'cannot be decrypted'
    [ ! -e "$work/changed.tar" ] || die 'something of a changed part'
    expect 'no certificate' "$(export_as hd other --purpose 试 --recipient "$work/keys/to-rsa.key" 2>&1 || true)" 'no certificate in PEM'
    expect 'nothing overwritten' "$(export_as hd sealed --purpose 试 --recipient "$work/keys/to-rsa.pem" 2>&1 || true)" 'is there already'
}
# The archivist's example of README.md, as it stands there, but for the case and the media.
case_readme() {
    local file commands
    mkdir -p "$work/bin" "$work/readme"
    chmod 1777 "$work/readme"
    printf '#!/bin/sh\nexec "%s" -C "%s" "$@"\n' "$bin_tool" "$vault" >"$work/bin/strongroom"
    chmod 755 "$work/bin/strongroom"
    for file in README.md README.zh-CN.md; do
        commands=$(grep -A1 '^    strongroom export' "$file" | sed -E "s/^    //; s/ {3,}.*//; s|/2026/示例〔2026〕1号|'/$CASE'|; s|/media/usb|$work/readme|g")
        expect_same 'two lines' "$(wc -l <<<"$commands")" 2
        (cd "$work/readme" && as hd env PATH="$work/bin:$PATH" bash -ec "${commands/export/export --purpose 试}")
        rm -rf "$work"/readme/*
    done
}
case_disc() {
    local image said
    image=$(media disc.iso)
    said=$(tool hd disc make "/$CASE" --label '测试1号 a' --purpose 归档 --out "$image")
    expect 'made' "$said" "disc.iso：$FOLDER"
    expect 'volume' "$(xorriso -indev "$image" -toc 2>&1)" "Volume id +: '__1__A'"
    bsdtar -xf "$image" -C "$work" "$FOLDER/disc.txt"
    expect 'the note' "$(cat "$work/$FOLDER/disc.txt")" "^制作人：${tag}hd（测试hd）"
    expect 'the note' "$(cat "$work/$FOLDER/disc.txt")" '^制作时间：20'
    expect 'the note' "$(cat "$work/$FOLDER/disc.txt")" '^摄录内容：现场检查'
    expect 'good' "$(tool hd disc verify "/$CASE" "$image")" '完好，已记入账本'
    expect 'on record' "$(tool au ledger log --act disc.verify --json)" '"good": *true'
    cp "$image" "$work/scratched.iso" && chmod 644 "$work/scratched.iso"
    printf scratch | dd of="$work/scratched.iso" bs=1 seek=$(($(stat -c %s "$image") / 2)) conv=notrunc status=none
    expect 'scratched' "$(tool hd disc verify "/$CASE" "$work/scratched.iso" || true)" '^BAD .*data/'
    expect 'on record' "$(tool au ledger log --act disc.verify --json)" '"good": *false'
    local other
    other=$(tool o1 case open 2026 '测试〔2026〕2号' --json | "$py" -c 'import json, sys; print(json.load(sys.stdin)["name"])')
    expect 'of no other case' "$(tool hd disc verify "/2026/$other" "$image" 2>&1 || true)" 'was not exported from'
    expect 'not by everybody' "$(tool o1 disc verify "/$CASE" "$image" 2>&1 || true)" 'may not export'
}
case_split() {
    local part
    export_as hd set.tar --purpose 试 --split 8MiB
    expect_same 'two' "$(ls "$work/media" | grep '^set' | tr '\n' ' ')" 'set-1of2.tar set-2of2.tar '
    for part in 1 2; do
        "$bin_tool" verify "$(media set-${part}of2.tar)"
        [ "$(stat -c %s "$(media set-${part}of2.tar)")" -le $((8 << 20)) ] || die 'over its size'
        unpack set-${part}of2.tar "set$part"
        expect 'of a set' "$(cat "$work/set$part/${FOLDER}_$part/bag-info.txt")" "^Bag-Group-Identifier: $FOLDER\$"
        expect 'of a set' "$(cat "$work/set$part/${FOLDER}_$part/bag-info.txt")" "^Bag-Count: $part of 2\$"
    done
    cmp "$work/set1/${FOLDER}_1/data/objects/0001.mp4" "$work/video.mp4"
    cmp "$work/set2/${FOLDER}_2/data/docs/0003.bin" "$work/big.bin"
    expect 'a size' "$(export_as hd set2.tar --purpose 试 --split 5 2>&1 || true)" '4.3GiB, 700MiB'
    expect 'a size' "$(export_as hd set2.tar --purpose 试 --split 1MiB 2>&1 || true)" 'at least 8MiB'
}
case_sm3() {
    local file
    export_as hd sm3.tar --purpose 试 --sm3
    unpack sm3.tar sm3
    (cd "$work/sm3/$FOLDER" && openssl dgst -sm3 -r data/objects/0001.mp4 data/eep.xml | sed 's/ \*/  /' | while read -r file; do grep -qxF "$file" manifest-sm3.txt; done)
    expect 'as the payload' "$(wc -l <"$work/sm3/$FOLDER/manifest-sm3.txt")" "^$(wc -l <"$work/sm3/$FOLDER/manifest-sha256.txt")\$"
    expect 'by ours' "$("$bin_tool" verify "$(media sm3.tar)")" '^ok manifest-sm3.txt'
    sed -i '1s/^./g/; 1s/^g/0/; 2s/^\(.\)\(.\)/\2\1/' "$work/sm3/$FOLDER/manifest-sm3.txt"
    ! "$bin_tool" verify "$work/sm3/$FOLDER" || die 'another SM3 passes'
    expect 'no image' "$(export_as hd sm3.iso --format iso --purpose 试 --sm3 2>&1 || true)" 'an image has no SM3'
}
case_damage_is_named() { $py "$top/tests/lib/export_witness.py" damage "$bin_tool" "$work/one/$FOLDER" "$work/keys/ca.pem" "$work/damage"; }
case_killed() { # no bundle under its name, whenever
    local delay
    for delay in 0.01 0.03 0.06 0.1 0.2; do
        timeout -s KILL "$delay" setpriv --reuid "$(uid_of hd)" --regid "$(id -g "$(uid_of hd)")" --clear-groups -- \
            "$bin_tool" -C "$vault" export "/$CASE" --out "$(media "killed$delay.tar")" --purpose 试 >/dev/null 2>&1 || true
        [ ! -e "$(media "killed$delay.tar")" ] || "$bin_tool" verify "$(media "killed$delay.tar")"
    done
    # what was left is no hindrance
    touch "$(media again.tar.partial)" && chown "$(uid_of hd)" "$(media again.tar.partial)"
    export_as hd again.tar --purpose 试
    "$bin_tool" verify "$(media again.tar)"
}
case_full() { # the media is full: said so, and nothing is left that could be taken for a bundle
    mkdir "$work/small"
    mount -t tmpfs -o size=3m,mode=1777 none "$work/small"
    trap 'umount "$work/small"' EXIT
    expect 'full' "$(tool hd export "/$CASE" --purpose 试 --out "$work/small/x.tar" 2>&1 || true)" 'x.tar.*No space left'
    [ -z "$(ls "$work/small")" ] || die 'something is left'
}
case_chroot() { # sh, coreutils and openssl, and nothing else
    local root=$work/root program
    mkdir -p "$root/tmp" "$root/dev"
    mknod -m 666 "$root/dev/null" c 1 3
    for program in sh sha256sum find sort cut cmp rm dirname realpath openssl; do
        program=$(command -v "$program")
        for program in "$program" $(ldd "$program" | grep -o '/[^ ]*'); do
            mkdir -p "$root$(dirname "$program")"
            cp -Lu "$program" "$root$program"
        done
    done
    cp -r "$work/one/$FOLDER" "$root/bag"
    cp "$work/keys/ca.pem" "$root/ca.pem"
    local said
    said=$(env -i PATH=/usr/sbin:/usr/bin:/bin chroot "$root" sh /bag/verify.sh /ca.pem)
    expect 'by a trusted certificate' "$said" '^ok seal.p7s, by a certificate that is trusted'
    expect 'payload' "$said" '^ok manifest-sha256.txt'
    expect 'stamped' "$said" '^ok seal.tsr'
    ! env -i PATH=/usr/sbin:/usr/bin:/bin chroot "$root" sh -c 'echo x >/bag/data/x && sh /bag/verify.sh /ca.pem' || die 'an added file passes'
    rm "$root/bag/data/x"
    printf x >>"$root/bag/data/objects/0001.mp4"
    ! env -i PATH=/usr/sbin:/usr/bin:/bin chroot "$root" sh /bag/verify.sh /ca.pem 2>&1 || die 'a changed file passes'
}
case_bad_keys() {
    expect 'a wrong key' "$(export_as ar nine.tar --leave-out --seal-key "$work/keys/ca.key" --seal-cert "$work/keys/chain.pem" 2>&1 || true)" 'is not that of the first certificate'
    expect 'no key' "$(export_as ar nine.tar --leave-out --seal-key "$work/keys/ca.pem" --seal-cert "$work/keys/chain.pem" 2>&1 || true)" 'no private key in PEM'
    expect 'both' "$(export_as ar nine.tar --seal-key "$work/keys/seal.key" 2>&1 || true)" 'belong together'
    [ ! -e "$(media nine.tar)" ] || die 'a bundle without its seal'
    expect 'no case' "$(tool ar export "/$STAGE" --out "$(media nine.tar)" 2>&1 || true)" 'is no case'
}
body() {
    cp -r policy "$work/policy"
    fixture_up --settle 1 --policy "$work/policy" >>"$work/build.log" 2>&1
    fixture_users hd:head >>"$work/build.log" 2>&1
    mkdir "$work/media"
    chmod 1777 "$work/media"
    for name in prepare tar xml custody_and_proofs ours zip iso same_again nothing_overwritten on_record restricted recipients readme disc split sm3 \
        damage_is_named killed full chroot bad_keys; do run_case "$name" 150; done
}
share_main body "$@"
