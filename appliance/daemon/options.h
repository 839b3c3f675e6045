/* The command line of strongroomd(8). Pure but for getopt's state and what --help prints. */
#ifndef SR_DAEMON_OPTIONS_H
#define SR_DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define OPTIONS_VERSION "0.1"
#define OPTIONS_SOCKET_DIR "/run/strongroom"
#define OPTIONS_POLICY_DIR "/etc/strongroom/policy"

enum options_verdict {
    OPTIONS_RUN,
    OPTIONS_HELP,
    OPTIONS_SHOW_VERSION,
    OPTIONS_SHOW_VERDICTS,
    OPTIONS_USAGE /* wrong: the sentence is sr_error_message() */
};

struct options { /* strings belong to argv or are constant */
    const char *vault;
    const char *mountpoint;
    const char *passphrase_file;
    const char *policy_dir;
    const char *probe;    /* NULL: strongroom-probe beside the daemon's own program */
    const char *smb_conf; /* NULL: no Samba accounts */
    const char *socket_dir;
    int64_t settle_ns; /* -1: as the policy says */
    uint32_t first_uid;
    unsigned workers; /* 0: one per processor */
    bool foreground;
    bool allow_other;
    bool manage_accounts;
    bool encrypted_swap;
};

enum options_verdict options_parse(int argc, char **argv, struct options *out);
/* "60", "0.25": seconds to nanoseconds, at most 30 days. SR_ERR_INVALID otherwise. */
int options_seconds(const char *text, int64_t *ns);
/* The text of --help. */
const char *options_help(void);

#endif
