#!/usr/bin/env bash
# Full disk: the vault lies on a loop file system of 240 MB. An upload that does not fit is refused at
# write, FLUSH or CLOSE; what was acknowledged stays; the daemon lives, refuses loudly, and seals again
# once there is space.
. "$(dirname "$0")/lib.sh"

STAGE='2026/测试〔2026〕1号/02调查取证'

make_disk() {
    image=$(mktemp "${TMPDIR:-/tmp}/srt-image.XXXXXX")
    truncate -s 240M "$image"
    mkfs.ext4 -q -F -m 0 "$image"
    hidden=$(mktemp -d "${TMPDIR:-/tmp}/srt-disk.XXXXXX")
    mount -o loop "$image" "$hidden"
    SHARE_DISK=$hidden
}
remove_image() { umount -l "$hidden" 2>/dev/null; rm -f "$image"; rmdir "$hidden" 2>/dev/null; }

case_fills_up() {
    local n answer
    head -c 20000000 /dev/urandom >"$work/twenty"
    for n in $(seq 30); do
        answer=$(smb o1 cases "cd \"$STAGE\"; put $work/twenty 大文件-$n.mp4" || true)
        if grep -qE 'DISK_FULL|NO_SPACE' <<<"$answer"; then
            echo "$((n - 1))" >"$work/fitted"
            break
        fi
        ! grep -q NT_STATUS <<<"$answer" || die "upload $n: $answer"
    done
    [ -s "$work/fitted" ] || die 'thirty uploads of 20 MB fitted into 240 MB'
    [ "$(cat "$work/fitted")" -ge 2 ] || die "only $(cat "$work/fitted") fitted"
    expect 'the reason is shown' "$(smb o1 cases 'get 提示.txt -')" '空间|磁盘'
}
case_nothing_acknowledged_is_lost() {
    local n
    for n in $(seq "$(cat "$work/fitted")"); do
        smb o2 cases-ro "cd \"$STAGE\"; get 大文件-$n.mp4 $work/back"
        cmp "$work/twenty" "$work/back"
    done
}
case_daemon_lives_and_seals() {
    # What fitted is sealed although no upload fits any more: that is what the reserve is for.
    local n
    for n in $(seq "$(cat "$work/fitted")"); do sealed "$STAGE/大文件-$n.mp4" 30; done
    tool o1 status >/dev/null
    expect 'still refused' "$(smb o1 cases "cd \"$STAGE\"; put $work/twenty 还是不行.mp4" || true)" 'DISK_FULL|NO_SPACE'
}
case_many_small_to_the_brim() {
    # Other programs may fill the reserve too; then even ledger entries fail, and must fail loudly.
    local n answer failures=0
    fill_disk
    head -c 5000 /dev/urandom >"$work/small"
    for n in $(seq 40); do
        answer=$(smb o1 cases "cd \"$STAGE\"; put $work/small 小文件-$n.jpg" || true)
        if grep -q NT_STATUS <<<"$answer"; then failures=$((failures + 1)); else echo "$n" >>"$work/small-fitted"; fi
    done
    [ "$failures" -gt 0 ] || die 'forty files were acknowledged on a file system without a free block'
    [ -n "$(daemon_pids)" ] || die 'the daemon died'
}
fill_disk() { dd if=/dev/zero of="$disk/more-ballast" bs=64K 2>/dev/null || true; sync "$disk/more-ballast"; }
case_space_returns() {
    rm -f "$disk/ballast" "$disk/more-ballast"
    eventually 30 put_works
    sealed "$STAGE/又有空间.mp4" 30
    while read -r n; do
        smb o1 cases "cd \"$STAGE\"; get 小文件-$n.jpg $work/back"
        cmp "$work/small" "$work/back"
        sealed "$STAGE/小文件-$n.jpg" 30
    done < <(cat "$work/small-fitted" 2>/dev/null)
    tool ar verify
}
put_works() { ! smb o1 cases "cd \"$STAGE\"; put $work/twenty 又有空间.mp4" | grep NT_STATUS; }
case_restart_after_full() {
    smbd_stop
    daemon_stop
    daemon_start --settle 1
    smbd_start
    case_nothing_acknowledged_is_lost
    tool ar verify
}
body() {
    head -c 60000000 /dev/zero >"$disk/ballast"
    fixture_up --settle 1
    for name in fills_up nothing_acknowledged_is_lost daemon_lives_and_seals many_small_to_the_brim space_returns \
        restart_after_full; do
        run_case "$name"
    done
}
[ "${1:-}" = --case ] || make_disk
fixture_extra=remove_image
share_main body "$@"
