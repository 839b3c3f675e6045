/* FLOE against the public known answers ($SHARED/vectors/floe) and against every small
 * corruption. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <ctype.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "tests/lib/memfs.h"
#include "vault/floe.h"

#define AAD "This is AAD"
#define VECTOR_COUNT 17

static const uint8_t zero_key[SR_KEY_LEN];

struct blob {
    uint8_t *data;
    size_t len;
};

/* Reads a file of hex digits. */
static struct blob read_hex(const char *folder, const char *name)
{
    char path[512];
    struct blob blob;
    char *text;
    long size;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    text = calloc(1, (size_t)size + 1);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    fclose(file);
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        text[--size] = 0;
    for (char *at = text; *at; at++) /* one of the implementations writes capitals */
        *at = (char)tolower((unsigned char)*at);
    blob.len = (size_t)size / 2;
    blob.data = malloc(blob.len ? blob.len : 1);
    assert_int_equal(sr_hex_decode(text, blob.data, blob.len), 0);
    free(text);
    return blob;
}

static struct floe_params params_of(const char *name)
{
    struct floe_params params = {.segment_len = 40, .rotation_bits = 20};

    if (strstr(name, "_4K"))
        params.segment_len = 4096;
    else if (strstr(name, "_64_"))
        params.segment_len = 64;
    else if (strstr(name, "rotation"))
        params.rotation_bits = 2;
    else if (!strstr(name, "lastSeg"))
        fail_msg("vector of unknown kind: %s", name);
    return params;
}

/* Whole message: what fits into one segment at the end is the final one. plain takes cipher_len. */
static int decrypt_all(const struct floe_params *params, const uint8_t key[SR_KEY_LEN],
                       const uint8_t *cipher, size_t cipher_len, uint8_t *plain, size_t *plain_len)
{
    struct floe *floe = NULL;
    struct sr_gcm *gcm = NULL;
    size_t at = FLOE_HEADER_LEN;
    int rc;

    *plain_len = 0;
    if (cipher_len < FLOE_HEADER_LEN)
        return SR_ERR_DAMAGED;
    rc = floe_start_decryption(params, key, AAD, strlen(AAD), cipher, &floe);
    if (rc)
        return rc;
    assert_int_equal(sr_gcm_new(&gcm), 0);
    for (uint64_t position = 0; !rc; position++) {
        size_t left = cipher_len - at;
        bool final = left <= params->segment_len;
        size_t len = final ? left : params->segment_len;

        rc = floe_decrypt_segment(floe, gcm, position, final, cipher + at, len, plain + *plain_len);
        if (rc)
            break;
        *plain_len += len - FLOE_SEGMENT_OVERHEAD;
        at += len;
        if (final)
            break;
    }
    sr_gcm_free(gcm);
    floe_free(floe);
    return rc;
}

/* Fresh ciphertext; free() it. */
static struct blob encrypt_all(const struct floe_params *params, struct sr_io *io,
                               const uint8_t key[SR_KEY_LEN], const uint8_t *plain, size_t len)
{
    size_t whole = params->segment_len - FLOE_SEGMENT_OVERHEAD;
    struct floe *floe = NULL;
    struct sr_gcm *gcm = NULL;
    struct blob out;
    bool final = false;

    out.data = malloc(FLOE_HEADER_LEN + (len / whole + 1) * params->segment_len);
    assert_int_equal(floe_start_encryption(params, io, key, AAD, strlen(AAD), out.data, &floe), 0);
    assert_int_equal(sr_gcm_new(&gcm), 0);
    out.len = FLOE_HEADER_LEN;
    for (uint64_t position = 0; !final; position++) {
        size_t take = len < whole ? len : whole;

        final = len <= whole;
        assert_int_equal(
            floe_encrypt_segment(floe, gcm, io, position, final, plain, take, out.data + out.len),
            0);
        out.len += take + FLOE_SEGMENT_OVERHEAD;
        plain += take;
        len -= take;
    }
    sr_gcm_free(gcm);
    floe_free(floe);
    return out;
}

typedef void vector_fn(const struct floe_params *params, struct blob cipher, struct blob plain);

