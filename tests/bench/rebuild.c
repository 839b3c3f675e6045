/* How long the catalog takes to be made anew from the ledger of a large agency, and how long start-up takes then.
 * Prints one figure a line; exit status 1 when a required one is missed (issue 4: of a million records in under 90 s;
 * start-up in under 5 s, resident memory under 512 MiB).
 *
 * usage: rebuild [RECORDS]     (default 1000000)
 *
 * The entries are those of the search bench, in a ledger on disk as in use: encrypted, each record with a key of its
 * own and private parts under it. Making it is not counted. Then `strongroom rebuild`: reading, opening, projecting,
 * until the file is there whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "casework/entry.h"
#include "casework/setup.h"
#include "casework/view.h"
#include "catalog/search.h"
#include "catalog/search_query.h"
#include "tests/bench/agency.h"

#define COMMIT 20000    /* entries */
#define START "--start" /* the program calls itself so */
#define REQUIRED_S 90.0
#define REQUIRED_START_S 5.0
#define REQUIRED_RESIDENT_MIB 512.0

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int status)
{
    if (status < 0) {
        fprintf(stderr, "rebuild bench: %s\n", sr_error_message());
        exit(3);
    }
}

static uint64_t take_key(struct vault *vault)
{
    struct keys *keys = vault_keys(vault);
    struct keys_page_info page;
    uint8_t key[SR_KEY_LEN];
    uint64_t id;
    if (keys_unused(keys) == 0)
        must(keys_extend(keys, &page));
    must(keys_take(keys, &id, key));
    sr_wipe(key, sizeof key);
    return id;
}

/* As the door appends it: a salt, the private part sealed. */
static void append(struct vault *vault, struct ledger *ledger, struct agency_maker *maker,
                   uint64_t *key_id)
{
    json_t *entry = agency_next(maker), *hidden = json_object_get(entry, "private");
    struct vault_object_id object;
    uint8_t salt[16];
    uint64_t index;
    if (entry == NULL) {
        fprintf(stderr, "rebuild bench: an entry cannot be made\n");
        exit(3);
    }
    if (strcmp(json_string_value(json_object_get(entry, "act")), "record.create") == 0)
        *key_id = take_key(vault);
    must(vault_io(vault)->random(vault_io(vault), salt, sizeof salt));
    must(entry_set(entry, "salt", sr_json_hex(salt, sizeof salt)));
    if (json_object_get(entry, "object") != NULL) {
        must(sr_json_get_hex(entry, "object", object.bytes, sizeof object.bytes));
        json_incref(hidden);
        must(entry_set_record(vault, entry, &object, *key_id, hidden));
        json_decref(hidden);
    }
    must(entry_append(ledger, entry, &index));
    if (index != maker->index++) {
        fprintf(stderr, "rebuild bench: entry %llu is at %llu\n",
                (unsigned long long)maker->index - 1, (unsigned long long)index);
        exit(3);
    }
    json_decref(entry);
    if (maker->index % COMMIT == 0)
        must(ledger_commit(ledger, index));
}

static void make_vault(const char *path, uint64_t records)
{
    static const struct setup_account accounts[] = {
        {"sysadmin", "sa", "甲", "first-pass-1"},
        {"secoff", "so", "乙", "first-pass-2"},
        {"auditor", "au", "丙", "first-pass-3"},
    };
    struct setup_config config = {.io = sr_io_posix(),
                                  .path = path,
                                  .passphrase = "bench passphrase",
                                  .accounts = accounts,
                                  .account_count = 3,
                                  .first_uid = 10000,
                                  .scrypt_log2n = 10};
    struct ledger_open_report report;
    struct vault *vault;
    struct ledger *ledger;
    uint64_t key_id = 0;
    must(setup_init(&config));
    must(setup_open(config.io, path, config.passphrase, 1, &vault, &ledger, &report));
    struct agency_maker maker = {.index = report.size, .records = records};
    while (maker.made < maker.records)
        append(vault, ledger, &maker, &key_id);
    must(ledger_commit(ledger, maker.index - 1));
    must(ledger_close(ledger));
    vault_close(vault);
}

static void open_store(const char *path, struct vault **vault, struct ledger **ledger)
{
    struct ledger_open_report report;
    must(setup_open(sr_io_posix(), path, "bench passphrase", 1, vault, ledger, &report));
}

static double rebuild(const char *path)
{
    struct catalog_counts counts;
    struct catalog *catalog;
    struct vault *vault;
    struct ledger *ledger;
    open_store(path, &vault, &ledger);
    double start = now_s(), cpu = cpu_s();
    must(view_rebuild(vault, ledger, NULL, NULL, &catalog));
    double spent = now_s() - start;
    cpu = cpu_s() - cpu;
    must(catalog_counts(catalog, &counts));
    printf("rebuild %.1f s (%.1f s of processors) for %llu records, %llu entries, %.0f entries/s\n",
           spent, cpu, (unsigned long long)counts.sealed, (unsigned long long)counts.entries,
           (double)counts.entries / spent);
    catalog_close(catalog);
    must(catalog_remove(vault, CATALOG_FILE));
    char from[320], to[320];
    snprintf(from, sizeof from, "%s/" CATALOG_FILE_NEW, path);
    snprintf(to, sizeof to, "%s/" CATALOG_FILE, path);
    if (rename(from, to) != 0) {
        perror(from);
        exit(3);
    }
    must(ledger_close(ledger));
    vault_close(vault);
    return spent;
}

/* As the daemon starts, but for the passphrase: the whole journal is checked, the catalog is brought up to it. Then a
 * search, which takes its tables into memory. */
static bool start_up(const char *path)
{
    static struct search_query query;
    struct catalog_hits hits;
    char sentence[SEARCH_SENTENCE_MAX];
    struct view_report report;
    struct catalog *catalog;
    struct vault *vault;
    struct ledger *ledger;
    double start = now_s();
    open_store(path, &vault, &ledger);
    double opened = now_s() - start;
    must(view_open(vault, ledger, NULL, NULL, &report, &catalog));
    double spent = now_s() - start;
    printf("rebuild_start_up %.1f s, %.1f s of it the ledger; %llu entries replayed\n", spent,
           opened, (unsigned long long)report.replayed);
    search_parse("利州", &query, sentence);
    must(catalog_query(catalog, &query, &hits));
    double resident = agency_resident_mib();
    printf("rebuild_resident %.0f MiB with ledger and catalog open, %llu records found\n", resident,
           (unsigned long long)hits.count);
    catalog_hits_free(&hits);
    catalog_close(catalog);
    must(ledger_close(ledger));
    vault_close(vault);
    return spent <= REQUIRED_START_S && resident <= REQUIRED_RESIDENT_MIB;
}

/* In a process of its own, whose memory is that of a start. */
static bool start_up_apart(const char *path)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "rebuild", START, path, (char *)NULL);
        _exit(3);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) > 1)
        exit(3);
    return WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
    uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    if (argc == 3 && strcmp(argv[1], START) == 0)
        return start_up(argv[2]) ? 0 : 1;
    const char *base = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    char folder[256], path[300], command[400];
    snprintf(folder, sizeof folder, "%s/srt-bench.XXXXXX", base);
    if (records < 100 || mkdtemp(folder) == NULL) {
        fprintf(stderr, "usage: rebuild [RECORDS]\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/vault", folder);
    make_vault(path, records);
    double spent = rebuild(path);
    bool started = start_up_apart(path);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        return 3;
    return records >= 1000000 && (spent > REQUIRED_S || !started) ? 1 : 0;
}
