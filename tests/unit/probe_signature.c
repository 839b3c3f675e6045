/* Signatures of PDF and OFD: who, when, whether what was signed is as it was, and where the chain leads. The PDFs are
 * signed by the openssl program, the OFDs are the public samples, one of them with a real seal of a tax office. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cms.h"
#include "media/answer.h"
#include "media/probe.h"
#include "media/probe/package.h"
#include "media/probe/pdf.h"
#include "media/probe/signature.h"
#include "tests/lib/document_rig.h"

#define MAKER "/usr/bin/python3 tests/lib/sign_witness.py "

static char folder[64];

static int make_all(void **state)
{
    (void)state;
    pdf_prepare();
    strcpy(folder, "/tmp/srt-sign.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    document_rig_run(MAKER "%s", folder);
    return 0;
}

static int drop_all(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static char *trust_of(const char *name)
{
    char path[128];
    size_t len;
    snprintf(path, sizeof path, "%s/%s.pem", folder, name);
    uint8_t *data = document_rig_file(path, &len);
    char *text = calloc(1, len + 1);
    memcpy(text, data, len);
    free(data);
    return text;
}

/* Looks at path; expects count signatures, and gives the last one. */
static const json_t *look(struct document_rig *rig, const char *path, const char *trust,
                          size_t count)
{
    const char *type;
    size_t len;
    uint8_t *data = document_rig_file(path, &len);
    document_rig_open(rig, data, len);
    describe_set_trust(rig->answer, trust);
    if (strstr(path, ".pdf") != NULL) {
        describe_text_value(rig->answer, "type", "application/pdf");
        assert_int_equal(pdf_describe(rig->source, rig->answer, "application/pdf"), 0);
    } else {
        assert_int_equal(package_describe(rig->source, rig->answer, "application/zip", &type), 0);
    }
    document_rig_result(rig);
    if (answer_check(rig->result) < 0)
        fail_msg("%s: the answer is refused", path);
    const json_t *all = json_object_get(rig->result, "signatures");
    if (json_array_size(all) != count)
        fail_msg("%s has %zu signatures", path, json_array_size(all));
    free(data);
    return count > 0 ? json_array_get(all, count - 1) : NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

/* intact: 1, 0, or -1 for what could not be checked. */
static void signature_is(const json_t *signature, int intact, const char *chain, const char *signer,
                         const char *detail)
{
    const json_t *said = json_object_get(signature, "intact");
    if ((intact < 0 && !json_is_null(said)) || (intact >= 0 && json_is_true(said) != intact) ||
        strcmp(text_of(signature, "chain"), chain) != 0 ||
        strcmp(text_of(signature, "signer"), signer) != 0 ||
        strstr(text_of(signature, "detail"), detail) == NULL) {
        char *text = json_dumps(signature, 0);
        fail_msg("%s", text);
    }
}

static void pdf_is(const char *name, const char *trust, size_t count, int intact, const char *chain,
                   const char *detail)
{
    struct document_rig rig;
    char path[128];
    snprintf(path, sizeof path, "%s/%s.pdf", folder, name);
    const json_t *signature = look(&rig, path, trust, count);
    signature_is(signature, intact, chain,
                 intact == 1 || strcmp(name, "changed") == 0 ? "张三, 示例局" : "", detail);
    if (intact == 1)
        assert_true(strlen(text_of(signature, "time_ns")) == 19);
    assert_int_equal(document_rig_finding(&rig, "signature"), intact == 0);
    document_rig_close(&rig);
}

static void test_pdf(void **state)
{
    char *ca = trust_of("ca"), *other = trust_of("other");
    struct document_rig rig;
    char path[128];
    (void)state;
    pdf_is("good", ca, 1, 1, "trusted", "");
    pdf_is("good", other, 1, 1, "untrusted", "issuer");
    pdf_is("good", NULL, 1, 1, "unknown", "");
    pdf_is("good", "no certificate at all", 1, 1, "unknown", "");
    pdf_is("ec", ca, 1, 1, "trusted", "");
    pdf_is("changed", ca, 1, 0, "trusted", "verify");
    pdf_is("appended", ca, 1, 1, "trusted", "7 bytes were added");
    pdf_is("wide", ca, 1, 0, "unknown", "leaves out more");
    pdf_is("sha1", ca, 1, -1, "unknown", "adbe.x509.rsa_sha1 are not checked");
    pdf_is("twice", ca, 2, 1, "trusted", "");
    snprintf(path, sizeof path, "%s/twice.pdf", folder);
    look(&rig, path, ca, 2);
    signature_is(json_array_get(json_object_get(rig.result, "signatures"), 0), 1, "trusted",
                 "张三, 示例局", "were added");
    document_rig_close(&rig);
    free(ca);
    free(other);
}

static char *vector(const char *name)
{
    static char path[512];
    const char *shared = getenv("SHARED");
    snprintf(path, sizeof path, "%s/vectors/ofd/%s", shared != NULL ? shared : "../shared", name);
    return path;
}

static void ofd_is(const char *path, const char *trust, int intact, const char *chain,
                   const char *signer, const char *detail)
{
    struct document_rig rig;
    signature_is(look(&rig, path, trust, 1), intact, chain, signer, detail);
    document_rig_close(&rig);
}

static void test_ofd(void **state)
{
    static const char *const none[] = {"AddAttachment.ofd", "Page5.ofd",
                                       "chineseDir.ofd",    "hello.ofd",
                                       "helloworld.ofd",    "namespace_no_std.ofd"};
    static const char office[] = "全国统一发票监制章国家税务总局重庆市税务局";
    struct document_rig rig;
    struct sr_buf own = {0};
    char path[128], command[700];
    (void)state;
    ofd_is(vector("999.ofd"), NULL, 1, "unknown", office, "");
    ofd_is(vector("SESV4SignDoc.ofd"), NULL, 1, "unknown", "Test Certificate, OFD R&W", "");
    ofd_is(vector("allprotected.ofd"), NULL, 1, "unknown", "Test Certificate, OFD R&W", "");
    ofd_is(vector("DigitalSign.ofd"), NULL, -1, "no_certificate", "", "bare signature value");
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        look(&rig, vector(none[i]), NULL, 0);
        document_rig_close(&rig);
    }
    /* Whoever trusts that certificate itself; and one that was good on the day that the seal claims, and no longer. */
    snprintf(command, sizeof command, MAKER "--value '%s'", vector("999.ofd"));
    document_rig_command(command, &own);
    ofd_is(vector("999.ofd"), own.data, 1, "trusted", office, "");
    sr_buf_free(&own);
    snprintf(command, sizeof command, MAKER "--value '%s'", vector("allprotected.ofd"));
    document_rig_command(command, &own);
    ofd_is(vector("allprotected.ofd"), own.data, 1, "expired", "Test Certificate, OFD R&W",
           "expired");
    sr_buf_free(&own);
    char *other = trust_of("other");
    ofd_is(vector("999.ofd"), other, 1, "untrusted", office, "issuer");
    free(other);
    /* One byte more in a page, and one in what the signature says itself. */
    snprintf(path, sizeof path, "%s/page.ofd", folder);
    document_rig_run(MAKER "--member '%s' %s Doc_0/Pages/Page_0/Content.xml",
                     vector("SESV4SignDoc.ofd"), path);
    ofd_is(path, NULL, 0, "unknown", "Test Certificate, OFD R&W",
           "1 of 5 signed parts have changed");
    document_rig_run(MAKER "--member '%s' %s Doc_0/Signs/Sign_0/Signature.xml",
                     vector("SESV4SignDoc.ofd"), path);
    ofd_is(path, NULL, 0, "unknown", "Test Certificate, OFD R&W", "another than was signed");
    /* A part that came afterwards: what was signed is intact, and that is not all there is. */
    document_rig_run(MAKER "--added '%s' %s Doc_1/Document.xml", vector("SESV4SignDoc.ofd"), path);
    signature_is(look(&rig, path, NULL, 1), 1, "unknown", "Test Certificate, OFD R&W",
                 "1 parts of the document are not signed");
    assert_true(document_rig_finding(&rig, "signature_covers"));
    document_rig_close(&rig);
    look(&rig, vector("SESV4SignDoc.ofd"), NULL, 1);
    assert_false(document_rig_finding(&rig, "signature_covers"));
    document_rig_close(&rig);
}

