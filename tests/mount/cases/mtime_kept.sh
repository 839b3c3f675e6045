# The client's mtime outlives the seal; ctime is the seal's.
p=$(place)/现场.jpg
as o1 sh -c 'echo x >"$0" && touch -d "2019-05-01 10:00:00.123456789Z" "$0"' "$p"
sealed "$p"
same mtime "$(as o1 env TZ=UTC stat -c %y "$p")" '2019-05-01 10:00:00.123456789 +0000'
[ "$(as o1 stat -c %Z "$p")" -ge $(($(date +%s) - 30)) ]
