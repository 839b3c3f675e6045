/* The mount: a kernel request becomes one call of the door and one errno. The only module that
 * knows libfuse. Inode numbers are the door's node ids, which never change and are never reused,
 * so there is no inode table and forget has nothing to do.
 *
 * Order of calls: fusefs_mount, fusefs_attach, fusefs_loop, fusefs_unmount, fusefs_free. Between
 * mount and loop the kernel holds requests back, so the vault can be opened after a cheap refusal
 * was possible. */
#ifndef SR_FUSEFS_FUSEFS_H
#define SR_FUSEFS_FUSEFS_H

#include <stdbool.h>
#include <stdint.h>

#include "casework/door.h"

struct fusefs; /* one mount */

struct fusefs_config {
    const char *mountpoint; /* an empty folder */
    bool allow_other;       /* other users than the one who runs the daemon: what Samba needs */
    bool read_ahead_tune;   /* raise /sys/class/bdi/…/read_ahead_kb to 4096 once mounted */
    unsigned max_threads;   /* of the request loop; 0: 64 */
};

/* Mounts. SR_ERR_NOT_FOUND (absent), SR_ERR_NOT_DIRECTORY, SR_ERR_NOT_EMPTY, SR_ERR_BUSY
 * (something is mounted there) or SR_ERR_SYSTEM, each with one sentence that names the mount
 * point. */
int fusefs_mount(const struct fusefs_config *config, struct fusefs **out);

/* Names the door that answers from now on; before fusefs_loop. The door must outlive the loop. */
int fusefs_attach(struct fusefs *fs, struct door *door);

/* Answers requests, with several threads, until fusefs_exit or until somebody unmounts. Requests
 * that were begun are answered before it returns. Uses SIGUSR2 within the process for its own
 * wake-up. */
int fusefs_loop(struct fusefs *fs);

/* Makes fusefs_loop return. From any thread, also from a signal handler. */
void fusefs_exit(struct fusefs *fs);

/* Unmounts even while files are open (their users get ENOTCONN) and releases those; the door must
 * still be there. After fusefs_loop returned, or
 * instead of it. fusefs_invalidate may still come and does nothing. NULL ok. */
void fusefs_unmount(struct fusefs *fs);

/* Frees, after the door that was told of fusefs_invalidate has stopped. Unmounts first if that was
 * not done. NULL ok. */
void fusefs_free(struct fusefs *fs);

/* Of the type of door_config.invalidate; context is the struct fusefs. Queues and returns at
 * once; a thread of its own tells the kernel. name != NULL: an entry of parent; otherwise node's
 * attributes and pages. */
void fusefs_invalidate(void *context, uint64_t node, uint64_t parent, const char *name);

#endif
