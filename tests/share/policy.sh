#!/usr/bin/env bash
# The access rules as people meet them: the example of README.md, rules that are wrong, and who finds
# what in the share and through the mount, in both orders of asking.
. "$(dirname "$0")/lib.sh"
CASE='2026/测试〔2026〕1号'
STAGE=$CASE/02调查取证

put() { # put SHORT NAME
    head -c 3000 /dev/urandom >"$work/content-$2"
    smb "$1" cases "cd \"$STAGE\"; put $work/content-$2 $2" >/dev/null
}
gets() { # gets SHORT NAME: through Samba, and through the mount, the right bytes
    smb "$1" cases "cd \"$STAGE\"; get $2 $work/back" >/dev/null && cmp "$work/content-$2" "$work/back" &&
        as "$1" cat "$mnt/$STAGE/$2" | cmp "$work/content-$2" -
}
is_absent() { # is_absent SHORT NAME: not listed, not found by its name, at both faces
    local listing
    listing=$(smb "$1" cases "cd \"$STAGE\"; ls")
    ! grep -q "$2" <<<"$listing" || die "$1 is shown $2 in the share"
    expect "$1 asks for $2" "$(smb "$1" cases "cd \"$STAGE\"; get $2 $work/none" || true)" NT_STATUS_OBJECT_NAME_NOT_FOUND
    ! as "$1" ls "$mnt/$STAGE" | grep -q "$2" || die "$1 is shown $2 in the mount"
    expect "$1 stats $2" "$(as "$1" stat "$mnt/$STAGE/$2" 2>&1 || true)" 'No such file'
    ! tool "$1" search "${2%.*}" | grep -q "$2" || die "$1 finds $2"
}