static size_t each_vector(size_t longest, vector_fn *fn)
{
    const char *shared = getenv("SHARED");
    char folder[300];
    struct dirent *entry;
    size_t count = 0;
    DIR *dir;

    snprintf(folder, sizeof(folder), "%s/vectors/floe", shared ? shared : "../shared");
    dir = opendir(folder);
    if (!dir)
        fail_msg("no known answers in %s (set SHARED)", folder);
    while ((entry = readdir(dir))) {
        char name[300];
        const char *tail = strstr(entry->d_name, "_ct.txt");
        struct floe_params params;
        struct blob cipher, plain;

        if (!tail)
            continue;
        snprintf(name, sizeof(name), "%.*s_pt.txt", (int)(tail - entry->d_name), entry->d_name);
        params = params_of(entry->d_name);
        cipher = read_hex(folder, entry->d_name);
        plain = read_hex(folder, name);
        if (cipher.len <= longest) {
            fn(&params, cipher, plain);
            count++;
        }
        free(cipher.data);
        free(plain.data);
    }
    closedir(dir);
    return count;
}

static void check_vector(const struct floe_params *params, struct blob cipher, struct blob plain)
{
    struct memfs *fs = memfs_new(1);
    uint8_t *out = malloc(cipher.len);
    struct blob again;
    size_t len;

    assert_int_equal(decrypt_all(params, zero_key, cipher.data, cipher.len, out, &len), 0);
    assert_int_equal(len, plain.len);
    assert_memory_equal(out, plain.data, len);

    again = encrypt_all(params, memfs_io(fs), zero_key, plain.data, plain.len);
    /* lastSegEmpty ends in an empty segment after a full one; ours ends in the full one. */
    assert_true(again.len == cipher.len || again.len + FLOE_SEGMENT_OVERHEAD == cipher.len);
    assert_memory_not_equal(again.data + 10, cipher.data + 10, 32);
    assert_int_equal(decrypt_all(params, zero_key, again.data, again.len, out, &len), 0);
    assert_int_equal(len, plain.len);
    assert_memory_equal(out, plain.data, len);
    free(again.data);
    free(out);
    memfs_free(fs);
}

static void test_known_answers(void **state)
{
    (void)state;
    assert_int_equal(each_vector(SIZE_MAX, check_vector), VECTOR_COUNT);
}

static void corrupt_vector(const struct floe_params *params, struct blob cipher, struct blob plain)
{
    uint8_t *out = malloc(cipher.len);
    size_t len;

    (void)plain;
    for (size_t bit = 0; bit < cipher.len * 8; bit++) {
        cipher.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (decrypt_all(params, zero_key, cipher.data, cipher.len, out, &len) != SR_ERR_DAMAGED)
            fail_msg("bit %zu flipped and not found", bit);
        cipher.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t cut = 0; cut < cipher.len; cut++)
        if (decrypt_all(params, zero_key, cipher.data, cut, out, &len) != SR_ERR_DAMAGED)
            fail_msg("cut to %zu bytes and not found", cut);
    free(out);
}

static void test_bit_flips_and_truncations(void **state)
{
    (void)state;
    assert_true(each_vector(700, corrupt_vector) >= 8);
}

/* Every pair of segments exchanged, and every one left out. */
static void reorder_vector(const struct floe_params *params, struct blob cipher, struct blob plain)
{
    size_t seg = params->segment_len;
    size_t count = (cipher.len - FLOE_HEADER_LEN) / seg; /* whole ones */
    uint8_t *copy = malloc(cipher.len);
    uint8_t *out = malloc(cipher.len);
    size_t len;

    (void)plain;
    for (size_t a = 0; a < count; a++) {
        uint8_t *at = cipher.data + FLOE_HEADER_LEN + a * seg;

        for (size_t b = a + 1; b < count; b++) {
            memcpy(copy, cipher.data, cipher.len);
            memcpy(copy + FLOE_HEADER_LEN + a * seg, cipher.data + FLOE_HEADER_LEN + b * seg, seg);
            memcpy(copy + FLOE_HEADER_LEN + b * seg, at, seg);
            assert_int_equal(decrypt_all(params, zero_key, copy, cipher.len, out, &len),
                             SR_ERR_DAMAGED);
        }
        memcpy(copy, cipher.data, cipher.len);
        memmove(copy + FLOE_HEADER_LEN + a * seg, at + seg,
                cipher.len - FLOE_HEADER_LEN - (a + 1) * seg);
        assert_int_equal(decrypt_all(params, zero_key, copy, cipher.len - seg, out, &len),
                         SR_ERR_DAMAGED);
    }
    free(copy);
    free(out);
}

