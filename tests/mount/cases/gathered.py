"""按对象 and 按日期 gather by labels what each person may see, through links, and nothing can be put there."""
import errno
import os
import subprocess

import mount

CODE = "91350100M000100Y43"
root = mount.MNT
folder = os.path.join(root, "按对象", CODE)
day = os.path.join(root, "按日期", "2025-03-05")
place = mount.place()
data = {name: os.urandom(size) for name, size in (("现场.mp4", 300000), ("笔录.txt", 70))}
for name, content in data.items():
    path = os.path.join(place, name)
    mount.write(path, content)
    mount.tool("o1", "seal", path[len(root):])
    mount.wait_state(path)
    mount.tool("o1", "record", "label", path[len(root):], "执法对象=" + CODE, "采集时间=2025-03-05 10:00")
with mount.person("o1"):
    assert CODE in os.listdir(os.path.join(root, "按对象"))
    assert sorted(os.listdir(folder)) == sorted(["测试〔2026〕1号", *data]), os.listdir(folder)
    assert set(data) <= set(os.listdir(day))
    for where in (folder, day):
        for name, content in data.items():
            link = os.path.join(where, name)
            assert os.path.islink(link)
            assert os.readlink(link) == "../../%s/%s" % (place[len(root) + 1:], name)
            assert os.lstat(link).st_size == len(os.readlink(link).encode())
            with open(link, "rb") as file:
                assert file.read() == content
            assert mount.errno_of(lambda: open(link, "r+b")) == errno.EROFS
    assert "02调查取证" in os.listdir(os.path.join(folder, "测试〔2026〕1号"))
# nothing is made, removed or renamed there, by whomever
link = os.path.join(folder, "笔录.txt")
fresh = os.path.join(place, "新.txt")
mount.write(fresh, b"x")
for name in ("o1", "sv"):
    with mount.person(name):
        for where in (folder, day, os.path.join(root, "按对象"), os.path.join(root, "按日期")):
            for change in (lambda: os.mkdir(os.path.join(where, "新")), lambda: open(os.path.join(where, "新"), "wb"),
                           lambda: os.symlink("x", os.path.join(where, "新")),
                           lambda: os.rename(fresh, os.path.join(where, "新"))):
                assert mount.errno_of(change) == errno.EROFS, (name, where, mount.errno_of(change))
        for change in (lambda: os.unlink(link), lambda: os.rename(link, link + "x"), lambda: os.rmdir(folder),
                       lambda: os.rename(folder, folder + "x"), lambda: os.chmod(folder, 0o500)):
            assert mount.errno_of(change) == errno.EROFS, (name, mount.errno_of(change))
        assert mount.errno_of(lambda: os.rmdir(os.path.join(root, "按日期"))) == errno.EPERM
for where in ("按对象", "按日期"):  # root sees nothing in them, and puts nothing there
    assert os.listdir(os.path.join(root, where)) == []
    assert mount.errno_of(lambda: os.mkdir(os.path.join(root, where, "新"))) == errno.EROFS
assert mount.errno_of(lambda: os.lstat(folder)) == errno.ENOENT
assert "[gathered]" in mount.read(mount.NOTICE).decode()
# programs that walk: to an end, without an error
with mount.person("o1"):
    env = dict(os.environ, LC_ALL="C.UTF-8")
    for command in (["find", root + "/按对象", root + "/按日期"], ["find", "-L", folder], ["ls", "-lR", root + "/按对象"], ["df", folder]):
        done = subprocess.run(command, capture_output=True, timeout=30, env=env)
        assert done.returncode == 0 and not done.stderr, (command, done.stderr)
# the tool, by either way
shown = mount.tool("o1", "record", "show", "/按对象/%s/现场.mp4" % CODE)
assert place[len(root):] + "/现场.mp4" in str(shown), shown
assert "现场.mp4" in str(mount.tool("o1", "record", "list", "/按日期/2025-03-05"))
# above somebody's clearance it is not there, in both orders; and comes again
mount.tool("so", "user", "set", "o1", "--clearance", "内部")
for name in data:
    mount.tool("o1", "record", "classify", place[len(root):] + "/" + name, "--level", "内部", "--reason", "清单")
for _ in range(2):
    with mount.person("o2"):
        assert CODE not in os.listdir(os.path.join(root, "按对象"))
        assert mount.errno_of(lambda: os.lstat(folder)) == errno.ENOENT
        assert mount.errno_of(lambda: os.lstat(link)) == errno.ENOENT
        assert not os.path.exists(day) or not set(data) & set(os.listdir(day))
    with mount.person("o1"):
        assert os.path.exists(link) and CODE in os.listdir(os.path.join(root, "按对象"))
mount.tool("so", "user", "set", "o2", "--clearance", "内部")
with mount.person("o2"):
    assert os.path.exists(link)
mount.tool("so", "user", "set", "o2", "--clearance", "公开")
mount.tool("so", "user", "set", "o1", "--clearance", "公开")
