# Explorer makes 新建文件夹 and renames it; its maker may, others may not, and nobody after the seal.
d=$(place)
as o1 mkdir "$d/新建文件夹"
refused 'Permission denied' as o2 mv "$d/新建文件夹" "$d/乙的"
refused 'Permission denied' as o2 rmdir "$d/新建文件夹"
as o1 mv "$d/新建文件夹" "$d/勘验照片"
as o1 mkdir "$d/空" && as o1 rmdir "$d/空"
as o1 sh -c 'echo x >"$0/勘验照片/1.jpg"' "$d"
refused 'Directory not empty' as o1 rmdir "$d/勘验照片"
sealed "$d/勘验照片/1.jpg"
refused 'Read-only file system' as o1 mv "$d/勘验照片" "$d/别名"
refused 'Read-only file system' as o1 rmdir "$d/勘验照片"
