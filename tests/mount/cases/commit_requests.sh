# chmod a-w commits: sealed without waiting for the settle time, never an empty file.
daemon_stop
SETTLE=600 daemon_start
d=$(place)
as o1 sh -c 'echo x >"$0/a.txt" && echo x >"$0/b.txt" && : >"$0/empty.txt"' "$d"
as o1 chmod u-w,g-w "$d/b.txt"
same 'some write bit left' "$(state_of "$d/b.txt")" staging
as o1 chmod a-w "$d/a.txt" "$d/empty.txt"
sealed "$d/a.txt"
same empty "$(state_of "$d/empty.txt")" staging
same other "$(state_of "$d/b.txt")" staging
tool o1 seal "${d#"$MNT"}/b.txt"
sealed "$d/b.txt"
same 'mode of a sealed record' "$(as o1 stat -c %a "$d/a.txt")" 666
daemon_stop
SETTLE=1 daemon_start
