/* Short forms for tests that work on a memfs by hand. The checks are cmocka assertions. */
#ifndef SR_TESTS_LIB_MEMFS_USE_H
#define SR_TESTS_LIB_MEMFS_USE_H

#include "tests/lib/memfs.h"

/* Writes text at offset of path, making it if need be; nothing is synced. 0 or a negative errno. */
int memfs_put(struct memfs *fs, const char *path, const char *text, uint64_t offset);
/* fdatasync of path. 0 or a negative errno. */
int memfs_sync_file(struct memfs *fs, const char *path);
int memfs_sync_folder(struct memfs *fs, const char *path);
/* path holds exactly expected (under 255 bytes of text); NULL: path does not exist. */
void memfs_check_file(struct memfs *fs, const char *path, const char *expected);
/* The same, of what is found when the power goes now. */
void memfs_check_after(struct memfs *fs, enum memfs_mode mode, const char *path,
                       const char *expected);

#endif