static void test_reordered_segments(void **state)
{
    (void)state;
    assert_int_equal(each_vector(SIZE_MAX, reorder_vector), VECTOR_COUNT);
}

static void test_wrong_key_and_aad(void **state)
{
    struct floe_params params = {.segment_len = 64, .rotation_bits = 20};
    struct floe_params other = {.segment_len = 65, .rotation_bits = 20};
    struct memfs *fs = memfs_new(2);
    struct blob cipher = encrypt_all(&params, memfs_io(fs), zero_key, (const uint8_t *)"abc", 3);
    struct floe *floe;
    uint8_t key[SR_KEY_LEN] = {1};

    (void)state;
    assert_int_equal(floe_start_decryption(&params, key, AAD, strlen(AAD), cipher.data, &floe),
                     SR_ERR_DAMAGED);
    assert_null(floe);
    assert_int_equal(floe_start_decryption(&params, zero_key, AAD, 10, cipher.data, &floe),
                     SR_ERR_DAMAGED);
    assert_int_equal(floe_start_decryption(&params, zero_key, NULL, 0, cipher.data, &floe),
                     SR_ERR_DAMAGED);
    assert_int_equal(floe_start_decryption(&other, zero_key, AAD, strlen(AAD), cipher.data, &floe),
                     SR_ERR_DAMAGED);
    free(cipher.data);
    memfs_free(fs);
}

static void test_limits(void **state)
{
    struct floe_params params = {.segment_len = 64, .rotation_bits = 20};
    struct floe_params tiny = {.segment_len = 32, .rotation_bits = 20};
    struct memfs *fs = memfs_new(3);
    struct sr_io *io = memfs_io(fs);
    const uint64_t last = (UINT64_C(1) << 40) - 1;
    uint8_t header[FLOE_HEADER_LEN], plain[64] = {0}, segment[64], out[64];
    struct floe *floe;
    struct sr_gcm *gcm;

    (void)state;
    assert_int_equal(floe_start_encryption(&tiny, io, zero_key, NULL, 0, header, &floe),
                     SR_ERR_INVALID);
    assert_null(floe);
    assert_int_equal(sr_gcm_new(&gcm), 0);
    assert_int_equal(floe_start_encryption(&params, io, zero_key, NULL, 0, header, &floe), 0);
    assert_int_equal(floe_encrypt_segment(floe, gcm, io, 0, false, plain, 31, segment),
                     SR_ERR_INVALID);
    assert_int_equal(floe_encrypt_segment(floe, gcm, io, 0, false, plain, 33, segment),
                     SR_ERR_INVALID);
    assert_int_equal(floe_encrypt_segment(floe, gcm, io, 0, true, plain, 33, segment),
                     SR_ERR_INVALID);
    assert_int_equal(floe_encrypt_segment(floe, gcm, io, last + 1, true, plain, 1, segment),
                     SR_ERR_TOO_LARGE);
    assert_int_equal(floe_encrypt_segment(floe, gcm, io, last, false, plain, 32, segment),
                     SR_ERR_TOO_LARGE);
    assert_int_equal(floe_encrypt_segment(floe, gcm, io, last, true, plain, 32, segment), 0);
    assert_int_equal(floe_decrypt_segment(floe, gcm, last, true, segment, 64, out), 0);
    assert_int_equal(floe_decrypt_segment(floe, gcm, last - 1, true, segment, 64, out),
                     SR_ERR_DAMAGED);
    assert_int_equal(floe_decrypt_segment(floe, gcm, last + 1, true, segment, 64, out),
                     SR_ERR_TOO_LARGE);
    /* Final and not final are two things, even where the length is the same. */
    assert_int_equal(floe_decrypt_segment(floe, gcm, last - 1, false, segment, 64, out),
                     SR_ERR_DAMAGED);
    memset(segment, 0xff, 4);
    assert_int_equal(floe_decrypt_segment(floe, gcm, last - 1, false, segment, 64, out),
                     SR_ERR_DAMAGED);
    assert_int_equal(floe_decrypt_segment(floe, gcm, 0, true, segment, 31, out), SR_ERR_DAMAGED);
    assert_int_equal(floe_decrypt_segment(floe, gcm, 0, true, segment, 65, out), SR_ERR_DAMAGED);
    floe_free(floe);
    floe_free(NULL);
    sr_gcm_free(gcm);
    memfs_free(fs);
}

