#!/usr/bin/env bash
# Nine roles x five levels x (list, read, add, export), through Samba and through the mount (matrix.py), and
# what is on record of what was denied.
. "$(dirname "$0")/lib.sh"
CASE='2026/矩阵〔2026〕1号'
stages=(01受理立案 02调查取证 03审核 04听证 05决定)
levels=(公开 内部 秘密 机密 绝密)
people=(officer:officer reviewer:reviewer head:head supervisor:supervisor archivist:archivist station:station
    sysadmin:sysadmin secoff:secoff auditor:auditor)
roles=(officer reviewer head supervisor archivist station sysadmin secoff auditor)

clear_all() { # clear_all LEVEL: everybody whose clearance a secoff sets
    local role
    for role in "${roles[@]}"; do tool so user set "$tag$role" --clearance "$1" >>"$work/users.log"; done
}
matrix() { # matrix CLEARANCE
    WORK=$work MNT=$mnt VAULT=$vault TOOL=$bin_tool PORT=$port TAG=$tag timeout 150 "$py" tests/share/matrix.py "$1" || return 1
}
# 绝密 lies above everybody's clearance: its stage is not there for them.
case_cleared_for_secret() { clear_all 机密 && matrix 3; }
case_cleared_for_top_secret() { clear_all 绝密 && matrix 4; }
case_denials_are_counted() {
    local n log
    clear_all 机密
    # Without a purpose, eight times: two entries, one of them a count.
    for n in 1 2 3 4 5 6 7 8; do ! as reviewer cat "$mnt/$CASE/03审核/新件.bin" >/dev/null 2>&1 || die 'read without a purpose'; done
    as reviewer cat "$mnt/提示.txt" >"$work/notice"
    expect 'the person is told' "$(cat "$work/notice")" '新件.bin'
    daemon_stop # writes what is folded
    daemon_start --settle 1 --policy "$work/policy"
    log=$(tool au --json ledger log --act refuse | tr -d ' \n')
    expect 'on record' "$log" "\"op\":\"read\",\"reason\":\"purpose\""
    expect 'folded' "$log" '"count":7'
}
body() {
    local n
    mkdir "$work/policy"
    sed 's/^涉密网络: false/涉密网络: true/' policy/workflow.yaml >"$work/policy/workflow.yaml"
    cp policy/access.cedar "$work/policy/"
    fixture_vault
    daemon_start --settle 1 --policy "$work/policy"
    smbd_start
    first_users o1:officer "${people[@]}"
    own_passwords o1 "${roles[@]}"
    tool so user set "${tag}o1" --clearance 绝密 >>"$work/users.log"
    tool o1 case open "${CASE%%/*}" "${CASE#*/}" >>"$work/users.log"
    for n in 0 1 2 3 4; do
        head -c $((1000 + n)) /dev/urandom >"$work/content-$n"
        as o1 cp "$work/content-$n" "$mnt/$CASE/${stages[n]}/记录$n.bin"
        as o1 cp "$work/content-$n" "$mnt/$CASE/${stages[n]}/新件.bin"
    done
    for n in 0 1 2 3 4; do sealed "$CASE/${stages[n]}/记录$n.bin"; sealed "$CASE/${stages[n]}/新件.bin"; done
    for n in 0 1; do tool o1 record classify "/$CASE/${stages[n]}" --level "${levels[n]}" --reason 清单 >>"$work/users.log"; done
    for n in 2 3 4; do
        tool o1 record classify "/$CASE/${stages[n]}" --level "${levels[n]}" --until "$(date -d '+5 years' +%F)" --reason 清单 >>"$work/users.log"
    done
    run_case denials_are_counted
    run_case cleared_for_secret 200
    run_case cleared_for_top_secret 200
}
share_main body "$@"
