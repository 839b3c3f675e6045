/* Throw-away measurement of the content path without FUSE: 1 GiB through staging_write and
 * staging_sync, finalize, then object_read of it. Prints MB/s. Folder: argv[1] (removed by hand),
 * MiB: argv[2], writing threads: argv[3], workers: argv[4].
 *
 *   make out/lib/vault.a out/lib/base.a && gcc -std=c17 -O2 -D_GNU_SOURCE -Iappliance \
 *       -o out/bench-pipeline tests/bench/pipeline.c out/lib/vault.a out/lib/base.a \
 *       $(pkg-config --cflags --libs libcrypto jansson) -lunistring -pthread
 *   out/bench-pipeline /dev/shm/bench 1024 1 2
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/error.h"
#include "vault/object.h"
#include "vault/staging.h"
#include "vault/vault_internal.h"

#define CHUNK ((size_t)1 << 20)

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void must(int rc, const char *what)
{
    if (!rc)
        return;
    fprintf(stderr, "%s: %s\n", what, sr_error_message());
    exit(1);
}

/* Processor seconds of all threads so far: what a busy machine does not change. */
static double used(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct watch {
    double start, used;
};

static struct watch begin(void)
{
    return (struct watch){now(), used()};
}

static void report(const char *what, struct watch since, uint64_t bytes)
{
    double seconds = now() - since.start;

    printf("%-16s %7.3f s %7.0f MB/s, processor time %6.3f s\n", what, seconds,
           (double)bytes / seconds / 1e6, used() - since.used);
}

struct share { /* one writing thread's part: every nth chunk */
    struct staging *staging;
    const uint8_t *data;
    uint64_t chunks;
    unsigned first, step;
};

static void *write_share(void *argument)
{
    const struct share *share = argument;

    for (uint64_t i = share->first; i < share->chunks; i += share->step)
        must(staging_write(share->staging, i * CHUNK, share->data, CHUNK), "write");
    return NULL;
}

static void write_all(struct staging *staging, const uint8_t *data, uint64_t chunks,
                      unsigned threads)
{
    pthread_t ids[16];
    struct share shares[16];

    for (unsigned i = 0; i < threads; i++) {
        shares[i] = (struct share){staging, data, chunks, i, threads};
        pthread_create(&ids[i], NULL, write_share, &shares[i]);
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "/dev/shm/bench-pipeline";
    uint64_t chunks = argc > 2 ? strtoull(argv[2], NULL, 10) : 1024;
    unsigned threads = argc > 3 ? (unsigned)atoi(argv[3]) : 1;
    unsigned workers = argc > 4 ? (unsigned)atoi(argv[4]) : 0;
    struct staging_seal seal;
    struct object_expectation expected = {0};
    struct vault *vault;
    struct staging *staging;
    struct object *object;
    uint8_t *data = malloc(CHUNK);
    char id[2 * VAULT_OBJECT_ID_LEN + 1], name[4096];
    uint64_t queued, peak;
    struct watch start;
    size_t got;

    must(vault_create_with_cost(sr_io_posix(), path, "bench bench", "", 10, &vault), "create");
    vault_close(vault);
    must(vault_open(sr_io_posix(), path, "bench bench", workers, &vault), "open");
    memset(data, 0x5a, CHUNK);
    for (int round = 0; round < 4; round++) {
        must(staging_create(vault, &staging), "staging_create");
        start = begin();
        write_all(staging, data, chunks, threads);
        report("write", start, chunks * CHUNK);
        must(staging_sync(staging), "sync");
        report("write and sync", start, chunks * CHUNK);
        start = begin();
        must(staging_finalize(staging, &seal), "finalize");
        report("finalize", start, chunks * CHUNK);
        must(staging_link(staging), "link");
        must(staging_sync_links(vault, &staging, 1), "sync_links");
        staging_id(staging, &expected.id, &expected.key_id);
        must(staging_unlink(staging), "unlink");
        must(staging_close(staging), "close");
        expected.size = seal.size;
        memcpy(expected.tag_root, seal.tag_root, sizeof(seal.tag_root));
        memcpy(expected.header_sha256, seal.header_sha256, sizeof(seal.header_sha256));
        memcpy(expected.sha256, seal.sha256, sizeof(seal.sha256));
        must(object_open(vault, &expected, &object), "object_open");
        for (size_t step = 128 << 10; step <= CHUNK; step *= 8) {
            start = begin();
            for (uint64_t at = 0; at < seal.size; at += got)
                must(object_read(object, at, data, step, &got), "read");
            report(step == CHUNK ? "read, 1 MiB" : "read, 128 KiB", start, seal.size);
        }
        object_close(object);
        start = begin();
        must(object_verify(vault, &expected, NULL, NULL), "verify");
        report("verify", start, seal.size);
        /* So that the next round gets pages that the machine has already. */
        vault_object_id_text(&expected.id, id);
        snprintf(name, sizeof(name), "%s/objects/%.2s/%s", path, id, id);
        remove(name);
    }
    vault_queue_stats(vault, &queued, &peak);
    printf("peak %llu MiB\n", (unsigned long long)(peak >> 20));
    vault_close(vault);
    free(data);
    return 0;
}
