#!/usr/bin/env bash
# Starts that must fail: one clear sentence on standard error, the exit status of its kind (1 refused,
# 2 usage, 3 system), and nothing left mounted or running.
. "$(dirname "$0")/lib.sh"

# refused STATUS SENTENCE COMMAND...: SENTENCE is a pattern for the one line that is printed.
refused() {
    local status=$1 sentence=$2 rc=0
    shift 2
    timeout 60 "$@" >"$work/said" 2>&1 </dev/null || rc=$?
    expect "$*" "$(cat "$work/said")" "$sentence"
    expect_same 'exit status' "$rc" "$status"
    expect_same 'number of lines' "$(wc -l <"$work/said")" 1
}
nothing_left() {
    ! mountpoint -q "$mnt" || die 'the mount is still there'
    [ -z "$(daemon_pids)" ] || die "a daemon is still running: $(daemon_pids)"
}
daemon() { # daemon ARGUMENT...: the full command with our vault and mount
    set -- "$bin_daemon" "$vault" "$mnt" --passphrase-file "$work/passphrase" --policy "$top/policy" --no-accounts "$@"
    command=("$@")
}
case_wrong_passphrase() {
    printf 'not the passphrase\n' >"$work/wrong"
    daemon --passphrase-file "$work/wrong"
    refused 1 'wrong passphrase: it opens none of 1 key slot' "${command[@]}"
    refused 1 'wrong passphrase' "$bin_tool" -C "$vault" verify --passphrase-file "$work/wrong"
    daemon --passphrase-file "$work/no-such-file"
    refused 3 'no-such-file.*No such file' "${command[@]}"
    nothing_left
}
case_newer_format() {
    cp -a "$vault" "$work/newer"
    sed -i 's/"format":1/"format":2/' "$work/newer/vault.json"
    refused 1 'vault.json was written by a newer version \(format 2\); this version reads up to 1' \
        "$bin_daemon" "$work/newer" "$mnt" --passphrase-file "$work/passphrase" --policy "$top/policy" --no-accounts
    refused 1 'written by a newer version \(format 2\)' "$bin_tool" -C "$work/newer" verify --passphrase-file "$work/passphrase"
    nothing_left
}
case_no_vault() {
    refused 1 'no-vault' "$bin_daemon" "$work/no-vault" "$mnt" --passphrase-file "$work/passphrase" \
        --policy "$top/policy" --no-accounts
    nothing_left
}
case_mount_point_busy() {
    daemon
    mount -t tmpfs tmpfs "$mnt"
    refused 1 "mount point $mnt is busy: something is mounted there" "${command[@]}"
    umount "$mnt"
    touch "$mnt/occupied"
    refused 1 "mount point $mnt is not empty" "${command[@]}"
    rm "$mnt/occupied"
    mv "$mnt" "$mnt.away"
    refused 1 "mount point $mnt does not exist" "${command[@]}"
    touch "$mnt"
    refused 1 "mount point $mnt is not a folder" "${command[@]}"
    rm "$mnt"
    mv "$mnt.away" "$mnt"
    nothing_left
}
case_second_daemon() {
    local other=$work/mnt2
    mkdir "$other"
    daemon_start
    refused 1 'is in use by another process \(is strongroomd running\?\)' \
        "$bin_daemon" "$vault" "$other" --passphrase-file "$work/passphrase" --policy "$top/policy" --no-accounts
    ! mountpoint -q "$other" || die 'the second daemon mounted'
    # and the first one goes on
    tool sa status >/dev/null
    daemon_stop
    nothing_left
}
case_missing_policy() {
    mkdir "$work/no-policy"
    daemon --policy "$work/no-policy"
    refused 1 'policy file .*workflow.yaml is missing: copy the shipped one' "${command[@]}"
    cp policy/workflow.yaml "$work/no-policy/"
    refused 1 'no-policy holds no \*.cedar file, so nobody might do anything: copy the shipped access.cedar there' \
        "${command[@]}"
    nothing_left
}
case_bad_policy() {
    mkdir "$work/bad-policy"
    sed 's/^settle_seconds:.*/settle_secnods: 60/' policy/workflow.yaml >"$work/bad-policy/workflow.yaml"
    daemon --policy "$work/bad-policy"
    refused 1 'workflow.yaml:[0-9]+:[0-9]+: .*settle_secnods' "${command[@]}"
    sed 's/^settle_seconds:.*/settle_seconds: 5x/' policy/workflow.yaml >"$work/bad-policy/workflow.yaml"
    refused 1 'workflow.yaml:[0-9]+:[0-9]+: ' "${command[@]}"
    cp policy/workflow.yaml "$work/bad-policy/"
    echo 'permit (principal, action, resource) when { 1 + };' >"$work/bad-policy/access.cedar"
    refused 1 'bad-policy/access.cedar:1:49: found `}`, expected ' "${command[@]}"
    nothing_left
}
case_swap_is_active() { # in a namespace of its own with a /proc/swaps that says so
    daemon
    printf 'Filename\tType\tSize\tUsed\tPriority\n/swapfile file 1048572 0 -2\n' >"$work/swaps"
    refused 1 'swap is active and keys could be written to it' \
        unshare -m --propagation private bash -c 'mount --bind "$0" /proc/swaps && exec "$@"' "$work/swaps" "${command[@]}"
    nothing_left
}
case_usage() {
    refused 2 'two arguments are needed: VAULT and MOUNTPOINT' "$bin_daemon" "$vault" --passphrase-file "$work/passphrase"
    refused 2 '--passphrase-file is needed' "$bin_daemon" "$vault" "$mnt"
    refused 2 'unknown option --setle' "$bin_daemon" "$vault" "$mnt" --setle 5
    daemon --settle 5x
    refused 2 "'5x' is not a number of seconds" "${command[@]}"
    nothing_left
}
case_init_twice() {
    refused 1 "$vault.*(exists|not empty|vault)" "$bin_tool" init "$vault" --passphrase-file "$work/passphrase" --no-accounts \
        --accounts "$work/accounts"
    printf 'short\n' >"$work/short"
    refused 1 '8' "$bin_tool" init "$work/new" --passphrase-file "$work/short" --no-accounts --accounts "$work/accounts"
    [ ! -e "$work/new/vault.json" ]
}
case_tool_without_daemon() {
    refused 1 'strongroomd|daemon' setpriv --reuid "$first_uid" --clear-groups "$bin_tool" -C "$vault" status
}
body() {
    fixture_vault
    for name in wrong_passphrase newer_format no_vault mount_point_busy second_daemon missing_policy bad_policy \
        swap_is_active usage init_twice tool_without_daemon; do
        run_case "$name"
    done
}
share_main body "$@"
