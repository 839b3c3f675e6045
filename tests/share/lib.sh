# Sourced by the suites of tests/share: a vault with daemon, Samba and accounts of its own, cases with
# a time limit each, and "ok NAME" / "FAIL NAME" lines. Root, FUSE and Samba are needed; without them
# the suite fails rather than skips, because then nothing would be shown.
#
# A suite sources this file, defines case_NAME functions, and ends with `share_main "$@"`. Each case
# runs in a process of its own (bash SUITE --case NAME WORK), so that a time limit can end it.
set -euo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
top=$(pwd)
out=$(realpath -m "${OUT:-out}")
. scripts/account-lib
suite_script=$(realpath "$0")
suite=$(basename "$0" .sh)
[ "$suite" != run ] || suite=share
py=/usr/bin/python3
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$top/tests/share

# --- small tools ---------------------------------------------------------------------------------
die() { echo "$*" >&2; exit 1; }
sha() { sha256sum | cut -d' ' -f1; }
free_port() { $py -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# eventually SECONDS COMMAND...: polls every 0.1 s until the command succeeds.
eventually() {
    local end=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$end" ] || { echo "waited in vain for: $*" >&2; return 1; }
        sleep 0.1
    done
}
expect() { # expect WHAT ACTUAL PATTERN: an extended regular expression, found somewhere in ACTUAL
    grep -qE -- "$3" <<<"$2" || die "$1: expected /$3/, got: $2"
}
expect_same() { [ "$2" = "$3" ] || die "$1: expected '$3', got '$2'"; }

# --- the fixture: everything under $work, names of accounts under $tag -----------------------------
# Written to $work/env, so that case processes find it. Roles in the order of `tool user add`.
fixture_names() {
    tag=srt_$$_
    work=$(mktemp -d "${SHARE_BASE:-/tmp}/srt-$suite.XXXXXX")
    state=$(mktemp -d /dev/shm/srt-samba.XXXXXX)
    chmod 755 "$work"
    disk=${SHARE_DISK:-$work} # what is on the appliance's disk; $work holds what the tests know
    vault=$disk/vault mnt=$disk/mnt daemon_log=$disk/daemon.log private=$disk/samba-private
    # Ids of its own, so that a demo or another suite on this machine has no account of that id.
    first_uid=$((30000 + 20 * ($$ % 1400)))
    port=$(free_port) conf=$work/smb.conf smbd_log=$state/log
    save_env
}
save_env() {
    local name
    for name in tag work state disk vault mnt daemon_log private first_uid port conf smbd_log; do printf '%s=%q\n' "$name" "${!name}"; done >"$work/env"
}
password() { printf 'Pw-%s-%s' "$tag" "$1"; } # of account short name; fine for a test on loopback
uid_of() { id -u "$tag$1"; }
as() { # as SHORT COMMAND...
    local uid
    uid=$(uid_of "$1")
    shift
    setpriv --reuid "$uid" --regid "$(id -g "$uid" 2>/dev/null || echo "$uid")" --clear-groups -- "$@"
}
tool() { # tool SHORT ARGUMENT...: strongroom -C vault as that account
    local who=$1
    shift
    as "$who" "$bin_tool" -C "$vault" "$@"
}
smb() { # smb SHORT SHARE COMMANDS: smbclient; its output, its exit status
    smbclient -s /dev/null "//127.0.0.1/$2" -p "$port" -m SMB3 -U "$tag$1%$(password "$1")" -t 60 -c "$3" 2>&1
}
peer() { # peer CASE [ARGUMENT...]: one case of packets.py
    SRT_PORT=$port SRT_TAG=$tag SRT_MNT=$mnt SRT_VAULT=$vault timeout 120 "$py" "$top/tests/share/packets.py" "$@"
}
state_of() { as "${2:-o1}" getfattr --absolute-names --only-values -n user.strongroom.state "$mnt/$1" 2>/dev/null; }
is_state() { [ "$(state_of "$1" "${3:-o1}")" = "$2" ]; }
sealed() { eventually "${2:-20}" is_state "$1" sealed; }

waiting() { tool au status --json | "$py" -c 'import json, sys; print(json.load(sys.stdin)["index_waiting"])'; }
all_looked_into() { [ "$(waiting)" = 0 ]; } # by the probe: no entry comes of itself after that

fixture_vault() { # the vault and the first three accounts, which init makes itself
    printf 'a long passphrase of this test\n' >"$work/passphrase"
    mkdir -p "$mnt"
    scripts/smbconf --mount "$mnt" --exports "$work/exports" --port "$port" --state "$state" \
        --private "$private" --log "$smbd_log" --make >"$conf"
    {
        echo "sysadmin:${tag}sa:系统管理员:$(password sa)"
        echo "secoff:${tag}so:安全保密员:$(password so)"
        echo "auditor:${tag}au:审计员:$(password au)"
    } >"$work/accounts"
    chmod 600 "$work/accounts" "$work/passphrase"
    "$bin_tool" init "$vault" --passphrase-file "$work/passphrase" --agency 示例局 \
        --accounts "$work/accounts" --smb-conf "$conf" --first-uid "$first_uid" >>"$work/users.log"
}
daemon_pids() { pgrep -f -- "^$bin_daemon $vault " || true; }
daemon_start() { # daemon_start [ARGUMENT...]; returns when the mount answers
    "$bin_daemon" "$vault" "$mnt" --passphrase-file "$work/passphrase" --policy "$top/policy" --allow-other \
        --smb-conf "$conf" --first-uid "$first_uid" "$@" >>"$daemon_log" 2>&1 </dev/null || return
    eventually 20 mountpoint -q "$mnt"
}
wait_gone() { # wait_gone SECONDS PID...
    local seconds=$1 pid
    shift
    for pid in "$@"; do eventually "$seconds" bash -c "! kill -0 $pid 2>/dev/null"; done
}
daemon_stop() {
    local pids
    pids=$(daemon_pids)
    [ -z "$pids" ] || { kill -TERM $pids && wait_gone 30 $pids; }
    ! mountpoint -q "$mnt" || umount -l "$mnt"
}
daemon_kill() {
    local pids
    pids=$(daemon_pids)
    [ -z "$pids" ] || { kill -KILL $pids && wait_gone 20 $pids; }
    umount -l "$mnt" 2>/dev/null || true # the dead mount: transport endpoint is not connected
}
smbd_start() {
    smbd -s "$conf" -D -l "$smbd_log" </dev/null >>"$work/smbd.out" 2>&1
    eventually 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" 2>/dev/null
}
smbd_pids() { pgrep -f -- "(smbd -s|samba-dcerpcd|rpcd_[a-z]+) .*$conf|--configfile=$conf" || true; }
smbd_stop() { # smbd_stop [SIGNAL]
    local pids
    pids=$(smbd_pids)
    [ -z "$pids" ] || { kill "-${1:-TERM}" $pids 2>/dev/null; wait_gone 20 $pids; } || true
}
# own_passwords SHORT...: as if each had changed their first password, to the same word (root is not asked for
# the old one, nor held to the history).
own_passwords() {
    local short
    for short in "$@"; do
        printf '%s\n%s\n' "$(password "$short")" "$(password "$short")" | smbpasswd -c "$conf" -s "$tag$short" >>"$work/users.log"
    done
}
fixture_users() { # fixture_users SHORT:ROLE...; their passwords are their own
    first_users "$@"
    own_passwords "${@%%:*}"
}
first_users() { # the same, with first passwords
    local user
    for user in "$@"; do
        printf '%s\n' "$(password "${user%%:*}")" >"$work/password"
        chmod 644 "$work/password"
        tool sa user add "$tag${user%%:*}" --name "测试${user%%:*}" --role "${user#*:}" \
            --password-file "$work/password" >>"$work/users.log"
    done
    rm -f "$work/password"
}
fixture_up() { # the usual fixture; arguments go to the daemon
    fixture_vault
    daemon_start "$@"
    smbd_start
    fixture_users o1:officer o2:officer sv:supervisor ar:archivist
    tool o1 case open 2026 '测试〔2026〕1号' >>"$work/users.log"
}
fixture_down() {
    set +e
    trap - EXIT
    smbd_stop KILL
    daemon_stop
    mountpoint -q "$mnt" && umount -l "$mnt"
    getent passwd | cut -d: -f1 | grep "^$tag" | while read -r account; do remove_account "$account"; done
    chattr -R -i "$work" 2>/dev/null
    [ "$disk" = "$work" ] || chattr -R -i "$disk" 2>/dev/null
    "${fixture_extra:-true}" # what a suite made besides
    rm -rf "$work" "$state"
}

# --- cases ---------------------------------------------------------------------------------------
passed=0 failed=0 skipped=0
case_limit=90
run_case() { # run_case NAME [SECONDS]
    local name=$1 rc=0 log=$work/case.log
    [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" $name "* ]] || return 0
    timeout --kill-after=5 "${2:-$case_limit}" bash "$suite_script" --case "$name" "$work" >"$log" 2>&1 </dev/null || rc=$?
    if [ "$rc" -eq 0 ]; then
        echo "ok $name"
        passed=$((passed + 1))
    elif [ "$rc" -eq 77 ]; then
        echo "skip $name: $(tail -n 1 "$log")"
        skipped=$((skipped + 1))
    else
        [ "$rc" -ne 124 ] && [ "$rc" -ne 137 ] || echo "time limit" >>"$log"
        echo "FAIL $name, repeat with: ${suite_script#"$top/"} $name"
        tail -n 25 "$log" | sed 's/^/    /'
        [ ! -s "$daemon_log" ] || tail -n 8 "$daemon_log" | sed 's/^/    daemon: /'
        failed=$((failed + 1))
    fi
}
share_end() {
    local rc=$?
    set +e # whatever is wrong, the cleaning up below happens
    if [ "$complete" != yes ]; then
        echo "FAIL fixture of $suite (exit status $rc)"
        tail -n 15 "$work"/*.log "$daemon_log" 2>/dev/null | sed 's/^/    /'
        failed=$((failed + 1))
    fi
    fixture_down
    echo "$suite: $passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ] || exit 1
    exit 0
}
# share_main BODY "$@": BODY is the function that builds the fixture and calls run_case.
share_main() {
    local body=$1
    shift
    bin_tool=$out/strongroom bin_daemon=$out/strongroomd
    if [ "${1:-}" = --case ]; then
        # shellcheck disable=SC1091
        . "$3/env"
        "case_$2"
        exit 0
    fi
    wanted=("$@") complete=no
    [ "$(id -u)" -eq 0 ] || die "$suite: needs root"
    [ -x "$bin_tool" ] && [ -x "$bin_daemon" ] || die "$suite: build first (make); looked in $out"
    fixture_names
    trap share_end EXIT
    "$body"
    complete=yes
}
