# 待归案/<user>/<date>: each their own, sealed like others; no officer sees another's.
today=$(TZ=Asia/Shanghai date +%F)
as o1 sh -c 'echo x >"$0"' "$MNT/待归案/o1/$today/VID_0001.mp4"
sealed "$MNT/待归案/o1/$today/VID_0001.mp4"
refused 'No such file' as o2 cat "$MNT/待归案/o1/$today/VID_0001.mp4"
refused 'No such file' as o2 ls "$MNT/待归案/o1"
as sv cat "$MNT/待归案/o1/$today/VID_0001.mp4" >"$MINE/read"
same content "$(cat "$MINE/read")" x
