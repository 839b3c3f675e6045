/* The catalog as a file: what it holds comes back; nothing of it is readable on disk; what is damaged, moved,
 * cut off or of another vault is noticed, and made again; SQLite's own corruption is another thing. */
#include <fcntl.h>
#include <unistd.h>

#include "catalog/dump.h"
#include "catalog/file.h"
#include "catalog/vfs.h"
#include "tests/lib/memfs.h"
#include "tests/lib/memfs_use.h"
#include "tests/unit/catalog_entries.h"

#define VAULT "/vault"
#define DB VAULT "/catalog.db"
#define LOG DB "-wal"
#define SECRET "现场笔录之一"

struct rig {
    struct memfs *fs;
    struct vault *vault;
    struct catalog *catalog;
    struct catalog_found found;
    uint64_t entries;
};

static void connect(struct rig *rig)
{
    int rc = catalog_open(rig->vault, CATALOG_FILE, &rig->found, &rig->catalog);

    if (rc < 0)
        fail_msg("%s", sr_error_message());
}

static int start(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    *state = rig;
    rig->fs = memfs_new(1);
    assert_int_equal(
        vault_create_with_cost(memfs_io(rig->fs), VAULT, "a passphrase", "", 4, &rig->vault), 0);
    connect(rig);
    return 0;
}

static int stop(void **state)
{
    struct rig *rig = *state;

    catalog_close(rig->catalog);
    vault_close(rig->vault);
    memfs_free(rig->fs);
    free(rig);
    return 0;
}

/* A year, a case, and records, the names of which are secret; all committed. */
static void fill(struct rig *rig, unsigned records)
{
    bool committed;

    if (rig->entries == 0) {
        entry_ok(rig->catalog, 0, "{'act':'year.open','year':2026,'uid':1,'salt':'s0'}");
        rig->entries = 1;
    }
    for (unsigned i = 0; i < records; i++) {
        json_t *create = entry_make(
            rig->entries, "{'act':'record.create','key':'1','salt':'salt','private':"
                          "{'parent':'$0','uid':7,'client':'','draft':false,'junk':false}}");
        char name[64], salt[33], object[33];

        snprintf(name, sizeof(name), SECRET "%06u.mp4", (unsigned)rig->entries);
        snprintf(salt, sizeof(salt), "salt %u", (unsigned)rig->entries);
        json_object_set_new(json_object_get(create, "private"), "name", json_string(name));
        json_object_set_new(create, "salt", json_string(salt));
        snprintf(object, sizeof(object), "%032x", (unsigned)rig->entries);
        json_object_set_new(create, "object", json_string(object));
        if (catalog_project(rig->catalog, rig->entries, create) < 0)
            fail_msg("%s", sr_error_message());
        json_decref(create);
        rig->entries++;
    }
    assert_int_equal(catalog_durable(rig->catalog, rig->entries, &committed), 0);
    assert_true(committed);
}

static void reopen(struct rig *rig)
{
    catalog_close(rig->catalog);
    connect(rig);
}

static uint8_t *take_file(struct rig *rig, const char *path, size_t *len)
{
    uint8_t *data = NULL;

    if (sr_io_read_file(memfs_io(rig->fs), path, 64u << 20, &data, len) < 0)
        fail_msg("%s", sr_error_message());
    return data;
}

