/* Unsealed files against a plain array of bytes: random writes, truncates, reads, syncs, reopens,
 * by several threads, under a small budget; then the seal, and the sealed object against the
 * array. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_alone),
        cmocka_unit_test(test_model_pressure),
        cmocka_unit_test(test_budget_of_sixteen_files),
        cmocka_unit_test(test_threads_on_one_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
