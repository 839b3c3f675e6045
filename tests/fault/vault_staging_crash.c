/* Unsealed files against an array of bytes, with the power going at random moments, calls that fail
 * and pressure from another thread. What was acknowledged is there, what was written since may be;
 * then the seal, interrupted the same way.
 *
 * A write's bytes all have its generation as value, which rises; a byte found after a cut is the
 * acknowledged one, or one of a later generation where something was written since, or zero where
 * the file was cut since. */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/fault/vault_staging_rig.h"

#define SPAN ((size_t)14 * 65536 + 777)
#define SIZES 4096

struct model {
    struct memfs *fs;
    struct vault *vault;
    struct staging *staging;
    struct vault_object_id id;
    uint64_t seed, key_id;
    unsigned generation, acked_generation;
    uint8_t *now, *acked, *work;
    uint8_t *touched; /* since the acknowledgement: 1 written, 2 cut */
    size_t size, acked_size;
    size_t sizes[SIZES]; /* since the acknowledgement */
    unsigned size_count;
    bool failures, pressure;
    pthread_t presser;
    _Atomic bool press;
};

#define MUST(condition)                                                                \
    do {                                                                               \
        if (!(condition))                                                              \
            fail_msg("seed %llu: %s (%s)", (unsigned long long)first_seed, #condition, \
                     sr_error_message());                                              \
    } while (0)
static uint64_t first_seed;

static size_t pick(struct model *model, size_t below)
{
    return below ? (size_t)(rig_random(&model->seed) % below) : 0;
}

static void *presser_main(void *argument)
{
    struct model *model = argument;

    while (model->press) {
        staging_relieve(model->staging, true);
        usleep(50);
    }
    return NULL;
}

static void press(struct model *model, bool on)
{
    if (!model->pressure || on == model->press)
        return;
    model->press = on;
    if (on)
        pthread_create(&model->presser, NULL, presser_main, model);
    else
        pthread_join(model->presser, NULL);
}

static void note_size(struct model *model)
{
    if (model->size_count < SIZES)
        model->sizes[model->size_count++] = model->size;
}

static void note_acked(struct model *model)
{
    memcpy(model->acked, model->now, SPAN);
    memset(model->touched, 0, SPAN);
    model->acked_size = model->size;
    model->acked_generation = model->generation;
    model->size_count = 0;
}

/* After a call that failed, some of it may have been done: the file says. */
static void learn(struct model *model, size_t from, size_t to)
{
    size_t got;

    memfs_fail_at(model->fs, 0, 0);
    if (memfs_is_off(model->fs))
        return; /* only the file system after the cut is looked at */
    model->size = (size_t)staging_size(model->staging);
    note_size(model);
    if (to <= from)
        return;
    memset(model->work, 0, SPAN);
    if (staging_read(model->staging, from, model->work, to - from, &got)) {
        MUST(memfs_is_off(model->fs)); /* under pressure it may have gone meanwhile */
        return;
    }
    memcpy(model->now + from, model->work, to - from);
}

static void random_write(struct model *model)
{
    static const size_t lens[] = {1, 100, 4096, 30000, 65536, 131072, 300000};
    size_t offset, len = lens[pick(model, 7)];

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
    if (offset >= SPAN || model->generation >= 250)
        return;
    if (len > SPAN - offset)
        len = SPAN - offset;
    model->generation++;
    memset(model->work, (int)model->generation, len);
    for (size_t i = offset; i < offset + len; i++)
        model->touched[i] |= 1;
    if (staging_write(model->staging, offset, model->work, len)) {
        learn(model, offset, offset + len);
        return;
    }
    memset(model->now + offset, (int)model->generation, len);
    if (offset + len > model->size)
        model->size = offset + len;
    note_size(model);
}

static void random_truncate(struct model *model)
{
    size_t size = pick(model, 3) ? pick(model, SPAN) : pick(model, 3) * 65536;

    if (pick(model, 6) == 0)
        size = 0;
    if (pick(model, 3) == 0 && model->size > 0)
        size = model->size - 1 - pick(model, model->size < 100 ? model->size : 100);
    if (staging_truncate(model->staging, size)) {
        learn(model, 0, 0);
        return;
    }
    memset(model->now + size, 0, SPAN - size);
    for (size_t i = size; i < SPAN; i++)
        model->touched[i] |= 2;
    model->size = size;
    note_size(model);
}

