/* Live sessions of the share. */
#ifndef SR_CASEWORK_SESSIONS_H
#define SR_CASEWORK_SESSIONS_H

#include <stdint.h>

/* Ends every smbd process that serves a session of uid, and returns when they are gone. On one
 * connection there may be sessions of several people: the others connect again by themselves. */
int sessions_end(const char *smb_conf, uint32_t uid);

#endif
