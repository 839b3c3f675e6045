# Save as programs do: temporary file, rename over the unsealed original, whose bytes are kept.
d=$(place)
as o1 sh -c 'cd "$0" && echo 旧 >笔录.docx && echo 新的 >~WRD0001.tmp && mv ~WRD0001.tmp 笔录.docx' "$d"
same content "$(as o1 cat "$d/笔录.docx")" 新的
sealed "$d/笔录.docx"
superseded() { tool o1 --json record versions "${d#"$MNT"}/笔录.docx" | tee "$MINE/versions" | grep -q superseded; }
eventually 10 superseded
same versions "$(grep -o '"object"' "$MINE/versions" | wc -l)" 2
