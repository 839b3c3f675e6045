# Free space is the vault's less the reserve; names have 255 bytes.
same namemax "$(as o1 stat -f -c %l "$MNT")" 255
[ "$(as o1 stat -f -c %a "$MNT")" -gt 0 ]
[ "$(($(as o1 stat -f -c '%a*%S' "$MNT")))" -lt "$(($(stat -f -c '%a*%S' "$WORK")))" ]
