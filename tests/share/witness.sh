#!/usr/bin/env bash
# Every sample of the package and every public OFD, through the share: what the store says of it is what other
# programs say, and its text is found.
. "$(dirname "$0")/lib.sh"

STAGE='2026/测试〔2026〕1号/02调查取证'
mapfile -t samples < <(find /usr/share/forensics-samples/original-files "${SHARED:-$top/../shared}"/vectors/ofd \
    -type f ! -name LICENSE | sort)

name_of() { echo "$(basename "$(dirname "$1")")-$(basename "$1")"; } # they have the same names in two folders
put_all() {
    local file commands=
    for file in "${samples[@]}"; do commands+="put \"$file\" \"$(name_of "$file")\"; "; done
    smb o1 cases "cd \"${STAGE//\//\\}\"; $commands" >"$work/put.log" || die "$(tail -n 3 "$work/put.log")"
    for file in "${samples[@]}"; do sealed "$STAGE/$(name_of "$file")" 60; done
    eventually 120 all_looked_into
}
case_described() {
    local file
    mkdir -p "$work/descriptions"
    put_all
    for file in "${samples[@]}"; do
        tool o1 record properties "$mnt/$STAGE/$(name_of "$file")" --json >"$work/descriptions/$(name_of "$file").json"
    done
    "$py" tests/share/witness.py "$work/descriptions" "${samples[@]}" >"$work/differences"
    expect_same 'differences' "$(grep -v '^compared: ' "$work/differences" || true)" ''
    [ "$(grep -oP '^compared: \K\d+' "$work/differences")" -ge 250 ] || die "$(cat "$work/differences")"
}
no_text_waits() { [ "$(tool au status --json | "$py" -c 'import json, sys; print(json.load(sys.stdin)["texts_waiting"])')" = 0 ]; }
case_found_by_text() {
    local file word count=0
    eventually 60 no_text_waits
    for file in "${samples[@]}"; do
        word=$("$py" tests/share/witness.py --word "$file")
        [ -n "$word" ] || continue
        tool o1 search "全文:$word" | grep -qF -- "$(name_of "$file")" || die "$file is not found by $word"
        count=$((count + 1))
    done
    [ "$count" -ge 14 ] || die "only $count have text"
}
body() {
    fixture_up --settle 1 >>"$work/build.log" 2>&1
    for name in described found_by_text; do run_case "$name" 300; done
}
share_main body "$@"
