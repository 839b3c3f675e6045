# The daemon ends with a writer open: its bytes are kept, as incomplete; what was closed is whole.
d=$(place)
as o1 /usr/bin/python3 -c 'import os, sys, time
fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY, 0o644)
os.write(fd, b"x" * 200000)
open(sys.argv[2], "w").write(str(os.getpid()))
time.sleep(60)' "$d/断.mp4" "$MINE/pid" &
eventually 10 test -s "$MINE/pid"
as o1 sh -c 'echo whole >"$0/整.txt"' "$d"
daemon_stop
kill "$(cat "$MINE/pid")"
daemon_start
eventually 20 is_state "$d/断.mp4" incomplete
sealed "$d/整.txt"
same size "$(as o1 stat -c %s "$d/断.mp4")" 200000
same content "$(as o1 cat "$d/断.mp4" | tr -d x | wc -c)" 0