static void put_file(struct rig *rig, const char *path, const uint8_t *data, size_t len)
{
    struct sr_io *io = memfs_io(rig->fs);
    int fd = io->open(io, path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(sr_io_write_full(io, fd, data, len, 0), 0);
    io->close(io, fd);
}

static char *text_of(struct rig *rig)
{
    struct sr_buf text = {0};

    if (dump_text(rig->catalog, &text) < 0) {
        sr_buf_free(&text);
        return NULL;
    }
    return text.data;
}

static void test_comes_back(void **state)
{
    struct rig *rig = *state;
    struct catalog_progress progress;
    char *before, *after;

    assert_true(rig->found.fresh);
    assert_string_equal(rig->found.why, "");
    fill(rig, 500);
    before = text_of(rig);
    reopen(rig);
    assert_false(rig->found.fresh);
    after = text_of(rig);
    assert_string_equal(before, after);
    catalog_progress(rig->catalog, &progress);
    assert_int_equal(progress.low, 501);
    assert_int_equal(progress.high, 501);
    assert_string_equal(progress.salt, "salt 500");
    assert_int_equal(dump_check(rig->catalog), 0);
    free(before);
    free(after);
}

/* Entries that the ledger could still lose are not in the file. */
static void test_stays_behind_the_ledger(void **state)
{
    struct rig *rig = *state;
    struct catalog_progress progress;
    bool committed;

    fill(rig, 10);
    entry_ok(rig->catalog, 11, "{'act':'year.open','year':2027,'uid':1,'salt':'late'}");
    assert_int_equal(catalog_durable(rig->catalog, 11, &committed), 0);
    assert_false(committed);
    reopen(rig);
    catalog_progress(rig->catalog, &progress);
    assert_int_equal(progress.high, 11);
    entry_ok(rig->catalog, 11, "{'act':'year.open','year':2027,'uid':1,'salt':'late'}");
    assert_int_equal(catalog_durable(rig->catalog, 12, &committed), 0);
    assert_true(committed);
}

static bool holds(const uint8_t *data, size_t len, const char *needle)
{
    return memmem(data, len, needle, strlen(needle)) != NULL;
}

static void test_no_plaintext(void **state)
{
    struct rig *rig = *state;
    const char *const needles[] = {SECRET,       "SQLite format", "CREATE TABLE",
                                   "nodes_name", "salt 1",        "\x37\x7f\x06"};
    size_t len;
    uint8_t *data;

    fill(rig, 2000);
    for (int closed = 0; closed < 2; closed++) {
        for (int log = closed; log < 2 - closed + closed; log++) {
            data = take_file(rig, log && !closed ? LOG : DB, &len);
            assert_true(len > VFS_PAGE);
            for (size_t i = 0; i < sizeof(needles) / sizeof(needles[0]); i++)
                assert_false(holds(data, len, needles[i]));
            free(data);
        }
        reopen(rig);
    }
}

/* The sorter's file: there is one, without a name, and nothing of it is in the clear. */
static void test_temporary_files(void **state)
{
    struct rig *rig = *state;
    sqlite3 *db = NULL;
    struct vfs *vfs;
    uint8_t key[SR_KEY_LEN] = {7};
    char path[64] = "/vault/other.db";
    int count = 0;
    sqlite3_stmt *statement;

    assert_int_equal(vfs_open(memfs_io(rig->fs), path, key, &vfs), 0);
    assert_int_equal(
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs_name(vfs)),
        SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY;"
                     "PRAGMA temp_store = FILE; PRAGMA cache_size = 10; PRAGMA cache_spill = 1;"
                     "CREATE TEMP TABLE t (a TEXT); WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL "
                     "SELECT n + 1 FROM c WHERE n < 20000) INSERT INTO t SELECT "
                     "printf('%06d" SECRET "', (n * 7919) % 20000) FROM c",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT a FROM t ORDER BY a", -1, &statement, NULL),
                     SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        char expected[64];
        snprintf(expected, sizeof(expected), "%06d" SECRET, count++);
        assert_string_equal((const char *)sqlite3_column_text(statement, 0), expected);
    }
    assert_int_equal(count, 20000);
    sqlite3_finalize(statement);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_null(vfs_damage(vfs));
    vfs_close(vfs);
}

/* After damage: either nothing that is read was hit (the content is right), or the file was dropped, or
 * what is asked is refused. Never other content. */
static void must_notice_or_not_matter(struct rig *rig, const char *truth, unsigned *noticed)
{
    char *text;
    char why[160];

    connect(rig);
    if (rig->found.fresh) {
        assert_true(rig->found.damaged);
        assert_true(rig->found.why[0] != '\0');
        ++*noticed;
    } else if ((text = text_of(rig)) == NULL) {
        assert_true(catalog_broken(rig->catalog, why, sizeof(why)));
        assert_non_null(strstr(why, "damaged on disk, or was altered"));
        ++*noticed;
    } else {
        assert_string_equal(text, truth);
        free(text);
    }
    catalog_close(rig->catalog);
    rig->catalog = NULL;
}

