# 草稿 is never sealed and may be rewritten; a rename into a stage starts the settling.
d=$(place)
as o1 sh -c 'echo 一稿 >"$0/意见.docx"' "$MNT/$CASE/草稿"
sleep 3
same draft "$(state_of "$MNT/$CASE/草稿/意见.docx")" staging
as o1 sh -c 'echo 二稿 >"$0/意见.docx"' "$MNT/$CASE/草稿"
as o1 mv "$MNT/$CASE/草稿/意见.docx" "$d/意见.docx"
sealed "$d/意见.docx"
same content "$(as o1 cat "$d/意见.docx")" 二稿
