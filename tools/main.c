/* strongroom(1): the tool. The table of its commands, help, and the options before a command. */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "tools/commands.h"

#define REASON "  --reason TEXT           why, for the ledger\n"
#define OUTPUT "  -o FILE                 write it there instead of to standard output\n"
#define NEW_SLOT "  --new-passphrase-file FILE  first line is the new passphrase\n"

static const struct command table[] = {
    {"init", cmd_init, "VAULT --passphrase-file FILE [options]", "Makes a new vault",
     "  --agency NAME           of the office whose evidence it keeps\n"
     "  --accounts FILE         first accounts, lines role:account:display name:password\n"
     "  --smb-conf FILE         give them Samba accounts too, with this smb.conf\n"
     "  --first-uid N           their user ids start here (20000)\n"
     "  --no-accounts           write ledger entries only, make no system accounts\n"},
    {"status", cmd_status, "", "Shows how the vault is", NULL},
    {"slots list", cmd_slots_list, "", "Lists the unlock slots (offline)", NULL},
    {"slots add", cmd_slots_add, "--new-passphrase-file FILE [--label TEXT]",
     "Adds a passphrase that opens the vault (offline)",
     NEW_SLOT "  --label TEXT            shown by slots list, stored in clear\n"},
    {"slots remove", cmd_slots_remove, "SLOT",
     "Removes a slot and turns the root key over (offline)", NULL},
    {"slots change", cmd_slots_change, "--new-passphrase-file FILE",
     "Replaces the passphrase used to open the vault (offline)", NEW_SLOT},
    {"user add", cmd_user_add, "ACCOUNT --role ROLE [options]",
     "Makes an account: of the system, of Samba and in the ledger",
     "  --role ROLE             may be given several times\n"
     "  --name NAME             display name\n"
     "  --unit UNIT             that the person belongs to\n"
     "  --password-file FILE    first line is the password; - is standard input\n"},
    {"user set", cmd_user_set, "ACCOUNT [options]",
     "Changes what is known of a person; what is not given stays",
     "  --name NAME             display name (by a sysadmin, as unit and badge)\n"
     "  --unit UNIT             that the person belongs to; '' for none\n"
     "  --badge NUMBER          执法证件号; '' for none\n"
     "  --badge-from DAY        first day it is valid, YYYY-MM-DD; '' for none\n"
     "  --badge-until DAY       last day it is valid\n"
     "  --role ROLE             instead of those so far (by a secoff, as clearance)\n"
     "  --clearance LEVEL       公开 内部 秘密 机密 绝密, or public to top_secret, or 0 to 4\n"},
    {"user password", cmd_user_password, "ACCOUNT --password-file FILE",
     "Gives a first password to who forgot theirs or is locked out; they must change it",
     "  --password-file FILE    first line is the password; - is standard input\n"},
    {"user disable", cmd_user_disable, "ACCOUNT --reason TEXT",
     "Ends an account for ever, and its sessions at once; lists its cases to be handed over",
     REASON},
    {"user list", cmd_user_list, "", "Lists the accounts", NULL},
    {"case open", cmd_case_open, "YEAR NAME | YEAR/NAME", "Opens a case with its stage folders",
     NULL},
    {"case list", cmd_case_list, "[--mine]", "Lists the cases",
     "  --mine                  those in which you are lead or helper\n"},
    {"case show", cmd_case_show, "CASE", "Shows a case, its unit and its people", NULL},
    {"case assign", cmd_case_assign, "CASE --lead ACCOUNT [--helper ACCOUNT] --reason TEXT",
     "Says who works on a case from now on",
     "  --lead ACCOUNT          承办人; may be given several times\n"
     "  --helper ACCOUNT        协办人; may be given several times\n" REASON},
    {"case transfer", cmd_case_transfer, "CASE --unit UNIT --reason TEXT",
     "Gives a case to another unit", "  --unit UNIT             from now on\n" REASON},
    {"case pending", cmd_case_pending, "CASE",
     "Lists what is not 入卷 in a case: which labels are missing, and who sent it", NULL},
    {"case archive-numbers", cmd_case_archive, "CASE",
     "Gives every record of a case that is 入卷 and has none its 档号 (by an archivist)", NULL},
    {"record list", cmd_record_list, "PATH", "Lists a folder", NULL},
    {"record show", cmd_record_show, "PATH | OBJECT", "Shows all that is known of a record", NULL},
    {"record versions", cmd_record_versions, "PATH | OBJECT",
     "Lists the versions of a record, oldest first", NULL},
    {"record properties", cmd_record_properties, "PATH | OBJECT",
     "Shows what was found in a record: type, properties, text, signatures, oddities", NULL},
    {"record label", cmd_record_label, "PATH | OBJECT LABEL[@OFFSET]=VALUE...",
     "Gives labels to a sealed record; an empty value takes one back",
     "  LABEL                   案件编号 采集时间 采集地点 采集人 证明对象 执法对象 编号 摄录内容\n"
     "                          对话人员 身份 主要内容 设备时间偏差 设备, or case_number captured\n"
     "                          place person proves subject number content speaker identity\n"
     "                          summary clock device\n"
     "  OFFSET                  from the beginning, 00:12:30: of 对话人员 身份 主要内容\n"},
    {"record labels", cmd_record_labels, "PATH | OBJECT",
     "Shows the labels in force, their sources, and what is missing", NULL},
    {"record history", cmd_record_history, "PATH | OBJECT",
     "Shows every label that was ever given; * marks those in force", NULL},
    {"record file", cmd_record_file, "PATH CASE/STAGE[/NAME] --reason TEXT",
     "Files a record from 待归案 into a case", REASON},
    {"record refile", cmd_record_refile, "PATH CASE/STAGE[/NAME] --reason TEXT",
     "Moves a misfiled record; its old place keeps a stub", REASON},
    {"record incomplete", cmd_record_incomplete, "PATH --reason TEXT",
     "Marks one's own sealed record incomplete, so that it can be sent again", REASON},
    {"record classify", cmd_record_classify, "PATH | OBJECT | node:N [options] --reason TEXT",
     "Classifies a record, a folder or a case; what is not given stays",
     "  --level LEVEL           公开 内部 秘密 机密 绝密, or public internal confidential secret\n"
     "                          top_secret, or 0 to 4\n"
     "  --until DAY             保密期限 of 秘密, 机密, 绝密, YYYY-MM-DD\n"
     "  --mark MARK             工作秘密 商业秘密 个人隐私 隐蔽录音录像, or work_secret "
     "trade_secret\n"
     "                          privacy covert; may be given several times, none takes them away\n"
     "  --approver NAME         who approved the covert recording\n" REASON},
    {"record archive-number", cmd_record_archive, "PATH | OBJECT [--reason TEXT]",
     "Gives a record its 档号, or with a reason a new one; the old one stays on record",
     "  --reason TEXT           why it gets a new one\n"},
    {"record views", cmd_record_views, "PATH | OBJECT",
     "Shows who has read a restricted record, why, when and which bytes", NULL},
    {"view", cmd_view, "PATH | OBJECT --purpose TEXT [--hours N]",
     "States why you open what is restricted; for a while you may, and it goes on record",
     "  --purpose TEXT          why it is opened\n"
     "  --hours N               1 to 24 (8)\n"},
    {"grant add", cmd_grant_add, "ACCOUNT PATH | OBJECT --purpose TEXT --until DAY",
     "Lets somebody read what is restricted at a record, a case or a folder, until a day",
     "  --purpose TEXT          why they open it\n"
     "  --until DAY             last day, YYYY-MM-DD, within a year\n"},
    {"grant list", cmd_grant_list, "[--all]", "Lists the grants that you hold or have given",
     "  --all                   everybody's, and those that are over\n"},
    {"grant end", cmd_grant_end, "GRANT", "Ends a grant at once, for open files too", NULL},
    {"retention explain", cmd_retention_explain, "PATH | OBJECT",
     "Says until when a record is kept, and which rules say so", NULL},
    {"retention set", cmd_retention_set, "PATH | OBJECT --category NAME --reason TEXT",
     "Puts a case, a folder or a record into a category of retention.yaml; terms only get longer",
     "  --category NAME         保管类别\n" REASON},
    {"retention extend", cmd_retention_extend, "PATH | OBJECT --until DAY --reason TEXT",
     "Extends how long a case, a folder or a record is kept",
     "  --until DAY             last day, YYYY-MM-DD, or 永久\n" REASON},
    {"lateness", cmd_lateness, "[--from DAY] [--until DAY]",
     "Counts by person what was sealed, and how much of it late (入库期限, working days)",
     "  --from DAY              first day of the seal, YYYY-MM-DD\n"
     "  --until DAY             last day\n"},
    {"seal", cmd_seal, "PATH... [--wait SECONDS]", "Asks for records to be sealed now",
     "  --wait SECONDS          until they are\n"},
    {"search", cmd_search, "QUERY... [options]",
     "Finds cases and records by words of names, labels and texts, and by conditions",
     "  WORD \"SOME WORDS\" -WORD  in names, labels and texts; - not in names and labels\n"
     "  采集人:张三 地点: 证明: 对象: 案件: 编号: 内容: 对话: 设备: 名称: 全文:\n"
     "  类型:视频 (音频 图片 文档 其他) 时长>10m 大小<=1G 密级:内部 发送人: 入卷:是\n"
     "  2026-03..2026-06         采集时间, or the seal; also 时间: and 入库:\n"
     "  --limit N               results at most (200), the newest\n"
     "  --before NODE           only those older than that node: the next page\n"
     "  --count                 how many there are, and no more\n"},
    {"reindex", cmd_reindex, "[PATH | OBJECT]",
     "Looks into a record, or into all, once more; status shows how many wait", NULL},
    {"verify", cmd_verify, "[PATH | OBJECT | BAG]",
     "Checks every byte of the vault, or of one record, against the ledger; or a bag, without a "
     "vault",
     NULL},
    {"export", cmd_export, "CASE --out FILE [options]",
     "Makes a retention bundle of a case (BagIt) that verifies without this program",
     "  --out FILE              where it goes, on external media; nothing is overwritten\n"
     "  --format tar|zip|iso    tar\n"
     "  --split SIZE            a set of bundles of at most that size: 4.3GiB, 23GiB, 700MiB\n"
     "  --sm3                   a manifest of SM3, too (not of an image)\n"
     "  --as-of INDEX           as the case was after that entry of the ledger (its last act)\n"
     "  --purpose TEXT          why; what is restricted needs one\n"
     "  --leave-out             leave out what you may not export, instead of refusing\n"
     "  --seal-key FILE         private key (PEM) that signs the bundle, and\n"
     "  --seal-cert FILE        its certificate with the chain (PEM)\n"
     "  --tsa URL               a time stamp authority (RFC 3161) that stamps it\n"
     "  --recipient FILE        encrypts it for this certificate (PEM): FILE of --out is a "
     "folder\n"},
    {"disc make", cmd_disc_make, "CASE --out FILE [--label TEXT] [options of export]",
     "Makes the image of a disc: a bundle with a note of who made it, when, and what is on it",
     "  --out FILE              the ISO 9660 image, for a burner\n"
     "  --label TEXT            of the disc; its volume is named by it\n"},
    {"disc verify", cmd_disc_verify, "CASE DEVICE | FILE",
     "Reads a disc (or its image) back, and files the result with its case", NULL},
    {"rebuild", cmd_rebuild, "[--check]",
     "Makes the catalog (search, listings) again from the ledger; nothing else is touched",
     "  --check                 only compares: is the catalog what the ledger says?\n"},
    {"ledger verify", cmd_ledger_verify, "[options]",
     "Checks the ledger: with a vault's files, or with nothing but tiles, checkpoint and key",
     "  --tiles DIR             folder that holds tile/\n"
     "  --checkpoint FILE       signed checkpoint of the tiles\n"
     "  --key VKEY              verifying key or a file that holds it; or -C VAULT\n"
     "  --against FILE          a checkpoint kept elsewhere: notices a rolled-back vault\n"
     "  --proof FILE --leaf FILE  one entry (ledger entry) against its proof (ledger proof)\n"},
    {"ledger checkpoint", cmd_ledger_checkpoint, "[-o FILE]",
     "Signs and publishes a checkpoint; keep it outside of the vault", OUTPUT},
    {"ledger proof", cmd_ledger_proof, "INDEX | PATH | OBJECT [-o FILE]",
     "Proves that an entry (the seal of a record) is in the ledger: a C2SP tlog-proof", OUTPUT},
    {"ledger log", cmd_ledger_log, "[--from N] [--to N] [--act ACT]", "Shows entries of the ledger",
     "  --from N, --to N        indexes, N of --to not included\n"
     "  --act ACT               only entries of this act\n"},
    {"ledger entry", cmd_ledger_entry, "INDEX [-o FILE]",
     "Writes the exact bytes of an entry, which its leaf hash covers", OUTPUT},
    {"ledger key", cmd_ledger_key, "[-o FILE]", "Prints the key that verifies the ledger", OUTPUT},
    {"policy check", cmd_policy_check, "DIR", "Checks the files of a policy folder (offline)",
     NULL},
    {"policy show", cmd_policy_show, "", "Lists the policy files in force, with their hashes",
     NULL},
    {"policy explain", cmd_policy_explain, "--user ACCOUNT --action ACTION [options] [PATH]",
     "Says whether the rules allow it, and which rule decides",
     "  --user ACCOUNT          who asks\n"
     "  --action ACTION         list, read, add, ...: policy/access.cedar names them\n"
     "  --purpose TEXT          that they state, with read and export\n"},
    {"policy test", cmd_policy_test, "FILE", "Asks the rules in force what a file expects of them",
     NULL},
    {"policy reload", cmd_policy_reload, "", "Reads the policy folder again, whole or not at all",
     NULL},
};
#define TABLE_LEN (sizeof table / sizeof table[0])

