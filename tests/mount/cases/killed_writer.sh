# A writer that is killed did not close its file; one that ends by itself did.
d=$(place)
writer='import os, sys, time
fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY, 0o644)
os.write(fd, b"half")
open(sys.argv[2], "w").write(str(os.getpid()))
time.sleep(60 * int(sys.argv[3]))
sys.exit(3)'
as o1 /usr/bin/python3 -c "$writer" "$d/断.mp4" "$MINE/pid" 1 &
as o1 /usr/bin/python3 -c "$writer" "$d/整.mp4" "$MINE/ended" 0 || true
eventually 10 test -s "$MINE/pid"
kill -KILL "$(cat "$MINE/pid")"
eventually 20 is_state "$d/断.mp4" incomplete
same content "$(as o1 cat "$d/断.mp4")" half
sealed "$d/整.mp4"
