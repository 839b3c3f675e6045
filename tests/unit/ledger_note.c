/* Signed notes, verifier keys, checkpoints and tlog-proofs as texts. */
#include "tests/unit/ledger_fixture.h"

#include "base/bytes.h"

#define PROVED 37

/* The example of signed-note, "Verifier keys". */
static void vkey_of_the_specification(void **state)
{
    static const char vkey[] =
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    static const char text[] = "This is an example message.\n";
    static const char line[] =
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3"
        "mFXmRKuwHjG1Yu72IneyaQM=";
    static const char note[] =
        "This is an example message.\n\n\xE2\x80\x94 example.com/foo "
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3"
        "mFXmRKuwHjG1Yu72IneyaQM=\n";
    struct note_checkpoint checkpoint;
    struct note_verifier verifier;
    struct note_verifier again;
    struct sr_buf out = {0};
    uint8_t signature[80];
    size_t len = sizeof(signature);

    (void)state;
    assert_int_equal(note_verifier_parse(vkey, &verifier), 0);
    assert_string_equal(verifier.name, "example.com/foo");
    assert_int_equal(note_verifier_init(&again, "example.com/foo", verifier.public_key), 0);
    assert_memory_equal(&verifier, &again, sizeof(verifier));
    assert_int_equal(note_verifier_format(&verifier, &out), 0);
    assert_string_equal(out.data, vkey);
    sr_buf_free(&out);
    assert_int_equal(sr_base64_decode(line, strlen(line), signature, &len), 0);
    assert_int_equal(len, 68);
    assert_memory_equal(signature, verifier.key_id, 4);
    assert_int_equal(sr_ed25519_verify(verifier.public_key, text, strlen(text), signature + 4), 0);
    /* Well signed, but not a checkpoint. */
    assert_int_equal(
        note_checkpoint_open((const uint8_t *)note, strlen(note), &verifier, &checkpoint),
        SR_ERR_INVALID);
}

