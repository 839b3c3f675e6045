# A folder made at the year level is a case with its stages; 新建文件夹 there can be renamed too.
y=$MNT/2026
as o1 mkdir "$y/新建文件夹"
[ -d "$y/新建文件夹/01受理立案" ]
as o1 mv "$y/新建文件夹" "$y/安监罚〔2026〕7号"
[ -d "$y/安监罚〔2026〕7号/08归档" ] && [ -d "$y/安监罚〔2026〕7号/草稿" ]
refused 'Operation not permitted' as o1 mv "$y/安监罚〔2026〕7号/03审核" "$y/安监罚〔2026〕7号/03"
refused 'Operation not permitted' as o1 rmdir "$y/安监罚〔2026〕7号/草稿"
refused 'Permission denied' as o1 sh -c ': >"$0/不该有.txt"' "$y/安监罚〔2026〕7号"
refused 'Permission denied' as o1 mkdir "$MNT/不该有"
as o1 rmdir "$y/安监罚〔2026〕7号"
[ ! -e "$y/安监罚〔2026〕7号" ]
