/* Unsealed files against a plain array of bytes: random writes, truncates, reads, syncs, reopens, by
 * several threads, under a small budget; then the seal, and the sealed object against the array. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "tests/lib/vault_rig.h"
#include "vault/ranges.h"

#define SPAN ((size_t)40 * 65536 + 777)
#define MIB ((size_t)1 << 20)

/* Threads cannot use cmocka's asserts: what fails ends the program with a sentence. */
#define MUST(condition)                                                         \
    do {                                                                        \
        if (!(condition)) {                                                     \
            fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, \
                    sr_error_message());                                        \
            abort();                                                            \
        }                                                                       \
    } while (0)

struct model {
    struct vault *vault;
    struct staging *staging;
    uint64_t seed;
    unsigned steps;
    uint8_t *bytes; /* SPAN */
    uint8_t *work;  /* SPAN */
    size_t size;
    struct ranges written;
};

static size_t pick(struct model *model, size_t below)
{
    return below ? (size_t)(rig_random(&model->seed) % below) : 0;
}

/* Sizes and places as programs choose them: small, whole segments, appends, anything. */
static void random_write(struct model *model)
{
    static const size_t sizes[] = {1, 100, 4096, 30000, 65536, 131072, 700000};
    size_t offset, len = sizes[pick(model, 7)];

    switch (pick(model, 4)) {
    case 0:
        offset = model->size;
        break;
    case 1:
        offset = pick(model, SPAN / 65536) * 65536;
        break;
    default:
        offset = pick(model, SPAN);
    }
    if (pick(model, 3) == 0)
        len = 1 + pick(model, len);
    if (offset >= SPAN)
        return;
    if (len > SPAN - offset)
        len = SPAN - offset;
    for (size_t i = 0; i < len; i++)
        model->bytes[offset + i] = (uint8_t)rig_random(&model->seed);
    MUST(staging_write(model->staging, offset, model->bytes + offset, len) == 0);
    MUST(ranges_add(&model->written, offset, offset + len) == 0);
    if (offset + len > model->size)
        model->size = offset + len;
}

static void random_truncate(struct model *model)
{
    size_t size = pick(model, 3) ? pick(model, SPAN) : pick(model, 3) * 65536;

    if (pick(model, 6) == 0)
        size = 0;
    MUST(staging_truncate(model->staging, size) == 0);
    memset(model->bytes + size, 0, SPAN - size);
    ranges_cut(&model->written, size);
    model->size = size;
}

static void random_read(struct model *model)
{
    size_t offset = pick(model, SPAN), len = 1 + pick(model, 300000);
    size_t expected = offset < model->size ? model->size - offset : 0;
    size_t got;

    if (len > SPAN - offset)
        len = SPAN - offset;
    if (expected > len)
        expected = len;
    MUST(staging_read(model->staging, offset, model->work, len, &got) == 0);
    MUST(got == expected);
    MUST(!memcmp(model->work, model->bytes + offset, got));
}

static void check_whole(struct model *model)
{
    struct staging_range *holes, *expected;
    size_t got, count, expected_count;

    MUST(staging_size(model->staging) == model->size);
    MUST(staging_read(model->staging, 0, model->work, SPAN, &got) == 0);
    MUST(got == model->size);
    MUST(!memcmp(model->work, model->bytes, got));
    MUST(staging_holes(model->staging, &holes, &count) == 0);
    MUST(ranges_holes(&model->written, model->size, &expected, &expected_count) == 0);
    MUST(count == expected_count);
    MUST(!count || !memcmp(holes, expected, count * sizeof(*holes)));
    free(holes);
    free(expected);
}

static void reopen(struct model *model)
{
    struct vault_object_id id;
    uint64_t key_id;

    MUST(staging_sync(model->staging) == 0);
    staging_id(model->staging, &id, &key_id);
    MUST(staging_close(model->staging) == 0);
    MUST(staging_open(model->vault, &id, &model->staging) == 0);
    check_whole(model);
}

