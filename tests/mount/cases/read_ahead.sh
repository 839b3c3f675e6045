# The kernel reads ahead in large pieces, or cached reads come in 128 KiB.
dev=$(stat -c '%Hd:%Ld' "$MNT")
eventually 10 sh -c '[ "$(cat /sys/class/bdi/$0/read_ahead_kb)" = 4096 ]' "$dev"