static void test_each_page_is_bound(void **state)
{
    struct rig *rig = *state;
    uint8_t *data;
    unsigned noticed = 0, tried = 0;
    size_t len;
    char *truth;

    fill(rig, 60);
    reopen(rig); /* the log is in the file now */
    truth = text_of(rig);
    catalog_close(rig->catalog);
    data = take_file(rig, DB, &len);
    assert_int_equal(len % VFS_PAGE, 0);
    for (size_t at = 5; at < len; at += 509) { /* in ciphertexts, nonces and tags */
        data[at] ^= (uint8_t)(1 << at % 8);
        put_file(rig, DB, data, len);
        must_notice_or_not_matter(rig, truth, &noticed);
        data[at] ^= (uint8_t)(1 << at % 8);
        tried++;
    }
    assert_true(noticed > tried / 2);
    for (size_t pages = 0; pages < len / VFS_PAGE; pages++) { /* cut off */
        put_file(rig, DB, data, pages * VFS_PAGE + 100);
        must_notice_or_not_matter(rig, truth, &noticed);
    }
    for (size_t page = 1; page + 1 < len / VFS_PAGE; page++) { /* exchanged with the next */
        uint8_t kept[VFS_PAGE];
        memcpy(kept, data + page * VFS_PAGE, VFS_PAGE);
        memcpy(data + page * VFS_PAGE, data + (page + 1) * VFS_PAGE, VFS_PAGE);
        memcpy(data + (page + 1) * VFS_PAGE, kept, VFS_PAGE);
        put_file(rig, DB, data, len);
        must_notice_or_not_matter(rig, truth, &noticed);
        memcpy(data + (page + 1) * VFS_PAGE, data + page * VFS_PAGE, VFS_PAGE);
        memcpy(data + page * VFS_PAGE, kept, VFS_PAGE);
    }
    put_file(rig, DB, data, len);
    must_notice_or_not_matter(rig, truth, &noticed); /* and whole again, it is right */
    free(truth);
    free(data);
}

/* A flipped bit in the log is where the log ends, as after a power cut: an earlier state, which the ledger
 * then completes. Never a mixture. */
static void test_log_ends_where_it_is_damaged(void **state)
{
    struct rig *rig = *state;
    struct catalog_progress progress;
    size_t db_len, log_len;
    uint8_t *db, *log;
    uint64_t seen_less = 0;

    for (int i = 0; i < 20; i++)
        fill(rig, 3);
    db = take_file(rig, DB, &db_len); /* as a crash leaves both */
    log = take_file(rig, LOG, &log_len);
    catalog_close(rig->catalog);
    for (size_t at = 3; at < log_len; at += 1999) {
        log[at] ^= 0x20;
        put_file(rig, DB, db, db_len);
        put_file(rig, LOG, log, log_len);
        log[at] ^= 0x20;
        connect(rig);
        catalog_progress(rig->catalog, &progress);
        if (!rig->found.fresh) {
            assert_int_equal(progress.low, progress.high);
            assert_true(progress.high == 0 || progress.high == 1 || progress.high % 3 == 1);
            assert_int_equal(dump_check(rig->catalog), 0);
        }
        seen_less += progress.high < rig->entries;
        catalog_close(rig->catalog);
    }
    assert_true(seen_less > 10);
    put_file(rig, DB, db, db_len);
    put_file(rig, LOG, log, log_len);
    connect(rig);
    catalog_progress(rig->catalog, &progress);
    assert_int_equal(progress.high, rig->entries);
    free(db);
    free(log);
}

