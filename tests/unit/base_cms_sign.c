/* What leaves: signatures, requests for time stamps, encryption for recipients; judged by cms_verify and by openssl(1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cms.h"
#include "base/cms_encrypt.h"
#include "base/cms_sign.h"
#include "base/error.h"
#include "base/io.h"

static char folder[64];

static void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void shell(const char *format, ...)
{
    char command[1024], rest[900];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(rest, sizeof rest, format, arguments);
    va_end(arguments);
    snprintf(command, sizeof command, "cd %s && { %s; } >>log 2>&1", folder, rest);
    if (system(command) != 0)
        fail_msg("%s", command);
}

static char *slurp(const char *name, size_t *len)
{
    char path[128];
    uint8_t *data = NULL;
    size_t got = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (sr_io_read_file(sr_io_posix(), path, 64u << 20, &data, &got) < 0)
        fail_msg("%s", sr_error_message());
    if (len != NULL)
        *len = got;
    return (char *)data;
}

static void spill(const char *name, const void *data, size_t len)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    assert_int_equal(sr_io_create_file(sr_io_posix(), path, data, len, 0600), 0);
}

static int make(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/cms-sign-%d", (int)getpid());
    char command[128];
    snprintf(command, sizeof command, "mkdir %s", folder);
    if (system(command) != 0)
        return -1;
    shell("openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.pem -subj /CN=%s",
          "rsa");
    shell(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ec.key -out "
        "ec.pem -subj /CN=%s",
        "ec");
    shell("openssl pkcs8 -topk8 -in ec.key -out locked.key -passout pass:%s", "word");
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static struct cms_signer *signer_of(const char *key, const char *chain, int expected)
{
    char *key_text = slurp(key, NULL), *chain_text = slurp(chain, NULL);
    struct cms_signer *signer = NULL;
    assert_int_equal(cms_signer_new(key_text, chain_text, &signer), expected);
    free(key_text);
    free(chain_text);
    return signer;
}

static void test_sign(void **state)
{
    static const char *const kinds[][2] = {{"rsa.key", "rsa.pem"}, {"ec.key", "ec.pem"}};
    static const uint8_t data[] = "tagmanifest\n";
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct cms_signer *signer = signer_of(kinds[i][0], kinds[i][1], 0);
        char *trust = slurp(kinds[i][1], NULL);
        struct sr_buf out = {0};
        struct cms_piece piece = {data, sizeof data - 1};
        struct cms_result result;
        assert_int_equal(cms_sign(signer, data, piece.len, &out), 0);
        assert_int_equal(cms_verify((uint8_t *)out.data, out.len, &piece, 1, trust, &result), 0);
        assert_int_equal(result.intact, CMS_INTACT);
        assert_int_equal(result.chain, CMS_TRUSTED);
        piece.len--;
        assert_int_equal(cms_verify((uint8_t *)out.data, out.len, &piece, 1, trust, &result), 0);
        assert_int_equal(result.intact, CMS_CHANGED);
        spill("seal.p7s", out.data, out.len);
        spill("data", data, sizeof data - 1);
        shell("openssl cms -verify -binary -inform DER -in seal.p7s -content data -CAfile %s "
              "-purpose any",
              kinds[i][1]);
        sr_buf_free(&out);
        free(trust);
        cms_signer_free(signer);
    }
    assert_null(signer_of("rsa.key", "ec.pem", SR_ERR_INVALID));
    assert_null(signer_of("rsa.pem", "rsa.pem", SR_ERR_INVALID));
    assert_null(signer_of("rsa.key", "rsa.key", SR_ERR_INVALID));
    assert_null(signer_of("locked.key", "ec.pem", SR_ERR_INVALID)); /* and nobody is asked */
    cms_signer_free(NULL);
}

static void test_time_request(void **state)
{
    struct sr_buf one = {0}, other = {0};
    (void)state;
    assert_int_equal(cms_time_request((const uint8_t *)"abc", 3, &one), 0);
    assert_int_equal(cms_time_request((const uint8_t *)"abc", 3, &other), 0);
    assert_true(one.len != other.len || memcmp(one.data, other.data, one.len) != 0); /* nonces */
    spill("query.tsq", one.data, one.len);
    shell("openssl ts -query -in query.tsq -text | tee query.txt | grep -q 'Certificate required: "
          "%s'",
          "yes");
    shell("grep -q %s query.txt", "'ba 78 16 bf 8f 01 cf ea'"); /* SHA-256 of abc */
    sr_buf_free(&one);
    sr_buf_free(&other);
}

static int collect(void *context, const void *data, size_t len)
{
    sr_buf_append(context, data, len);
    return 0;
}

static int refuse(void *context, const void *data, size_t len)
{
    (void)context, (void)data, (void)len;
    return sr_fail(SR_ERR_NO_SPACE, "full");
}

static struct cms_recipients *recipients_of(const char *one, const char *other)
{
    struct cms_recipients *recipients = NULL;
    char *pem = slurp(one, NULL);
    assert_int_equal(cms_recipients_add(pem, &recipients), 0);
    free(pem);
    pem = slurp(other, NULL);
    assert_int_equal(cms_recipients_add(pem, &recipients), 0);
    free(pem);
    return recipients;
}

/* In pieces of every kind of length; opened by openssl(1) with either key. */
static void test_encrypt(void **state)
{
    static const size_t sizes[] = {1, 15, 16, 4096, 3000001};
    struct cms_recipients *recipients = recipients_of("rsa.pem", "ec.pem");
    uint8_t *data = malloc(3000001);
    (void)state;
    for (size_t i = 0; i < 3000001; i++)
        data[i] = (uint8_t)(i * 31 + i / 977);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        struct cms_envelope *envelope;
        struct sr_buf out = {0};
        assert_int_equal(cms_envelope_new(recipients, collect, &out, &envelope), 0);
        for (size_t at = 0, piece = 1; at < sizes[k]; at += piece, piece = piece * 3 + 1) {
            if (piece > sizes[k] - at)
                piece = sizes[k] - at;
            assert_int_equal(cms_envelope_write(envelope, data + at, piece), 0);
        }
        assert_int_equal(cms_envelope_end(envelope), 0);
        cms_envelope_free(envelope);
        assert_false(out.failed);
        spill("sealed", out.data, out.len);
        spill("plain", data, sizes[k]);
        shell(
            "openssl cms -decrypt -binary -inform DER -in sealed -inkey rsa.key -recip rsa.pem "
            "-out %s && "
            "cmp opened plain && openssl cms -decrypt -binary -inform DER -in sealed -inkey ec.key "
            "-recip ec.pem -out opened && cmp opened plain",
            "opened");
        if (out.len > 200 && sizes[k] > 100) { /* GCM: a bit of it changed is noticed */
            out.data[out.len / 2] ^= 1;
            spill("sealed", out.data, out.len);
            shell("! openssl cms -decrypt -binary -inform DER -in sealed -inkey rsa.key -recip "
                  "rsa.pem -out %s",
                  "opened");
        }
        sr_buf_free(&out);
    }
    struct cms_envelope *envelope;
    assert_int_equal(cms_envelope_new(recipients, refuse, NULL, &envelope), 0);
    assert_int_equal(cms_envelope_write(envelope, data, 3000001), SR_ERR_NO_SPACE);
    cms_envelope_free(envelope);
    assert_int_equal(cms_recipients_add("none", &recipients), SR_ERR_INVALID);
    cms_recipients_free(recipients);
    cms_recipients_free(NULL);
    cms_envelope_free(NULL);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sign),
        cmocka_unit_test(test_time_request),
        cmocka_unit_test(test_encrypt),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
