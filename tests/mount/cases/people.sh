# Unknown people get nothing, root sees places but no content, a supervisor reads and adds nothing.
d=$(place)
as o1 sh -c 'echo secret >"$0/a.txt"' "$d"
sealed "$d/a.txt"
refused 'Permission denied' as stranger ls "$MNT"
refused 'Permission denied' as stranger cat "$d/a.txt"
refused "can't cd" as stranger sh -c 'cd "$0"' "$MNT"
refused 'Permission denied' as stranger sh -c 'echo x >"$0/b.txt"' "$d"
same places "$(ls "$MNT/$CASE" | head -n 1)" 01受理立案
refused 'Permission denied' ls "$STAGE"
refused 'Permission denied' cat "$d/a.txt"
refused 'Permission denied' sh -c 'echo x >"$0/b.txt"' "$d"
same read "$(as sv cat "$d/a.txt")" secret
refused 'Permission denied' as sv sh -c 'echo x >"$0/b.txt"' "$d"
refused 'Permission denied' as sv mkdir "$d/不该有"
refused 'No such file' as sa cat "$d/a.txt"
same listing "$(as o1 ls "$d")" a.txt
