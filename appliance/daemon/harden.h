/* Keeps keys and plaintext in memory: no core files, no ptrace by the same user, no swap. */
#ifndef SR_DAEMON_HARDEN_H
#define SR_DAEMON_HARDEN_H

#include <stdbool.h>
#include <stddef.h>

/* Core limit 0, undumpable, umask 077, memory locked as it is touched (a refusal of the last is
 * a warning in the log: small RLIMIT_MEMLOCK when not root). SR_ERR_SYSTEM if a core could be
 * written. */
int harden_process(void);
/* SR_ERR_DENIED when swap is active and not declared encrypted. path is /proc/swaps. */
int harden_check_swap(const char *path, bool encrypted_swap);
/* The parser of /proc/swaps: true when it lists any swap space. */
bool harden_swap_listed(const char *text, size_t len);

#endif
