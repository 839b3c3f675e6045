/* enum sr_error -> errno, for replies to the kernel. Called in fusefs/ alone. */
#ifndef SR_FUSEFS_ERRNO_H
#define SR_FUSEFS_ERRNO_H

/* 0 for 0, a positive errno for every error, EIO for a code that does not exist: never success.
 * For SR_ERR_SYSTEM the errno saved by this thread's last sr_fail_errno, if it may be shown. */
int sr_error_to_errno(int code);

#endif
