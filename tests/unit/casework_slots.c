/* Unlock slots: passphrase files, and that every change of the key files stands in the ledger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "casework/audit.h"
#include "casework/view.h"
#include "casework/setup.h"
#include "casework/slots.h"
#include "tests/lib/world.h"

struct open_vault {
    struct memfs *fs;
    struct vault *vault;
    struct ledger *ledger;
};

static int open_with(struct open_vault *open, const char *passphrase)
{
    struct ledger_open_report report;

    return setup_open(memfs_io(open->fs), WORLD_VAULT, passphrase, 1, &open->vault, &open->ledger,
                      &report);
}

static void close_it(struct open_vault *open)
{
    assert_int_equal(ledger_close(open->ledger), 0);
    vault_close(open->vault);
    open->ledger = NULL;
    open->vault = NULL;
}

static int start(void **state)
{
    struct open_vault *open = calloc(1, sizeof *open);

    *state = open;
    open->fs = world_prepare();
    return open_with(open, WORLD_PASSPHRASE);
}

static int stop(void **state)
{
    struct open_vault *open = *state;

    close_it(open);
    memfs_free(open->fs);
    free(open);
    return 0;
}

static void print_finding(void *context, const char *what, const char *why)
{
    (void)context;
    print_error("%s: %s\n", what, why);
}

/* Findings of verify: key files against the ledger among them. */
static uint64_t findings(struct open_vault *open)
{
    struct audit_report report;
    struct catalog *catalog;
    uint64_t replayed;
    int rc;

    assert_int_equal(catalog_open_memory(&catalog), 0);
    assert_int_equal(view_catch_up(open->vault, open->ledger, catalog, NULL, NULL, &replayed), 0);
    rc = audit_run(open->vault, open->ledger, catalog, true, print_finding, NULL, NULL, &report);
    assert_true(rc == 0 || rc == SR_ERR_DAMAGED);
    catalog_close(catalog);
    return report.findings;
}

static void test_add_and_remove(void **state)
{
    struct open_vault *open = *state;
    struct keys_slot_info info;
    uint8_t first[KEYS_SLOT_ID_LEN];

    keys_opened_by(vault_keys(open->vault), first);
    assert_int_equal(slots_add(open->vault, open->ledger, "second one", "备用", &info), 0);
    assert_int_equal(findings(open), 0);
    close_it(open);
    assert_int_equal(open_with(open, "second one"), 0);
    assert_int_equal(slots_remove(open->vault, open->ledger, first), 0);
    assert_int_equal(findings(open), 0);
    assert_int_equal(slots_remove(open->vault, open->ledger, first), SR_ERR_NOT_FOUND);
    assert_int_equal(slots_remove(open->vault, open->ledger, info.id), SR_ERR_DENIED); /* last */
    assert_int_equal(findings(open), 0);
    close_it(open);
    assert_int_equal(open_with(open, WORLD_PASSPHRASE), SR_ERR_PASSPHRASE);
    assert_int_equal(open_with(open, "second one"), 0);
}

static void test_change(void **state)
{
    struct open_vault *open = *state;
    struct keys_slot_info info, *slots;
    size_t count;

    assert_int_equal(slots_change(open->vault, open->ledger, "short", &info), SR_ERR_INVALID);
    assert_int_equal(slots_change(open->vault, open->ledger, "changed pass", &info), 0);
    assert_int_equal(findings(open), 0);
    assert_int_equal(keys_list_slots(vault_keys(open->vault), &slots, &count), 0);
    assert_int_equal(count, 1);
    assert_memory_equal(slots[0].id, info.id, sizeof info.id);
    free(slots);
    close_it(open);
    assert_int_equal(open_with(open, "changed pass"), 0);
}

/* The files were changed and the power went before the ledger knew: verify says so, and doing it
 * again mends it. */
static void test_interrupted_removal(void **state)
{
    struct open_vault *open = *state;
    struct keys_slot_info info;

    assert_int_equal(slots_add(open->vault, open->ledger, "second one", "2", &info), 0);
    assert_int_equal(slots_finish_removal(open->vault, open->ledger, info.id), SR_ERR_EXISTS);
    assert_int_equal(keys_remove_slot(vault_keys(open->vault), info.id), 0);
    assert_true(findings(open) > 0);
    assert_int_equal(slots_finish_removal(open->vault, open->ledger, info.id), 0);
    assert_int_equal(findings(open), 0);
}

static int read_back(const char *content, size_t len, char **out)
{
    char path[] = "/tmp/srt-pass-XXXXXX";
    int fd = mkstemp(path), rc;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, len), len);
    close(fd);
    rc = slots_read_passphrase(path, "passphrase", out);
    assert_false(slots_file_is_exposed(path));
    assert_int_equal(chmod(path, 0640), 0);
    assert_true(slots_file_is_exposed(path));
    unlink(path);
    return rc;
}

static void test_passphrase_file(void **state)
{
    static const struct {
        const char *content;
        size_t len;
        const char *passphrase;
    } good[] = {
        {"correct horse\n", 14, "correct horse"},
        {"correct horse", 13, "correct horse"},
        {"one\r\ntwo\n", 9, "one"},
        {" blanks \n", 9, " blanks "},
        {"口令\n", 7, "口令"},
    };
    char *long_one = malloc(SLOTS_PASSPHRASE_MAX + 2), *out;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(read_back(good[i].content, good[i].len, &out), 0);
        assert_string_equal(out, good[i].passphrase);
        slots_free_passphrase(out);
    }
    assert_int_equal(read_back("", 0, &out), SR_ERR_INVALID);
    assert_null(out);
    assert_int_equal(read_back("\nsecond line\n", 13, &out), SR_ERR_INVALID);
    assert_int_equal(read_back("a\0b\n", 4, &out), SR_ERR_INVALID);
    memset(long_one, 'x', SLOTS_PASSPHRASE_MAX + 1);
    assert_int_equal(read_back(long_one, SLOTS_PASSPHRASE_MAX + 1, &out), SR_ERR_INVALID);
    assert_int_equal(read_back(long_one, SLOTS_PASSPHRASE_MAX, &out), 0);
    assert_int_equal(strlen(out), SLOTS_PASSPHRASE_MAX);
    slots_free_passphrase(out);
    assert_int_equal(slots_read_passphrase("/no/such/file", "passphrase", &out), SR_ERR_SYSTEM);
    assert_false(slots_file_is_exposed("/no/such/file"));
    slots_free_passphrase(NULL);
    free(long_one);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_add_and_remove),
        CASE(test_change),
        CASE(test_interrupted_removal),
        cmocka_unit_test(test_passphrase_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