static void test_no_randomness(void **state)
{
    struct floe_params params = {.segment_len = 64, .rotation_bits = 20};
    struct memfs *fs = memfs_new(4);
    struct sr_io *io = memfs_io(fs);
    uint8_t header[FLOE_HEADER_LEN], plain[32] = {0}, segment[64], again[64];
    struct floe *floe;
    struct sr_gcm *gcm;

    (void)state;
    memfs_fail_at(fs, 1, EIO);
    assert_int_equal(floe_start_encryption(&params, io, zero_key, NULL, 0, header, &floe),
                     SR_ERR_SYSTEM);
    assert_null(floe);
    assert_int_equal(sr_gcm_new(&gcm), 0);
    assert_int_equal(floe_start_encryption(&params, io, zero_key, NULL, 0, header, &floe), 0);
    memfs_fail_at(fs, 1, EIO);
    assert_int_equal(floe_encrypt_segment(floe, gcm, io, 0, true, plain, 32, segment),
                     SR_ERR_SYSTEM);
    assert_true(memfs_fired(fs));
    /* A fresh IV each time, for the same position and bytes. */
    assert_int_equal(floe_encrypt_segment(floe, gcm, io, 0, true, plain, 32, segment), 0);
    assert_int_equal(floe_encrypt_segment(floe, gcm, io, 0, true, plain, 32, again), 0);
    assert_memory_not_equal(segment + 4, again + 4, SR_GCM_IV_LEN);
    floe_free(floe);
    sr_gcm_free(gcm);
    memfs_free(fs);
}

/* One struct floe for several threads, with a rotation that makes them fight for the cached key. */
#define THREADS 4
#define SEGMENTS 400
struct shared_floe {
    struct floe *floe;
    struct sr_io *io;
    uint8_t segments[SEGMENTS][40];
    unsigned errors;
};

static void *encrypt_some(void *context)
{
    struct shared_floe *shared = context;
    struct sr_gcm *gcm = NULL;
    uint8_t plain[8], back[8];

    if (sr_gcm_new(&gcm))
        return NULL;
    for (uint64_t i = 0; i < SEGMENTS; i++) {
        sr_put_be64(plain, i);
        if (floe_encrypt_segment(shared->floe, gcm, shared->io, i, false, plain, 8,
                                 shared->segments[i]) ||
            floe_decrypt_segment(shared->floe, gcm, i, false, shared->segments[i], 40, back) ||
            memcmp(plain, back, 8) != 0)
            shared->errors++;
    }
    sr_gcm_free(gcm);
    return NULL;
}

static void test_threads(void **state)
{
    struct floe_params params = {.segment_len = 40, .rotation_bits = 1};
    struct shared_floe *shared = calloc(THREADS, sizeof(*shared));
    uint8_t header[FLOE_HEADER_LEN], plain[8], expected[8];
    struct memfs *fs = memfs_new(5);
    pthread_t threads[THREADS];
    struct floe *floe, *reader;
    struct sr_gcm *gcm;

    (void)state;
    assert_int_equal(floe_start_encryption(&params, memfs_io(fs), zero_key, "x", 1, header, &floe),
                     0);
    for (unsigned t = 0; t < THREADS; t++) {
        shared[t].floe = floe;
        shared[t].io = memfs_io(fs);
        assert_int_equal(pthread_create(&threads[t], NULL, encrypt_some, &shared[t]), 0);
    }
    for (unsigned t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    assert_int_equal(floe_start_decryption(&params, zero_key, "x", 1, header, &reader), 0);
    assert_int_equal(sr_gcm_new(&gcm), 0);
    for (unsigned t = 0; t < THREADS; t++) {
        assert_int_equal(shared[t].errors, 0);
        for (uint64_t i = 0; i < SEGMENTS; i++) {
            sr_put_be64(expected, i);
            assert_int_equal(
                floe_decrypt_segment(reader, gcm, i, false, shared[t].segments[i], 40, plain), 0);
            assert_memory_equal(plain, expected, 8);
        }
    }
    sr_gcm_free(gcm);
    floe_free(reader);
    floe_free(floe);
    free(shared);
    memfs_free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_bit_flips_and_truncations),
        cmocka_unit_test(test_reordered_segments),
        cmocka_unit_test(test_wrong_key_and_aad),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_randomness),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