static void check_sealed(struct model *model)
{
    struct object_expectation expected;
    struct staging_seal seal;
    struct staging_range *holes;
    struct object *object;
    uint8_t digest[SR_SHA256_LEN];
    size_t count, got;

    MUST(rig_seal(model->vault, model->staging, &expected, &seal) == 0);
    MUST(seal.size == model->size);
    MUST(sr_sha256(model->bytes, model->size, digest) == 0);
    MUST(!memcmp(digest, seal.sha256, sizeof(digest)));
    MUST(ranges_holes(&model->written, model->size, &holes, &count) == 0);
    MUST(count == seal.hole_count);
    MUST(!count || !memcmp(holes, seal.holes, count * sizeof(*holes)));
    free(holes);
    free(seal.holes);
    MUST(object_open(model->vault, &expected, &object) == 0);
    MUST(object_read(object, 0, model->work, SPAN, &got) == 0);
    MUST(got == model->size && !memcmp(model->work, model->bytes, got));
    for (int i = 0; i < 40; i++) {
        size_t offset = pick(model, SPAN), len = 1 + pick(model, 200000);
        size_t rest = offset < model->size ? model->size - offset : 0;

        if (len > SPAN - offset)
            len = SPAN - offset;
        MUST(object_read(object, offset, model->work, len, &got) == 0);
        MUST(got == (len < rest ? len : rest));
        MUST(!memcmp(model->work, model->bytes + offset, got));
    }
    object_close(object);
    MUST(object_verify(model->vault, &expected, NULL, NULL) == 0);
}

static void *run_model(void *argument)
{
    struct model *model = argument;

    model->bytes = calloc(1, SPAN);
    model->work = malloc(SPAN);
    MUST(model->bytes && model->work);
    MUST(staging_create(model->vault, &model->staging) == 0);
    for (unsigned step = 0; step < model->steps; step++) {
        size_t what = pick(model, 100);

        if (what < 60)
            random_write(model);
        else if (what < 85)
            random_read(model);
        else if (what < 92)
            MUST(staging_sync(model->staging) == 0);
        else if (what < 96)
            random_truncate(model);
        else if (what < 98)
            reopen(model);
        else
            check_whole(model);
    }
    check_whole(model);
    check_sealed(model);
    ranges_free(&model->written);
    free(model->bytes);
    free(model->work);
    return NULL;
}

static void run_models(uint64_t seed, unsigned threads, unsigned steps, size_t budget)
{
    struct memfs *fs = rig_prepare(seed);
    struct vault *vault = rig_open(fs, 2, budget);
    struct model models[16] = {0};
    pthread_t ids[16];
    uint64_t queued, peak;

    assert_non_null(vault);
    memfs_set_ragged(fs, true);
    for (unsigned i = 0; i < threads; i++) {
        models[i] = (struct model){.vault = vault, .seed = seed * 100 + i + 1, .steps = steps};
        assert_int_equal(pthread_create(&ids[i], NULL, run_model, &models[i]), 0);
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    vault_queue_stats(vault, &queued, &peak);
    assert_int_equal(queued, 0);
    assert_true(peak > 0 && peak <= (budget ? budget : VAULT_BUDGET_BYTES));
    vault_close(vault);
    memfs_free(fs);
}

static void test_model_alone(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++)
        run_models(seed, 1, 400, 0);
}

static void test_model_pressure(void **state)
{
    (void)state;
    run_models(11, 4, 250, 4 * MIB);
}

static void test_budget_of_sixteen_files(void **state)
{
    (void)state;
    run_models(21, 16, 40, 6 * MIB);
}

/* Many threads write one file out of order, overlapping segments. */
struct share {
    struct staging *staging;
    const uint8_t *bytes;
    size_t size;
    unsigned first, step;
};

static void *write_share(void *argument)
{
    const struct share *share = argument;
    const size_t len = 100000;

    for (size_t i = share->first; i * len < share->size; i += share->step) {
        size_t take = share->size - i * len < len ? share->size - i * len : len;

        MUST(staging_write(share->staging, i * len, share->bytes + i * len, take) == 0);
    }
    return NULL;
}