static void vkey_errors(void **state)
{
    static const char *const bad[] = {
        "",
        "+",
        "++",
        "example.com/foo",
        "example.com/foo+530d903a",
        "example.com/foo+530d903a+",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k=",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
        "example.com/foo+530d903a+AOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", /* type 0 */
        "example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", /* type 4 */
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2l",
        "example.com/foo bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    };
    static const char *const names[] = {"",          "a b",          "a+b",           "a\nb",
                                        "a\xC2\xA0", "\xE3\x80\x80", "a\xE2\x80\x8A", "\xFF"};
    struct note_verifier verifier;
    struct note_verifier zero = {0};
    char longest[NOTE_ORIGIN_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&verifier, 0xff, sizeof(verifier));
        if (note_verifier_parse(bad[i], &verifier) != SR_ERR_INVALID)
            fail_msg("accepted: %s", bad[i]);
        assert_memory_equal(&verifier, &zero, sizeof(zero));
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(note_verifier_init(&verifier, names[i], zero.public_key), SR_ERR_INVALID);
    memset(longest, 'n', sizeof(longest));
    longest[NOTE_ORIGIN_MAX + 1] = '\0';
    assert_int_equal(note_verifier_init(&verifier, longest, zero.public_key), SR_ERR_INVALID);
    longest[NOTE_ORIGIN_MAX] = '\0';
    assert_int_equal(note_verifier_init(&verifier, longest, zero.public_key), 0);
    assert_int_equal(note_verifier_init(&verifier, "\xE6\xA1\x88\xE5\x8D\xB7", zero.public_key), 0);
}

static struct note_checkpoint sample(uint64_t size)
{
    struct note_checkpoint checkpoint = {.origin = FIXTURE_ORIGIN, .size = size};

    memset(&checkpoint.root, 0x5a, sizeof(checkpoint.root));
    return checkpoint;
}

static void sign_sample(uint64_t size, struct sr_buf *out)
{
    struct ledger_config config = fixture_config(NULL);
    struct note_verifier verifier = fixture_verifier();
    struct note_checkpoint checkpoint = sample(size);

    assert_int_equal(note_checkpoint_sign(&checkpoint, &verifier, config.seed, out), 0);
}

static int open_text(const char *text, size_t len, struct note_checkpoint *out)
{
    struct note_verifier verifier = fixture_verifier();
    int status = note_checkpoint_open((const uint8_t *)text, len, &verifier, out);
    struct note_checkpoint zero = {0};

    if (status != 0)
        assert_memory_equal(out, &zero, sizeof(zero));
    return status;
}

static void checkpoint_round_trip(void **state)
{
    static const uint64_t sizes[] = {0, 1, 10, UINT64_C(20852163), UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct note_checkpoint expected = sample(sizes[i]);
        struct note_checkpoint checkpoint;
        struct sr_buf note = {0};
        char body[256];

        sign_sample(sizes[i], &note);
        snprintf(body, sizeof(body),
                 FIXTURE_ORIGIN
                 "\n%llu\n"
                 "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\n\n\xE2\x80\x94 " FIXTURE_ORIGIN " ",
                 (unsigned long long)sizes[i]);
        assert_memory_equal(note.data, body, strlen(body));
        assert_int_equal(open_text(note.data, note.len, &checkpoint), 0);
        assert_memory_equal(&checkpoint, &expected, sizeof(expected));
        sr_buf_free(&note);
    }
}

static void checkpoint_flips(void **state)
{
    struct note_checkpoint checkpoint;
    struct sr_buf note = {0};

    (void)state;
    sign_sample(1234, &note);
    for (size_t bit = 0; bit < 8 * note.len; bit++) {
        note.data[bit / 8] ^= (char)(1 << bit % 8);
        if (open_text(note.data, note.len, &checkpoint) == 0)
            fail_msg("bit %zu flipped goes unnoticed", bit);
        note.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t len = 0; len < note.len; len++)
        assert_int_not_equal(open_text(note.data, len, &checkpoint), 0);
    assert_int_equal(open_text(note.data, note.len, &checkpoint), 0);
    sr_buf_free(&note);
}

/* Replaces the first occurrence of from. Fresh string. */
static char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    char *out;

    assert_non_null(at);
    assert_true(asprintf(&out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
    return out;
}

static void checkpoint_malformed(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        int status;
    } cases[] = {
        {"\n1234\n", "\n01234\n", SR_ERR_INVALID},
        {"\n1234\n", "\n+1234\n", SR_ERR_INVALID},
        {"\n1234\n", "\n1234 \n", SR_ERR_INVALID},
        {"\n1234\n", "\n\n", SR_ERR_INVALID},
        {"\n1234\n", "\n18446744073709551616\n", SR_ERR_INVALID},
        {"\n1234\n", "\n1235\n", SR_ERR_DAMAGED},
        {"Wlo=\n", "Wlo\n", SR_ERR_INVALID},
        {"Wlo=\n", "Wlp=\n", SR_ERR_INVALID},
        {"Wlo=\n", "Wlo=\r\n", SR_ERR_INVALID},
        {"Wlo=\n", "Wlo=\nextension\n", SR_ERR_DAMAGED},
        {"Wlo=\n", "Wlo=\n\nextension\n", SR_ERR_INVALID},
        {"Wlo=\n", "Wlo=\n\xFF\n", SR_ERR_INVALID},
        {"strongroom", "Strongroom", SR_ERR_DAMAGED},
        {"\n\n\xE2\x80\x94 ", "\n\n- ", SR_ERR_INVALID},
        {"\n\n\xE2\x80\x94 ", "\n\n\xE2\x80\x94  ", SR_ERR_INVALID},
        {"\n\n\xE2\x80\x94 ", "\n\xE2\x80\x94 ", SR_ERR_INVALID},
        {"\n\n\xE2\x80\x94 ", "\n\n\n\xE2\x80\x94 ", SR_ERR_INVALID},
        {"\n\n\xE2\x80\x94 strong", "\n\n\xE2\x80\x94 weak", SR_ERR_DAMAGED},
        {"=\n\n\xE2\x80\x94 ", "=\n\n\xE2\x80\x94 x\n\xE2\x80\x94 ", SR_ERR_INVALID},
        {"=\n\n\xE2\x80\x94 ", "=\n\n\xE2\x80\x94 x AAAA\n\xE2\x80\x94 ", SR_ERR_INVALID},
        {"=\n\n\xE2\x80\x94 ", "=\n\n\xE2\x80\x94 a+b AAAAAAA=\n\xE2\x80\x94 ", SR_ERR_INVALID},
        /* Of an unknown key: ignored. */
        {"=\n\n\xE2\x80\x94 ", "=\n\n\xE2\x80\x94 x AAAAAAA=\n\xE2\x80\x94 ", 0},
        {"=\n\n\xE2\x80\x94 ", "=\n\n\xE2\x80\x94 " FIXTURE_ORIGIN " AAAAAAA=\n\xE2\x80\x94 ", 0},
    };
    struct note_checkpoint checkpoint;
    struct sr_buf note = {0};

    (void)state;
    sign_sample(1234, &note);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = replaced(note.data, cases[i].from, cases[i].to);
        int status = open_text(text, strlen(text), &checkpoint);

        if (status != cases[i].status)
            fail_msg("case %zu: %d instead of %d: %s", i, status, cases[i].status, text);
        free(text);
    }
    sr_buf_free(&note);
}