const struct command *tool_find(const char *first, const char *second, bool *two_words)
{
    size_t len = strlen(first);

    for (size_t i = 0; i < TABLE_LEN; i++) {
        const char *name = table[i].name;

        *two_words = name[strcspn(name, " ")] == ' ';
        if (!*two_words && strcmp(name, first) == 0)
            return &table[i];
        if (*two_words && second != NULL && strncmp(name, first, len) == 0 && name[len] == ' ' &&
            strcmp(name + len + 1, second) == 0)
            return &table[i];
    }
    return NULL;
}

/* All commands, or those that begin with the word group. Returns how many. */
static size_t list_commands(FILE *out, const char *group)
{
    size_t len = group != NULL ? strlen(group) : 0, count = 0;

    for (size_t i = 0; i < TABLE_LEN; i++)
        if (len == 0 || (strncmp(table[i].name, group, len) == 0 && table[i].name[len] == ' ')) {
            fprintf(out, "  %-18s  %s\n", table[i].name, table[i].summary);
            count++;
        }
    return count;
}

static int help(int argc, char **argv)
{
    const struct command *command;
    bool two_words;

    if (argc == 0) {
        puts("usage: strongroom [-C VAULT] [--json] COMMAND ...\n");
        list_commands(stdout, NULL);
        puts("\nMore: strongroom help COMMAND, strongroom(1).");
        return TOOL_DONE;
    }
    command = tool_find(argv[0], argc > 1 ? argv[1] : NULL, &two_words);
    if (command != NULL)
        tool_help(command);
    else if (list_commands(stdout, argv[0]) == 0) {
        fprintf(stderr, "strongroom: there is no command '%s' (strongroom help)\n", argv[0]);
        return TOOL_USAGE;
    }
    return TOOL_DONE;
}

