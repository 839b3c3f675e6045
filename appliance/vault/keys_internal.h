/* What the keys_*.c files share. Parsers and builders are free of I/O but for the random source, so
 * that unit, bit-flip and fuzz tests come in the same way as keys_open does.
 *
 * Where a function has `why`, it stores no sentence for SR_ERR_DAMAGED, SR_ERR_NEWER_FORMAT and
 * SR_ERR_PASSPHRASE but points *why to a constant phrase; the caller knows the file and makes the
 * sentence with keys_bad(). */
#ifndef SR_VAULT_KEYS_INTERNAL_H
#define SR_VAULT_KEYS_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/io.h"
#include "vault/keys.h"

#define KEYS_MAGIC_LEN 8 /* seven letters, the last byte is the version */
#define KEYS_FORMAT_VERSION 1
#define KEYS_SLOT_FILE_LEN 340u
#define KEYS_PAGE_FILE_LEN 10568u
#define KEYS_TURNOVER_FILE_LEN 68u
#define KEYS_SALT_LEN 32
#define KEYS_SLOT_NAME_LEN (2 * KEYS_SLOT_ID_LEN)
#define KEYS_PAGE_NAME_LEN 8
#define KEYS_FILE_LIMIT 65536u /* no file under keys/ is longer, in any version so far */

#define KEYS_PASSPHRASE_MIN 8
#define KEYS_DEFAULT_LOG2N 16 /* scrypt N = 2^16, r = 8, p = 1: 64 MiB, about a quarter second */
#define KEYS_MIN_LOG2N 10
#define KEYS_MAX_LOG2N 20
#define KEYS_MAX_R 16
#define KEYS_MAX_P 4
#define KEYS_SCRYPT_MAX_BYTES (UINT64_C(1) << 30) /* 128 * N * r of a slot that we will try */

/* A slot file's content; everything but label and created_ns is in clear or wrapped, nothing is
 * secret here. */
struct keys_slot {
    uint32_t log2n;
    uint32_t r;
    uint32_t p;
    uint8_t salt[KEYS_SALT_LEN];
    int64_t created_ns;
    uint8_t id[KEYS_SLOT_ID_LEN];
    uint8_t vault_id[KEYS_VAULT_ID_LEN];
    uint32_t root_generation;
    char label[KEYS_LABEL_MAX + 1];
    uint8_t slot_key_by_passphrase[SR_KWP_LEN];
    uint8_t root_by_slot_key[SR_KWP_LEN];
    uint8_t slot_key_by_root[SR_KWP_LEN];
    uint8_t mac[SR_SHA256_LEN];
};

/* keys_slot.c */
int keys_check_passphrase(const char *passphrase);
int keys_slot_new(struct sr_io *io, const char *passphrase, const char *label, uint32_t log2n,
                  const uint8_t vault_id[KEYS_VAULT_ID_LEN], const uint8_t root[SR_KEY_LEN],
                  uint32_t root_generation, struct keys_slot *out);
int keys_slot_serialize(const struct keys_slot *slot, uint8_t out[KEYS_SLOT_FILE_LEN]);
int keys_slot_parse(const uint8_t *data, size_t len, struct keys_slot *out, const char **why);
/* root is filled; SR_ERR_PASSPHRASE if the slot key does not unwrap. The MAC is checked too. */
int keys_slot_unlock(const struct keys_slot *slot, const char *passphrase, uint8_t root[SR_KEY_LEN],
                     const char **why);
/* The part of keys_slot_unlock after scrypt. */
int keys_slot_unlock_kek(const struct keys_slot *slot, const uint8_t kek[SR_KEY_LEN],
                         uint8_t root[SR_KEY_LEN], const char **why);
/* Whole check with the root at hand: generation, MAC, and root and slot key open each other. */
int keys_slot_check(const struct keys_slot *slot, const uint8_t root[SR_KEY_LEN],
                    uint32_t root_generation, const char **why);
/* The same slot for another root: same passphrase, same slot key. */
int keys_slot_rewrap(struct keys_slot *slot, const uint8_t old_root[SR_KEY_LEN],
                     const uint8_t new_root[SR_KEY_LEN], uint32_t new_generation, const char **why);

struct keys_page {
    uint32_t number;
    uint32_t generation;
    uint32_t root_generation;
    size_t live;
    int code;        /* 0, or why nothing of it can be used */
    const char *why; /* constant */
    uint8_t *image;  /* the file, KEYS_PAGE_FILE_LEN bytes of secret memory; NULL if code */
    uint8_t sha256[SR_SHA256_LEN]; /* of the file, zeros if it could not be read */
};

/* keys_page.c: images are KEYS_PAGE_FILE_LEN bytes. */
int keys_page_parse(const uint8_t *data, size_t len, struct keys_page *out, const char **why);
/* number: from the file's name. The MAC and that the page is of this vault, place and root. */
int keys_page_check(const uint8_t *image, uint32_t number,
                    const uint8_t vault_id[KEYS_VAULT_ID_LEN], const uint8_t root[SR_KEY_LEN],
                    const char **why);
int keys_page_new(struct sr_io *io, uint32_t number, size_t live,
                  const uint8_t vault_id[KEYS_VAULT_ID_LEN], const uint8_t root[SR_KEY_LEN],
                  uint32_t root_generation, uint8_t *image);
int keys_page_rewrap(const uint8_t *old_image, const uint8_t old_root[SR_KEY_LEN],
                     const uint8_t new_root[SR_KEY_LEN], uint32_t new_generation, uint8_t *image,
                     const char **why);
bool keys_page_is_live(const uint8_t *image, size_t index);
int keys_page_unwrap(const uint8_t *image, size_t index, const uint8_t root[SR_KEY_LEN],
                     uint8_t key[SR_KEY_LEN]);
