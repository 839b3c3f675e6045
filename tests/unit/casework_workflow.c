/* workflow.yaml: what is read, what is refused and with which sentence, which names match. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "casework/policyfile.h"
#include "casework/workflow.h"

static struct workflow *parse(const char *text)
{
    struct workflow *workflow;

    if (workflow_parse("w.yaml", (const uint8_t *)text, strlen(text), &workflow) != 0)
        fail_msg("%s\n%s", text, sr_error_message());
    return workflow;
}

static void refused_bytes(const char *text, size_t len, const char *sentence)
{
    struct workflow *workflow = (struct workflow *)1;

    if (workflow_parse("w.yaml", (const uint8_t *)text, len, &workflow) != SR_ERR_INVALID)
        fail_msg("was not refused: %s", text);
    assert_null(workflow);
    /* sentence has the line; the column comes after it, and test_columns looks at some. */
    char got[512];
    unsigned line, column;
    int at = 0;
    if (sscanf(sr_error_message(), "w.yaml:%u:%u: %n", &line, &column, &at) != 2 || column == 0)
        fail_msg("for %s: no place in %s", text, sr_error_message());
    snprintf(got, sizeof(got), "w.yaml:%u: %s", line, sr_error_message() + at);
    if (strncmp(got, sentence, strlen(sentence)) != 0)
        fail_msg("for %s\nexpected: %s\ngot:      %s", text, sentence, sr_error_message());
}

static void refused(const char *text, const char *sentence)
{
    refused_bytes(text, strlen(text), sentence);
}

/* The column of the value, the key, or of what was found; counted in characters. */
static void test_columns(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"stages:\n  - a\n  - b/c\n", "w.yaml:3:5: `b/c`"},
        {"  Stages: [a]\n", "w.yaml:1:3: unknown key"},
        {"junk: [甲, *a]\n", "w.yaml:1:11: aliases"},
        {"junk: {a: 1}\n", "w.yaml:1:7: Expecting SEQUENCE"},
        {"a: [\n", "w.yaml:2:1: "},
        {"", "w.yaml:1:1: the file is empty"},
    };
    struct workflow *workflow;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = cases[i].text;
        assert_int_equal(workflow_parse("w.yaml", (const uint8_t *)text, strlen(text), &workflow),
                         SR_ERR_INVALID);
        if (strncmp(sr_error_message(), cases[i].sentence, strlen(cases[i].sentence)) != 0)
            fail_msg("expected: %s\ngot:      %s", cases[i].sentence, sr_error_message());
    }
}

static const char *const shipped_stages[] = {"01受理立案", "02调查取证", "03审核", "04听证",
                                             "05决定",     "06送达",     "07执行", "08归档"};

static void is_shipped(const struct workflow *w)
{
    assert_int_equal(workflow_stage_count(w), 8);
    for (size_t i = 0; i < 8; i++)
        assert_string_equal(workflow_stage(w, i), shipped_stages[i]);
    assert_null(workflow_stage(w, 8));
    assert_string_equal(workflow_drafts(w), "草稿");
    assert_string_equal(workflow_unfiled(w), "待归案");
    assert_int_equal(workflow_settle_ns(w), INT64_C(60000000000));
    assert_true(workflow_is_junk(w, ".DS_Store"));
    assert_true(workflow_is_scratch(w, "a.part"));
    assert_false(workflow_secret_network(w));
}

/* One spelling each: what YAML calls true besides is refused. */
static void test_secret_network(void **state)
{
    static const char *const bad[] = {"True", "TRUE", "yes", "on", "1", "否", "", "truer", "\"\""};
    struct workflow *w = parse("涉密网络: true\n");
    char text[64];

    (void)state;
    assert_true(workflow_secret_network(w));
    workflow_free(w);
    w = parse("settle_seconds: 5\n涉密网络: false\n");
    assert_false(workflow_secret_network(w));
    workflow_free(w);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "settle_seconds: 5\n涉密网络: %s\n", bad[i]);
        refused(text, "w.yaml:2: ");
    }
    refused("涉密网络: [true]\n", "w.yaml:1: ");
    refused("涉密: true\n", "w.yaml:1: unknown key `涉密`");
    refused("涉密网络: true\n涉密网络: false\n", "w.yaml:2: this key stands here a second");
}

