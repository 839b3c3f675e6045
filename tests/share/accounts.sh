#!/usr/bin/env bash
# Passwords of people: the first one must be changed, failures lock out, and a person changes theirs from a
# workstation. smbd listens on port 445 of a network namespace, because smbpasswd -r knows no other.
. "$(dirname "$0")/lib.sh"
CASE='2026/测试〔2026〕1号'
STAGE=$CASE/02调查取证
inside() { ip netns exec "$tag" "$@"; }
log_on() { # log_on SHORT PASSWORD COMMANDS: through port 445
    inside smbclient -s /dev/null //127.0.0.1/cases -m SMB3 -U "$tag$1%$2" -t 30 -c "$3" 2>&1
}
change() { # change SHORT OLD NEW
    printf '%s\n%s\n%s\n' "$2" "$3" "$3" | inside smbpasswd -s -r 127.0.0.1 -U "$tag$1" 2>&1
}
lists() { log_on "$1" "$2" ls | grep -q '^  2026 '; }

case_first_password_must_be_changed() {
    local first said
    first_users n1:officer st:station
    first=$(password n1)
    # It opens nothing but the text that says what to do.
    said=$(log_on n1 "$first" 'ls; get 提示.txt '"$work/notice")
    expect 'the text' "$said" 提示.txt
    ! grep -qE '^  (2026|待归案|入库回执)' <<<"$said" || die "more than the text is shown: $said"
    expect 'what to do' "$(cat "$work/notice")" "smbpasswd -r .* -U ${tag}n1"
    expect 'not into a case' "$(log_on n1 "$first" "cd \"$STAGE\"" || true)" 'NT_STATUS_(ACCESS_DENIED|OBJECT_(PATH|NAME)_NOT_FOUND)'
    head -c 1000 /dev/urandom >"$work/a"
    expect 'nor put anything' "$(log_on n1 "$first" "put $work/a \"$STAGE/a\"" || true)" NT_STATUS
    ! as n1 ls "$mnt/2026" >/dev/null 2>&1 || die 'the mount is open'
    expect 'the list says so' "$(tool sa user list)" "${tag}n1 .*first password"
    # Changed, it is theirs, and everything opens.
    expect 'too short' "$(change n1 "$first" 'Kurz-1' || true)" '(NT_STATUS|password|restriction)'
    ! lists n1 "$first" || die 'a change that was refused counted'
    expect 'changed' "$(change n1 "$first" 'Neues-Wort-1')" 'Password changed'
    eventually 15 lists n1 'Neues-Wort-1'
    expect 'the old one is none' "$(log_on n1 "$first" ls || true)" LOGON_FAILURE
    log_on n1 'Neues-Wort-1' "cd \"$STAGE\"; put $work/a n1.bin"
    expect 'not the same again' "$(change n1 'Neues-Wort-1' "$first" || true)" '(NT_STATUS|password|restriction)'
    lists n1 'Neues-Wort-1'
    expect 'on record' "$(tool au ledger log --act user.password)" 'user.password'
    ! tool sa user list | grep -q "${tag}n1 .*first password" || die 'the list still says so'
    # A station cannot change one, and need not.
    lists st "$(password st)"
}
case_failures_lock_out() {
    local i said
    first_users l1:officer l2:officer
    own_passwords l1 l2
    eventually 15 lists l1 "$(password l1)"
    for i in 1 2 3 4 5; do expect "failure $i" "$(log_on l1 falsch ls || true)" 'LOGON_FAILURE|LOCKED'; done
    expect 'the right one is refused' "$(log_on l1 "$(password l1)" ls || true)" ACCOUNT_LOCKED_OUT
    expect 'no change either' "$(change l1 "$(password l1)" 'Neues-Wort-2' || true)" 'LOCKED|LOGON_FAILURE'
    eventually 15 lists l2 "$(password l2)" # nobody else is
    # Forgotten or locked: a first password from the sysadmin, which must be changed again.
    printf 'Erstes-Wort-3\n' >"$work/password"
    chmod 644 "$work/password"
    expect 'not by the secoff' "$(tool so user password "${tag}l1" --password-file "$work/password" 2>&1 || true)" 'by a sysadmin'
    expect 'not by oneself' "$(tool sa user password "${tag}sa" --password-file "$work/password" 2>&1 || true)" 'their own account'
    expect 'unknown' "$(tool sa user password "${tag}nobody" --password-file "$work/password" 2>&1 || true)" 'there is no account'
    expect 'given' "$(tool sa user password "${tag}l1" --password-file "$work/password")" 'first password'
    said=$(log_on l1 Erstes-Wort-3 ls)
    expect 'it logs on' "$said" 提示.txt
    ! grep -q '^  2026 ' <<<"$said" || die 'with a first password everything is shown'
    expect 'changed' "$(change l1 Erstes-Wort-3 'Neues-Wort-3')" 'Password changed'
    eventually 15 lists l1 'Neues-Wort-3'
}
case_disabled_changes_nothing() {
    local uid
    first_users d1:officer
    uid=$(uid_of d1)
    tool sa user disable "${tag}d1" --reason 调离
    expect 'no change' "$(change d1 "$(password d1)" 'Neues-Wort-4' || true)" 'DISABLED|LOGON_FAILURE'
    printf 'Erstes-Wort-4\n' >"$work/password"
    chmod 644 "$work/password"
    expect 'no first password' "$(tool sa user password "${tag}d1" --password-file "$work/password" 2>&1 || true)" 'disabled for ever'
    # Neither the account nor its uid comes back.
    expect 'the name' "$(tool sa user add "${tag}d1" --role officer 2>&1 || true)" 'exists already'
    userdel "${tag}d1"
    expect 'the name, without a system account' "$(tool sa user add "${tag}d1" --role officer 2>&1 || true)" 'exists already'
    first_users d2:officer
    [ "$(uid_of d2)" -gt "$uid" ] || die 'a uid was given out again'
}
fixture_extra() { # the namespace goes, and who lives in it
    ip netns pids "$tag" 2>/dev/null | xargs -r kill -KILL 2>/dev/null
    ip netns del "$tag" 2>/dev/null
    true
}
fixture_extra=fixture_extra
body() {
    ip netns add "$tag"
    inside ip link set lo up
    fixture_vault
    sed -i 's/^ *smb ports = .*/    smb ports = 445/' "$conf"
    daemon_start --settle 2
    inside smbd -s "$conf" -D -l "$smbd_log" </dev/null >>"$work/smbd.out" 2>&1
    eventually 10 inside bash -c 'exec 3<>/dev/tcp/127.0.0.1/445' 2>/dev/null
    first_users o1:officer
    tool o1 case open 2026 '测试〔2026〕1号' >>"$work/users.log"
    run_case first_password_must_be_changed
    run_case failures_lock_out
    run_case disabled_changes_nothing
}
share_main body "$@"
