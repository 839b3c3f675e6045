#!/usr/bin/env bash
# Damage on a real vault: each part on disk with a bit flipped, truncated, swapped with another of its
# kind, or replaced by its own earlier version. `verify` (offline, exit status 1) or the start names the
# part; where the vault still opens, the other records are read through the mount, and the damaged one
# gives an error and no byte of wrong content.
. "$(dirname "$0")/lib.sh"

STAGE='2026/测试〔2026〕1号/02调查取证'
SEG=65568 # ENC_SEG_LEN
AT=4170   # first segment

# --- the ways of damaging; each works on $copy ------------------------------------------------------
flip() { # flip FILE OFFSET: one bit; a negative offset counts from the end
    "$py" - "$copy/$1" "$2" <<'PYTHON'
import os, sys
path, at = sys.argv[1], int(sys.argv[2])
with open(path, "r+b") as file:
    size = os.fstat(file.fileno()).st_size
    at = at if at >= 0 else size + at
    assert 0 <= at < size, "%s has only %d bytes" % (path, size)
    file.seek(at)
    byte = file.read(1)[0]
    file.seek(at)
    file.write(bytes([byte ^ 0x10]))
PYTHON
}
chop() { truncate -s "-$2" "$copy/$1"; } # chop FILE BYTES: that many off the end
swap() { mv "$copy/$1" "$copy/swap" && mv "$copy/$2" "$copy/$1" && mv "$copy/swap" "$copy/$2"; }
swap_ranges() { # swap_ranges FILE A B LENGTH
    "$py" - "$copy/$1" "$2" "$3" "$4" <<'PYTHON'
import sys
path, a, b, length = sys.argv[1], *map(int, sys.argv[2:])
with open(path, "r+b") as file:
    data = bytearray(file.read())
    data[a:a + length], data[b:b + length] = data[b:b + length], data[a:a + length]
    file.seek(0)
    file.write(data)
PYTHON
}
earlier() { # earlier FILE SNAPSHOT: must differ, or the case would show nothing
    ! cmp -s "$work/$2/$1" "$copy/$1" || die "$1 has no earlier version"
    cp "$work/$2/$1" "$copy/$1"
}
old_segment() { # the ciphertext that a segment had before it was rewritten, put back into the sealed object
    dd if="$work/old-segment" of="$copy/$(object s.bin)" bs=1 seek=$((AT + SEG)) conv=notrunc status=none
}