/* The file that ships says what a file that says nothing means. */
static void test_shipped(void **state)
{
    static const char *const names[] = {".DS_Store",    "._a",       "Thumbs.db", "desktop.ini",
                                        "~$a.docx",     "x.tmp",     "a.part",    "a.partial",
                                        "a.crdownload", "~WRD1.tmp", ".~lock.a#", "a.docx"};
    struct workflow *shipped, *plain;
    uint8_t *data, hash[SR_SHA256_LEN];
    size_t len;

    (void)state;
    if (workflow_load(sr_io_posix(), "policy", &shipped) != 0)
        fail_msg("%s", sr_error_message());
    is_shipped(shipped);
    plain = parse("settle_seconds: 60\n");
    is_shipped(plain);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(workflow_is_junk(shipped, names[i]), workflow_is_junk(plain, names[i]));
        assert_int_equal(workflow_is_scratch(shipped, names[i]),
                         workflow_is_scratch(plain, names[i]));
    }
    assert_int_equal(sr_io_read_file(sr_io_posix(), "policy/workflow.yaml", 65536, &data, &len), 0);
    assert_int_equal(sr_sha256(data, len, hash), 0);
    assert_memory_equal(workflow_sha256(shipped), hash, sizeof(hash));
    free(data);
    workflow_free(shipped);
    workflow_free(plain);
}

static void test_values(void **state)
{
    struct workflow *w = parse("stages: [立案, 'b c', \"決定\"]\n"
                               "drafts: Entwürfe\n"
                               "unfiled: 待归案\n"
                               "settle_seconds: \"5\"\n"
                               "junk: []\n"
                               "scratch:\n"
                               "  - \"*.x\"\n");

    (void)state;
    assert_int_equal(workflow_stage_count(w), 3);
    assert_string_equal(workflow_stage(w, 0), "立案");
    assert_string_equal(workflow_stage(w, 1), "b c");
    assert_string_equal(workflow_stage(w, 2), "決定");
    assert_string_equal(workflow_drafts(w), "Entwürfe");
    assert_int_equal(workflow_settle_ns(w), INT64_C(5000000000));
    assert_false(workflow_is_junk(w, ".DS_Store")); /* an empty list is a choice */
    assert_true(workflow_is_scratch(w, "a.x"));
    assert_false(workflow_is_scratch(w, "a.part"));
    workflow_free(w);
    w = parse("settle_seconds: 86400\n");
    assert_int_equal(workflow_settle_ns(w), INT64_C(86400000000000));
    workflow_free(w);
    workflow_free(NULL);
}

static void test_refused(void **state)
{
    (void)state;
    refused("", "w.yaml:1: the file is empty");
    refused("# only a comment\n", "w.yaml:1: the file is empty");
    refused("{}\n", "w.yaml:1: the file is empty");
    refused("60\n", "w.yaml:1: expected `key: value` lines");
    refused("\n- stages\n", "w.yaml:2: expected `key: value` lines");
    refused("settle_seconds: 5\n---\nsettle_seconds: 6\n", "w.yaml:2: a second document");
    refused("settle_seconds: 5\n\nsettle: 6\n", "w.yaml:3: unknown key `settle`");
    refused("Stages: [a]\n", "w.yaml:1: unknown key `Stages`");
    refused("timezone_offset_minutes: 480\n", "w.yaml:1: unknown key");
    refused("settle_seconds: 5\nsettle_seconds: 6\n", "w.yaml:2: this key stands here a second");
    refused("junk: &a [x]\nscratch: *a\n", "w.yaml:1: anchors (&) and tags (!)");
    refused("junk: [*a]\n", "w.yaml:1: aliases");
    refused("settle_seconds: !!int 5\n", "w.yaml:1: anchors (&) and tags (!)");
    refused("settle_seconds: !x 5\n", "w.yaml:1: anchors (&) and tags (!)");
    refused("? [a]\n: b\n", "w.yaml:1: a key must be a word");
    refused("junk:\n - \"a\\0b\"\n", "w.yaml:2: a NUL character");
    refused("junk: [[[[[[[[[[x]]]]]]]]]]\n", "w.yaml:1: nested too deeply");
    refused("settle_seconds: \"5\n", "w.yaml:2: found unexpected end of stream");
    refused("a\tb: [\n", "w.yaml:");
    refused("settle_seconds: 5\n\x01\n", "w.yaml:");
    refused("settle_seconds: \xff\n", "w.yaml:");
    refused_bytes("settle_seconds: 5\n\0junk: []\n", 29, "w.yaml:");
}