/* Several signatures: all of a known key must hold, 16 must be accepted, thousands need not. */
static void checkpoint_signatures(void **state)
{
    struct note_verifier verifier = fixture_verifier();
    struct note_checkpoint checkpoint;
    struct sr_buf note = {0};
    struct sr_buf more = {0};
    char *line;
    char *bad;

    (void)state;
    sign_sample(9, &note);
    line = strstr(note.data, "\xE2\x80\x94 ");
    sr_buf_append(&more, note.data, note.len);
    sr_buf_text(&more, line);
    assert_int_equal(open_text(more.data, more.len, &checkpoint), 0);
    for (int i = 0; i < 20; i++)
        sr_buf_format(&more, "\xE2\x80\x94 witness%d.example AAAAAAABBBBBCCCC\n", i);
    assert_int_equal(open_text(more.data, more.len, &checkpoint), 0);
    /* One more of the known key, which does not hold. */
    bad = strdup(line);
    bad[strlen(bad) - 10] ^= 1;
    sr_buf_text(&more, bad);
    assert_int_equal(open_text(more.data, more.len, &checkpoint), SR_ERR_DAMAGED);
    more.len -= strlen(bad);
    /* One of the known key and of another length. */
    {
        char base64[16];

        sr_base64_encode(verifier.key_id, 4, base64);
        base64[6] = 'A'; /* a fifth byte: "xxxxxxA=" */
        more.data[more.len] = '\0';
        sr_buf_format(&more, "\xE2\x80\x94 " FIXTURE_ORIGIN " %.7s=\n", base64);
    }
    assert_int_equal(open_text(more.data, more.len, &checkpoint), SR_ERR_DAMAGED);
    free(bad);
    sr_buf_free(&more);
    sr_buf_append(&more, note.data, note.len);
    for (int i = 0; i < 200; i++)
        sr_buf_format(&more, "\xE2\x80\x94 witness%d.example AAAAAAABBBBBCCCC\n", i);
    assert_int_equal(open_text(more.data, more.len, &checkpoint), SR_ERR_INVALID);
    sr_buf_free(&more);
    sr_buf_free(&note);
}

static void another_key_and_origin(void **state)
{
    struct ledger_config config = fixture_config(NULL);
    struct note_verifier verifier = fixture_verifier();
    struct note_verifier other;
    struct note_checkpoint checkpoint = sample(3);
    struct note_checkpoint opened;
    struct sr_buf note = {0};
    uint8_t public_key[32];

    (void)state;
    /* The same name, another key. */
    sign_sample(3, &note);
    memset(config.seed, 0x44, sizeof(config.seed));
    assert_int_equal(sr_ed25519_public(config.seed, public_key), 0);
    assert_int_equal(note_verifier_init(&other, FIXTURE_ORIGIN, public_key), 0);
    assert_int_equal(note_checkpoint_open((uint8_t *)note.data, note.len, &other, &opened),
                     SR_ERR_DAMAGED);
    sr_buf_free(&note);
    /* Signed by the key, for another log. */
    config = fixture_config(NULL);
    strcpy(checkpoint.origin, "strongroom.local/other");
    assert_int_equal(note_checkpoint_sign(&checkpoint, &verifier, config.seed, &note), 0);
    assert_int_equal(note_checkpoint_open((uint8_t *)note.data, note.len, &verifier, &opened),
                     SR_ERR_DAMAGED);
    sr_buf_free(&note);
    strcpy(checkpoint.origin, "two words");
    assert_int_equal(note_checkpoint_sign(&checkpoint, &verifier, config.seed, &note),
                     SR_ERR_INVALID);
    sr_buf_free(&note);
}

/* A proof for the second of three leaves, with extra data. */
static void make_proof(struct sr_buf *out, struct tlog_hash *leaf)
{
    struct ledger_config config = fixture_config(NULL);
    struct note_verifier verifier = fixture_verifier();
    struct note_checkpoint checkpoint = sample(3);
    struct sr_buf note = {0};
    struct tlog_hash leaves[3];
    struct tlog_hash proof[2];
    struct tlog_hash node;

    for (size_t i = 0; i < 3; i++)
        assert_int_equal(tlog_leaf_hash(&i, 1, &leaves[i]), 0);
    assert_int_equal(tlog_node_hash(&leaves[0], &leaves[1], &node), 0);
    assert_int_equal(tlog_node_hash(&node, &leaves[2], &checkpoint.root), 0);
    assert_int_equal(note_checkpoint_sign(&checkpoint, &verifier, config.seed, &note), 0);
    proof[0] = leaves[0];
    proof[1] = leaves[2];
    assert_int_equal(
        note_proof_format(1, proof, 2, "extra", 5, (const uint8_t *)note.data, note.len, out), 0);
    *leaf = leaves[1];
    sr_buf_free(&note);
}

