#!/usr/bin/python3
"""matrix.py CLEARANCE: nine roles x five levels x (list, read, add, export), through Samba and through the
mount, as docs/policy.md says. Each person is cleared for CLEARANCE (0 to 4). The five stages of the case are
classified 公开 to 绝密, and each holds a sealed record that somebody else sent.

What is expected comes from the committed table of docs/policy.md alone; what `policy explain` says must be
the same. "purpose": refused without a stated purpose, open with one. Prints every cell that differs, and
ends with "N cells, N differ". Environment: see lib.sh; WORK, MNT, VAULT, TOOL, CONF, PORT, TAG.
"""
import json
import os
import subprocess
import sys

ROLES = ["officer", "reviewer", "head", "supervisor", "archivist", "station", "sysadmin", "secoff", "auditor"]
LEVELS = ["公开", "内部", "秘密", "机密", "绝密"]
STAGES = ["01受理立案", "02调查取证", "03审核", "04听证", "05决定"]
CASE = "2026/矩阵〔2026〕1号"
RECORD, NOTHING = "记录%d.bin", "没有%d.bin"
WORK, MNT, VAULT, TOOL, PORT, TAG = (os.environ[k] for k in ("WORK", "MNT", "VAULT", "TOOL", "PORT", "TAG"))


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120, check=False, **more)


def as_person(role, *command):
    uid = int(run("id", "-u", TAG + role).stdout)
    return run("setpriv", "--reuid", str(uid), "--regid", "65534", "--clear-groups", "--", *command)


def tool(who, *arguments):
    return as_person(who, TOOL, "-C", VAULT, *arguments)


def table():
    """{(role, action): {column: word}} of docs/policy.md."""
    rows, titles = {}, None
    for line in open("docs/policy.md", encoding="utf-8"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| role | action |"):
            titles = cells[2:]
        elif titles and line.startswith("| ") and len(cells) == len(titles) + 2:
            rows[cells[0], cells[1]] = dict(zip(titles, cells[2:]))
    return rows


def expected(rows, role, action, level, clearance):
    return rows[role, action][LEVELS[level] if level <= clearance else "above clearance"]


# --- the two faces: each answers, for every level, whether it was listed, read, added ------------------------

def samba(role, round_name):
    """One smbclient for all levels: its messages name the files, which differ from level to level."""
    commands, folder = [], "%s/%s-%s" % (WORK, role, round_name)
    os.makedirs(folder, exist_ok=True)
    for level, stage in enumerate(STAGES):
        remote = (CASE + "/" + stage).replace("/", "\\")
        commands += ['ls "%s\\*"' % remote, 'get "%s\\%s" %s/%d' % (remote, RECORD % level, folder, level),
                     'get "%s\\%s" %s/none' % (remote, NOTHING % level, folder),
                     'put %s/new "%s\\%s-%s-%d.smb"' % (WORK, remote, role, round_name, level)]
    done = run("smbclient", "-s", "/dev/null", "//127.0.0.1/cases", "-p", PORT, "-m", "SMB3", "-t", "60",
               "-U", "%s%s%%Pw-%s-%s" % (TAG, role, TAG, role), "-c", "; ".join(commands))
    lines = (done.stdout + done.stderr).splitlines()

    def of_get(name):
        """The first word of what `get` said: "getting", or the status."""
        said = [line for line in lines if name in line and ("getting file" in line or "opening remote" in line)]
        if len(said) != 1:
            raise AssertionError("%s: %s" % (role, done.stdout + done.stderr))
        return said[0].split()[0]

    answers = []
    for level in range(5):
        of_record = of_get(RECORD % level)
        content = "%s/%d" % (folder, level)
        answers.append({"list": any(line.startswith("  " + RECORD % level) for line in lines),
                        "name": of_record != of_get(NOTHING % level),  # by its name: as one that is not there?
                        "read": of_record == "getting" and same(content, level),
                        "add": any("putting file" in line and "%s-%s-%d.smb" % (role, round_name, level) in line
                                   for line in lines)})
    return answers


def same(path, level):
    with open(path, "rb") as got, open("%s/content-%d" % (WORK, level), "rb") as sent:
        if got.read() != sent.read():
            raise AssertionError("level %d: other bytes than were sent" % level)
    return True


MOUNT = r"""
import os, sys
root, name, local, new = sys.argv[1:5]
for level, stage in enumerate(sys.argv[5:]):
    folder, record = os.path.join(root, stage), os.path.join(root, stage, name % level)
    said = []
    for step in (lambda: name % level in os.listdir(folder), lambda: bool(os.lstat(record)),
                 lambda: open("%s/%d" % (local, level), "wb").write(open(record, "rb").read()) > 0,
                 lambda: os.close(os.open(os.path.join(folder, new), os.O_CREAT | os.O_EXCL | os.O_WRONLY)) is None):
        try:
            said.append(step())
        except OSError:
            said.append(False)
    print(*[int(one) for one in said])
"""


def mount(role, round_name):
    folder = "%s/%s-%s-mount" % (WORK, role, round_name)
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o777)
    done = as_person(role, "/usr/bin/python3", "-c", MOUNT, MNT + "/" + CASE, RECORD, folder,
                     "%s-%s.mnt" % (role, round_name), *STAGES)
    answers = []
    for level, line in enumerate(done.stdout.splitlines()):
        listed, name, read, add = (word == "1" for word in line.split())
        content = "%s/%d" % (folder, level)
        answers.append({"list": listed, "name": name, "read": read and same(content, level), "add": add})
    if len(answers) != 5:
        raise AssertionError(role + ": " + done.stderr)
    return answers


