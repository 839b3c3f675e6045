/* What the ledger's tests share: one configuration, entries that can be told apart, whole files. */
#ifndef SR_TESTS_LEDGER_FIXTURE_H
#define SR_TESTS_LEDGER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "ledger/ledger.h"
#include "ledger/verify.h"
#include "tests/lib/memfs.h"

#define FIXTURE_ORIGIN "strongroom.local/000102030405060708090a0b0c0d0e0f"

static inline struct ledger_config fixture_config(struct sr_io *io)
{
    static const uint8_t vault_id[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct ledger_config config = {
        .io = io,
        .dir = "/ledger",
        .origin = FIXTURE_ORIGIN,
        .vault_id = vault_id,
    };

    memset(config.key_enc, 0x11, sizeof(config.key_enc));
    memset(config.key_mac, 0x22, sizeof(config.key_mac));
    memset(config.seed, 0x33, sizeof(config.seed));
    return config;
}

static inline struct note_verifier fixture_verifier(void)
{
    struct ledger_config config = fixture_config(NULL);
    uint8_t public_key[SR_ED25519_PUBLIC_LEN];
    struct note_verifier verifier;

    assert_int_equal(sr_ed25519_public(config.seed, public_key), 0);
    assert_int_equal(note_verifier_init(&verifier, config.origin, public_key), 0);
    return verifier;
}

/* Entry index: its bytes depend on index and variant alone; 20 to 60 of them. */
static inline size_t fixture_entry(uint64_t index, unsigned variant, char out[96])
{
    return (size_t)snprintf(out, 96, "{\"index\":%llu,\"pad\":\"%.*s\",\"variant\":%u}",
                            (unsigned long long)index, (int)(index * 7 % 31),
                            "0123456789012345678901234567890", variant);
}

/* Appends count entries; their indices must follow on. Returns the first error. */
static inline int fixture_append(struct ledger *ledger, uint64_t count, unsigned variant)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t expected = ledger_size(ledger);
        uint64_t index;
        char entry[96];
        size_t len = fixture_entry(expected, variant, entry);
        int status = ledger_append(ledger, entry, len, &index);

        if (status != 0)
            return status;
        assert_int_equal(index, expected);
    }
    return 0;
}

struct fixture_expect {
    uint64_t next;
    unsigned variant;
};

static inline int fixture_expect_entry(void *context, uint64_t index, const uint8_t *entry,
                                       size_t len)
{
    struct fixture_expect *expect = context;
    char text[96];

    assert_int_equal(index, expect->next++);
    assert_int_equal(len, fixture_entry(index, expect->variant, text));
    assert_memory_equal(entry, text, len);
    return 0;
}

/* Every durable entry is the fixture's; returns their number. */
static inline uint64_t fixture_check(struct ledger *ledger, unsigned variant)
{
    struct fixture_expect expect = {.variant = variant};

    assert_int_equal(ledger_each(ledger, 0, UINT64_MAX, fixture_expect_entry, &expect), 0);
    assert_int_equal(expect.next, ledger_committed(ledger));
    return expect.next;
}

/* A ledger with one group and one checkpoint for each count, closed again. */
static inline void fixture_make(struct sr_io *io, const uint64_t *counts, size_t n,
                                unsigned variant)
{
    struct ledger_config config = fixture_config(io);
    struct ledger *ledger;

    assert_int_equal(ledger_create(&config, &ledger), 0);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(fixture_append(ledger, counts[i], variant), 0);
        assert_int_equal(ledger_checkpoint(ledger, NULL), 0);
    }
    assert_int_equal(ledger_close(ledger), 0);
}

static inline uint64_t fixture_file_size(struct sr_io *io, const char *path)
{
    struct sr_stat st;

    assert_int_equal(io->stat(io, path, &st), 0);
    return st.size;
}

struct fixture_findings {
    size_t count;
    char file[128]; /* the first one's */
    char why[256];
};

static inline void fixture_bad(void *context, const char *file, const char *why)
{
    struct fixture_findings *findings = context;

    if (findings->count++ == 0) {
        snprintf(findings->file, sizeof(findings->file), "%s", file);
        snprintf(findings->why, sizeof(findings->why), "%s", why);
    }
}

/* Everything is checked; the number of findings must agree with the result. */
static inline struct fixture_findings fixture_verify_all(struct sr_io *io)
{
    struct ledger_config config = fixture_config(io);
    struct note_verifier verifier = fixture_verifier();
    struct fixture_findings findings = {0};
    uint64_t size;
    int status = ledger_verify_all(&config, &verifier, fixture_bad, &findings, &size);

    if (findings.count == 0 && status != 0)
        fail_msg("%s", sr_error_message());
    assert_int_equal(status, findings.count == 0 ? 0 : SR_ERR_DAMAGED);
    return findings;
}

#endif