static void check_now(struct model *model)
{
    size_t got;

    MUST(staging_size(model->staging) == model->size);
    if (staging_read(model->staging, 0, model->work, SPAN, &got)) {
        MUST(model->failures || memfs_is_off(model->fs));
        return;
    }
    MUST(got == model->size);
    MUST(!memcmp(model->work, model->now, got));
}

/* What was found becomes what is acknowledged: it is durable. */
static void check_found(struct model *model)
{
    size_t got, size = (size_t)staging_size(model->staging);
    bool known = size == model->acked_size;

    for (unsigned i = 0; i < model->size_count; i++)
        known |= size == model->sizes[i];
    MUST(known || model->size_count == SIZES);
    memset(model->work, 0, SPAN);
    MUST(staging_read(model->staging, 0, model->work, SPAN, &got) == 0);
    MUST(got == size);
    for (size_t i = 0; i < size; i++) {
        uint8_t found = model->work[i];
        uint8_t acked = i < model->acked_size ? model->acked[i] : 0;
        bool may = found == acked || (model->touched[i] && found > model->acked_generation) ||
                   (found == 0 && (model->touched[i] & 2));

        if (!may)
            fail_msg("seed %llu: byte %zu is %u, acknowledged %u of generation %u, touched %u, "
                     "size %zu, acknowledged %zu",
                     (unsigned long long)first_seed, i, found, acked, model->acked_generation,
                     model->touched[i], size, model->acked_size);
    }
    memcpy(model->now, model->work, SPAN);
    model->size = size;
    note_acked(model);
}

static void crash_model(struct model *model)
{
    struct memfs *found;

    press(model, false);
    memfs_cut_now(model->fs);
    found =
        memfs_after_cut(model->fs, pick(model, 2) ? MEMFS_TORN : (enum memfs_mode)pick(model, 2),
                        1 + pick(model, 1000000));
    staging_close(model->staging);
    vault_close(model->vault);
    memfs_free(model->fs);
    model->fs = found;
    model->vault = rig_open(found, 1 + (unsigned)pick(model, 2), 4 * MIB);
    MUST(model->vault);
    MUST(staging_open(model->vault, &model->id, &model->staging) == 0);
    check_found(model);
}

static void random_sync(struct model *model)
{
    if (staging_sync(model->staging) == 0)
        note_acked(model);
    else
        learn(model, 0, 0);
}

static void reopen(struct model *model)
{
    int rc;

    press(model, false);
    if (staging_sync(model->staging)) {
        learn(model, 0, 0); /* opening would show what is in the page cache alone */
        return;
    }
    note_acked(model);
    memfs_fail_at(model->fs, 0, 0);
    staging_close(model->staging);
    rc = staging_open(model->vault, &model->id, &model->staging); /* NULL when it fails */
    if (memfs_is_off(model->fs))
        return;
    MUST(rc == 0);
    check_found(model);
}

static void seal(struct model *model)
{
    struct object_expectation expected;
    struct staging_seal sealed;
    struct object *object;
    uint8_t digest[SR_SHA256_LEN];
    size_t got;

    for (;;) {
        unsigned tries = 0;
        int rc;

        if (pick(model, 3))
            memfs_cut_at_sync(model->fs, 1 + pick(model, 4), pick(model, 2));
        else if (pick(model, 2))
            memfs_cut_at_call(model->fs, 1 + pick(model, 40));
        press(model, true);
        do {
            if (model->failures && pick(model, 2) && !memfs_is_off(model->fs))
                memfs_fail_at(model->fs, 1 + pick(model, 40), EIO);
            rc = staging_finalize(model->staging, &sealed);
            memfs_fail_at(model->fs, 0, 0);
            if (rc == 0)
                note_acked(model);
            if (rc)
                free(sealed.holes);
            if (!memfs_is_off(model->fs))
                check_now(model);
        } while (rc && !memfs_is_off(model->fs) && ++tries < 20);
        MUST(rc == 0 || memfs_is_off(model->fs));
        press(model, false);
        memfs_cut_at_sync(model->fs, 0, false); /* before looking: workers may still be busy */
        memfs_cut_at_call(model->fs, 0);
        if (memfs_is_off(model->fs) || pick(model, 2) == 0) {
            if (rc == 0)
                free(sealed.holes);
            crash_model(model);
            continue;
        }
        free(sealed.holes);
        break;
    }
    /* What a worker met while calls still failed may be told only now, once. */
    if (model->failures && staging_finalize(model->staging, &sealed) == 0)
        free(sealed.holes);
    MUST(rig_seal(model->vault, model->staging, &expected, &sealed) == 0);
    MUST(sealed.size == model->size);
    MUST(sr_sha256(model->now, model->size, digest) == 0);
    MUST(!memcmp(digest, sealed.sha256, sizeof(digest)));
    free(sealed.holes);
    MUST(object_open(model->vault, &expected, &object) == 0);
    MUST(object_read(object, 0, model->work, SPAN, &got) == 0);
    MUST(got == model->size && !memcmp(model->work, model->now, got));
    object_close(object);
    MUST(object_verify(model->vault, &expected, NULL, NULL) == 0);
}

