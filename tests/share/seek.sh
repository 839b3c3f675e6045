#!/usr/bin/env bash
# 实时调阅: a recording of over 4 GiB plays from the share. A player that seeks in it reads what it needs and
# little more, each byte verified; a flipped bit is an error where it lies, and an alert, and nowhere else.
. "$(dirname "$0")/lib.sh"

STAGE='2026/测试〔2026〕1号/02调查取证'
SAMPLE=/usr/share/forensics-samples/original-files/movie1/VID_20191220_170832.mp4
NAME=执法现场.mp4
SEG=65568 AT=4170
MIB=1048576

# Bytes that the daemon has read by system calls: of objects, and of its mount's requests.
bytes_read() { awk '/^rchar/ { print $2 }' "/proc/$(daemon_pids)/io"; }
range() { "$py" "$top/tests/share/seek.py" read "${tag}sv" "$(password sv)" "$port" "$STAGE/$NAME" "$1" "$2"; }
range_here() { # the same of what was copied
    local hash
    hash=$(tail -c "+$(($1 + 1))" "$work/film.mp4" | head -c "$2" | sha)
    echo "$hash $2"
}
player_start() { # sets url; the player's server is killed with the case
    rm -f "$work/player" # or the last one's port is taken for this one's
    "$py" "$top/tests/share/seek.py" serve "${tag}sv" "$(password sv)" "$port" "$STAGE/$NAME" >"$work/player" 2>&1 &
    player=$!
    trap 'kill $player 2>/dev/null' EXIT
    eventually 20 test -s "$work/player"
    url=http://127.0.0.1:$(head -n 1 "$work/player")/$NAME
}
alerts() { tool au ledger log --act alert --json | grep -c object.damaged || true; }

one_alert() { [ "$(alerts)" = 1 ]; }

case_seeks_read_what_they_need() {
    local before after size at
    size=$(stat -c %s "$work/film.mp4")
    before=$(bytes_read)
    for at in 0 $((size / 3 / MIB * MIB + 17)) $((size - MIB)) $((size / 2)) 4294967296; do
        expect_same "at $at" "$(range "$at" $MIB)" "$(range_here "$at" $MIB)"
    done
    after=$(bytes_read)
    # Five times 1 MiB with what the kernel reads ahead behind each (up to 2 MiB) and the tag tree: not 4 GiB.
    [ $((after - before)) -lt $((20 * MIB)) ] || die "$((after - before)) bytes were read for 5 MiB"
}
case_player_seeks() { # a frame from 9/10 of the film: the index at the end, then where the frame lies
    local before after at
    player_start
    at=$(awk -v d="$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$work/film.mp4")" 'BEGIN { printf "%d", d * 0.9 }')
    before=$(bytes_read)
    ffmpeg -v error -ss "$at" -i "$url" -frames:v 1 -f rawvideo -pix_fmt gray "$work/frame" -y </dev/null
    after=$(bytes_read)
    ffmpeg -v error -ss "$at" -i "$work/film.mp4" -frames:v 1 -f rawvideo -pix_fmt gray "$work/frame-here" -y </dev/null
    [ -s "$work/frame-here" ] && cmp "$work/frame" "$work/frame-here"
    echo "$((after - before)) bytes read"
    [ $((after - before)) -lt $((256 * MIB)) ] || die "$((after - before)) bytes were read for one frame"
}
case_flipped_bit() { # last: it damages the film
    local id object segment=30000 at
    id=$(as o1 getfattr --absolute-names --only-values -n user.strongroom.object "$mnt/$STAGE/$NAME")
    object=$vault/objects/${id:0:2}/$id
    chattr -i "$object" 2>/dev/null || true
    "$py" - "$object" $((AT + segment * SEG + 1000)) <<'PYTHON'
import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(int(sys.argv[2]))
    byte = file.read(1)[0]
    file.seek(int(sys.argv[2]))
    file.write(bytes([byte ^ 4]))
PYTHON
    echo 3 >/proc/sys/vm/drop_caches # what the kernel holds of the mount was verified before
    at=$((segment * 65536))
    expect 'in the damaged segment' "$(range $((at + 5000)) 4096)" 'IO_DEVICE_ERROR|DATA_ERROR|CRC_ERROR|UNSUCCESSFUL|INVALID_DEVICE_REQUEST'
    expect_same 'after it' "$(range $((at + 65536 * 20)) 65536)" "$(range_here $((at + 65536 * 20)) 65536)"
    expect_same 'long before it' "$(range 1000000 65536)" "$(range_here 1000000 65536)"
    range $((at + 5000)) 4096 >/dev/null # asked again, as players do
    eventually 5 one_alert
    # And the film plays on elsewhere.
    player_start
    ffmpeg -v error -ss 10 -i "$url" -frames:v 1 -f rawvideo -pix_fmt gray "$work/frame" -y </dev/null
    ffmpeg -v error -ss 10 -i "$work/film.mp4" -frames:v 1 -f rawvideo -pix_fmt gray "$work/frame-here" -y </dev/null
    [ -s "$work/frame-here" ] && cmp "$work/frame" "$work/frame-here"
}
build() {
    local loops
    fixture_up --settle 1
    # A real film of over 4 GiB: the sample again and again, streams copied, its index at the end.
    loops=$((4900 * MIB / $(stat -c %s "$SAMPLE")))
    ffmpeg -v error -stream_loop "$loops" -i "$SAMPLE" -map 0:v -map 0:a? -c copy "$work/film.mp4" </dev/null
    [ "$(stat -c %s "$work/film.mp4")" -gt 4294967296 ] || die 'the film is too small'
    chmod a+r "$work/film.mp4"
    as o1 dd if="$work/film.mp4" of="$mnt/$STAGE/$NAME" bs=1M status=none
    sealed "$STAGE/$NAME" 120
    eventually 120 all_looked_into # the probe reads, too
}
body() {
    build >>"$work/build.log" 2>&1
    for name in seeks_read_what_they_need player_seeks flipped_bit; do run_case "$name" 120; done
}
share_main body "$@"
