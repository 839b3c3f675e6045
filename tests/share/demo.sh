#!/usr/bin/env bash
# `make up` and `make down` themselves: up ends by itself although its daemons live on, proves each of
# its steps (scripts/up checks every one and fails otherwise), says so when it is up already, cleans up
# after a killed daemon, and down leaves nothing behind. Skipped while somebody's demo is up.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/demo-lib
passed=0 failed=0
PORT=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export PORT
log=$(mktemp)
if [ -e "$demo" ]; then
    echo 'skip demo: a demo is up (make down)'
    echo 'demo: 0 passed, 0 failed, 1 skipped'
    exit 0
fi
trap 'scripts/down >/dev/null 2>&1; rm -f "$log"' EXIT
check() { # check NAME COMMAND...
    local name=$1
    shift
    if "$@" >>"$log" 2>&1; then
        echo "ok $name"
        passed=$((passed + 1))
    else
        echo "FAIL $name, repeat with: tests/share/demo.sh"
        tail -n 40 "$log" | sed 's/^/    /'
        failed=$((failed + 1))
    fi
    : >"$log"
}
up_ends() { timeout 240 scripts/up | cat | tee "$log.up"; }
says() { grep -qE "$1" "$log.up" || { echo "no /$1/ in the transcript"; return 1; }; }
up_again() { timeout 30 scripts/up | grep -q 'already up'; }
passwords_private() { [ "$(stat -c '%a %U' "$demo/passwords")" = '600 root' ] && [ "$(grep -c . "$demo/passwords")" -eq 9 ]; }
state_on_tmpfs() { [ "$(stat -f -c %T "$(samba_state)")" = tmpfs ]; }
# A killed daemon is gone only when its threads are: one may wait for a sync, and the disk be busy.
killed_then_up() {
    local pids
    pids=$(daemon_pids)
    # shellcheck disable=SC2086
    kill -KILL $pids
    # shellcheck disable=SC2086
    wait_gone 60 $pids || { echo "$pids is still there"; return 1; }
    timeout 240 scripts/up >"$log.up" 2>&1 || { cat "$log.up"; return 1; }
    says 'remains of an earlier demo' || { cat "$log.up"; return 1; }
}
down_clean() {
    timeout 60 scripts/down && [ ! -e "$demo" ] && [ -z "$(daemon_pids)$(smbd_pids)" ] && ! mount | grep -q "$demo" && ! id officer2 2>/dev/null
}
check up_ends_with_daemons_detached up_ends
check found_by_two_characters says '现场勘验视频.mp4'
check receipts_say_card_may_be_wiped says '可清卡: 是'
check refusals_are_shown says 'NT_STATUS_MEDIA_WRITE_PROTECTED'
check proof_is_verified says 'the tiles add up to the same root'
check passwords_are_private passwords_private
check samba_state_is_on_tmpfs state_on_tmpfs
check second_up_says_so up_again
check stale_state_is_cleaned killed_then_up
check down_leaves_nothing down_clean
check down_twice scripts/down
rm -f "$log.up"
echo "demo: $passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
