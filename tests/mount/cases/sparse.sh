# Ranges never written read as zeros, before the seal and after it; the record is incomplete then.
p=$(place)/洞.bin
as o1 sh -c 'printf end | dd of="$0" bs=1 seek=300000 conv=notrunc status=none' "$p"
same size "$(as o1 stat -c %s "$p")" 300003
{ head -c 300000 /dev/zero && printf end; } >"$MINE/wanted"
as o1 cmp "$p" "$MINE/wanted"
eventually 20 is_state "$p" incomplete
as o1 cmp "$p" "$MINE/wanted"