/* Whatever bytes: an answer, and nothing else than what was signed is intact. */
static void test_damaged(void **state)
{
    unsigned seed = 21;
    struct sr_buf der = {0};
    char command[700];
    (void)state;
    snprintf(command, sizeof command, "unzip -p '%s' '*SignedValue.dat' | base64 -w0",
             vector("999.ofd"));
    document_rig_command(command, &der);
    uint8_t *value = malloc(der.len), *copy = malloc(der.len);
    size_t len = der.len;
    assert_int_equal(sr_base64_decode(der.data, der.len, value, &len), 0);
    for (int round = 0; round < 3000; round++) {
        struct cms_result result;
        struct cms_piece piece = {(const uint8_t *)"x", 1};
        size_t kept = round % 5 == 0 ? (size_t)rand_r(&seed) % len : len;
        memcpy(copy, value, len);
        for (int k = 0; k < 1 + round % 7; k++)
            copy[(size_t)rand_r(&seed) % (round % 2 ? 200 : len)] = (uint8_t)rand_r(&seed);
        assert_int_equal(cms_verify_seal(copy, kept, (const uint8_t *)"x", 1, NULL, &result), 0);
        assert_int_not_equal(result.intact, CMS_INTACT);
        assert_int_equal(cms_verify(copy, kept, &piece, 1, NULL, &result), 0);
        assert_int_not_equal(result.intact, CMS_INTACT);
    }
    free(value);
    free(copy);
    sr_buf_free(&der);
}