# The example of README.md, as it stands there: the rule, what is expected of it, and the commands.
readme_block() { sed -n "/^    $1/,/^\$/p" "${2:-README.md}" | sed 's/^    //'; }
case_example_of_the_readme() {
    local line path="/$STAGE/现场勘验视频.mp4" ran=0
    put o1 现场勘验视频.mp4
    sealed "$STAGE/现场勘验视频.mp4"
    readme_block '@id("trainees' >"$work/trainees.cedar"
    expect 'the rule of the README' "$(cat "$work/trainees.cedar")" 'principal.unit == "实习"'
    cmp "$work/trainees.cedar" <(readme_block '@id("trainees' README.zh-CN.md)
    readme_block expectations: | sed "s|user: li|user: ${tag}tr|; s|path: .*|path: $path|" >"$work/expectations.yaml"
    chmod 644 "$work/expectations.yaml"
    expect 'the expectation of the README' "$(cat "$work/expectations.yaml")" 'decision: deny'
    tool sa user set "${tag}tr" --unit 实习
    gets tr 现场勘验视频.mp4
    expect 'not met yet' "$(tool so policy test "$work/expectations.yaml" || true)" 'expected deny, the rules say allow'
    cp "$work/trainees.cedar" "$work/policy/trainees.cedar"
    # Its commands, with the places and people of this test.
    while read -r line; do
        line=$(sed "s|  .*||; s|/etc/strongroom/policy|$work/policy|; s|expectations.yaml|$work/expectations.yaml|; s|--user li|--user ${tag}tr|; s|/2026/示例.*|$path|" <<<"$line")
        read -ra words <<<"${line#strongroom }"
        tool so "${words[@]}" >"$work/said-${words[1]}" || die "$line: $(cat "$work/said-${words[1]}")"
        ran=$((ran + 1))
    done < <(readme_block 'strongroom policy check' | grep '^strongroom policy')
    expect_same 'commands of the README' "$ran" 4
    expect 'well-formed' "$(cat "$work/said-check")" 'well-formed'
    expect 'loaded' "$(cat "$work/said-reload")" 'in force'
    expect 'met now' "$(cat "$work/said-test")" '1 passed, 0 failed'
    expect 'explained' "$(cat "$work/said-explain")" 'trainees.cedar:1 forbid trainees open nothing'
    expect 'refused' "$(smb tr cases "cd \"$STAGE\"; get 现场勘验视频.mp4 $work/none" || true)" NT_STATUS_ACCESS_DENIED
    expect 'why' "$(smb tr cases "get 提示.txt $work/notice" >/dev/null; cat "$work/notice")" '现场勘验视频.mp4'
    gets o1 现场勘验视频.mp4
    expect 'on record' "$(tool au ledger log --act policy.load)" trainees.cedar
    # An expectation in the folder is met by every load, or nothing is loaded.
    sed 's/decision: deny/decision: allow/' "$work/expectations.yaml" >"$work/policy/expectations.yaml"
    expect 'not met' "$(tool so policy reload 2>&1 || true)" 'expectations.yaml:2:5: .*expected allow, the rules say deny'
    rm "$work/policy/expectations.yaml" "$work/policy/trainees.cedar"
    tool so policy reload
    gets tr 现场勘验视频.mp4
}
case_wrong_rules_change_nothing() {
    put o1 笔录.txt
    for rule in 'permit (principal, action == Action::"reed", resource);' \
        'forbid (principal, action, resource) when { resource.unit == "x" };' \
        'forbid (principal, action, resource' $'\xff'; do
        printf '%s\n' "$rule" >"$work/policy/zz.cedar"
        expect 'refused' "$(tool so policy reload 2>&1 || true)" "zz.cedar:1:|zz.cedar"
        expect 'check says the same' "$("$bin_tool" policy check "$work/policy" 2>&1 || true)" 'zz.cedar'
        gets o1 笔录.txt
    done
    rm "$work/policy/zz.cedar"
    printf 'expectations:\n  - user: %so1\n    action: read\n    decision: deny\n' "$tag" >"$work/policy/expectations.yaml"
    expect 'an expectation' "$(tool so policy reload 2>&1 || true)" 'expectations.yaml:2:5: .*expected deny, the rules say allow'
    rm "$work/policy/expectations.yaml"
    expect 'not by others' "$(tool o1 policy reload 2>&1 || true)" 'may not do this'
    tool so policy reload
}
# Whoever looks first: what the kernel keeps is not shown to the other.
case_above_clearance_is_absent() {
    put o1 密件甲.txt
    put o1 密件乙.txt
    for name in o1 hd; do tool so user set "$tag$name" --clearance 内部; done
    gets o2 密件甲.txt # seen before it is classified
    for name in 甲 乙; do tool o1 record classify "/$STAGE/密件$name.txt" --level 内部 --reason 清单; done
    for _ in 1 2; do
        gets o1 密件甲.txt
        is_absent o2 密件甲.txt
        is_absent o2 密件乙.txt
        gets hd 密件乙.txt
        is_absent sv 密件乙.txt
    done
    tool so user set "${tag}o2" --clearance 内部
    gets o2 密件乙.txt
    tool so user set "${tag}o2" --clearance 公开
    is_absent o2 密件乙.txt
}
# A name that one may not know of is no obstacle, and tells nothing.
case_upload_under_an_invisible_name() {
    local listing
    for name in o1 hd; do tool so user set "$tag$name" --clearance 内部; done
    put o1 同名.mp4
    sealed "$STAGE/同名.mp4"
    cp "$work/content-同名.mp4" "$work/first"
    tool o1 record classify "/$STAGE/同名.mp4" --level 内部 --reason 清单
    for _ in 1 2; do is_absent o2 同名.mp4; done
    put o2 同名.mp4 # through Samba
    eventually 20 is_state "$STAGE/同名.mp4" sealed o2
    for _ in 1 2; do # in both orders
        gets o2 同名.mp4
        smb o1 cases "cd \"$STAGE\"; get 同名.mp4 $work/back" >/dev/null
        cmp "$work/first" "$work/back"
        as o1 cat "$mnt/$STAGE/同名.mp4" | cmp "$work/first" -
        gets o2 同名.mp4
    done
    expect_same 'one for o2' "$(smb o2 cases "cd \"$STAGE\"; ls" | grep -c 同名)" 1
    listing=$(smb hd cases "cd \"$STAGE\"; ls")
    expect 'both for the head' "$listing" '同名〔同名2〕.mp4'
    smb hd cases "cd \"$STAGE\"; get 同名〔同名2〕.mp4 $work/back" >/dev/null
    cmp "$work/content-同名.mp4" "$work/back"
    as hd cat "$mnt/$STAGE/同名〔同名2〕.mp4" | cmp "$work/content-同名.mp4" -
    expect 'found by the tool' "$(tool hd record show "/$STAGE/同名〔同名2〕.mp4")" "$(sha <"$work/content-同名.mp4")"
    expect 'search' "$(tool hd search 同名)" '同名〔同名2〕.mp4'
    expect_same 'search counts one for o2' "$(tool o2 search 同名 | grep -c mp4)" 1
    expect 'the receipt' "$(smb o2 cases "get 入库回执.csv $work/receipt" >/dev/null; cat "$work/receipt")" "/同名.mp4\",.*$(sha <"$work/content-同名.mp4")"
    # And through the mount, into a folder of that name.
    as o1 mkdir "$mnt/$STAGE/附件"
    as o1 cp "$work/first" "$mnt/$STAGE/附件/一.jpg"
    tool o1 record classify "/$STAGE/附件" --level 内部 --reason 清单
    as o2 mkdir "$mnt/$STAGE/附件"
    as o2 cp "$work/content-同名.mp4" "$mnt/$STAGE/附件/一.jpg"
    as o1 cmp "$work/first" "$mnt/$STAGE/附件/一.jpg"
    as o2 cmp "$work/content-同名.mp4" "$mnt/$STAGE/附件/一.jpg"
    as hd cmp "$work/content-同名.mp4" "$mnt/$STAGE/附件〔同名2〕/一.jpg"
    as hd cmp "$work/first" "$mnt/$STAGE/附件/一.jpg"
    # Lowered, both are for both, and nobody loses theirs.
    tool so record classify "$(tool o1 --json record show "/$STAGE/同名.mp4" | grep -oP '"object": "\K[0-9a-f]+')" --level 公开 --reason 解密
    smb o2 cases "cd \"$STAGE\"; get 同名〔同名2〕.mp4 $work/back" >/dev/null
    cmp "$work/content-同名.mp4" "$work/back"
    smb o2 cases "cd \"$STAGE\"; get 同名.mp4 $work/back" >/dev/null
    cmp "$work/first" "$work/back"
    expect 'nobody makes such a name' "$(smb o2 cases "cd \"$STAGE\"; put $work/first 新〔同名2〕.mp4" || true)" NT_STATUS
    expect 'and reads why' "$(smb o2 cases "get 提示.txt $work/notice" >/dev/null; cat "$work/notice")" '同名'
}
# 我的案件: folders for Windows, links for the mount.
case_my_cases() {
    local mine='我的案件/测试〔2026〕1号' listing
    head -c 3000 /dev/urandom >"$work/mine"
    for _ in 1 2; do # in both orders
        expect 'a lead' "$(smb o1 cases 'cd 我的案件; ls')" '测试〔2026〕1号 +D'
        listing=$(smb o2 cases 'cd 我的案件; ls')
        ! grep -q '测试〔2026〕1号' <<<"$listing" || die "o2 is shown $listing"
        expect 'by its name' "$(smb o2 cases "cd \"$mine\"" || true)" 'NT_STATUS_OBJECT_(NAME|PATH)_NOT_FOUND'
    done
    smb o1 cases "cd \"$mine/02调查取证\"; put $work/mine 经我的案件.bin"
    sealed "$STAGE/经我的案件.bin"
    smb o1 cases-ro "cd \"$mine/02调查取证\"; get 经我的案件.bin $work/back"
    cmp "$work/mine" "$work/back"
    expect 'sealed as ever' "$(smb o1 cases "cd \"$mine/02调查取证\"; put $work/back 经我的案件.bin" || true)" MEDIA_WRITE_PROTECTED
    for what in "del \"$mine\"" "rmdir \"$mine\"" 'mkdir 我的案件\新' "rename \"$mine\" 我的案件\x" "put $work/mine 我的案件\x"; do
        expect "$what" "$(smb o1 cases "$what" || true)" 'NT_STATUS_(ACCESS_DENIED|MEDIA_WRITE_PROTECTED|OBJECT|DIRECTORY|FILE_IS_A|NOT_SAME|CANNOT|NO_SUCH)'
    done
    expect 'still there' "$(smb o1 cases 'cd 我的案件; ls')" '测试〔2026〕1号 +D'
    # Assigned it appears, taken back it is gone.
    tool o1 case assign "/$CASE" --lead "${tag}o1" --helper "${tag}o2" --reason 协办
    smb o2 cases "cd \"$mine/02调查取证\"; get 经我的案件.bin $work/back"
    tool o1 case assign "/$CASE" --lead "${tag}o1" --reason 撤回
    expect 'gone' "$(smb o2 cases "cd \"$mine\"" || true)" 'NT_STATUS_OBJECT_(NAME|PATH)_NOT_FOUND'
}
# smbd follows links inside of a share, and none out of it: tried on a folder with links that lead there.
case_no_link_leads_out() {
    mkdir -p "$work/inside/sub"
    echo outside >"$work/outside.txt"
    echo inside >"$work/inside/sub/in.txt"
    ln -s ../outside.txt "$work/inside/rel"
    ln -s "$work/outside.txt" "$work/inside/abs"
    ln -s sub "$work/inside/ok"
    chmod -R a+rX "$work/inside" "$work/outside.txt"
    smbd_stop
    cp "$conf" "$work/conf.kept"
    sed -i "s|^    path = $mnt\$|    path = $work/inside|" "$conf"
    grep -q "path = $work/inside" "$conf"
    smbd_start
    smb o1 cases "get ok/in.txt $work/got" >/dev/null
    expect_same 'inside' "$(cat "$work/got")" inside
    for name in rel abs; do
        rm -f "$work/got"
        expect "$name" "$(smb o1 cases "get $name $work/got" || true)" NT_STATUS_
        [ ! -s "$work/got" ] || die "$name was followed out of the share"
    done
    smbd_stop
    cp "$work/conf.kept" "$conf"
    smbd_start
}
case_open_handle_is_asked_again() {
    put o1 长录像.mp4
    sealed "$STAGE/长录像.mp4"
    exec 7< <(as o2 bash -c 'exec 8<"$1"; head -c 100 <&8 >/dev/null; echo open; read -r _ <"$2"; cat <&8 >/dev/null; echo "status $?"' \
        - "$mnt/$STAGE/长录像.mp4" <(sleep 4; echo go) 2>&1)
    read -r line <&7
    expect_same 'it is open' "$line" open
    for name in o1; do tool so user set "$tag$name" --clearance 内部; done
    tool o1 record classify "/$STAGE/长录像.mp4" --level 内部 --reason 清单
    expect 'the rest is refused' "$(cat <&7)" 'Permission denied'
}
case_station_adds_and_opens_nothing() {
    put st 采集.mp4
    sealed "$STAGE/采集.mp4" 20 2>/dev/null || eventually 20 is_state "$STAGE/采集.mp4" sealed o1
    expect 'it sees its own' "$(smb st cases "cd \"$STAGE\"; ls")" 采集.mp4
    expect 'it opens nothing' "$(smb st cases "cd \"$STAGE\"; get 采集.mp4 $work/none" || true)" NT_STATUS_ACCESS_DENIED
    put o1 别人的.mp4
    is_absent st 别人的.mp4
    gets o1 采集.mp4
}
# What is restricted opens with a purpose, and who read which bytes is on record.
case_restricted_needs_a_purpose() {
    local grant views
    head -c 300000 /dev/urandom >"$work/content-商密.mp4"
    smb o1 cases "cd \"$STAGE\"; put $work/content-商密.mp4 商密.mp4" >/dev/null
    sealed "$STAGE/商密.mp4"
    gets o2 商密.mp4
    tool o1 record classify "/$STAGE/商密.mp4" --mark 商业秘密 --reason 企业申请
    for _ in 1 2; do
        expect 'without a purpose' "$(smb o2 cases "cd \"$STAGE\"; get 商密.mp4 $work/none" || true)" NT_STATUS_ACCESS_DENIED
        expect 'through the mount' "$(as o2 cat "$mnt/$STAGE/商密.mp4" 2>&1 >/dev/null || true)" 'Permission denied'
    done
    smb o2 cases "get 提示.txt $work/notice" >/dev/null
    expect 'what to do' "$(cat "$work/notice")" 'strongroom view --purpose'
    expect 'it is listed' "$(smb o2 cases "cd \"$STAGE\"; ls")" 商密.mp4
    expect 'a purpose is needed' "$(tool o2 view "/$STAGE/商密.mp4" 2>&1 || true)" '--purpose'
    expect 'stated' "$(tool o2 view "/$STAGE/商密.mp4" --purpose 复核定性 --hours 1)" 'may open .*复核定性'
    gets o2 商密.mp4
    # Not for others, who looked at it before, or look now.
    expect 'of another' "$(smb o1 cases "cd \"$STAGE\"; get 商密.mp4 $work/none" || true)" NT_STATUS_ACCESS_DENIED
    expect 'of another in the mount' "$(as o1 cat "$mnt/$STAGE/商密.mp4" 2>&1 >/dev/null || true)" 'Permission denied'
    as o2 dd if="$mnt/$STAGE/商密.mp4" of=/dev/null bs=1000 skip=7 count=1 status=none
    # Who, why, and which bytes; for those who may know.
    expect 'not by officers' "$(tool o2 record views "/$STAGE/商密.mp4" 2>&1 || true)" 'may not see who'
    views=$(tool hd record views "/$STAGE/商密.mp4")
    expect 'who and why' "$views" "${tag}o2 .*复核定性"
    expect 'all of it' "$(tool hd --json record views "/$STAGE/商密.mp4")" '"300000"'
    expect 'from the share and the mount' "$views" '127.0.0.1'
    expect 'in the ledger' "$(tool au ledger log --act record.view)" 'record.view'
    # A standing grant, by the head, that is taken back while the file is open.
    expect 'not by an officer' "$(tool o1 grant add "${tag}o2" "/$CASE" --purpose x --until "$(date -d '+9 days' +%F)" 2>&1 || true)" 'may not grant'
    grant=$(tool hd --json grant add "${tag}o1" "/$CASE" --purpose 承办本案 --until "$(date -d '+9 days' +%F)" | grep -oP '"grant": \K[0-9]+')
    gets o1 商密.mp4
    expect 'listed' "$(tool o1 grant list)" "$grant .*承办本案"
    exec 7< <(as o1 bash -c 'exec 8<"$1"; head -c 100 <&8 >/dev/null; echo open; read -r _ <"$2"; cat <&8 >/dev/null; echo "status $?"' \
        - "$mnt/$STAGE/商密.mp4" <(sleep 3; echo go) 2>&1)
    read -r line <&7
    expect_same 'it is open' "$line" open
    tool hd grant end "$grant"
    expect 'the rest is refused' "$(cat <&7)" 'Permission denied'
    expect 'and anew' "$(smb o1 cases "cd \"$STAGE\"; get 商密.mp4 $work/none" || true)" NT_STATUS_ACCESS_DENIED
    expect 'over' "$(tool so grant list --all)" "$grant .*ended"
}
body() {
    mkdir "$work/policy"
    cp policy/workflow.yaml policy/*.cedar "$work/policy/"
    fixture_vault
    daemon_start --settle 1 --policy "$work/policy"
    smbd_start
    fixture_users o1:officer o2:officer tr:officer hd:head sv:supervisor st:station ar:archivist
    tool o1 case open 2026 '测试〔2026〕1号' >>"$work/users.log"
    for name in example_of_the_readme wrong_rules_change_nothing above_clearance_is_absent upload_under_an_invisible_name my_cases no_link_leads_out open_handle_is_asked_again \
        station_adds_and_opens_nothing restricted_needs_a_purpose; do
        run_case "$name"
    done
}
share_main body "$@"
