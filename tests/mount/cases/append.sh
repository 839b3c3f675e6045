# O_APPEND before the seal, by two programs in turn.
p=$(place)/日志.txt
as o1 sh -c 'echo 一 >"$0"; echo 二 >>"$0"; echo 三 >>"$0"' "$p"
same content "$(as o1 cat "$p")" $'一\n二\n三'