/* Recomputes the MAC of an image (tests build altered pages with it). */
int keys_page_seal(uint8_t *image, const uint8_t root[SR_KEY_LEN]);

struct keys_turnover {
    uint8_t vault_id[KEYS_VAULT_ID_LEN];
    uint32_t root_generation; /* the new one */
    uint8_t removed[KEYS_SLOT_ID_LEN];
};

/* keys_files.c: names, folders, reading. DIR is the keys folder. */
#define KEYS_SLOTS "slots"
#define KEYS_PAGES "pages"
#define KEYS_TURNOVER "turnover"
#define KEYS_NEXT ".next"

/* "key slot slots/ID: why", under the name of what is bad. Returns code. */
int keys_bad(int code, const char *folder, const char *name, const char *why);
void keys_slot_name(const uint8_t id[KEYS_SLOT_ID_LEN], char out[KEYS_SLOT_NAME_LEN + 1]);
void keys_page_name(uint32_t number, char out[KEYS_PAGE_NAME_LEN + 1]);

struct keys_slot_file {
    char name[KEYS_SLOT_NAME_LEN + 1];
    struct keys_slot slot;
    uint8_t sha256[SR_SHA256_LEN];
    int code; /* 0, or why slot is not filled */
    const char *why;
};
/* Every file of slots/ whose name is that of a slot, by name. */
int keys_load_slots(struct sr_io *io, const char *dir, const uint8_t vault_id[KEYS_VAULT_ID_LEN],
                    struct keys_slot_file **slots, size_t *count);
/* Reads and checks one page file; what is wrong with the file goes to page->code, the return value
 * is for everything else. page->image: sr_secret_free. */
int keys_load_page(struct sr_io *io, const char *dir, uint32_t number,
                   const uint8_t vault_id[KEYS_VAULT_ID_LEN], const uint8_t root[SR_KEY_LEN],
                   struct keys_page *page);
/* The numbers of all page files, ascending. */
int keys_list_page_files(struct sr_io *io, const char *dir, uint32_t **numbers, size_t *count);
/* folder: NULL for DIR itself. */
int keys_sync_folder(struct sr_io *io, const char *dir, const char *folder);
/* Deletes what an interrupted change left: *.next and *.tmp. */
int keys_clean(struct sr_io *io, const char *dir);
int keys_turnover_serialize(const struct keys_turnover *turnover,
                            uint8_t out[KEYS_TURNOVER_FILE_LEN]);
/* If the marker is there: removes the removed slot, renames every .next over its file, removes the
 * marker. Repeatable. */
int keys_finish_turnover(struct sr_io *io, const char *dir,
                         const uint8_t vault_id[KEYS_VAULT_ID_LEN]);

/* Two locks, change before lock. change is held through the slow I/O of extend, add, remove and
 * verify; lock guards memory and is never held over I/O, so reads of keys do not wait for fsyncs.
 *
 * 1. root and pages are written with both held; each of them is enough to read them.
 * 2. pages are sorted by number, each number once; page 0 is there and good.
 * 3. Every page with code 0 has a valid MAC under root and names root_generation.
 * 4. Under change: while leftover is set, or turning, no further change starts (settle). */
struct keys {
    struct sr_io *io; /* borrowed */
    char *dir;
    uint8_t vault_id[KEYS_VAULT_ID_LEN];
    uint8_t opened_by[KEYS_SLOT_ID_LEN];
    pthread_mutex_t change;
    pthread_mutex_t lock;
    char *leftover; /* a file that a failed change may have left: it must go before the next one */
    const char *leftover_folder; /* its folder: KEYS_SLOTS, KEYS_PAGES or NULL for DIR */
    bool turning;                /* a turn-over is committed but its files are not all in place */
    uint8_t *root;               /* secret memory, SR_KEY_LEN */
    uint32_t root_generation;
    struct keys_page *pages;
    size_t page_count;
    size_t page_capacity;
    uint64_t highest; /* the highest key id taken or marked; 0 before the first */
};

/* keys.c */
int keys_create_with_cost(struct sr_io *io, const char *dir,
                          const uint8_t vault_id[KEYS_VAULT_ID_LEN], const char *passphrase,
                          const char *label, uint32_t log2n, struct keys **out);
/* With both locks held: room for one more page, so that the append after the I/O cannot fail. */
int keys_reserve_page(struct keys *keys);
/* With both locks held: takes page->image over. page->number is the highest. */
void keys_append_page(struct keys *keys, const struct keys_page *page);

/* keys_check.c. change is held: all slot files, with keys_slot_check applied. free() also after a
 * failure. */
int keys_load_checked_slots(struct keys *keys, struct keys_slot_file **slots, size_t *count);

/* keys_change.c. The functions that lock nothing themselves want change held. */
int keys_add_slot_with_cost(struct keys *keys, const char *passphrase, const char *label,
                            uint32_t log2n, struct keys_slot_info *info);
/* Finishes or undoes what an earlier failure left; nothing may be changed before it returns 0. */
int keys_settle(struct keys *keys);
/* sr_io_create_file of DIR/folder/name (folder NULL: DIR/name). If it fails its traces are removed,
 * at once or, if that fails too, by the next keys_settle. */
int keys_create_file(struct keys *keys, const char *folder, const char *name, const void *data,
                     size_t len);
/* Page number with that many random keys, on disk and in memory. */
int keys_write_page(struct keys *keys, uint32_t number, size_t live);
void keys_fill_slot_info(const struct keys_slot *slot, const uint8_t sha256[SR_SHA256_LEN],
                         struct keys_slot_info *info);

#endif