static void test_damaged_pdf(void **state)
{
    unsigned seed = 22;
    char path[128];
    size_t len;
    (void)state;
    snprintf(path, sizeof path, "%s/twice.pdf", folder);
    uint8_t *data = document_rig_file(path, &len);
    for (int round = 0; round < 1500; round++) {
        struct document_rig rig;
        uint8_t *copy = malloc(len);
        size_t kept = round % 6 == 0 ? (size_t)rand_r(&seed) % len : len;
        memcpy(copy, data, len);
        for (int k = 0; k < 1 + round % 5; k++)
            copy[(size_t)rand_r(&seed) % 1100] =
                (uint8_t)(round % 3 ? "0123456789[]<>/ "[rand_r(&seed) % 16] : rand_r(&seed));
        document_rig_open(&rig, copy, kept);
        assert_int_equal(signature_pdf(copy, kept, rig.answer), 0);
        document_rig_result(&rig);
        document_rig_close(&rig);
        free(copy);
    }
    free(data);
}

static int read_fd(void *context, uint64_t offset, void *buf, size_t len, size_t *got)
{
    ssize_t n = pread(*(int *)context, buf, len, (off_t)offset);
    *got = n > 0 ? (size_t)n : 0;
    return 0;
}

/* The whole way: the daemon's trust store comes to the probe, and its answer back; also where poppler does not come back
 * from the page. */
