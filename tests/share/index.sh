#!/usr/bin/env bash
# What comes in is looked into: the samples copied onto the share are described by the sandboxed probe, the
# seal does not wait for it, a kill does not lose the queue, and the catalog's file can be lost, damaged or put
# back at any time.
. "$(dirname "$0")/lib.sh"

STAGE='2026/测试〔2026〕1号/02调查取证'
SAMPLES=/usr/share/forensics-samples/original-files

property() { # property NAME PYTHON: of the description d
    tool o1 record properties "$mnt/$STAGE/$1" --json | "$py" -c "import json, sys; d = json.load(sys.stdin); print($2)"
}
copy_in() { for file in "$@"; do as o1 cp "$file" "$mnt/$STAGE/$(basename "$file")"; done; }

case_described() {
    copy_in "$SAMPLES"/movie1/*.mp4 "$SAMPLES"/audio1/debian.* "$SAMPLES"/pic1/*.jpg "$SAMPLES"/text1/a-text.pdf
    for file in "$SAMPLES"/movie1/*.mp4 "$SAMPLES"/audio1/debian.*; do sealed "$STAGE/$(basename "$file")"; done
    eventually 60 all_looked_into
    for file in "$SAMPLES"/movie1/*.mp4 "$SAMPLES"/audio1/debian.* "$SAMPLES"/pic1/*.jpg "$SAMPLES"/text1/a-text.pdf; do
        name=$(basename "$file")
        expect_same "outcome of $name" "$(property "$name" 'd["outcome"]')" described
        expect_same "type of $name" "$(property "$name" 'd["media"]["type"]')" "$(file -b --mime-type "$file")"
    done
    expect_same 'resolution' "$(property VID_20191220_170832.mp4 '[(s["width"], s["height"]) for s in d["media"]["streams"] if s["kind"] == "video"][0]')" \
        "$(ffprobe -v error -select_streams v:0 -show_entries stream=width,height -of csv=p=0 "$SAMPLES"/movie1/*.mp4 | sed 's/,/, /; s/.*/(&)/')"
    expect 'somebody else' "$(tool sa record properties "$mnt/$STAGE/debian.mp3" 2>&1 || true)" 'there is no|not'
}
samples_there() { [ "$(tool o1 search --count 类型:视频)" != 0 ] || case_described; } # a case may run alone
no_text_waits() { [ "$(tool au status --json | "$py" -c 'import json, sys; print(json.load(sys.stdin)["texts_waiting"])')" = 0 ]; }
case_found() {
    samples_there
    printf '当事人未取得许可证，对其采取行政强制措施。\n' | iconv -f UTF-8 -t GB18030 >"$work/notes.txt"
    copy_in "$work/notes.txt"
    sealed "$STAGE/notes.txt"
    eventually 60 all_looked_into
    eventually 30 no_text_waits
    expect 'by its text' "$(tool o1 search 强制)" 'notes.txt'
    expect 'the place in it' "$(tool o1 search 强制)" '行政【强制】措施'
    expect 'in json' "$(tool o1 search 全文:许可证 --json)" '"snippet": "当事人未取得【许可证】'
    copy_in "${SHARED:-$top/../shared}/vectors/ofd/999.ofd" "$SAMPLES"/text1/a-text.docx "$SAMPLES"/text1/a-text-pass-peanuts.pdf
    for file in 999.ofd a-text.docx a-text-pass-peanuts.pdf; do sealed "$STAGE/$file"; done
    eventually 60 all_looked_into
    eventually 30 no_text_waits
    expect 'an OFD invoice' "$(tool o1 search 餐饮服务)" '999.ofd'
    expect_same 'locked' "$(property a-text-pass-peanuts.pdf 'd["media"]["encrypted"]')" True
    expect 'by type' "$(tool o1 search '类型:视频 案件:测试')" '\.mp4'
    expect_same 'and no other' "$(tool o1 search '类型:视频 案件:测试' | grep -cE 'txt|jpg|pdf|mp3' || true)" 0
    expect_same 'counted' "$(tool o1 search --count '类型:音频')" "$(tool o1 search '类型:音频' | wc -l)"
    expect 'by duration' "$(tool o1 search '时长>1s 类型:音频')" 'debian'
    expect 'by when it was made' "$(tool o1 search 时间:2019-12)" 'VID_20191220'
    expect 'what is wrong' "$(tool o1 search 颜色:红 2>&1 || true)" '没有“颜色”这一项'
    expect_same 'not for everybody' "$(tool so search 强制 2>&1 | grep -c notes || true)" 0
    # Above somebody's clearance it is not there, neither by its name nor by its text, nor in the number.
    tool so user set "${tag}o1" --clearance 内部 >/dev/null
    tool o1 record classify "/$STAGE/notes.txt" --level 内部 --reason 清单 >/dev/null
    expect_same 'not above the clearance' "$(tool sv search --count 强制)" 0
    tool so user set "${tag}sv" --clearance 内部 >/dev/null
    expect_same 'cleared' "$(tool sv search --count 强制)" 1
    # Restricted: it is listed, and its text is not searched for who would have to state a purpose.
    tool o1 record classify "/$STAGE/notes.txt" --mark 工作秘密 --reason 清单 >/dev/null
    expect_same 'by its text' "$(tool o1 search --count 强制)" 0
    expect 'by its name' "$(tool o1 search notes)" 'notes.txt'
    ! tool o1 search notes | grep -q 许可 || die 'the text of a restricted record is shown'
}
# R7: one folder for everything about one 执法对象, for each person what they may see.
case_gathered() {
    local code=91350100M000100Y43 video whole
    whole=$(echo "$SAMPLES"/movie1/*.mp4)
    video=对象-现场.mp4
    smb o1 cases "cd \"$STAGE\"; put $whole $video; put $SAMPLES/text1/a-text.pdf 对象-询问笔录.pdf"
    for file in "$video" 对象-询问笔录.pdf; do
        sealed "$STAGE/$file"
        tool o1 record label "/$STAGE/$file" "执法对象=$code" '采集时间=2025-03-05 10:00' >/dev/null
    done
    for share in o1:cases sv:cases-ro; do
        expect "listed for $share" "$(smb "${share%:*}" "${share#*:}" 'cd 按对象; ls')" "$code +D"
        expect "the case for $share" "$(smb "${share%:*}" "${share#*:}" "cd 按对象/$code; ls")" '测试〔2026〕1号 +D'
        for folder in "按对象/$code" 按日期/2025-03-05; do
            rm -f "$work/back"
            smb "${share%:*}" "${share#*:}" "cd \"$folder\"; get $video $work/back"
            cmp "$whole" "$work/back"
            smb "${share%:*}" "${share#*:}" "cd \"$folder\"; get 对象-询问笔录.pdf $work/back"
            cmp "$SAMPLES/text1/a-text.pdf" "$work/back"
        done
    done
    smb o1 cases "cd \"按对象/$code/测试〔2026〕1号/02调查取证\"; get $video $work/back"
    cmp "$whole" "$work/back"
    for what in "put $whole 按对象\\$code\\x" "mkdir 按对象\\x" "put $whole 按日期\\x" "put $whole 按对象\\$code\\$video"; do
        expect "$what" "$(smb o1 cases "$what" || true)" 'NT_STATUS_(MEDIA_WRITE_PROTECTED|ACCESS_DENIED)'
    done
    expect 'why' "$(smb o1 cases "get 提示.txt $work/notice" >/dev/null; cat "$work/notice")" '按标签自动汇集'
    # Above somebody's clearance there is no such subject, in both orders.
    tool so user set "${tag}o1" --clearance 内部 >/dev/null
    for file in "$video" 对象-询问笔录.pdf; do tool o1 record classify "/$STAGE/$file" --level 内部 --reason 清单 >/dev/null; done
    for _ in 1 2; do
        ! smb o2 cases 'cd 按对象; ls' | grep -q "$code" || die 'o2 is shown the subject'
        expect 'by its name' "$(smb o2 cases "cd 按对象/$code" || true)" 'NT_STATUS_OBJECT_(NAME|PATH)_NOT_FOUND'
        expect 'a file in it' "$(smb o2 cases "cd 按对象; get $code/$video $work/none" || true)" 'NT_STATUS_OBJECT_(NAME|PATH)_NOT_FOUND'
        expect 'still there' "$(smb o1 cases 'cd 按对象; ls')" "$code +D"
    done
}
case_queue_outlives_a_kill() {
    local n
    for n in $(seq 30); do as o1 cp "$SAMPLES/pic1/debian.png" "$mnt/$STAGE/照片-$n.png"; done
    for n in $(seq 30); do sealed "$STAGE/照片-$n.png"; done
    daemon_kill
    smbd_stop
    daemon_start --settle 1
    smbd_start
    eventually 60 all_looked_into
    for n in 1 15 30; do expect_same "照片-$n" "$(property "照片-$n.png" 'd["media"]["type"]')" image/png; done
    tool ar verify
}
case_again_on_demand() {
    local before after
    samples_there
    before=$(property debian.mp3 'd["index"]')
    tool o1 reindex "$mnt/$STAGE/debian.mp3"
    eventually 30 all_looked_into
    after=$(property debian.mp3 'd["index"]')
    [ "$after" -gt "$before" ] || die "$before, then $after"
    expect 'not everybody' "$(tool o1 reindex 2>&1 || true)" 'may not'
    tool ar reindex
    eventually 60 all_looked_into
}
restart_with() { # restart_with COMMAND...: run while the daemon is down
    daemon_stop
    "$@"
    daemon_start --settle 1
    smbd_stop
    smbd_start
}
alerts() { tool au ledger log --act alert --json | grep -c '"catalog"' || true; }
flip_catalog() { # in a page that every start reads
    "$py" - "$vault/catalog.db" <<'PYTHON'
import os, sys
with open(sys.argv[1], "r+b") as file:
    for at in range(5000, os.fstat(file.fileno()).st_size, 4096):
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 8]))
PYTHON
}
case_catalog_lost_or_damaged() {
    samples_there
    restart_with rm -f "$vault/catalog.db" "$vault/catalog.db-wal"
    expect_same 'no alert: nothing was damaged' "$(alerts)" 0
    expect_same 'still described' "$(property debian.mp3 'd["outcome"]')" described
    cp "$vault/catalog.db" "$work/older"
    as o1 cp "$SAMPLES/pic1/debian.png" "$mnt/$STAGE/später.png"
    sealed "$STAGE/später.png"
    restart_with flip_catalog
    one_alert() { [ "$(alerts)" = 1 ]; }
    eventually 10 one_alert
    is_state "$STAGE/später.png" sealed
    expect_same 'still described' "$(property debian.mp3 'd["outcome"]')" described
    put_back() { rm -f "$vault/catalog.db-wal"; cp "$work/older" "$vault/catalog.db"; }
    restart_with put_back # older: what is missing is projected again
    is_state "$STAGE/später.png" sealed
    tool ar rebuild --check
    tool ar rebuild
    tool ar rebuild --check
    is_state "$STAGE/später.png" sealed
    daemon_stop
    "$bin_tool" -C "$vault" rebuild --check --passphrase-file "$work/passphrase"
    "$bin_tool" -C "$vault" rebuild --passphrase-file "$work/passphrase" | grep -q 'made again from'
    daemon_start --settle 1
    smbd_stop
    smbd_start
    is_state "$STAGE/später.png" sealed
}
# One who looks and never ends, or ends badly: the seal does not wait, and the store stops and goes on as ever.
case_probe_hangs_or_crashes() {
    local from
    printf '#!/bin/sh\nexec sleep 1000\n' >"$work/hangs"
    printf '#!/bin/sh\nkill -SEGV $$\n' >"$work/crashes"
    chmod 755 "$work/hangs" "$work/crashes"
    daemon_stop
    daemon_start --settle 1 --probe "$work/hangs"
    smbd_stop
    smbd_start
    from=$SECONDS
    as o1 cp "$SAMPLES/pic1/debian.png" "$mnt/$STAGE/hangs.png"
    sealed "$STAGE/hangs.png"
    [ $((SECONDS - from)) -lt 10 ] || die 'the seal waited'
    [ "$(waiting)" -ge 1 ] || die 'nothing waits'
    from=$SECONDS
    daemon_stop
    [ $((SECONDS - from)) -lt 10 ] || die 'the stop waited'
    daemon_start --settle 1 --probe "$work/crashes"
    smbd_stop
    smbd_start
    eventually 30 all_looked_into
    expect_same 'on record' "$(property hangs.png 'd["outcome"]')" crashed
    daemon_stop
    daemon_start --settle 1
    smbd_stop
    smbd_start
    tool o1 reindex "/$STAGE/hangs.png"
    eventually 30 all_looked_into
    expect_same 'looked into again' "$(property hangs.png 'd["outcome"]')" described
}
case_nothing_readable_on_disk() {
    as o1 cp "$SAMPLES/pic1/debian.png" "$mnt/$STAGE/秘密名称-seldsam.png"
    sealed "$STAGE/秘密名称-seldsam.png"
    eventually 30 all_looked_into
    daemon_stop
    ! grep -rqa -e '秘密名称' -e 'seldsam' -e 'image/png' "$vault" || die 'a name or property lies on disk in the clear'
    daemon_start --settle 1
    smbd_stop
    smbd_start
}
body() {
    fixture_up --settle 1 >>"$work/build.log" 2>&1
    for name in described found gathered queue_outlives_a_kill again_on_demand catalog_lost_or_damaged probe_hangs_or_crashes nothing_readable_on_disk; do run_case "$name" 150; done
}
share_main body "$@"