static void test_threads_on_one_file(void **state)
{
    struct memfs *fs = rig_prepare(31);
    struct vault *vault = rig_open(fs, 3, 8 * MIB);
    struct staging *staging;
    struct staging_seal seal;
    struct object_expectation expected;
    struct share shares[6];
    pthread_t ids[6];
    uint8_t digest[SR_SHA256_LEN];
    size_t size = 40 * MIB + 12345;
    uint8_t *bytes = malloc(size);
    uint64_t seed = 5;

    (void)state;
    assert_non_null(vault);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)rig_random(&seed);
    assert_int_equal(staging_create(vault, &staging), 0);
    for (unsigned i = 0; i < 6; i++) {
        shares[i] = (struct share){staging, bytes, size, i, 6};
        assert_int_equal(pthread_create(&ids[i], NULL, write_share, &shares[i]), 0);
    }
    for (unsigned i = 0; i < 6; i++)
        pthread_join(ids[i], NULL);
    assert_int_equal(rig_seal(vault, staging, &expected, &seal), 0);
    assert_int_equal(seal.size, size);
    assert_int_equal(seal.hole_count, 0);
    assert_int_equal(sr_sha256(bytes, size, digest), 0);
    assert_memory_equal(digest, seal.sha256, sizeof(digest));
    assert_int_equal(object_verify(vault, &expected, NULL, NULL), 0);
    free(bytes);
    vault_close(vault);
    memfs_free(fs);
}

static void test_edges(void **state)
{
    struct memfs *fs = rig_prepare(41);
    struct vault *vault = rig_open(fs, 1, 0);
    struct vault_object_id id, other = {{1, 2, 3}};
    struct staging *staging, *again;
    struct staging_seal seal;
    uint64_t key_id;
    uint8_t byte = 7;
    size_t got;

    (void)state;
    assert_non_null(vault);
    assert_int_equal(staging_open(vault, &other, &again), SR_ERR_NOT_FOUND);
    assert_null(again);
    assert_int_equal(staging_create(vault, &staging), 0);
    staging_id(staging, &id, &key_id);
    assert_int_equal(staging_write(staging, VAULT_MAX_SIZE, &byte, 1), SR_ERR_TOO_LARGE);
    assert_int_equal(staging_write(staging, UINT64_MAX, &byte, 1), SR_ERR_TOO_LARGE);
    assert_int_equal(staging_truncate(staging, VAULT_MAX_SIZE + 1), SR_ERR_TOO_LARGE);
    assert_int_equal(staging_write(staging, 0, &byte, 0), 0);
    assert_int_equal(staging_size(staging), 0);
    assert_int_equal(staging_read(staging, UINT64_MAX, &byte, 1, &got), 0);
    assert_int_equal(got, 0);
    assert_int_equal(staging_link(staging), SR_ERR_INVALID); /* not finalized */
    /* A sparse giant costs no memory to speak of, and reads as zeros. */
    assert_int_equal(staging_truncate(staging, VAULT_MAX_SIZE), 0);
    assert_int_equal(staging_read(staging, VAULT_MAX_SIZE - 1, &byte, 1, &got), 0);
    assert_int_equal(got, 1);
    assert_int_equal(byte, 0);
    assert_int_equal(staging_truncate(staging, 0), 0);
    assert_int_equal(staging_finalize(staging, &seal), 0);
    assert_int_equal(staging_write(staging, 0, &byte, 1), SR_ERR_SEALED);
    assert_int_equal(staging_truncate(staging, 5), SR_ERR_SEALED);
    assert_int_equal(staging_discard(staging), 0);
    assert_int_equal(staging_write(staging, 0, &byte, 1), SR_ERR_SEALED);
    assert_int_equal(staging_close(staging), 0);
    assert_int_equal(staging_open(vault, &id, &again), SR_ERR_NOT_FOUND);
    assert_int_equal(staging_close(NULL), 0);
    vault_close(vault);
    memfs_free(fs);
}

static void test_too_many_ranges(void **state)
{
    struct memfs *fs = rig_prepare(51);
    struct vault *vault = rig_open(fs, 2, 0);
    struct staging *staging;
    struct staging_range *holes;
    uint8_t byte = 9;
    size_t count;

    (void)state;
    assert_non_null(vault);
    assert_int_equal(staging_create(vault, &staging), 0);
    for (uint64_t i = 0; i < 16384; i++)
        assert_int_equal(staging_write(staging, i * 16, &byte, 1), 0);
    assert_int_equal(staging_write(staging, 16384 * 16, &byte, 1), SR_ERR_TOO_LARGE);
    assert_string_not_equal(sr_error_message(), "");
    assert_int_equal(staging_write(staging, 1, &byte, 1), 0); /* merges */
    assert_int_equal(staging_sync(staging), 0);
    assert_int_equal(staging_holes(staging, &holes, &count), 0);
    assert_int_equal(count, 16383);
    free(holes);
    assert_int_equal(staging_close(staging), 0);
    vault_close(vault);
    memfs_free(fs);
}

