#include "daemon/options.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define SETTLE_MAX_SECONDS (INT64_C(30) * 86400)
#define WORKERS_MAX 256

const char *options_help(void)
{
    return "usage: strongroomd VAULT MOUNTPOINT --passphrase-file FILE [options]\n"
           "\n"
           "Opens VAULT and shows it as a file system at MOUNTPOINT until it is told to stop.\n"
           "\n"
           "  --passphrase-file FILE  first line is the passphrase of one unlock slot; - is stdin\n"
           "  --policy DIR            policy folder (" OPTIONS_POLICY_DIR ")\n"
           "  --probe PROGRAM         looks into records (strongroom-probe beside this program)\n"
           "  --settle SECONDS        time from the last close to the seal, instead of the "
           "policy's\n"
           "  --allow-other           let all users of this machine see the mount (Samba needs "
           "it)\n"
           "  --smb-conf FILE         give new users a Samba account too, with this smb.conf\n"
           "  --first-uid N           user ids of new accounts start here (20000)\n"
           "  --no-accounts           user add writes the ledger entry only\n"
           "  --socket-dir DIR        folder of the control socket (" OPTIONS_SOCKET_DIR ")\n"
           "  --workers N             encrypting threads (one per processor)\n"
           "  --encrypted-swap        the active swap space is encrypted: unlock nevertheless\n"
           "  --foreground            do not become a daemon\n"
           "  --verdicts              print what each file system operation does to sealed "
           "records\n"
           "  --version, --help\n";
}

int options_seconds(const char *text, int64_t *ns)
{
    int64_t whole = 0, part = 0, unit = NS_PER_SECOND;
    const char *p = text;

    *ns = 0;
    if (*p < '0' || *p > '9')
        return sr_fail(SR_ERR_INVALID, "'%s' is not a number of seconds", text);
    for (; *p >= '0' && *p <= '9'; p++) {
        whole = whole * 10 + (*p - '0');
        if (whole > SETTLE_MAX_SECONDS)
            return sr_fail(SR_ERR_INVALID, "'%s' is more than 30 days", text);
    }
    if (*p == '.') {
        if (p[1] == '\0')
            return sr_fail(SR_ERR_INVALID, "'%s' is not a number of seconds", text);
        for (p++; *p >= '0' && *p <= '9'; p++) {
            unit /= 10; /* digits beyond nanoseconds count for nothing */
            part += (*p - '0') * unit;
        }
    }
    if (*p != '\0')
        return sr_fail(SR_ERR_INVALID, "'%s' is not a number of seconds", text);
    *ns = whole * NS_PER_SECOND + part;
    return 0;
}

static int parse_number(const char *option, const char *text, uint64_t limit, uint64_t *out)
{
    if (sr_parse_u64(text, out) != 0 || *out > limit)
        return sr_fail(SR_ERR_INVALID, "--%s takes a number up to %llu, not '%s'", option,
                       (unsigned long long)limit, text);
    return 0;
}

enum option_id {
    OPT_PASSPHRASE = 256,
    OPT_POLICY,
    OPT_PROBE,
    OPT_SETTLE,
    OPT_ALLOW_OTHER,
    OPT_SMB_CONF,
    OPT_FIRST_UID,
    OPT_NO_ACCOUNTS,
    OPT_SOCKET_DIR,
    OPT_WORKERS,
    OPT_ENCRYPTED_SWAP,
    OPT_FOREGROUND,
    OPT_VERDICTS,
    OPT_VERSION,
    OPT_HELP
};

static const struct option long_options[] = {
    {"passphrase-file", required_argument, NULL, OPT_PASSPHRASE},
    {"policy", required_argument, NULL, OPT_POLICY},
    {"probe", required_argument, NULL, OPT_PROBE},
    {"settle", required_argument, NULL, OPT_SETTLE},
    {"allow-other", no_argument, NULL, OPT_ALLOW_OTHER},
    {"smb-conf", required_argument, NULL, OPT_SMB_CONF},
    {"first-uid", required_argument, NULL, OPT_FIRST_UID},
    {"no-accounts", no_argument, NULL, OPT_NO_ACCOUNTS},
    {"socket-dir", required_argument, NULL, OPT_SOCKET_DIR},
    {"workers", required_argument, NULL, OPT_WORKERS},
    {"encrypted-swap", no_argument, NULL, OPT_ENCRYPTED_SWAP},
    {"foreground", no_argument, NULL, OPT_FOREGROUND},
    {"verdicts", no_argument, NULL, OPT_VERDICTS},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* Options that set a member of out; returns 0 or SR_ERR_INVALID. */
static int take_option(int id, const char *value, struct options *out)
{
    uint64_t number = 0;
    int rc = 0;

    switch (id) {
    case OPT_PASSPHRASE:
        out->passphrase_file = value;
        break;
    case OPT_POLICY:
        out->policy_dir = value;
        break;
    case OPT_PROBE:
        out->probe = value;
        break;
    case OPT_SETTLE:
        rc = options_seconds(value, &out->settle_ns);
        break;
    case OPT_ALLOW_OTHER:
        out->allow_other = true;
        break;
    case OPT_SMB_CONF:
        out->smb_conf = value;
        break;
    case OPT_FIRST_UID:
        /* 0 is root and (uid_t)-1 is nobody's. */
        rc = parse_number("first-uid", value, UINT32_MAX - 1, &number);
        if (rc == 0 && number == 0)
            rc = sr_fail(SR_ERR_INVALID, "--first-uid cannot be 0, which is root");
        out->first_uid = (uint32_t)number;
        break;
    case OPT_NO_ACCOUNTS:
        out->manage_accounts = false;
        break;
    case OPT_SOCKET_DIR:
        out->socket_dir = value;
        break;
    case OPT_WORKERS:
        rc = parse_number("workers", value, WORKERS_MAX, &number);
        out->workers = (unsigned)number;
        break;
    case OPT_ENCRYPTED_SWAP:
        out->encrypted_swap = true;
        break;
    case OPT_FOREGROUND:
        out->foreground = true;
        break;
    default:
        rc = sr_fail(SR_ERR_INVALID, "unknown option, or an option without its value");
        break;
    }
    return rc;
}

enum options_verdict options_parse(int argc, char **argv, struct options *out)
{
    int id;

    *out = (struct options){
        .policy_dir = OPTIONS_POLICY_DIR,
        .socket_dir = OPTIONS_SOCKET_DIR,
        .settle_ns = -1,
        .first_uid = 20000,
        .manage_accounts = true,
    };
    optind = 0; /* glibc: start over, also for permutation */
    opterr = 0;
    while ((id = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (id == OPT_HELP)
            return OPTIONS_HELP;
        if (id == OPT_VERSION)
            return OPTIONS_SHOW_VERSION;
        if (id == OPT_VERDICTS)
            return OPTIONS_SHOW_VERDICTS;
        if (id == '?' || id == ':') {
            sr_fail(SR_ERR_INVALID, id == '?' ? "unknown option %s" : "option %s needs a value",
                    argv[optind - 1]);
            return OPTIONS_USAGE;
        }
        if (take_option(id, optarg, out) != 0)
            return OPTIONS_USAGE;
    }
    if (argc - optind != 2) {
        sr_fail(SR_ERR_INVALID, "two arguments are needed: VAULT and MOUNTPOINT");
        return OPTIONS_USAGE;
    }
    out->vault = argv[optind];
    out->mountpoint = argv[optind + 1];
    if (out->passphrase_file == NULL) {
        sr_fail(SR_ERR_INVALID, "--passphrase-file is needed");
        return OPTIONS_USAGE;
    }
    return OPTIONS_RUN;
}