static int unknown_command(struct tool *tool, const char *first, const char *second)
{
    char group[64];

    snprintf(group, sizeof group, "%s", first);
    fprintf(stderr, "strongroom: there is no command '%s%s%s'\n", first, second ? " " : "",
            second ? second : "");
    if (list_commands(stderr, group) == 0)
        fputs("(strongroom help lists them)\n", stderr);
    (void)tool;
    return TOOL_USAGE;
}

/* A closed standard descriptor would be given to a file of the vault, and be printed into. */
static bool hold_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    struct tool tool = {
        .vault = getenv("STRONGROOM_VAULT"),
        .socket_dir = TOOL_SOCKET_DIR,
        .progress = isatty(STDERR_FILENO) != 0,
    };
    bool two_words = false;
    int id, skip;

    if (!hold_standard())
        return TOOL_SYSTEM;
    setlocale(LC_ALL, "");
    signal(SIGPIPE, SIG_IGN);
    while ((id = tool_getopt_main(&tool, argc, argv, NULL)) != -1) {
        if (id == 'h')
            return help(0, NULL);
        if (id == 'V') {
            puts("strongroom " TOOL_VERSION);
            return TOOL_DONE;
        }
        return TOOL_USAGE;
    }
    if (optind == argc) {
        fputs("strongroom: no command was given (strongroom help)\n", stderr);
        return TOOL_USAGE;
    }
    if (strcmp(argv[optind], "help") == 0)
        return help(argc - optind - 1, argv + optind + 1);
    tool.command = tool_find(argv[optind], optind + 1 < argc ? argv[optind + 1] : NULL, &two_words);
    if (tool.command == NULL)
        return unknown_command(&tool, argv[optind],
                               optind + 1 < argc && argv[optind + 1][0] != '-' ? argv[optind + 1]
                                                                               : NULL);
    skip = optind + (two_words ? 1 : 0);
    optind = 0; /* glibc: start over, with permutation */
    return tool.command->run(&tool, argc - skip, argv + skip);
}
