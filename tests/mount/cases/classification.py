"""A classification is set by an attribute, shown by it, and decides what others find."""
import errno
import os

import mount

folder = mount.place(sub="密级")
path = folder + "/笔录.txt"
with mount.person("o1"):
    with open(path, "wb") as file:
        file.write(b"x")
mount.tool("so", "user", "set", "o1", "--clearance", "内部")
with mount.person("o1"):
    assert os.getxattr(path, "user.strongroom.classification").decode() == "公开"
    os.setxattr(path, "user.strongroom.classification", "内部 工作秘密".encode())
    assert os.getxattr(path, "user.strongroom.classification").decode() == "内部 工作秘密"
    # what lowers needs a reason, and a secoff
    assert mount.errno_of(lambda: os.setxattr(path, "user.strongroom.classification", "公开".encode())) == errno.EACCES
    assert mount.errno_of(lambda: os.setxattr(path, "user.strongroom.classification", b"secretive")) == errno.EINVAL
    assert mount.errno_of(lambda: os.setxattr(path, "user.strongroom.classification", b"a" * 500)) == errno.EINVAL
    assert os.listdir(folder) == ["笔录.txt"]
# o2 has no clearance: it is not there, whoever looked first
for _ in range(2):
    with mount.person("o2"):
        assert os.listdir(folder) == []
        assert mount.errno_of(lambda: os.stat(path)) == errno.ENOENT
        assert mount.errno_of(lambda: open(path, "rb")) == errno.ENOENT
    with mount.person("o1"):
        assert open(path, "rb").read() == b"x"
