# The same name again before the seal: the second content wins, the first is kept as a version.
d=$(place)
as o1 sh -c 'echo first >"$0/a.txt" && echo second >"$0/a.txt"' "$d"
same content "$(as o1 cat "$d/a.txt")" second
sealed "$d/a.txt"
same content "$(as o1 cat "$d/a.txt")" second
same versions "$(tool o1 --json record versions "${d#"$MNT"}/a.txt" | grep -o '"object"' | wc -l)" 2
refused 'Read-only file system' as o1 sh -c 'echo third >"$0/a.txt"' "$d"
same content "$(as o1 cat "$d/a.txt")" second