struct seen {
    struct vault_object_id ids[8];
    uint64_t bytes[8];
    size_t count;
};

static int note_seen(void *context, const struct vault_object_id *id, uint64_t content_bytes)
{
    struct seen *seen = context;

    assert_true(seen->count < 8);
    seen->ids[seen->count] = *id;
    seen->bytes[seen->count++] = content_bytes;
    return 0;
}

static int stop_at_once(void *context, const struct vault_object_id *id, uint64_t content_bytes)
{
    (void)context, (void)id, (void)content_bytes;
    return 77;
}

static void test_list_and_remove(void **state)
{
    struct memfs *fs = rig_prepare(61);
    struct vault *vault = rig_open(fs, 1, 0);
    struct seen seen = {0};
    struct staging *staging;
    struct vault_object_id id;
    uint64_t key_id;
    uint8_t data[70000] = {1};

    (void)state;
    assert_non_null(vault);
    assert_int_equal(staging_list(vault, note_seen, &seen), 0);
    assert_int_equal(seen.count, 0);
    assert_int_equal(staging_create(vault, &staging), 0);
    assert_int_equal(staging_write(staging, 0, data, sizeof(data)), 0);
    assert_int_equal(staging_sync(staging), 0);
    staging_id(staging, &id, &key_id);
    assert_int_equal(staging_close(staging), 0);
    assert_int_equal(staging_list(vault, note_seen, &seen), 0);
    assert_int_equal(seen.count, 1);
    assert_memory_equal(&seen.ids[0], &id, sizeof(id));
    assert_int_equal(seen.bytes[0], 131072);
    assert_int_equal(staging_list(vault, stop_at_once, NULL), 77);
    /* A redo whose file is gone is still listed, so that it gets removed. */
    assert_int_equal(memfs_io(fs)->unlink(memfs_io(fs), rig_staging_path(&id)), 0);
    seen.count = 0;
    assert_int_equal(staging_list(vault, note_seen, &seen), 0);
    assert_int_equal(seen.count, 1);
    assert_int_equal(staging_remove(vault, &id), 0);
    assert_int_equal(staging_remove(vault, &id), 0);
    seen.count = 0;
    assert_int_equal(staging_list(vault, note_seen, &seen), 0);
    assert_int_equal(seen.count, 0);
    vault_close(vault);
    memfs_free(fs);
}