# --- the parts ----------------------------------------------------------------------------------------
id_of() { cat "$work/id-$1"; }
object() { local id; id=$(id_of "$1"); echo "objects/${id:0:2}/$id"; }
staging() { echo "staging/$(id_of "$1")"; }
slot() { (cd "$vault" && ls keys/slots/* | sed -n "$1p"); }
page() { (cd "$vault" && ls keys/pages/* | sed -n "$(($1 + 1))p"); }
partial_tile() { (cd "$vault" && find ledger/tile/0 -path '*.p/*' -type f | sort | tail -n 1); }
kept() { (cd "$vault" && find ledger/checkpoints -type f -printf '%f\n' | sort -n | sed -n "$1p" | sed 's|^|ledger/checkpoints/|'); }

# --- what must follow ---------------------------------------------------------------------------------
copy=
fresh_copy() {
    copy=$work/copy
    stop_copy # of a case that ran out of time
    chattr -R -i "$copy" 2>/dev/null || true
    rm -rf "$copy"
    cp -a "$vault" "$copy"
}
verify_copy() { # verify_copy STATUS [PATTERN]: offline
    local rc=0
    timeout 60 "$bin_tool" -C "$copy" verify --passphrase-file "$work/passphrase" >"$work/verify.out" 2>&1 </dev/null || rc=$?
    [ "$rc" -eq "$1" ] || die "verify ended with $rc, not $1: $(cat "$work/verify.out")"
    [ -z "${2:-}" ] || expect 'verify names it' "$(cat "$work/verify.out")" "$2"
}
start_copy() {
    "$bin_daemon" "$copy" "$mnt" --passphrase-file "${1:-$work/passphrase}" --policy "$top/policy" --allow-other \
        --no-accounts --settle 3600 >"$work/start.out" 2>&1 </dev/null
}
stop_copy() {
    local pids
    pids=$(pgrep -f -- "^$bin_daemon $copy " || true)
    [ -z "$pids" ] || { kill -TERM $pids && wait_gone 30 $pids; }
    ! mountpoint -q "$mnt" || umount -l "$mnt"
}
readable() { # readable NAME...: byte for byte through the mount
    local name
    for name in "$@"; do as o1 cat "$mnt/$STAGE/$name" | cmp - "$work/content/$name"; done
}
unreadable() { # an error, and what was read until then is right
    local name=$1
    ! as o1 cat "$mnt/$STAGE/$name" >"$work/got" 2>"$work/why" || die "$name was read without an error"
    cmp -s -n "$(stat -c %s "$work/got")" "$work/got" "$work/content/$name" || die "$name: wrong bytes were handed out"
}
# bad WHAT PATTERN READ DAMAGE...: after DAMAGE verify names PATTERN; READ is the record that must give
# an error now ("-": none need), all others are read; "refuses" instead: the start names it too.
bad() {
    local pattern=$1 read=$2 name
    shift 2
    fresh_copy
    "$@"
    verify_copy 1 "$pattern"
    if [ "$read" = refuses ]; then
        ! start_copy || { stop_copy; die 'the daemon started'; }
        expect 'the start names it' "$(cat "$work/start.out")" "$pattern"
        return 0
    fi
    start_copy || die "the daemon did not start: $(cat "$work/start.out")"
    for name in a.bin b.bin c.bin s.bin small-000 small-259; do
        [ "$name" = "$read" ] || [[ ${also:-} == *" $name "* ]] || readable "$name"
    done
    [ "$read" = - ] || unreadable "$read"
    stop_copy
}
trap 'stop_copy 2>/dev/null' EXIT

case_undamaged() { fresh_copy && verify_copy 0 && start_copy && readable a.bin b.bin c.bin s.bin small-000 small-259; }

case_object_header_flip() { bad "$(id_of b.bin)" b.bin flip "$(object b.bin)" 30; }
case_object_padding_flip() { bad "$(id_of b.bin)" b.bin flip "$(object b.bin)" 4000; }
case_object_floe_header_flip() { bad "$(id_of b.bin)" b.bin flip "$(object b.bin)" 4120; }
case_object_segment_flip() { bad "$(id_of b.bin)" b.bin flip "$(object b.bin)" $((AT + SEG + 1000)); }
case_object_segment_iv_flip() { bad "$(id_of b.bin)" b.bin flip "$(object b.bin)" $((AT + SEG + 6)); }
case_object_last_segment_flip() { bad "$(id_of b.bin)" b.bin flip "$(object b.bin)" $((AT + 6 * SEG + 500)); }
case_object_tree_flip() { bad "$(id_of b.bin)" b.bin flip "$(object b.bin)" -20; }
case_object_truncate_one() { bad "$(id_of b.bin)" b.bin chop "$(object b.bin)" 1; }
case_object_truncate_segments() { bad "$(id_of b.bin)" b.bin chop "$(object b.bin)" 200000; }
case_object_swap() { also=' c.bin ' bad "$(id_of b.bin)" b.bin swap "$(object b.bin)" "$(object c.bin)"; }
case_object_swap_segments() { bad "$(id_of b.bin)" b.bin swap_ranges "$(object b.bin)" $((AT + SEG)) $((AT + 2 * SEG)) $SEG; }
case_object_earlier_segment() { bad "$(id_of s.bin)" s.bin old_segment; }
case_object_missing() { bad "$(id_of b.bin)" b.bin remove "$(object b.bin)"; }
remove() { rm -f "$copy/$1"; }
case_object_unknown() { bad 'ffffffffffffffffffffffffffffffff' - plant; }
plant() { mkdir -p "$copy/objects/ff" && cp "$copy/$(object a.bin)" "$copy/objects/ff/ffffffffffffffffffffffffffffffff"; }

case_staging_header_flip() { staging_bad flip "$(staging u.bin)" 30; }
case_staging_segment_flip() { staging_bad flip "$(staging u.bin)" $((AT + 3 * SEG + 100)); }
case_staging_truncate() { staging_bad chop "$(staging u.bin)" 100000; }
case_staging_swap() { staging_bad swap "$(staging u.bin)" "$(staging v.bin)"; }
# Older ciphertext in the staging file is what a crash leaves, too: the redo file holds the newer one,
# so nothing acknowledged is lost. (Of file and redo together, see docs/threat-model.md.)
case_staging_earlier() {
    fresh_copy
    earlier "$(staging u.bin)" early-staging
    start_copy
    as o1 cat "$mnt/$STAGE/u.bin" | cmp - "$work/flags/u.content"
    stop_copy
}
case_redo_flip() { staging_bad flip "$(staging u.bin).redo" 200; }
# A closed small file, whose content is in its redo alone.
case_redo_small_flip() { named=w.bin staging_bad flip "$(staging w.bin).redo" 200; }
case_redo_small_missing() { named=w.bin staging_bad remove "$(staging w.bin).redo"; }
case_redo_swap() { staging_bad swap "$(staging u.bin).redo" "$(staging v.bin).redo"; }
# What is not sealed yet: verify names it; the start keeps it aside, says so and goes on with the rest.
staging_bad() {
    fresh_copy
    "$@"
    verify_copy 1 "$(id_of "${named:-u.bin}")"
    start_copy || die "the daemon did not start: $(cat "$work/start.out")"
    readable a.bin b.bin c.bin s.bin small-000 small-259
    stop_copy
}

case_slot_flip() { slot_bad flip "$(slot 1)" 100; }
case_slot_truncate() { slot_bad chop "$(slot 1)" 8; }
case_slot_swap() { slot_bad swap "$(slot 1)" "$(slot 2)"; }
case_slot_earlier() { slot_bad earlier "$(cat "$work/first-slot")" early; }
# Whichever slot it was, the vault opens with one that is whole, and verify names the bad file.
slot_bad() {
    local rc=0 file
    fresh_copy
    "$@"
    for file in "$work/passphrase" "$work/passphrase3"; do
        rc=0
        "$bin_tool" -C "$copy" verify --passphrase-file "$file" >"$work/verify.out" 2>&1 </dev/null || rc=$?
        [ "$rc" -eq 1 ] || die "verify ended with $rc: $(cat "$work/verify.out")"
        # An earlier slot holds a root that was turned over: its own passphrase opens nothing any more.
        [ "$1 $file" != "earlier $work/passphrase" ] || continue
        ! grep -q 'wrong passphrase' "$work/verify.out" || die "damage was taken for a wrong passphrase: $(cat "$work/verify.out")"
        expect 'verify names it' "$(cat "$work/verify.out")" 'keys/slots/|slot [0-9a-f]{16}'
    done
    [ "$1" != swap ] || return 0 # both are bad: nothing is left to open it with
    start_copy || start_copy "$work/passphrase3" || die "no slot opens it: $(cat "$work/start.out")"
    readable a.bin b.bin
    stop_copy
}
case_page0_flip() { bad 'keys/pages/' refuses flip "$(page 0)" 200; }
case_page0_truncate() { bad 'keys/pages/' refuses chop "$(page 0)" 8; }
case_page0_earlier() { bad 'keys/pages/' refuses earlier "$(page 0)" early; }
case_page_flip() { page_bad flip "$(page 2)" 300; }
case_page_truncate() { page_bad chop "$(page 2)" 40; }
case_page_earlier() { page_bad earlier "$(page 2)" early; }
case_page_swap() { # every record has its key on one of the two
    fresh_copy
    swap "$(page 1)" "$(page 2)"
    verify_copy 1 'keys/pages/'
}
# Records whose keys are on other pages stay readable. (Page 1 holds the first 256 record keys.)
page_bad() {
    fresh_copy
    "$@"
    verify_copy 1 'keys/pages/'
    start_copy || { expect 'the start names it' "$(cat "$work/start.out")" 'keys/pages/'; return 0; }
    readable small-000 small-100
    stop_copy
}

case_journal_flip() { bad 'ledger/journal|journal' refuses flip ledger/journal 5000; }
case_journal_first_bytes() { bad 'ledger/journal|journal' refuses flip ledger/journal 3; }
case_journal_last_group() { bad 'ledger/journal|journal' refuses flip ledger/journal -10; }
case_journal_truncate() { bad 'journal|rolled back|shorter' refuses chop ledger/journal 10; }
case_journal_truncate_much() { bad 'journal|rolled back|shorter' refuses chop ledger/journal 20000; }
case_journal_swap() { bad 'journal' refuses swap_ranges ledger/journal 3000 9000 200; }
case_journal_earlier() { bad 'journal|rolled back|shorter' refuses earlier ledger/journal early; }
case_tile_flip() { bad 'tile/0/000' - flip ledger/tile/0/000 777; }
case_tile_truncate() { bad 'tile/0/000' - chop ledger/tile/0/000 32; }
case_tile_partial_flip() { bad "${partial}" - flip "ledger/$partial" 5; }
case_tile_swap() { bad "${partial}" - swap_tiles; }
swap_tiles() { head -c "$(stat -c %s "$copy/ledger/$partial")" "$copy/ledger/tile/0/000" >"$copy/t" && mv "$copy/t" "$copy/ledger/$partial"; }
case_tile_earlier() { bad 'tile/0/000' - old_tile; } # what the tile was in another, earlier tree
old_tile() { swap_ranges ledger/tile/0/000 0 32 32; }
case_checkpoint_flip() { bad 'checkpoint' refuses flip ledger/checkpoint 60; }
case_checkpoint_signature_flip() { bad 'checkpoint' refuses flip ledger/checkpoint -30; }
case_checkpoint_truncate() { bad 'checkpoint' refuses chop ledger/checkpoint 20; }
case_checkpoint_earlier() { # an older one is what a crash leaves; a newer kept one gives it away
    fresh_copy
    earlier ledger/checkpoint early
    verify_copy 1 'checkpoint'
}
case_kept_checkpoint_flip() { bad 'checkpoints/' - flip "$(kept 1)" 60; }
case_kept_checkpoint_truncate() { bad 'checkpoints/' - chop "$(kept 1)" 20; }
case_kept_checkpoint_swap() { bad 'checkpoints/' - swap "$(kept 1)" "$(kept 2)"; }
case_vault_json_flip() { bad 'vault.json' refuses flip vault.json 60; }
case_rolled_back_whole() { # everything of an earlier day: nothing inside can tell, a kept checkpoint does
    local rc=0
    copy=$work/early
    verify_copy 0
    "$bin_tool" -C "$copy" ledger verify --passphrase-file "$work/passphrase" --against "$vault/ledger/checkpoint" \
        >"$work/verify.out" 2>&1 || rc=$?
    expect_same 'exit status' "$rc" 1
    expect 'rolled back' "$(cat "$work/verify.out")" 'rolled back|kept elsewhere'
}

# --- the vault ----------------------------------------------------------------------------------------
write_files() { # as o1, through the mount
    mkdir -p "$work/content"
    for n in $(seq -w 0 259); do printf 'small record %s\n' "$n" >"$work/content/small-$n"; done
    head -c 5000 /dev/urandom >"$work/content/a.bin"
    for name in b c; do head -c 400000 /dev/urandom >"$work/content/$name.bin"; done
    chmod -R a+rX "$work/content"
    as o1 bash -c 'cd "$1" && for f in *; do cat "$f" >"$2/$f"; done' - "$work/content" "$mnt/$STAGE"
}
hold_open() { # hold_open NAME READY GO: writes, fsyncs, says READY, waits for GO, rewrites, fsyncs
    as o1 "$py" - "$mnt/$STAGE/$1" "$2" "$3" <<'PYTHON'
import os, sys, time
path, ready, go = sys.argv[1:]
fd = os.open(path, os.O_RDWR | os.O_CREAT)
content = bytearray(300_000)
def phase(data, at, flag):
    os.pwrite(fd, data, at)
    os.fsync(fd)
    content[at:at + len(data)] = data
    with open(ready + ".content", "wb") as acknowledged:
        acknowledged.write(content)
    open(flag, "w").close()
phase(os.urandom(300_000), 0, ready)
def wait_for(flag): # not for ever: nobody may be left to set it
    for _ in range(1200):
        if os.path.exists(flag):
            return
        time.sleep(0.05)
    sys.exit("waited in vain for " + flag)
wait_for(go)
phase(os.urandom(60_000), 70_000, ready + "2")
wait_for(go + "2")
os.close(fd)
PYTHON
}
remember() { as o1 getfattr --absolute-names --only-values -n user.strongroom.object "$mnt/$STAGE/$1" >"$work/id-$1"; }
# Content is unsealed as long as it has a redo with something in it (files made ahead of need have not).
no_staging() { [ -z "$(find "$vault/staging" -name '*.redo' -size +0c)" ]; }
build() {
    local flags=$work/flags name
    mkdir -m 777 "$flags"
    fixture_vault
    daemon_start --settle 1
    fixture_users o1:officer
    tool o1 case open 2026 '测试〔2026〕1号' >>"$work/users.log"
    write_files
    # s.bin: one segment has two ciphertexts under the same key
    hold_open s.bin "$flags/s" "$flags/s-go" &
    eventually 20 test -e "$flags/s"
    remember s.bin
    dd if="$vault/$(staging s.bin)" of="$work/old-segment" bs=1 skip=$((AT + SEG)) count=$SEG status=none
    touch "$flags/s-go" "$flags/s-go2"
    wait
    eventually 60 no_staging
    as o1 cat "$mnt/$STAGE/s.bin" >"$work/content/s.bin"
    ! cmp -s "$work/old-segment" <(tail -c +$((AT + SEG + 1)) "$vault/$(object s.bin)" | head -c $SEG) || die 'the segment was not rewritten'
    daemon_stop
    # A second slot, removed again: the root turns over, so that slots and pages have earlier versions.
    printf 'the second passphrase\n' >"$work/passphrase2"
    printf 'the third passphrase\n' >"$work/passphrase3"
    (cd "$vault" && ls keys/slots/*) >"$work/first-slot"
    "$bin_tool" -C "$vault" slots add --passphrase-file "$work/passphrase" --new-passphrase-file "$work/passphrase2" --label second
    cp -a "$vault" "$work/early"
    "$bin_tool" -C "$vault" slots list --passphrase-file "$work/passphrase"
    "$bin_tool" -C "$vault" slots remove --passphrase-file "$work/passphrase" \
        "$(cd "$vault/keys/slots" && ls | grep -v "$(basename "$(cat "$work/first-slot")")" | sed 's/\..*//')"
    "$bin_tool" -C "$vault" slots add --passphrase-file "$work/passphrase" --new-passphrase-file "$work/passphrase3" --label third
    daemon_start --settle 1
    head -c 100000 /dev/urandom >"$work/content/z.bin"
    chmod a+r "$work/content/z.bin"
    as o1 bash -c 'cat "$1" >"$2"' - "$work/content/z.bin" "$mnt/$STAGE/z.bin"
    eventually 60 no_staging
    for name in a.bin b.bin c.bin; do remember "$name"; done
    # Two uploads are open, flushed and rewritten when the daemon is killed; all entries are covered.
    for name in u v; do hold_open "$name.bin" "$flags/$name" "$flags/go" & done
    eventually 20 test -e "$flags/u" -a -e "$flags/v"
    remember u.bin
    remember v.bin
    head -c 3000 /dev/urandom >"$work/small"
    chmod a+r "$work/small"
    as o1 bash -c 'cat "$1" >"$2"' - "$work/small" "$mnt/$STAGE/../草稿/w.bin"
    as o1 getfattr --absolute-names --only-values -n user.strongroom.object "$mnt/$STAGE/../草稿/w.bin" >"$work/id-w.bin"
    mkdir "$work/early-staging"
    cp -a "$vault/staging" "$work/early-staging/"
    touch "$flags/go"
    eventually 20 test -e "$flags/u2" -a -e "$flags/v2"
    eventually 120 all_looked_into
    tool au ledger checkpoint >/dev/null
    daemon_kill
    touch "$flags/go2" # their close fails: the mount is gone
    wait || true
    partial=$(partial_tile)
    partial=${partial#ledger/}
    echo "partial=$partial" >>"$work/env"
}
body() {
    build >>"$work/build.log" 2>&1
    for name in $(grep -oP '^case_\K\w+' "$suite_script"); do run_case "$name" 120; done
}
share_main body "$@"