static void test_of_another_vault(void **state)
{
    struct rig *rig = *state;
    struct vault *other;
    size_t len;
    uint8_t *data;

    fill(rig, 5);
    reopen(rig);
    data = take_file(rig, DB, &len);
    assert_int_equal(
        vault_create_with_cost(memfs_io(rig->fs), "/other", "a passphrase", "", 4, &other), 0);
    put_file(rig, "/other/catalog.db", data, len);
    catalog_close(rig->catalog);
    assert_int_equal(catalog_open(other, CATALOG_FILE, &rig->found, &rig->catalog), 0);
    assert_true(rig->found.fresh && rig->found.damaged);
    assert_non_null(strstr(rig->found.why, "page 1 of the catalog does not verify"));
    catalog_close(rig->catalog);
    vault_close(other);
    connect(rig);
    free(data);
}

/* Pages that verify and make no sense together: made by a tool that has the key. */
static void test_a_defect_is_called_one(void **state)
{
    struct rig *rig = *state;
    uint8_t *key = sr_secret_alloc(SR_KEY_LEN);
    struct vfs *vfs;
    sqlite3 *db = NULL;
    char why[160];

    fill(rig, 300);
    catalog_close(rig->catalog);
    assert_int_equal(keys_get_named(vault_keys(rig->vault), KEYS_CATALOG, key), 0);
    assert_int_equal(vfs_open(memfs_io(rig->fs), DB, key, &vfs), 0);
    sr_secret_free(key, SR_KEY_LEN);
    assert_int_equal(sqlite3_open_v2(DB, &db, SQLITE_OPEN_READWRITE, vfs_name(vfs)), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "PRAGMA locking_mode = EXCLUSIVE; PRAGMA writable_schema = 1;"
                                  "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM "
                                  "sqlite_schema WHERE name = 'nodes_fold') WHERE name = 'nodes'",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    vfs_close(vfs);
    connect(rig);
    if (!rig->found.fresh) { /* then the first question finds it */
        assert_null(text_of(rig));
        assert_true(catalog_broken(rig->catalog, why, sizeof(why)));
    } else {
        snprintf(why, sizeof(why), "%s", rig->found.why);
    }
    assert_non_null(strstr(why, "a defect of the program"));
    assert_null(strstr(why, "does not verify"));
}

/* An earlier page in its own place verifies: only the comparison with the ledger tells. */
static void test_compare_finds_an_earlier_page(void **state)
{
    struct rig *rig = *state;
    struct sr_buf difference = {0};
    size_t early_len, len, differing = 0;
    uint8_t *early, *data;
    struct catalog *truth;

    fill(rig, 3);
    reopen(rig);
    early = take_file(rig, DB, &early_len);
    fill(rig, 3);
    catalog_close(rig->catalog);
    assert_int_equal(catalog_open(rig->vault, "truth.db", &rig->found, &rig->catalog), 0);
    rig->entries = 0;
    fill(rig, 6);
    truth = rig->catalog;
    connect(rig);
    assert_int_equal(catalog_compare(truth, rig->catalog, &difference), 0);
    assert_int_equal(difference.len, 0);
    catalog_close(rig->catalog);
    data = take_file(rig, DB, &len);
    for (size_t page = 1; page < early_len / VFS_PAGE; page++) {
        uint8_t kept[VFS_PAGE], *at = data + page * VFS_PAGE;
        if (memcmp(at, early + page * VFS_PAGE, VFS_PAGE) == 0)
            continue;
        memcpy(kept, at, VFS_PAGE);
        memcpy(at, early + page * VFS_PAGE, VFS_PAGE);
        put_file(rig, DB, data, len);
        memcpy(at, kept, VFS_PAGE);
        connect(rig);
        difference.len = 0;
        if (rig->found.fresh || catalog_compare(truth, rig->catalog, &difference) < 0 ||
            difference.len > 0)
            differing++;
        catalog_close(rig->catalog);
    }
    assert_true(differing > 0);
    sr_buf_free(&difference);
    catalog_close(truth);
    put_file(rig, DB, data, len);
    connect(rig);
    free(early);
    free(data);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_comes_back),
        TEST(test_stays_behind_the_ledger),
        TEST(test_no_plaintext),
        TEST(test_temporary_files),
        TEST(test_each_page_is_bound),
        TEST(test_log_ends_where_it_is_damaged),
        TEST(test_of_another_vault),
        TEST(test_a_defect_is_called_one),
        TEST(test_compare_finds_an_earlier_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