static void test_through_the_probe(void **state)
{
    char program[PATH_MAX] = "", path[128];
    char *ca = trust_of("ca");
    struct stat info;
    (void)state;
    assert_true(readlink("/proc/self/exe", program, sizeof program - 40) > 0);
    strcpy(strstr(program, "/unit/"), "/strongroom-probe");
    for (int round = 0; round < 2; round++) {
        snprintf(path, sizeof path, "%s/%s.pdf", folder, round ? "endless" : "good");
        int fd = open(path, O_RDONLY);
        assert_int_equal(fstat(fd, &info), 0);
        struct probe_job job = {.program = program,
                                .name = "good.pdf",
                                .trust = ca,
                                .size = (uint64_t)info.st_size,
                                .text_max = 1 << 20,
                                .cpu_s = 1,
                                .stop_fd = -1,
                                .read = read_fd,
                                .context = &fd};
        assert_int_equal(probe_run(&job), 0);
        assert_int_equal(job.outcome, PROBE_DESCRIBED);
        signature_is(json_array_get(json_object_get(job.answer, "signatures"), 0), 1, "trusted",
                     "张三, 示例局", "");
        json_decref(job.answer);
        close(fd);
    }
    free(ca);
}

static void test_digests(void **state)
{
    uint8_t out[64];
    size_t len;
    (void)state;
    assert_int_equal(cms_digest("1.2.156.10197.1.401", (const uint8_t *)"abc", 3, out, &len), 0);
    assert_int_equal(len, 32);
    assert_memory_equal(out, "\x66\xc7\xf0\xf4\x62\xee\xed\xd9", 8); /* GB/T 32905, example 1 */
    assert_int_equal(cms_digest("sha-256", (const uint8_t *)"", 0, out, &len), 0);
    assert_int_equal(cms_digest("CRC", (const uint8_t *)"", 0, out, &len) < 0, 1);
}

/* An authority that signs with SM2 itself, as those of the country do. */
static void test_sm2_chain(void **state)
{
    char *ca = trust_of("sm2ca"), *other = trust_of("other"), path[128];
    struct cms_result result;
    size_t len;
    (void)state;
    snprintf(path, sizeof path, "%s/sm2.ses", folder);
    uint8_t *seal = document_rig_file(path, &len);
    assert_int_equal(cms_verify_seal(seal, len, (const uint8_t *)"sealed", 6, ca, &result), 0);
    assert_string_equal(result.signer, "李四, 示例局");
    assert_string_equal(result.detail, "");
    assert_int_equal(result.intact, CMS_INTACT);
    assert_int_equal(result.chain, CMS_TRUSTED);
    assert_int_equal(cms_verify_seal(seal, len, (const uint8_t *)"Sealed", 6, ca, &result), 0);
    assert_int_equal(result.intact, CMS_CHANGED);
    assert_int_equal(cms_verify_seal(seal, len, (const uint8_t *)"sealed", 6, other, &result), 0);
    assert_int_equal(result.chain, CMS_UNTRUSTED);
    free(seal);
    free(ca);
    free(other);
}

/* OpenSSL checks SM2 within CMS with no identity: that it does not hold then says nothing of the content. */
static void test_sm2_cms(void **state)
{
    const struct cms_piece piece = {(const uint8_t *)"sealed", 6};
    char *ca = trust_of("sm2ca"), path[128];
    struct cms_result result;
    size_t len;
    (void)state;
    snprintf(path, sizeof path, "%s/sm2.cms", folder);
    uint8_t *value = document_rig_file(path, &len);
    assert_int_equal(cms_verify(value, len, &piece, 1, ca, &result), 0);
    assert_string_equal(result.signer, "李四, 示例局");
    assert_int_equal(result.intact, CMS_UNCHECKED);
    assert_int_equal(result.chain, CMS_TRUSTED);
    assert_non_null(strstr(result.detail, "SM2"));
    free(value);
    free(ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pdf),       cmocka_unit_test(test_ofd),
        cmocka_unit_test(test_damaged),   cmocka_unit_test(test_damaged_pdf),
        cmocka_unit_test(test_sm2_chain), cmocka_unit_test(test_sm2_cms),
        cmocka_unit_test(test_digests),   cmocka_unit_test(test_through_the_probe),
    };

    return cmocka_run_group_tests(tests, make_all, drop_all);
}