static int verify_text(const char *text, size_t len, const struct tlog_hash *leaf)
{
    struct note_verifier verifier = fixture_verifier();
    struct note_checkpoint zero = {0};
    struct note_checkpoint checkpoint;
    uint64_t index = PROVED;
    int status =
        note_proof_verify((const uint8_t *)text, len, &verifier, leaf, &index, &checkpoint);

    if (status == 0) {
        assert_int_equal(index, 1);
        assert_int_equal(checkpoint.size, 3);
    } else {
        assert_int_equal(index, 0);
        assert_memory_equal(&checkpoint, &zero, sizeof(zero));
    }
    return status;
}

static void proof_texts(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        int status;
    } cases[] = {
        {"extra ZXh0cmE=\n", "", 0},
        {"extra ZXh0cmE=\n", "extra QQ==\n", 0}, /* not authenticated, and so stated */
        {"extra ZXh0cmE=\n", "extra \n", SR_ERR_INVALID},
        {"extra ZXh0cmE=\n", "extra ZXh0cmE\n", SR_ERR_INVALID},
        {"extra ZXh0cmE=\n", "extra ZXh0cmE=\nextra ZXh0cmE=\n", SR_ERR_INVALID},
        {"@v1\n", "@v2\n", SR_ERR_INVALID},
        {"@v1\n", "@v1 \n", SR_ERR_INVALID},
        {"index 1\n", "index 01\n", SR_ERR_INVALID},
        {"index 1\n", "index -1\n", SR_ERR_INVALID},
        {"index 1\n", "", SR_ERR_INVALID},
        {"index 1\n", "index 0\n", SR_ERR_DAMAGED},
        {"index 1\n", "index 2\n", SR_ERR_DAMAGED},
        {"index 1\n", "index 18446744073709551615\n", SR_ERR_DAMAGED},
        {"index 1\n", "index 1\n\n", SR_ERR_INVALID},
        {"\n\nstrong", "\nstrong", SR_ERR_INVALID},
        {"\n\nstrong", "\nWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\n\nstrong", SR_ERR_DAMAGED},
    };
    struct sr_buf proof = {0};
    struct tlog_hash leaf;
    struct tlog_hash other;

    (void)state;
    make_proof(&proof, &leaf);
    assert_memory_equal(proof.data, "c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\nindex 1\n", 46);
    assert_int_equal(verify_text(proof.data, proof.len, &leaf), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = replaced(proof.data, cases[i].from, cases[i].to);
        int status = verify_text(text, strlen(text), &leaf);

        if (status != cases[i].status)
            fail_msg("case %zu: %d instead of %d: %s", i, status, cases[i].status, text);
        free(text);
    }
    other = leaf;
    other.bytes[31] ^= 1;
    assert_int_equal(verify_text(proof.data, proof.len, &other), SR_ERR_DAMAGED);
    sr_buf_free(&proof);
}

static void proof_flips(void **state)
{
    struct sr_buf with_extra = {0};
    struct tlog_hash leaf;
    char *text;

    (void)state;
    make_proof(&with_extra, &leaf);
    text = replaced(with_extra.data, "extra ZXh0cmE=\n", "");
    for (size_t bit = 0; bit < 8 * strlen(text); bit++) {
        size_t len = strlen(text);

        text[bit / 8] ^= (char)(1 << bit % 8);
        if (verify_text(text, len, &leaf) == 0)
            fail_msg("bit %zu flipped goes unnoticed", bit);
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t len = 0; len < strlen(text); len++)
        assert_int_not_equal(verify_text(text, len, &leaf), 0);
    assert_int_equal(verify_text(text, strlen(text), &leaf), 0);
    free(text);
    sr_buf_free(&with_extra);
}

static void proof_of_too_many_hashes(void **state)
{
    struct sr_buf proof = {0};
    struct sr_buf longer = {0};
    struct tlog_hash leaf;
    char *at;

    (void)state;
    make_proof(&proof, &leaf);
    at = strstr(proof.data, "index 1\n") + strlen("index 1\n");
    sr_buf_append(&longer, proof.data, (size_t)(at - proof.data));
    for (int i = 0; i <= TLOG_PROOF_MAX; i++)
        sr_buf_text(&longer, "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\n");
    sr_buf_text(&longer, strstr(proof.data, "\n\n") + 1);
    assert_int_equal(verify_text(longer.data, longer.len, &leaf), SR_ERR_INVALID);
    sr_buf_free(&longer);
    sr_buf_free(&proof);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vkey_of_the_specification),
        cmocka_unit_test(vkey_errors),
        cmocka_unit_test(checkpoint_round_trip),
        cmocka_unit_test(checkpoint_flips),
        cmocka_unit_test(checkpoint_malformed),
        cmocka_unit_test(checkpoint_signatures),
        cmocka_unit_test(another_key_and_origin),
        cmocka_unit_test(proof_texts),
        cmocka_unit_test(proof_flips),
        cmocka_unit_test(proof_of_too_many_hashes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
