/* docs/format-ledger.md against the code, byte by byte. The constants were made once from the text
 * alone, by another program and other libraries; they never change. */
#include "tests/unit/ledger_fixture.h"

#include "base/bytes.h"
#include "ledger/group.h"

static const char journal_hex[] =
    "53524a47000000010000000000000000000000020000005d00000026000102030405060708090a0b"
    "68c1d7700f810fd662d9a6f3b0819454acc0740d3708ba323b278a5d5a87b36cebb39c81b06c0000"
    "0017101112131415161718191a1bab688541a196b93cd23bc044539df1f233b5ab266eeeebf549cc"
    "ef982b2c1bb2017faf5d067df914e6a77878e98917c36d08e3d8d0cc9753524a4700000001000000"
    "0000000002000000010000003200000022202122232425262728292a2b661b59502d5a35d5a5b6aa"
    "13aadde8ce0f2ec9974d13233b5415119f4525af5275e8fff6780025f6bd04b34b0d05b1a56f6abc"
    "4bef54250b30f596952d600b82a027";
#define FIRST_GROUP_LEN 149
static const char tile_hex[] =
    "679a24d0265477db80c6f671cda1a43c53421154791a264686caff52896abba20fe7f04cd9688fb9"
    "96eea9ae1248cbe83b4d04805413f35ab25ad9deb5a3cb3284af9d1f20010011ce19225ddd1d63b6"
    "4f91579c957659688250c340278514b4";
static const char root64[] = "AOEi4e1BGS+21GjklYuN/EbULTIYP+oCOGvbu6p4wCk=";
static const char signature64[] =
    "N7suYm5/bqTNN/onV3A/V3ACXrDW3Y+Dgr9uOS0y0Vblq7xMstSOaQeJGp41xuidnvLLRNv0WddV06VV"
    "Jz//lR9rDQc=";
static const char vkey[] =
    "strongroom.local/000102030405060708090a0b0c0d0e0f+37bb2e62+ARfLefsrQSDysexl5BmNb"
    "giyjoE/6wHkpACDm4XhgIDO";

static const char *const entries[] = {"{\"act\":\"vault.create\"}", "{\"v\":1}",
                                      "{\"act\":\"shutdown\"}"};

#define JOURNAL_LEN ((sizeof(journal_hex) - 1) / 2)

static void decode(const char *hex, uint8_t *out)
{
    assert_int_equal(sr_hex_decode(hex, out, strlen(hex) / 2), 0);
}

/* Writes entries first .. first + count - 1 as a group at out, whose 32 bytes before are the
 * chain. */
static size_t write_group(uint8_t *out, uint64_t first, uint32_t count)
{
    struct ledger_config config = fixture_config(NULL);
    struct group_header header = {.first = first, .count = count};
    size_t at = GROUP_HEADER_LEN;
    struct sr_gcm *gcm;

    assert_int_equal(sr_gcm_new(&gcm), 0);
    for (uint64_t i = first; i < first + count; i++) {
        size_t len = strlen(entries[i]);
        uint8_t nonce[SR_GCM_IV_LEN];

        for (size_t j = 0; j < sizeof(nonce); j++)
            nonce[j] = (uint8_t)(16 * i + j);
        assert_int_equal(group_entry_encrypt(gcm, config.key_enc, config.vault_id, i, nonce,
                                             (const uint8_t *)entries[i], len, out + at),
                         0);
        at += len + GROUP_ENTRY_OVERHEAD;
    }
    header.body_len = (uint32_t)(at - GROUP_HEADER_LEN);
    group_header_put(&header, out);
    assert_int_equal(
        group_mac(config.key_mac, out - GROUP_CHAIN_LEN, at + GROUP_CHAIN_LEN, out + at), 0);
    sr_gcm_free(gcm);
    return at + GROUP_MAC_LEN;
}

static void groups(void **state)
{
    struct ledger_config config = fixture_config(NULL);
    uint8_t made[GROUP_CHAIN_LEN + JOURNAL_LEN];
    uint8_t golden[JOURNAL_LEN];
    size_t len;

    (void)state;
    decode(journal_hex, golden);
    group_first_chain(config.vault_id, made);
    len = write_group(made + GROUP_CHAIN_LEN, 0, 2);
    assert_int_equal(len, FIRST_GROUP_LEN);
    len += write_group(made + GROUP_CHAIN_LEN + len, 2, 1);
    assert_int_equal(len, JOURNAL_LEN);
    assert_memory_equal(made + GROUP_CHAIN_LEN, golden, JOURNAL_LEN);
}

static int expect_entry(void *context, uint64_t index, const uint8_t *entry, size_t len)
{
    ++*(uint64_t *)context;
    assert_int_equal(len, strlen(entries[index]));
    assert_memory_equal(entry, entries[index], len);
    return 0;
}

/* The golden journal under a new ledger's first checkpoint opens; its tile and checkpoint come
 * out. */
static void whole_ledger(void **state)
{
    struct memfs *fs = memfs_new(1);
    struct sr_io *io = memfs_io(fs);
    struct ledger_config config = fixture_config(io);
    struct note_verifier verifier = fixture_verifier();
    struct ledger_open_report report;
    struct sr_buf expected = {0};
    struct sr_buf text = {0};
    uint8_t golden[JOURNAL_LEN];
    struct ledger *ledger;
    uint64_t seen = 0;
    uint8_t *data;
    size_t len;

    (void)state;
    fixture_make(io, NULL, 0, 0);
    decode(journal_hex, golden);
    assert_int_equal(sr_io_replace_file(io, "/ledger/journal", golden, sizeof(golden), 0600), 0);
    assert_int_equal(ledger_open(&config, &report, &ledger), 0);
    assert_int_equal(report.size, 3);
    assert_int_equal(ledger_each(ledger, 0, 3, expect_entry, &seen), 0);
    assert_int_equal(seen, 3);
    assert_int_equal(ledger_checkpoint(ledger, &text), 0);
    sr_buf_format(&expected, "%s\n3\n%s\n\n\xE2\x80\x94 %s %s\n", FIXTURE_ORIGIN, root64,
                  FIXTURE_ORIGIN, signature64);
    assert_string_equal(text.data, expected.data);
    sr_buf_free(&text);
    assert_int_equal(ledger_close(ledger), 0);
    assert_int_equal(sr_io_read_file(io, "/ledger/checkpoints/3", 4096, &data, &len), 0);
    assert_string_equal((char *)data, expected.data);
    free(data);
    assert_int_equal(sr_io_read_file(io, "/ledger/tile/0/000.p/3", 4096, &data, &len), 0);
    assert_int_equal(len, 96);
    decode(tile_hex, golden);
    assert_memory_equal(data, golden, len);
    free(data);
    assert_int_equal(note_verifier_format(&verifier, &text), 0);
    assert_string_equal(text.data, vkey);
    sr_buf_free(&text);
    sr_buf_free(&expected);
    memfs_free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(groups), cmocka_unit_test(whole_ledger)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
