#include "casework/client.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"

#define TCP_ESTABLISHED_STATE 1

static int read_proc(const char *path, struct sr_buf *out)
{
    char chunk[4096];
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return SR_ERR_NOT_FOUND;
    while ((got = read(fd, chunk, sizeof chunk)) > 0 && out->len < (8u << 20))
        sr_buf_append(out, chunk, (size_t)got);
    close(fd);
    return got < 0 || out->failed ? SR_ERR_NOT_FOUND : 0;
}

/* "0100007F:01BD" or 32 hex digits: groups of 4 bytes in the machine's order. */
static int peer_text(const char *hex, char out[64])
{
    size_t digits = strcspn(hex, ":");
    uint32_t words[4] = {0};
    if (digits != 8 && digits != 32)
        return SR_ERR_INVALID;
    for (size_t i = 0; i < digits / 8; i++) {
        char word[9] = {0};
        memcpy(word, hex + 8 * i, 8);
        words[i] = (uint32_t)strtoul(word, NULL, 16);
    }
    if (digits == 32 && words[0] == 0 && words[1] == 0 && words[2] == htonl(0xffff))
        return inet_ntop(AF_INET, &words[3], out, 64) != NULL ? 0 : SR_ERR_INVALID;
    return inet_ntop(digits == 8 ? AF_INET : AF_INET6, words, out, 64) != NULL ? 0 : SR_ERR_INVALID;
}

int client_find_peer(const char *table, size_t len, uint64_t inode, char out[64])
{
    for (const char *line = table, *end = table + len; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        char copy[256], remote[64];
        unsigned state;
        uint64_t found;
        size_t n = (size_t)((stop != NULL ? stop : end) - line);
        if (n < sizeof copy) {
            memcpy(copy, line, n);
            copy[n] = '\0';
            if (sscanf(copy, " %*d: %*s %63s %x %*s %*s %*s %*d %*d %" SCNu64, remote, &state,
                       &found) == 3 &&
                state == TCP_ESTABLISHED_STATE && found == inode && peer_text(remote, out) == 0)
                return 0;
        }
        line = stop != NULL ? stop + 1 : end;
    }
    return SR_ERR_NOT_FOUND;
}

static int process_of(int32_t thread_id)
{
    char path[64];
    struct sr_buf text = {0};
    int process = -1;
    snprintf(path, sizeof path, "/proc/%d/status", thread_id);
    if (read_proc(path, &text) == 0) {
        const char *line = strstr(text.data, "\nTgid:");
        if (line != NULL)
            process = atoi(line + 6);
    }
    sr_buf_free(&text);
    return process;
}

void client_address(int32_t thread_id, char out[64])
{
    char path[64], target[64];
    struct sr_buf tcp = {0};
    strcpy(out, "local");
    int process = process_of(thread_id);
    if (process <= 0)
        return;
    snprintf(path, sizeof path, "/proc/%d/net/tcp", process);
    read_proc(path, &tcp);
    snprintf(path, sizeof path, "/proc/%d/net/tcp6", process);
    read_proc(path, &tcp);
    snprintf(path, sizeof path, "/proc/%d/fd", process);
    DIR *folder = tcp.len > 0 ? opendir(path) : NULL;
    for (struct dirent *item; folder != NULL && (item = readdir(folder)) != NULL;) {
        uint64_t inode;
        ssize_t len = readlinkat(dirfd(folder), item->d_name, target, sizeof target - 1);
        if (len <= 0)
            continue;
        target[len] = '\0';
        if (sscanf(target, "socket:[%" SCNu64 "]", &inode) == 1 &&
            client_find_peer(tcp.data, tcp.len, inode, out) == 0)
            break;
    }
    if (folder != NULL)
        closedir(folder);
    sr_buf_free(&tcp);
}

/* 0 when it cannot be read. Field 2, the name, may hold spaces and brackets: count from the last. */
static uint64_t start_time(int32_t thread_id)
{
    char path[64];
    struct sr_buf text = {0};
    uint64_t started = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", thread_id);
    const char *at = read_proc(path, &text) == 0 ? strrchr(text.data, ')') : NULL;
    for (int field = 3; at != NULL && field <= 22; field++)
        if ((at = strchr(at + 1, ' ')) != NULL && field == 22)
            started = strtoull(at + 1, NULL, 10);
    sr_buf_free(&text);
    return started;
}

/* The slot's address into out, if it is this thread's. started 0: only if it was looked at just now. */
static bool recall(struct client_cache *cache, int64_t boottime_ns, int32_t thread_id,
                   uint64_t started, char out[64])
{
    size_t slot = (uint32_t)thread_id % CLIENT_CACHE_SLOTS;
    pthread_mutex_lock(&cache->lock);
    bool known = cache->slots[slot].thread_id == thread_id && cache->slots[slot].started != 0;
    if (known && started == 0)
        known = boottime_ns - cache->slots[slot].looked_ns < CLIENT_FRESH_NS;
    else if (known)
        known = cache->slots[slot].started == started;
    if (known)
        memcpy(out, cache->slots[slot].address, 64);
    if (known && started != 0)
        cache->slots[slot].looked_ns = boottime_ns;
    pthread_mutex_unlock(&cache->lock);
    return known;
}

void client_cached(struct client_cache *cache, int64_t boottime_ns, int32_t thread_id, char out[64])
{
    size_t slot = (uint32_t)thread_id % CLIENT_CACHE_SLOTS;
    if (recall(cache, boottime_ns, thread_id, 0, out))
        return;
    uint64_t started = start_time(thread_id);
    if (started != 0 && recall(cache, boottime_ns, thread_id, started, out))
        return;
    client_address(thread_id, out);
    pthread_mutex_lock(&cache->lock);
    cache->slots[slot].thread_id = thread_id;
    cache->slots[slot].started = started;
    cache->slots[slot].looked_ns = boottime_ns;
    memcpy(cache->slots[slot].address, out, 64);
    pthread_mutex_unlock(&cache->lock);
}
