# Sourced by run and by the cases in sh. People are uids without system accounts: the daemon runs with
# --no-accounts, setpriv takes numbers. In cases: as WHO COMMAND, refused ERRNO COMMAND, sealed FILE,
# $PLACE (a folder of the case's own in a stage, made when first asked for).
set -euo pipefail
FIRST_UID=20000
CASE='2026/测试〔2026〕1号'
STAGE=$MNT/$CASE/02调查取证
TOOL=$OUT/strongroom

# In the order in which they get their uids: three by init, the others by user add.
people=(sa so au o1 o2 sv)
uid_of() {
    local i
    [ "$1" != root ] || { echo 0; return; }
    [ "$1" != stranger ] || { echo 29999; return; }
    for i in "${!people[@]}"; do
        [ "${people[$i]}" != "$1" ] || { echo $((FIRST_UID + i)); return; }
    done
    echo "no such person: $1" >&2
    return 1
}
as() { # as WHO COMMAND...
    local uid
    uid=$(uid_of "$1")
    shift
    if [ "$uid" -eq 0 ]; then "$@"; else setpriv --reuid "$uid" --regid "$uid" --clear-groups -- "$@"; fi
}
tool() { # tool WHO ARGUMENT...
    local who=$1
    shift
    as "$who" "$TOOL" -C "$VAULT" --socket-dir "$WORK/run" "$@"
}
die() { echo "$*" >&2; exit 1; }
same() { [ "$2" = "$3" ] || die "$1: expected '$3', got '$2'"; }
eventually() { # eventually SECONDS COMMAND...
    local end=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$end" ] || die "waited in vain for: $*"
        sleep 0.1
    done
}
# refused "TEXT OF THE ERRNO" COMMAND...: it fails, and says so with this errno's sentence.
refused() {
    local text=$1 said
    shift
    ! said=$("$@" 2>&1) || die "was not refused: $*"
    grep -qF -- "$text" <<<"$said" || die "expected '$text' of: $*; got: $said"
}
state_of() { as "${2:-o1}" getfattr --only-values --absolute-names -n user.strongroom.state "$1"; }
is_state() { [ "$(state_of "$1" "${3:-o1}")" = "$2" ]; }
sealed() { eventually 20 is_state "$1" sealed "${2:-o1}"; }
place() { as o1 mkdir -p "$STAGE/$NAME" && echo "$STAGE/$NAME"; }

make_vault() {
    printf 'a passphrase of the mount tests\n' >"$WORK/passphrase"
    printf '%s\n' 'sysadmin:sa:系统管理员:' 'secoff:so:安全保密员:' 'auditor:au:审计员:' >"$WORK/accounts"
    chmod 600 "$WORK/passphrase" "$WORK/accounts"
    mkdir -m 755 "$WORK/run"
    "$TOOL" init "$VAULT" --passphrase-file "$WORK/passphrase" --accounts "$WORK/accounts" --no-accounts \
        --first-uid "$FIRST_UID" >"$WORK/init.log" 2>&1
}
make_users() {
    local spec
    for spec in o1:officer o2:officer sv:supervisor; do
        tool sa user add "${spec%:*}" --name "测试${spec%:*}" --role "${spec#*:}" >>"$WORK/users.log" 2>&1
    done
    tool sa --json user list >"$WORK/users.json"
    for spec in "${people[@]}"; do # the uids that these tests count on
        /usr/bin/python3 -c 'import json, sys
assert {u["account"]: u["uid"] for u in json.load(open(sys.argv[1]))}[sys.argv[2]] == int(sys.argv[3])' \
            "$WORK/users.json" "$spec" "$(uid_of "$spec")"
    done
}
daemon_start() { # daemon_start [OPTION...]
    "$OUT/strongroomd" "$VAULT" "$MNT" --passphrase-file "$WORK/passphrase" --foreground --allow-other \
        --settle "$SETTLE" --policy "$TOP/policy" --no-accounts --first-uid "$FIRST_UID" \
        --socket-dir "$WORK/run" --encrypted-swap "$@" >>"$WORK/daemon.log" 2>&1 </dev/null &
    echo $! >"$WORK/daemon.pid"
    eventually 30 daemon_answers
}
daemon_answers() {
    kill -0 "$(cat "$WORK/daemon.pid")" 2>/dev/null || die "the daemon ended: $(tail -n 3 "$WORK/daemon.log")"
    mountpoint -q "$MNT" && tool au status >/dev/null 2>&1
}
daemon_gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }
daemon_stop() { # in order: exit status 0, nothing mounted, no sanitizer has anything to say
    local pid rc=0
    pid=$(cat "$WORK/daemon.pid" 2>/dev/null) || return 0
    kill -TERM "$pid" 2>/dev/null || true
    eventually 30 daemon_gone "$pid" || { kill -KILL "$pid" && return 1; }
    wait "$pid" 2>/dev/null || rc=$?
    rm -f "$WORK/daemon.pid"
    [ "$rc" -eq 0 ] || [ "$rc" -eq 127 ] || return 1 # 127: started by another shell
    ! grep -qE 'AddressSanitizer|LeakSanitizer|runtime error:' "$WORK/daemon.log" || return 1
    ! mountpoint -q "$MNT"
}
