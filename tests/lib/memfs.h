/* An in-memory file system behind struct sr_io, for tests of what happens when calls fail and when
 * the power goes. What it promises is less than any real file system does, so that code which holds
 * here holds there:
 *
 *   - Content (with the size) is durable after fsync or fdatasync of that file, not before.
 *   - A name (create, link, rename, unlink, mkdir, rmdir) is durable after sync_dir of its folder,
 *     not before; fsync of a new file does not make its name durable, nor does sync_dir of a folder
 *     that folder's own name. fsync of a descriptor of a folder is sync_dir.
 *   - Operations on one folder become durable in order. A rename is one operation: a name is never
 *     lost from both places. Between two folders it becomes durable when either is synced, and
 *     takes along what was done before it in the other.
 *   - When fsync or fdatasync fails, the writes before it count as clean: no later sync makes them
 *     durable, and after the next successful one a cut loses them for certain. Reads still show
 *     them. Only writing them again helps.
 *   - set_immutable is durable at once; an immutable file refuses writers, link, rename, unlink.
 *
 * "/" exists; "a" and "/a" are one path; ".." is refused. Descriptors start at 1000, so that one
 * which goes to the machine's own calls is noticed. Sparse: offsets up to 2^43 and beyond cost only
 * the 4 KiB pages written. Time stands still unless moved. Everything is thread-safe except
 * memfs_free. Running out of the machine's memory aborts.
 *
 * The fault suite of a module walks n until nothing fires any more:
 *
 *     for (uint64_t n = 1;; n++) {
 *         struct memfs *fs = memfs_clone(prepared);
 *         memfs_fail_at(fs, n, EIO);
 *         int rc = act(memfs_io(fs));
 *         bool fired = memfs_fired(fs);
 *         ... rc must be an error or the act must have been done, and the state must be sound ...
 *         memfs_free(fs);
 *         if (!fired)
 *             break;
 *     }
 *
 * and the power-loss suite cuts at the n-th sync, before and after its effect, and looks at what
 * every mode leaves:
 *
 *     memfs_cut_at_sync(fs, n, after);
 *     act(memfs_io(fs));
 *     struct memfs *found = memfs_after_cut(fs, MEMFS_TORN, seed);
 *     ... open, recover, compare with what had been acknowledged before the cut ...
 */
#ifndef SR_TESTS_LIB_MEMFS_H
#define SR_TESTS_LIB_MEMFS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/io.h"

struct memfs;

/* An empty file system. seed decides random(), the length of torn writes and nothing else. The time
 * is 2026-11-22 02:00:00 UTC, boot was an hour ago, and there is 1 TiB of room. */
struct memfs *memfs_new(uint64_t seed);
/* Takes NULL. Nobody may be in a call, or use memfs_io() of it again. */
void memfs_free(struct memfs *fs);
/* The table to hand to the code under test. Owned by fs. */
struct sr_io *memfs_io(struct memfs *fs);
/* An exact copy, with what is not durable yet, but with no descriptor open, no fault armed,
 * counters at 0 and the power on. It goes on with the same random numbers as the original. */
struct memfs *memfs_clone(struct memfs *fs);

/* Faults. Counted calls: open, pread, pwrite, fsync, fdatasync, ftruncate, allocate, link, rename,
 * unlink, mkdir, rmdir, sync_dir, list, random. Not counted: close, stat, fstat, sync_range, lock,
 * set_immutable, free_space, the clocks. */

/* Sets the count to 0; the n-th counted call from now (from 1) returns -error_number, once, without
 * effect, except that a pwrite may have written a part before. n = 0 disarms. */
void memfs_fail_at(struct memfs *fs, uint64_t n, int error_number);
/* Counted calls since the last memfs_fail_at or memfs_cut_at_call, or since the beginning. */
uint64_t memfs_calls(struct memfs *fs);
/* Whether the fault armed last by memfs_fail_at has come. */
bool memfs_fired(struct memfs *fs);
/* Transfers become short at random and now and then EINTR, as the helpers must bear. */
void memfs_set_ragged(struct memfs *fs, bool on);

/* Power. When it is off, every call but the clocks returns -EIO, and close too. */

/* The power goes at the n-th successful fsync, fdatasync or sync_dir from now (from 1). That
 * call returns -EIO as nobody is left to see its answer; it has its effect only if after. n = 0
 * disarms. */
void memfs_cut_at_sync(struct memfs *fs, uint64_t n, bool after);
/* Successful syncs since the last memfs_cut_at_sync, or since the beginning. */
uint64_t memfs_syncs(struct memfs *fs);
/* Sets the count to 0; the power goes just before the n-th counted call from now. n = 0 disarms. */
void memfs_cut_at_call(struct memfs *fs, uint64_t n);
void memfs_cut_now(struct memfs *fs);
bool memfs_is_off(struct memfs *fs);

enum memfs_mode {
    MEMFS_LOST, /* nothing that is not durable was kept */
    MEMFS_KEPT, /* everything was kept */
    /* Each write since the last sync was kept, lost, or kept up to a random 512-byte boundary of
     * the file, each by itself; each folder kept a random number of its first operations. */
    MEMFS_TORN,
};
/* The file system as found after the reboot: a new one, durable throughout, power on, no
 * descriptor open, no fault armed, boot time from 0. fs is not changed, so that one cut can be
 * looked at in every mode and under many seeds. seed decides what is torn, and the random
 * numbers from now on. */
struct memfs *memfs_after_cut(struct memfs *fs, enum memfs_mode mode, uint64_t seed);

/* The surroundings. */

/* Room for this many more bytes from now on (whole 4 KiB pages of file content; names are free). A
 * write that does not fit is short, then -ENOSPC. What is unlinked or truncated becomes room. */
void memfs_set_space(struct memfs *fs, uint64_t bytes);
void memfs_set_time(struct memfs *fs, int64_t now_ns); /* the real-time clock alone */
void memfs_advance(struct memfs *fs, int64_t ns);      /* both clocks */

/* The disk in an attacker's or an accident's hands: they change what programs read and what is
 * durable, at once, whatever is open or immutable, and count as no call. Return 0 or a negative
 * errno; -EINVAL for an offset at or beyond the end. Sync first: a write that is not durable yet
 * is still to come over it. */
int memfs_corrupt(struct memfs *fs, const char *path, uint64_t offset, uint8_t xor);
int memfs_truncate(struct memfs *fs, const char *path, uint64_t size);
/* Makes to, or replaces its content. */
int memfs_copy_file(struct memfs *fs, const char *from, const char *to);

#endif
