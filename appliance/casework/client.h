/* The address of an SMB client: the opener's thread leads to its smbd process and to that process's
 * TCP socket. Diagnostics of this machine's own /proc; "local" when there is no such socket. */
#ifndef SR_CASEWORK_CLIENT_H
#define SR_CASEWORK_CLIENT_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* Reading /proc takes long; an smbd process serves one client for its life, so the address of a
 * thread is kept for as long as the thread lives. Its start time tells, and is looked at again after
 * CLIENT_FRESH_NS: sooner than that no kernel gives a thread id to another thread (it would have to
 * hand out all of the at least 32,768 ids in between). */
#define CLIENT_CACHE_SLOTS 64
#define CLIENT_FRESH_NS (INT64_C(50) * 1000000)
struct client_cache {
    pthread_mutex_t lock;
    struct {
        int32_t thread_id;
        uint64_t started;  /* field 22 of /proc/PID/stat */
        int64_t looked_ns; /* boottime at which it was read */
        char address[64];
    } slots[CLIENT_CACHE_SLOTS];
};

void client_cached(struct client_cache *cache, int64_t boottime_ns, int32_t thread_id,
                   char out[64]);
void client_address(int32_t thread_id, char out[64]);
/* The remote address of socket inode in the text of /proc/PID/net/tcp (or tcp6); 0 or SR_ERR_NOT_FOUND. */
int client_find_peer(const char *table, size_t len, uint64_t inode, char out[64]);

#endif