# --- the matrix ------------------------------------------------------------------------------------------------

cells = differ = 0


def check(role, level, what, got, want):
    global cells, differ
    cells += 1
    if got != want:
        differ += 1
        print("FAIL %s, %s, %s: %s, and docs/policy.md says %s" % (role, LEVELS[level], what, got, want))


def explain(role, action, path, purpose):
    more = ["--purpose", purpose] if purpose else []
    done = tool("so", "--json", "policy", "explain", "--user", TAG + role, "--action", action, *more, path)
    return json.loads(done.stdout)["decision"] == "allow"


def check_role(rows, role, clearance):
    names = ["%d-%s" % (clearance, name) for name in ("without", "stated")]
    without = {"samba": samba(role, names[0]), "mount": mount(role, names[0])}
    for stage in STAGES:  # granted where the rules let them read with a purpose, and refused elsewhere
        tool(role, "view", "/%s/%s" % (CASE, stage), "--purpose", "评查", "--hours", "1")
    stated = {"samba": samba(role, names[1]), "mount": mount(role, names[1])}
    for grant in json.loads(tool(role, "--json", "grant", "list").stdout):
        tool(role, "grant", "end", str(grant["grant"]))
    for level, stage in enumerate(STAGES):
        path = "/%s/%s/%s" % (CASE, stage, RECORD % level)
        words = {action: expected(rows, role, action, level, clearance) for action in ("list", "read", "add", "export")}
        for face in ("samba", "mount"):
            for round_name, answers in (("without a purpose", without), ("with a purpose", stated)):
                for what in ("list", "name", "add"):
                    check(role, level, "%s by %s, %s" % (what, face, round_name), answers[face][level][what],
                          words["list" if what == "name" else what] == "yes")
            check(role, level, "read by %s without a purpose" % face, without[face][level]["read"], words["read"] == "yes")
            check(role, level, "read by %s with a purpose" % face, stated[face][level]["read"], words["read"] in ("yes", "purpose"))
        for action in ("list", "read", "add", "export"):
            check(role, level, "%s, explained" % action, explain(role, action, path, None), words[action] == "yes")
        for action in ("read", "export"):
            check(role, level, "%s with a purpose, explained" % action, explain(role, action, path, "评查"),
                  words[action] in ("yes", "purpose"))


def main():
    clearance, rows = int(sys.argv[1]), table()
    with open(WORK + "/new", "wb") as file:
        file.write(os.urandom(500))
    for role in ROLES:
        check_role(rows, role, clearance)
    print("%d cells, %d differ" % (cells, differ))
    return 1 if differ or cells < 9 * 5 * 4 * 2 else 0


sys.exit(main())