/* Finalize twice, link twice, and again after a restart: same seal, not one byte changed. */
static void test_finalize_is_repeatable(void **state)
{
    struct memfs *fs = rig_prepare(71);
    struct vault *vault = rig_open(fs, 2, 0);
    struct staging *staging;
    struct staging_seal first, second;
    struct object_expectation expected;
    struct sr_io *io = memfs_io(fs);
    uint8_t *before, *after, data[200000];
    size_t before_len, after_len, got;

    (void)state;
    assert_non_null(vault);
    memset(data, 0xa5, sizeof(data));
    assert_int_equal(staging_create(vault, &staging), 0);
    assert_int_equal(staging_write(staging, 65536 * 3 + 5, data, sizeof(data)), 0);
    assert_int_equal(staging_sync(staging), 0);
    assert_int_equal(staging_write(staging, 65536 * 3 + 100, data, 10), 0);
    assert_int_equal(staging_finalize(staging, &first), 0);
    free(first.holes);
    assert_int_equal(first.hole_count, 1);
    assert_int_equal(staging_finalize(staging, &second), 0);
    free(second.holes);
    first.holes = second.holes = NULL;
    assert_memory_equal(&first, &second, sizeof(first));
    assert_int_equal(staging_link(staging), 0);
    assert_int_equal(staging_link(staging), 0);
    expected = rig_expect(staging, &first);
    assert_int_equal(staging_close(staging), 0);
    assert_int_equal(
        sr_io_read_file(io, rig_object_path(&expected.id), 1 << 20, &before, &before_len), 0);

    assert_int_equal(staging_open(vault, &expected.id, &staging), 0);
    assert_int_equal(staging_write(staging, 0, data, 1), SR_ERR_SEALED);
    assert_int_equal(staging_read(staging, 65536 * 3 + 5, data, sizeof(data), &got), 0);
    assert_int_equal(got, sizeof(data));
    for (size_t i = 0; i < sizeof(data); i++)
        assert_int_equal(data[i], 0xa5);
    assert_int_equal(staging_finalize(staging, &second), 0);
    free(second.holes);
    second.holes = NULL;
    assert_memory_equal(&first, &second, sizeof(first));
    assert_int_equal(
        sr_io_read_file(io, rig_object_path(&expected.id), 1 << 20, &after, &after_len), 0);
    assert_int_equal(before_len, after_len);
    assert_memory_equal(before, after, after_len);
    assert_int_equal(staging_link(staging), 0);
    free(before);
    free(after);

    /* Another file of that name is never replaced. */
    assert_int_equal(memfs_io(fs)->unlink(io, rig_object_path(&expected.id)), 0);
    assert_int_equal(sr_io_create_file(io, rig_object_path(&expected.id), "other", 5, 0600), 0);
    assert_int_equal(staging_link(staging), SR_ERR_EXISTS);
    assert_int_equal(staging_close(staging), 0);
    vault_close(vault);
    memfs_free(fs);
}

/* Bytes cut off never come back, whatever lies between. */
static void test_cut_bytes_stay_gone(void **state)
{
    struct memfs *fs = rig_prepare(81);
    struct vault *vault = rig_open(fs, 2, 0);
    struct staging *staging;
    struct staging_seal seal;
    struct object_expectation expected;
    struct object *object;
    struct vault_object_id id;
    uint64_t key_id;
    uint8_t data[150000], work[150000];
    size_t got;

    (void)state;
    assert_non_null(vault);
    memset(data, 0x77, sizeof(data));
    assert_int_equal(staging_create(vault, &staging), 0);
    staging_id(staging, &id, &key_id);
    assert_int_equal(staging_write(staging, 0, data, sizeof(data)), 0);
    assert_int_equal(staging_sync(staging), 0);
    assert_int_equal(staging_truncate(staging, 1000), 0);
    assert_int_equal(staging_truncate(staging, sizeof(data)), 0);
    assert_int_equal(staging_sync(staging), 0);
    assert_int_equal(staging_close(staging), 0);
    assert_int_equal(staging_open(vault, &id, &staging), 0);
    memset(data + 1000, 0, sizeof(data) - 1000);
    /* Completing a segment from the file must not bring them back either. */
    assert_int_equal(staging_write(staging, 5000, "xyz", 3), 0);
    memcpy(data + 5000, "xyz", 3);
    assert_int_equal(staging_sync(staging), 0);
    assert_int_equal(staging_read(staging, 0, work, sizeof(work), &got), 0);
    assert_int_equal(got, sizeof(work));
    assert_memory_equal(work, data, sizeof(work));
    assert_int_equal(rig_seal(vault, staging, &expected, &seal), 0);
    assert_int_equal(seal.hole_count, 2);
    assert_int_equal(seal.holes[0].start, 1000);
    assert_int_equal(seal.holes[1].start, 5003);
    free(seal.holes);
    assert_int_equal(object_open(vault, &expected, &object), 0);
    assert_int_equal(object_read(object, 0, work, sizeof(work), &got), 0);
    assert_memory_equal(work, data, sizeof(work));
    object_close(object);
    assert_int_equal(object_verify(vault, &expected, NULL, NULL), 0);
    vault_close(vault);
    memfs_free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_list_and_remove),
        cmocka_unit_test(test_finalize_is_repeatable),
        cmocka_unit_test(test_cut_bytes_stay_gone),
        cmocka_unit_test(test_too_many_ranges),
        cmocka_unit_test(test_model_alone),
        cmocka_unit_test(test_model_pressure),
        cmocka_unit_test(test_budget_of_sixteen_files),
        cmocka_unit_test(test_threads_on_one_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
