#!/usr/bin/env bash
# Kills strongroomd, then smbd, at twenty random moments each (ROUNDS) while two officers upload
# through Samba. After each restart every file whose CLOSE or FLUSH was answered with success is there
# with the bytes that were acknowledged; at the end `verify` finds nothing. SEED repeats a run.
. "$(dirname "$0")/lib.sh"

CASE='2026/测试〔2026〕1号'
STAGE=$CASE/02调查取证
rounds=${ROUNDS:-20}
seed=${SEED:-$RANDOM}

load() { # load USER LOG SEED
    SRT_PORT=$port SRT_TAG=$tag SRT_MNT=$mnt exec timeout 60 "$py" tests/share/load.py run "$1" "$STAGE" "$2" "$3"
}
check() { SRT_PORT=$port SRT_TAG=$tag SRT_MNT=$mnt timeout 120 "$py" tests/share/load.py check "$1" "$2"; }

one_round() { # one_round WHAT NUMBER
    local what=$1 number=$2 pids=() user
    for user in o1 o2; do
        (load "$user" "$work/acks-$user-$what-$number" "$what-$number-$user-$seed") 2>>"$work/load.err" &
        pids+=($!)
    done
    # From the very first packets to the middle of things.
    sleep "$(awk -v r="$RANDOM" 'BEGIN { printf "%.3f", 0.15 + 2.2 * r / 32767 }')"
    if [ "$what" = daemon ]; then
        daemon_kill
        smbd_stop KILL # its working folder is the dead mount
    else
        smbd_stop KILL
    fi
    wait "${pids[@]}" 2>/dev/null || true
    [ "$what" != daemon ] || daemon_start --settle 1
    smbd_start
    for user in o1 o2; do
        check "$user" "$work/acks-$user-$what-$number" >>"$work/checks" || {
            tail -n 5 "$work/checks" >&2
            return 1
        }
    done
}
case_daemon_killed() {
    RANDOM=$seed
    for n in $(seq "$rounds"); do one_round daemon "$n" || die "round $n of killing strongroomd, SEED=$seed"; done
    summary daemon
}
case_smbd_killed() {
    RANDOM=$((seed + 1))
    for n in $(seq "$rounds"); do one_round smbd "$n" || die "round $n of killing smbd, SEED=$seed"; done
    summary smbd
}
summary() { # a load that got nothing acknowledged would prove nothing
    local closed flushed
    closed=$(cat "$work"/acks-*-"$1"-* | grep -c '^close')
    flushed=$(cat "$work"/acks-*-"$1"-* | grep -c '^flush')
    echo "$1: $closed closes and $flushed flushes acknowledged in $rounds rounds" | tee -a "$work/summary"
    [ "$closed" -ge "$rounds" ] && [ "$flushed" -ge "$rounds" ] || die 'the load was too small'
}
case_all_still_there() {
    # Everything of all rounds, now sealed or incomplete, and the vault as a whole.
    for log in "$work"/acks-*; do
        user=${log#"$work"/acks-}
        eventually 60 all_sealed "${user%%-*}" "$log"
        check "${user%%-*}" "$log" >/dev/null || die "$log"
    done
    tool ar verify
}
all_sealed() { SRT_PORT=$port SRT_TAG=$tag SRT_MNT=$mnt timeout 60 "$py" tests/share/load.py sealed "$1" "$2"; }

body() {
    fixture_up --settle 1
    run_case daemon_killed 420
    run_case smbd_killed 420
    run_case all_still_there 200
    cat "$work/summary" 2>/dev/null || true
}
share_main body "$@"
