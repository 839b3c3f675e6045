#!/usr/bin/env bash
# Labels through the share and the tool: a collection station's list copied before and after the recordings, a label
# file of one recording, names and metadata, the tool over all of them; numbers; what is missing; what 提示.txt says.
. "$(dirname "$0")/lib.sh"

CASE='2026/测试〔2026〕1号'
STAGE="$CASE/02调查取证"
SAMPLES=/usr/share/forensics-samples/original-files

labels() { tool "${2:-o1}" record labels "/$STAGE/$1" --json | "$py" -c 'import json, sys; d = json.load(sys.stdin)
print({l["label"]: (l["value"], l["source"]) for l in d["labels"]}, [n for n in d["names"]], d.get("entered", {}).get("number"))'; }
list() { # list FILE ROW...: as a station writes it, in GB18030 with CRLF
    local file=$1
    shift
    { printf '文件名,警号,采集时间,采集地点,证明对象\r\n' && printf '%s\r\n' "$@"; } | iconv -f UTF-8 -t GB18030 >"$work/$file"
}
copy_in() { # copy_in FROM NAME: through Samba, as o1
    smb o1 cases "cd \"${STAGE//\//\\}\"; put \"$1\" \"$2\"" >>"$work/smb.log"
    sealed "$STAGE/$2"
}
notice() { as o1 cat "$mnt/提示.txt"; }

case_station_list() {
    local video=$work/video.mp4
    cp "$SAMPLES"/movie1/*.mp4 "$video"
    list list.csv 'SC0001_20260305_140322.mp4,川H001,,利州区东坝街道,无证经营' 'x.mp4,川H001,昨天,,' '没有.mp4,川H001,,,'
    copy_in "$video" SC0001_20260305_140322.mp4
    eventually 60 all_looked_into
    expect 'by name and place' "$(labels SC0001_20260305_140322.mp4)" "'captured': \('2026-03-05T14:03:22\+08:00', 'name'\)"
    expect 'by name and place' "$(labels SC0001_20260305_140322.mp4)" "'case_number': \('测试〔2026〕1号', 'place'\)"
    expect 'missing' "$(labels SC0001_20260305_140322.mp4)" "\['证明对象'\] None"
    copy_in "$work/list.csv" 标签.csv
    eventually 60 all_looked_into
    expect 'of the list' "$(labels SC0001_20260305_140322.mp4)" "'place': \('利州区东坝街道', 'list'\)"
    expect 'entered' "$(labels SC0001_20260305_140322.mp4)" '\[\] 1$'
    copy_in "$video" x.mp4
    eventually 60 all_looked_into
    expect 'the list was there first' "$(labels x.mp4)" "'person': \('川H001', 'list'\)"
    expect 'and its metadata' "$(labels x.mp4)" "'captured': \('2019-12-21T[0-9:]*\+08:00', 'media'\)"
    expect 'acknowledged' "$(notice)" '标签.csv'
    expect 'acknowledged' "$(notice)" '已采用 2 条，1 条所说的文件还没有入库'
    expect 'by line' "$(notice)" '第 3 行：采集时间不是一个存在的时间'
    ! notice | grep -q 昨天 || die 'the notice repeats a value'
}
case_own_file() {
    printf '采集地点: 城东市场\n对话:\n  - {时刻: "00:00:02", 人员: 李四, 主要内容: 承认}\n颜色: 红\n' >"$work/own.yaml"
    copy_in "$work/own.yaml" x.mp4.label.yaml
    eventually 60 all_looked_into
    expect 'its own file prevails' "$(labels x.mp4)" "'place': \('城东市场', 'file'\)"
    expect 'an offset' "$(tool o1 record labels "/$STAGE/x.mp4")" '对话人员 +00:00:02 +李四'
    expect 'by line' "$(notice)" '第 4 行：没有“颜色”这个标签'
}
case_tool_and_history() {
    expect 'pending' "$(tool o1 case pending "/$CASE")" '证明对象 +/'
    expect 'by whom' "$(tool o1 case pending "/$CASE")" "${tag}o1"
    tool o1 record label "/$STAGE/x.mp4" 采集地点=城东市场东门 证明对象=无证经营 执法对象=91350100M000100Y43 设备时间偏差=+120
    expect 'the tool prevails' "$(labels x.mp4)" "'place': \('城东市场东门', 'tool'\)"
    expect 'entered' "$(labels x.mp4)" '\[\] 2$'
    expect 'flagged' "$(tool o1 record labels "/$STAGE/x.mp4")" '设备时间偏差 \+120 秒'
    expect 'flagged' "$(tool o1 record labels "/$STAGE/x.mp4")" '采集人不在本库登记的人员中'
    expect 'the first stays' "$(tool o1 record history "/$STAGE/x.mp4")" '采集地点 +城东市场 +专用标签文件'
    expect_same 'nothing pending but label files' "$(tool o1 case pending "/$CASE")" ''
    expect 'a wrong number is named' "$(tool o1 record label "/$STAGE/x.mp4" 执法对象=91350100M000100Y44 2>&1 || true)" '校验'
    expect 'an unknown label' "$(tool o1 record label "/$STAGE/x.mp4" 颜色=红 2>&1 || true)" '颜色'
    expect 'not everybody' "$(tool sv record label "/$STAGE/x.mp4" 采集地点=x 2>&1 || true)" 'may not label'
}
case_lateness() { # the first was made on 2026-03-05: long ago
    expect 'of the record' "$(tool o1 record labels "/$STAGE/SC0001_20260305_140322.mp4")" '个工作日才入库，超过 3 个工作日的期限'
    expect 'of the person' "$(tool sv lateness)" "${tag}o1 +测试o1 +[0-9]+ +[0-9]+ +2 +[0-9]{3}"
    expect_same 'of those days' "$(tool sv lateness --until 2020-01-01 --json | tr -d ' \n')" '[]'
    expect_same 'not for everybody' "$(tool so lateness 2>&1 | grep -c "${tag}o1" || true)" 0
}
case_retention() {
    expect 'in a case' "$(tool o1 retention explain "/$STAGE/x.mp4")" '保管期限：永久'
    expect 'why' "$(tool o1 retention explain "/$STAGE/x.mp4")" '^\* +规则 +在卷证据 +永久 +永久 +附卷归档'
    expect 'and what else' "$(tool o1 retention explain "/$STAGE/x.mp4")" "现场音像记录 +10年 +$(($(date +%Y) + 10))-"
    expect 'not what one does not see' "$(tool so retention explain "/$STAGE/x.mp4" 2>&1 || true)" 'strongroom:'
}
case_archive_numbers() {
    local number='X043-LX·2026-Y-JC-000'
    expect 'no fonds yet' "$(tool ar case archive-numbers "/$CASE" 2>&1 || true)" '没有全宗号'
    sed -i 's/^#全宗号/全宗号/' "$work/policy/archive.yaml"
    tool so policy reload
    expect 'not by everybody' "$(tool o1 case archive-numbers "/$CASE" 2>&1 || true)" 'may not give 档号'
    expect_same 'in order' "$(tool ar case archive-numbers "/$CASE" | cut -d' ' -f1 | tr '\n' ' ')" "${number}1 ${number}2 "
    expect_same 'once' "$(tool ar case archive-numbers "/$CASE")" ''
    expect 'labels' "$(tool o1 record labels "/$STAGE/x.mp4")" "^档号：${number}2"
    expect 'show' "$(tool o1 record show "/$STAGE/x.mp4" --json)" "\"archive_number\": *\"${number}2"
    expect 'search' "$(tool o1 search "档号:${number}2")" 'x.mp4'
    expect_same 'the same again' "$(tool ar record archive-number "/$STAGE/x.mp4")" "档号：${number}2"
}
case_categories() {
    expect 'shorter' "$(tool ar retention set "/$CASE" --category 一般案件 --reason 试 2>&1 || true)" '保管期限只能延长：现为永久（规则“在卷证据”）'
    tool ar retention set "/$CASE" --category 重要案件 --reason 社会影响大
    expect 'explained' "$(tool o1 retention explain "/$STAGE/x.mp4")" '类别 +重要案件 +永久 +永久 +社会影响大'
    expect 'not by everybody' "$(tool o1 retention extend "/$STAGE/x.mp4" --until 永久 --reason 试 2>&1 || true)" 'may not set'
    expect 'no such day' "$(tool ar retention extend "/$STAGE/x.mp4" --until 2099-02-30 --reason 试 2>&1 || true)" 'not a date'
    sed -i '/重要案件/d' "$work/policy/retention.yaml"
    expect 'in use' "$(tool so policy reload 2>&1 || true)" '重要案件” is in use'
    cp policy/retention.yaml "$work/policy/"
}
case_nothing_lost() {
    local before
    before=$(labels x.mp4)
    daemon_kill
    smbd_stop
    rm -f "$vault/catalog.db" "$vault/catalog.db-wal"
    daemon_start --settle 1 --policy "$work/policy"
    smbd_start
    expect_same 'from the ledger alone' "$(labels x.mp4)" "$before"
    tool au verify
    tool au rebuild --check
}
body() {
    cp -r policy "$work/policy"
    fixture_up --settle 1 --policy "$work/policy" >>"$work/build.log" 2>&1
    for name in station_list own_file tool_and_history lateness retention archive_numbers categories nothing_lost; do run_case "$name" 150; done
}
share_main body "$@"
