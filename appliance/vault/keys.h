/* Key slots and key pages (docs/format.md, "Keys").
 *
 * passphrase --scrypt--> wraps slot key --wraps--> root --wraps--> pages of random keys.
 * The slot key is also kept wrapped under the root, so that the root turns over without anyone's
 * passphrase. Page 0 holds the named keys, pages 1.. hold 256 record keys each.
 *
 * A key id is page << 16 | index. Nothing here is derived from the root but the MAC keys of the
 * pages. All functions thread-safe after keys_open. */
#ifndef SR_VAULT_KEYS_H
#define SR_VAULT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/io.h"

#define KEYS_VAULT_ID_LEN 16
#define KEYS_PER_PAGE 256
#define KEYS_SLOT_ID_LEN 8
#define KEYS_LABEL_MAX 64

enum keys_named {
    KEYS_LEDGER_ENC,
    KEYS_LEDGER_MAC,
    KEYS_SIGNING,
    KEYS_CATALOG,
    KEYS_EXPORT,
    KEYS_NAMED_COUNT
};

struct keys;

struct keys_slot_info {
    uint8_t id[KEYS_SLOT_ID_LEN];
    char label[KEYS_LABEL_MAX + 1]; /* UTF-8, chosen by the admin, stored in clear */
    int64_t created_ns;
    uint8_t file_sha256[SR_SHA256_LEN];
};

struct keys_page_info {
    uint32_t page;
    uint32_t generation; /* rewritten pages count up */
    uint8_t file_sha256[SR_SHA256_LEN];
};

/* New slots/ and pages/ folders under DIR (which must exist), one passphrase slot, page 0, page 1.
 * Passphrase: 8 bytes at least, SR_ERR_INVALID otherwise. */
int keys_create(struct sr_io *io, const char *dir, const uint8_t vault_id[KEYS_VAULT_ID_LEN],
                const char *passphrase, const char *label, struct keys **out);
/* Tries every slot. SR_ERR_PASSPHRASE: slots are intact and none opens. SR_ERR_DAMAGED: names the
 * slot or page file. SR_ERR_NEWER_FORMAT. Finishes a root turn-over that a crash interrupted. */
int keys_open(struct sr_io *io, const char *dir, const uint8_t vault_id[KEYS_VAULT_ID_LEN],
              const char *passphrase, struct keys **out);
void keys_free(struct keys *keys); /* wiped; NULL ok */

/* The slot that opened this session. */
void keys_opened_by(const struct keys *keys, uint8_t id[KEYS_SLOT_ID_LEN]);

/* key is filled; wipe it. */
int keys_get_named(struct keys *keys, enum keys_named which, uint8_t key[SR_KEY_LEN]);
/* SR_ERR_NOT_FOUND: no such page or entry destroyed. SR_ERR_DAMAGED names the page file. */
int keys_get(struct keys *keys, uint64_t key_id, uint8_t key[SR_KEY_LEN]);

/* Takes the next unused record key. SR_ERR_NOT_FOUND when all pages are used up: extend first. */
int keys_take(struct keys *keys, uint64_t *key_id, uint8_t key[SR_KEY_LEN]);
/* At start-up: every key id seen in the ledger or in staging. Keys up to the highest are not given out again. */
void keys_mark_used(struct keys *keys, uint64_t key_id);
/* Record keys that can still be taken. */
size_t keys_unused(struct keys *keys);
/* Writes and syncs one more page of random keys. */
int keys_extend(struct keys *keys, struct keys_page_info *info);

int keys_list_pages(struct keys *keys, struct keys_page_info **pages, size_t *count);
int keys_list_slots(struct keys *keys, struct keys_slot_info **slots, size_t *count);
int keys_add_slot(struct keys *keys, const char *passphrase, const char *label,
                  struct keys_slot_info *info);
/* Removes a slot and turns the root over: every page and remaining slot is rewritten, so that a copy
 * of the removed slot opens nothing. The last slot: SR_ERR_DENIED. Crash-safe (see keys.c). */
int keys_remove_slot(struct keys *keys, const uint8_t id[KEYS_SLOT_ID_LEN]);
/* Re-reads every slot and page file from disk and checks each whole; calls back once per file that
 * is bad. Returns 0 if all are good, SR_ERR_DAMAGED otherwise. */
typedef void keys_bad_fn(void *context, const char *file, const char *why);
int keys_verify(struct keys *keys, keys_bad_fn *bad, void *context);

#endif
