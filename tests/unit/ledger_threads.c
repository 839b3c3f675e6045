/* Many threads append and commit at once, while others read, publish and verify. */
#include "tests/unit/ledger_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#define WRITERS 8
#define ENTRIES 200 /* of each writer */

struct shared {
    struct ledger *ledger;
    struct sr_io *io;
    atomic_int writing;
    atomic_int errors;
};

struct writer {
    struct shared *shared;
    unsigned number;
    uint64_t index[ENTRIES];
};

static void *write_entries(void *context)
{
    struct writer *writer = context;
    struct shared *shared = writer->shared;

    for (unsigned i = 0; i < ENTRIES; i++) {
        char entry[64];
        int len = snprintf(entry, sizeof(entry), "%u:%u", writer->number, i);

        if (ledger_append(shared->ledger, entry, (size_t)len, &writer->index[i]) != 0 ||
            ledger_commit(shared->ledger, writer->index[i]) != 0 ||
            ledger_committed(shared->ledger) <= writer->index[i])
            atomic_fetch_add(&shared->errors, 1);
        if (i % 16 == 0)
            ledger_kick(shared->ledger);
    }
    atomic_fetch_sub(&shared->writing, 1);
    return NULL;
}

/* Cmocka's asserts belong to the main thread: here errors are counted. */
static void *publish_and_verify(void *context)
{
    struct shared *shared = context;
    struct ledger_config config = fixture_config(shared->io);
    struct note_verifier verifier;
    uint8_t public_key[SR_ED25519_PUBLIC_LEN];

    if (sr_ed25519_public(config.seed, public_key) != 0 ||
        note_verifier_init(&verifier, config.origin, public_key) != 0)
        atomic_fetch_add(&shared->errors, 1);
    while (atomic_load(&shared->writing) > 0) {
        uint64_t committed = ledger_committed(shared->ledger);
        struct sr_buf proof = {0};
        uint64_t size;

        if (ledger_checkpoint(shared->ledger, NULL) != 0 ||
            ledger_verify_all(&config, &verifier, NULL, NULL, &size) != 0 || size < committed)
            atomic_fetch_add(&shared->errors, 1);
        if (committed > 0 && ledger_proof(shared->ledger, committed / 2, &proof) != 0)
            atomic_fetch_add(&shared->errors, 1);
        sr_buf_free(&proof);
    }
    return NULL;
}

static int count_in_order(void *context, uint64_t index, const uint8_t *entry, size_t len)
{
    (void)entry;
    return index == (*(uint64_t *)context)++ && len > 0 ? 0 : SR_ERR_DAMAGED;
}

static void *read_entries(void *context)
{
    struct shared *shared = context;

    while (atomic_load(&shared->writing) > 0) {
        uint64_t committed = ledger_committed(shared->ledger);
        uint64_t next = 0;

        if (ledger_each(shared->ledger, 0, UINT64_MAX, count_in_order, &next) != 0 ||
            next < committed)
            atomic_fetch_add(&shared->errors, 1);
    }
    return NULL;
}

struct seen {
    struct writer *writers;
    unsigned next[WRITERS];
};

/* Each writer's entries stand in its order and where it was told. */
static int check_entry(void *context, uint64_t index, const uint8_t *entry, size_t len)
{
    struct seen *seen = context;
    unsigned number;
    char text[64];
    unsigned i;

    snprintf(text, sizeof(text), "%.*s", (int)len, (const char *)entry);
    assert_int_equal(sscanf(text, "%u:%u", &number, &i), 2);
    assert_true(number < WRITERS);
    assert_int_equal(i, seen->next[number]++);
    assert_int_equal(seen->writers[number].index[i], index);
    return 0;
}

static void writers(void **state)
{
    struct memfs *fs = memfs_new(1);
    struct ledger_config config = fixture_config(memfs_io(fs));
    struct shared shared = {.io = memfs_io(fs), .writing = WRITERS};
    static struct writer writer[WRITERS];
    struct seen seen = {.writers = writer};
    struct ledger_open_report report;
    pthread_t thread[WRITERS + 2];

    (void)state;
    assert_int_equal(ledger_create(&config, &shared.ledger), 0);
    for (unsigned i = 0; i < WRITERS; i++) {
        writer[i] = (struct writer){.shared = &shared, .number = i};
        assert_int_equal(pthread_create(&thread[i], NULL, write_entries, &writer[i]), 0);
    }
    assert_int_equal(pthread_create(&thread[WRITERS], NULL, publish_and_verify, &shared), 0);
    assert_int_equal(pthread_create(&thread[WRITERS + 1], NULL, read_entries, &shared), 0);
    for (unsigned i = 0; i < WRITERS + 2; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_int_equal(shared.errors, 0);
    assert_int_equal(ledger_close(shared.ledger), 0);
    assert_int_equal(ledger_open(&config, &report, &shared.ledger), 0);
    assert_int_equal(report.size, WRITERS * ENTRIES);
    assert_int_equal(ledger_each(shared.ledger, 0, UINT64_MAX, check_entry, &seen), 0);
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(seen.next[i], ENTRIES);
    assert_int_equal(ledger_close(shared.ledger), 0);
    assert_int_equal(fixture_verify_all(memfs_io(fs)).count, 0);
    memfs_free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(writers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
