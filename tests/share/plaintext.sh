#!/usr/bin/env bash
# No plaintext on the appliance's disk: the main job runs with the vault, /tmp, /var/tmp, the logs and
# Samba's default folders on one loop image; then the raw image is scanned for every content marker,
# file name, case name, folder name and reason, as UTF-8 and UTF-16LE. A control run on the same image
# shows that the scanner finds what is there. Runs in a mount namespace of its own.
[ -n "${SRT_NAMESPACE:-}" ] || exec env SRT_NAMESPACE=1 unshare -m --propagation private bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

image=
make_disk() {
    image=$(mktemp /var/tmp/srt-image.XXXXXX)
    truncate -s 512M "$image"
    mkfs.ext4 -q -F -m 0 "$image"
    hidden=$(mktemp -d /dev/shm/srt-disk.XXXXXX)
    mount -o loop "$image" "$hidden"
    SHARE_DISK=$hidden
    SHARE_BASE=/dev/shm # what the test itself knows stays off the image
}
bind_disk() { # after fixture_names: whatever any program drops in the usual places lands on the image
    local place
    for place in /tmp /var/tmp /var/log /var/lib/samba /var/cache/samba /run/samba /root; do
        [ -d "$place" ] || continue
        mkdir -p "$hidden$place"
        chmod --reference="$place" "$hidden$place"
        mount --bind "$hidden$place" "$place"
    done
}
unmount_disk() {
    local place
    sync -f "$hidden"
    for place in /tmp /var/tmp /var/log /var/lib/samba /var/cache/samba /run/samba /root; do
        ! mountpoint -q "$place" || umount "$place"
    done
    umount "$hidden"
}

main_job() {
    local stage="2026/$case_name/02调查取证" n
    tool o1 case open 2026 "$case_name" >>"$work/job.log"
    # Plain text over several segments, so that any block that leaks carries a marker.
    for n in 1 2 3; do
        { yes "$(cat "$work/content-markers")" || true; } | head -c $((n * 300000)) >"$work/source$n"
    done
    iconv -f UTF-8 -t UTF-16LE "$work/source1" >"$work/source4"
    smb o1 cases "cd \"$stage\"; put $work/source1 $name_one; put $work/source4 $name_two; mkdir $folder_name; cd $folder_name; put $work/source3 $name_three" >>"$work/job.log"
    smb o1 cases "cd \"2026/$case_name/草稿\"; put $work/source2 $draft_name" >>"$work/job.log"
    sealed "$stage/$name_one"
    sealed "$stage/$folder_name/$name_three"
    smb o2 cases-ro "cd \"$stage\"; get $name_one $work/back" >>"$work/job.log"
    cmp "$work/source1" "$work/back"
    # Refusals keep names; search, receipts and the ledger's log show them; a reason is free text.
    smb o1 cases "cd \"$stage\"; put $work/source2 $name_one; del $name_one" >>"$work/job.log" || true
    smb o1 cases "get 提示.txt $work/notice; get 入库回执.csv $work/receipts" >>"$work/job.log"
    grep -q "$name_one" "$work/notice"
    expect 'search' "$(tool o1 search "${name_one:0:2}")" "$name_one"
    tool o1 record incomplete "/$stage/$name_one" --reason "$reason" >>"$work/job.log"
    tool au ledger log >>"$work/job.log"
    # One upload is open while the daemon is killed: staging and redo files lie about.
    SRT_PORT=$port SRT_TAG=$tag SRT_MNT=$mnt timeout 60 "$py" tests/share/packets.py marked_upload \
        "$stage/$name_four" "$work/source3" >"$work/upload.out" &
    eventually 20 test -s "$work/upload.out"
    daemon_kill
    smbd_stop KILL
    kill %% 2>/dev/null || true
    wait || true
    daemon_start --settle 1
    smbd_start
    eventually 30 is_state "$stage/$name_four" incomplete
    tool ar verify >>"$work/job.log"
    smbd_stop
    daemon_stop
}
case_nothing_found() {
    grep -q . "$work/markers"
    "$py" tests/share/scan.py "$image_file" "$work/markers"
}
case_control_scanner_finds() {
    local marker found control=$hidden/control
    mount -o loop "$image_file" "$hidden"
    mkdir "$control"
    # As UTF-8 in one file and UTF-16LE in another; names as names of files.
    cat "$work/markers" >"$control/utf8"
    iconv -f UTF-8 -t UTF-16LE "$work/markers" >"$control/utf16"
    touch "$control/$name_one"
    sync -f "$hidden"
    umount "$hidden"
    found=$("$py" tests/share/scan.py "$image_file" "$work/markers" || true)
    while read -r marker; do
        grep -qF "utf-8" <<<"$(grep -F -- "$marker" <<<"$found")" || die "UTF-8 not found: $marker"
        grep -qF "utf-16-le" <<<"$(grep -F -- "$marker" <<<"$found")" || die "UTF-16LE not found: $marker"
    done <"$work/markers"
}
body() {
    local token
    mkdir "$work/bin" # the programs may have been built below one of the folders that bind_disk hides
    cp "$bin_tool" "$bin_daemon" "$work/bin/"
    bin_tool=$work/bin/strongroom bin_daemon=$work/bin/strongroomd
    bind_disk
    token=$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')
    printf 'EVIDENCE-%s\n内容标记%s\n' "$token" "$token" >"$work/content-markers"
    {
        for name in case_name=案名标记 folder_name=文件夹标记 name_one=勘验标记 name_two=录音标记 name_three=照片标记 \
            name_four=中断标记 draft_name=草稿标记 reason=理由标记; do
            echo "${name}$token"
        done
        echo "image_file=$image"
        echo "hidden=$hidden"
    } >>"$work/env"
    . "$work/env"
    { cat "$work/content-markers"; printf '%s\n' "$case_name" "$folder_name" "$name_one" "$name_two" "$name_three" \
        "$name_four" "$draft_name" "$reason"; } >"$work/markers"
    fixture_vault
    daemon_start --settle 1
    smbd_start
    fixture_users o1:officer o2:officer ar:archivist
    main_job
    unmount_disk
    run_case nothing_found
    run_case control_scanner_finds
}
[ "${1:-}" = --case ] || make_disk
# The image is outside of $work; fixture_down removes the rest.
remove_image() { unmount_disk 2>/dev/null; umount -l "$hidden" 2>/dev/null; rm -f "$image"; rmdir "$hidden" 2>/dev/null; }
fixture_extra=remove_image
share_main body "$@"
