"""我的案件 lists to each person the cases in which they are lead or helper, and nothing can be changed there."""
import errno
import json
import os

import mount

mine = os.path.join(mount.MNT, "我的案件")
for name in ("甲〔2026〕9号", "乙〔2026〕9号"):
    mount.tool("o1", "case", "open", "2026", name)
mount.tool("o1", "case", "open", "2025", "甲〔2026〕9号")
with mount.person("o1"):
    names = os.listdir(mine)
    assert "甲〔2026〕9号（2026）" in names and "甲〔2026〕9号（2025）" in names and "乙〔2026〕9号" in names, names
    link = os.path.join(mine, "乙〔2026〕9号")
    assert os.readlink(link) == "../2026/乙〔2026〕9号"
    assert os.path.isdir(link) and os.path.islink(link)
    assert os.lstat(link).st_size == len(os.readlink(link).encode())
    assert "02调查取证" in os.listdir(link)
    with open(os.path.join(link, "02调查取证", "经我的案件.txt"), "wb") as file:
        file.write(b"x")
    with open(os.path.join(mount.MNT, "2026/乙〔2026〕9号/02调查取证/经我的案件.txt"), "rb") as file:
        assert file.read() == b"x"
    # nothing is made, removed or renamed there
    for change in (lambda: os.unlink(link), lambda: os.rename(link, link + "x"), lambda: os.rmdir(mine),
                   lambda: os.mkdir(os.path.join(mine, "新")), lambda: os.symlink("x", os.path.join(mine, "新")),
                   lambda: open(os.path.join(mine, "新"), "wb"), lambda: os.rename(mine, mine + "x")):
        assert mount.errno_of(change) in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EXDEV), mount.errno_of(change)
    assert mount.errno_of(lambda: os.readlink(os.path.join(mine, "没有"))) == errno.ENOENT
    assert os.path.lexists(link)
# others: not theirs, by name neither, in both orders
for _ in range(2):
    with mount.person("o2"):
        assert "乙〔2026〕9号" not in os.listdir(mine)
        assert mount.errno_of(lambda: os.lstat(link)) == errno.ENOENT
    with mount.person("o1"):
        assert os.path.isdir(link)
# assigned, it appears at once; taken away, it is gone
mount.tool("o1", "case", "assign", "/2026/乙〔2026〕9号", "--lead", "o1", "--helper", "o2", "--reason", "协办")
with mount.person("o2"):
    assert os.path.isdir(link)
assert "乙〔2026〕9号" in json.dumps(mount.tool("o2", "case", "list", "--mine"), ensure_ascii=False)
mount.tool("o1", "case", "assign", "/2026/乙〔2026〕9号", "--lead", "o1", "--reason", "撤回")
with mount.person("o2"):
    assert mount.errno_of(lambda: os.lstat(link)) == errno.ENOENT
assert os.listdir(mine) == []  # root has none
