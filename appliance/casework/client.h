/* The address of an SMB client: the opener's thread leads to its smbd process and to that process's
 * TCP socket. Diagnostics of this machine's own /proc; "local" when there is no such socket. */
#ifndef SR_CASEWORK_CLIENT_H
#define SR_CASEWORK_CLIENT_H

#include <stddef.h>
#include <stdint.h>

void client_address(int32_t thread_id, char out[64]);
/* The remote address of socket inode in the text of /proc/PID/net/tcp (or tcp6); 0 or SR_ERR_NOT_FOUND. */
int client_find_peer(const char *table, size_t len, uint64_t inode, char out[64]);

#endif
