# An empty file is flagged, not silently sealed.
d=$(place)
as o1 sh -c ': >"$0/空.txt"' "$d"
sleep 3
same state "$(state_of "$d/空.txt")" staging
as o1 grep -q '空.txt.*空文件' "$MNT/入库回执.csv"
as o1 rm "$d/空.txt"