static void test_bad_numbers(void **state)
{
    static const char *const bad[] = {"5x",
                                      "010",
                                      "0",
                                      "-5",
                                      "+5",
                                      "5.0",
                                      "5e1",
                                      "0x10",
                                      "1_0",
                                      "86401",
                                      "99999999999999999999",
                                      "''",
                                      "'5 '",
                                      "~",
                                      "yes",
                                      "五",
                                      "５"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "junk: []\nsettle_seconds: %s\n", bad[i]);
        refused(text, "w.yaml:2: `");
        assert_non_null(strstr(sr_error_message(), "is not a number of seconds from 1 to 86400"));
    }
    refused("settle_seconds:\n", "w.yaml:1: `` is not a number of seconds");
    refused("settle_seconds: [5]\n", "w.yaml:1: Expecting STRING");
}

static void test_bad_names(void **state)
{
    char text[2000] = "stages: [";

    (void)state;
    refused("stages:\n  - a\n  - b/c\n", "w.yaml:3: `b/c`: a name has none of");
    refused("stages: [\"a\\tb\"]\n", "w.yaml:1: `a\tb`: a name has none of");
    refused("stages: ['a:b']\n", "w.yaml:1: `a:b`");
    refused("stages: ['']\n", "w.yaml:1: a name has 1 to 255 bytes");
    refused("stages: [..]\n", "w.yaml:1: `..`: a name neither begins nor ends with");
    refused("stages: ['a ']\n", "w.yaml:1: `a `: a name neither");
    refused("stages:\n- a\n- A\n", "w.yaml:3: `A` stands in the list already");
    refused("stages:\n- é\n- e\xcc\x81\n", "w.yaml:3: `e\xcc\x81` stands in the list already");
    refused("drafts: x\nstages:\n- X\n", "w.yaml:3: `X` is the drafts folder's name");
    refused("stages:\n- a\n- 草稿\n", "w.yaml:3: `草稿` is the drafts");
    refused("drafts: a\\b\n", "w.yaml:1: `a\\b`");
    refused("drafts: [a]\n", "w.yaml:1: Expecting STRING");
    refused("stages: a\n", "w.yaml:1: ");
    refused("stages: []\n", "w.yaml:1: ");
    refused("stages:\n- a\n- {b: c}\n", "w.yaml:3: Expecting STRING");
    refused("unfiled: 未立案\n", "w.yaml:1: this folder's name is fixed: 待归案");
    for (int i = 0; i < 65; i++)
        sprintf(text + strlen(text), "%d, ", i);
    strcat(text, "]\n");
    refused(text, "w.yaml:1: Excessive entries (64 max)");
    strcpy(text, "drafts: ");
    memset(text + 8, 'a', 256);
    strcpy(text + 8 + 256, "\n");
    refused(text, "w.yaml:1: ");
    strcpy(text + 8 + 255, "\n");
    workflow_free(parse(text));
}

static void test_bad_patterns(void **state)
{
    (void)state;
    refused("junk:\n- a\n- '*'\n", "w.yaml:3: this pattern would match every name");
    refused("scratch: ['***']\n", "w.yaml:1: this pattern would match every name");
    refused("junk: ['']\n", "w.yaml:1: a pattern has 1 to 255 bytes");
    refused("junk: ['[Tt]humbs.db']\n", "w.yaml:1: `[Tt]humbs.db`: only * and ? are special");
    refused("scratch: ['a/b']\n", "w.yaml:1: `a/b`: only");
    refused("junk: ['a\\*']\n", "w.yaml:1: `a\\*`: only");
}