static void run(struct memfs *prepared, uint64_t seed, unsigned steps, bool failures, bool pressure)
{
    struct model model = {.fs = memfs_clone(prepared),
                          .seed = seed * 7919 + 1,
                          .failures = failures,
                          .pressure = pressure};

    first_seed = seed;
    rig_random(&model.seed);
    model.now = calloc(4, SPAN);
    model.acked = model.now + SPAN;
    model.work = model.acked + SPAN;
    model.touched = model.work + SPAN;
    model.vault = rig_open(model.fs, 1 + (unsigned)pick(&model, 2), 4 * MIB);
    MUST(model.vault);
    MUST(staging_create(model.vault, &model.staging) == 0);
    staging_id(model.staging, &model.id, &model.key_id);
    MUST(staging_sync(model.staging) == 0);
    for (unsigned step = 0; step < steps; step++) {
        size_t what = pick(&model, 100);

        press(&model, true);
        if (failures && pick(&model, 4) == 0)
            memfs_fail_at(model.fs, 1 + pick(&model, 12), pick(&model, 2) ? EIO : ENOSPC);
        if (pick(&model, 25) == 0)
            memfs_cut_at_sync(model.fs, 1 + pick(&model, 5), pick(&model, 2));
        if (what < 50)
            random_write(&model);
        else if (what < 75)
            random_sync(&model);
        else if (what < 85)
            random_truncate(&model);
        else if (what < 90)
            staging_relieve(model.staging, true);
        else if (what < 94)
            check_now(&model);
        else if (what < 97)
            reopen(&model);
        else
            crash_model(&model);
        memfs_fail_at(model.fs, 0, 0);
        if (memfs_is_off(model.fs))
            crash_model(&model);
    }
    press(&model, false);
    memfs_cut_at_sync(model.fs, 0, false);
    if (memfs_is_off(model.fs))
        crash_model(&model);
    seal(&model);
    vault_close(model.vault);
    memfs_free(model.fs);
    free(model.now);
}

static void run_all(uint64_t from, bool failures, bool pressure)
{
    const char *text = getenv("CRASH_SEEDS");
    uint64_t seeds = text ? strtoull(text, NULL, 10) : 12;
    const char *first = getenv("CRASH_FIRST"), *only = getenv("CRASH_ONLY");

    if (only && strtoull(only, NULL, 10) != from)
        return;
    struct memfs *prepared = rig_prepare(from);

    from += first ? strtoull(first, NULL, 10) : 0;
    for (uint64_t seed = from; seed < from + seeds; seed++)
        run(prepared, seed, 40 + (unsigned)(seed % 5) * 40, failures, pressure);
    memfs_free(prepared);
}

static void test_cuts(void **state)
{
    (void)state;
    run_all(1000, false, false);
}

static void test_cuts_and_failures(void **state)
{
    (void)state;
    run_all(100000, true, false);
}

static void test_cuts_and_pressure(void **state)
{
    (void)state;
    run_all(200000, false, true);
}

static void test_cuts_failures_and_pressure(void **state)
{
    (void)state;
    run_all(300000, true, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_cuts_and_failures),
        cmocka_unit_test(test_cuts_and_pressure),
        cmocka_unit_test(test_cuts_failures_and_pressure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