static void test_patterns(void **state)
{
    struct workflow *w = parse("junk: ['*.tmp', 'Thumbs.db', '~$*', '案?号', 'a*b*c', '._?*']\n"
                               "scratch: ['~WRD*.tmp', '*.part']\n");
    static const char *const junk[] = {"x.tmp",   "X.TMP",    ".tmp",  "a.tmp.tmp", "thumbs.DB",
                                       "~$",      "~$a.docx", "案1号", "案𠮷号",    "abc",
                                       "aXbXbYc", "abcbc",    "A.B.C", "._a"};
    static const char *const kept[] = {
        "x.tmp1", "x_tmp",        "thumbs.db.zip", "thumbs-db", "~a$", "案号",
        "案12号", "ab",           "abcd",          "acb",       "._",  "",
        "_._a",   "~WRD0001.tmp", "~wrd.TMP",      "x.part"};

    (void)state;
    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
        if (!workflow_is_junk(w, junk[i]) || workflow_is_scratch(w, junk[i]))
            fail_msg("%s should be junk", junk[i]);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (workflow_is_junk(w, kept[i]))
            fail_msg("%s should not be junk", kept[i]);
    assert_true(workflow_is_scratch(w, "~WRD0001.tmp"));
    assert_true(workflow_is_scratch(w, "~wrd.TMP"));
    assert_true(workflow_is_scratch(w, "a.b.PART"));
    assert_false(workflow_is_scratch(w, "a.part.mp4"));
    workflow_free(w);
}

/* A pattern of stars against a long name must not take exponential time. */
static void test_hostile_pattern(void **state)
{
    char text[400] = "junk: ['", name[256];
    struct workflow *w;

    (void)state;
    for (int i = 0; i < 120; i++)
        strcat(text, "a*");
    strcat(text, "b']\n");
    w = parse(text);
    memset(name, 'a', 255);
    name[255] = '\0';
    for (int i = 0; i < 1000; i++)
        assert_false(workflow_is_junk(w, name));
    name[254] = 'b';
    assert_true(workflow_is_junk(w, name));
    workflow_free(w);
}

static void test_files(void **state)
{
    char dir[] = "/tmp/workflow-XXXXXX", *path;
    struct workflow *w = (struct workflow *)1;
    struct sr_io *io = sr_io_posix();
    uint8_t *large;

    (void)state;
    assert_non_null(mkdtemp(dir));
    path = sr_path("%s/workflow.yaml", dir);
    assert_int_equal(workflow_load(io, dir, &w), SR_ERR_NOT_FOUND);
    assert_null(w);
    assert_non_null(strstr(sr_error_message(), path));
    assert_non_null(strstr(sr_error_message(), "is missing: copy the shipped one from"));
    assert_int_equal(sr_io_create_file(io, path, "junk: []\nx: 1\n", 14, 0600), 0);
    assert_int_equal(workflow_load(io, dir, &w), SR_ERR_INVALID);
    assert_non_null(strstr(sr_error_message(), "/workflow.yaml:2:1: unknown key `x`"));
    large = malloc(POLICYFILE_BYTES_MAX + 1);
    memset(large, '#', POLICYFILE_BYTES_MAX + 1);
    memcpy(large, "junk: []\n", 9);
    assert_int_equal(sr_io_replace_file(io, path, large, POLICYFILE_BYTES_MAX, 0600), 0);
    assert_int_equal(workflow_load(io, dir, &w), 0);
    workflow_free(w);
    assert_int_equal(sr_io_replace_file(io, path, large, POLICYFILE_BYTES_MAX + 1, 0600), 0);
    assert_int_equal(workflow_load(io, dir, &w), SR_ERR_TOO_LARGE);
    assert_null(w);
    free(large);
    unlink(path);
    rmdir(dir);
    free(path);
}

/* Every prefix of the shipped file, and every byte of it changed, is read or refused. */
static void test_damage(void **state)
{
    struct workflow *w;
    unsigned refusals = 0;
    uint8_t *data;
    size_t len;

    (void)state;
    assert_int_equal(sr_io_read_file(sr_io_posix(), "policy/workflow.yaml", 65536, &data, &len), 0);
    for (size_t i = 0; i < len; i++) {
        uint8_t kept = data[i];
        int rc = workflow_parse("w.yaml", data, i, &w);
        assert_true(rc == 0 || rc == SR_ERR_INVALID);
        workflow_free(w);
        data[i] ^= 1u << i % 8;
        rc = workflow_parse("w.yaml", data, len, &w);
        assert_true(rc == 0 || rc == SR_ERR_INVALID);
        workflow_free(w);
        refusals += rc != 0;
        data[i] = kept;
    }
    assert_true(refusals > 100);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped),   cmocka_unit_test(test_columns),
        cmocka_unit_test(test_values),    cmocka_unit_test(test_secret_network),
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_bad_numbers),
        cmocka_unit_test(test_bad_names), cmocka_unit_test(test_bad_patterns),
        cmocka_unit_test(test_patterns),  cmocka_unit_test(test_hostile_pattern),
        cmocka_unit_test(test_files),     cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
