/* How fast the catalog takes entries and answers. Prints one figure a line, "name value unit".
 *
 * usage: catalog [ENTRIES]     (default 100000)
 *
 * The catalog is a file, as in use: pages encrypted, in a vault of its own under TMPDIR or /tmp.
 *
 * The ledger is that of an agency: cases of 50 records, each record created, closed and sealed.
 * Parsing of JSON is not counted: entries are made before the clock starts, in chunks. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "catalog/file.h"

#define CHUNK 3000
#define RECORDS_PER_CASE 50
#define LOOKUPS 200000

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int rc)
{
    if (rc < 0) {
        fprintf(stderr, "catalog bench: %s\n", sr_error_message());
        exit(3);
    }
}

static uint64_t node_of(uint64_t index)
{
    return (index + 1) * 256;
}

struct ledger_of { /* generator */
    uint64_t index, case_index, record_index;
    unsigned step, record, case_number;
};

/* The next entry, owned by the caller. */
static json_t *next_entry(struct ledger_of *g)
{
    char object[33], parent[24], name[64], hash[65];
    uint64_t index = g->index++;

    if (index == 0)
        return json_pack("{s:i,s:s,s:s,s:i,s:i}", "v", 1, "act", "year.open", "time", "1", "year",
                         2026, "uid", 0);
    if (g->step == 0 && g->record % RECORDS_PER_CASE == 0) {
        g->case_index = index;
        g->record++;
        snprintf(name, sizeof(name), "桐卫医罚〔2026〕%u号", ++g->case_number);
        return json_pack("{s:i,s:s,s:s,s:i,s:s,s:[s,s,s,s,s,s,s,s],s:s,s:b,s:i,s:s}", "v", 1, "act",
                         "case.open", "time", "1", "year", 2026, "name", name, "stages",
                         "01受理立案", "02调查取证", "03审核", "04听证", "05决定", "06送达",
                         "07执行", "08归档", "drafts", "草稿", "provisional", 1, "uid", 20000,
                         "client", "10.0.0.1");
    }
    if (g->step == 0)
        g->record_index = index;
    snprintf(object, sizeof(object), "%032llx", (unsigned long long)g->record_index);
    snprintf(hash, sizeof(hash), "%064llx", (unsigned long long)g->record_index);
    snprintf(parent, sizeof(parent), "%llu",
             (unsigned long long)node_of(g->case_index) + 1 + g->record % 8);
    switch (g->step) {
    case 0:
        g->step = 1;
        snprintf(name, sizeof(name), "VID_2026%04u_%06u 询问笔录.mp4", g->record % 1231, g->record);
        return json_pack("{s:i,s:s,s:s,s:s,s:s,s:{s:s,s:s,s:i,s:s,s:b,s:b}}", "v", 1, "act",
                         "record.create", "time", "1", "object", object, "key", "65536", "private",
                         "parent", parent, "name", name, "uid", 20000, "client", "10.0.0.1",
                         "draft", 0, "junk", 0);
    case 1:
        g->step = 2;
        return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s}", "v", 1, "act", "record.close", "time",
                         "2", "object", object, "key", "65536", "size", "1048576", "mtime", "1");
    default:
        g->step = 0;
        g->record++;
        return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:[],s:i,s:b}", "v", 1,
                         "act", "record.seal", "time", "3", "object", object, "key", "65536",
                         "size", "1048576", "sha256", hash, "tag_root", hash, "header_sha256", hash,
                         "mtime", "1", "state", "sealed", "salvaged", 0, "holes", "hole_count", 0,
                         "empty", 0);
    }
}

static void project(struct catalog *catalog, uint64_t entries, struct ledger_of *g)
{
    static json_t *chunk[CHUNK];
    double spent = 0, worst = 0;

    while (g->index < entries) {
        uint64_t first = g->index;
        size_t count = 0;

        while (count < CHUNK && g->index < entries)
            chunk[count++] = next_entry(g);
        for (size_t i = 0; i < count; i++) {
            double start = now_s(), took;
            must(catalog_project(catalog, first + i, chunk[i]));
            took = now_s() - start;
            spent += took;
            worst = took > worst ? took : worst;
            json_decref(chunk[i]);
        }
    }
    printf("catalog_project_rate %.0f entries/s\n", (double)entries / spent);
    printf("catalog_project_worst %.1f ms\n", worst * 1e3);
}

static int count_node(void *context, const struct catalog_node *node)
{
    (void)node;
    ++*(unsigned *)context;
    return 0;
}

static void search(struct catalog *catalog, const char *what, const char *text)
{
    unsigned found = 0;
    double start;

    must(catalog_search(catalog, text, 50, count_node,
                        &found)); /* what is not indexed yet, now is */
    found = 0;
    start = now_s();
    for (int i = 0; i < 20; i++)
        must(catalog_search(catalog, text, 50, count_node, &found));
    printf("catalog_search_%s %.2f ms (%u found)\n", what, (now_s() - start) / 20 * 1e3,
           found / 20);
}

static void lookups(struct catalog *catalog, const struct ledger_of *g)
{
    struct catalog_node node, other;
    bool sealed;
    double start;
    char *path;

    must(catalog_get(catalog, node_of(g->record_index), &node));
    start = now_s();
    for (int i = 0; i < LOOKUPS; i++)
        must(catalog_lookup(catalog, node.parent, node.name, &other));
    printf("catalog_lookup %.2f us\n", (now_s() - start) / LOOKUPS * 1e6);
    start = now_s();
    for (int i = 0; i < LOOKUPS; i++)
        must(catalog_get(catalog, node.id, &other));
    printf("catalog_get %.2f us\n", (now_s() - start) / LOOKUPS * 1e6);
    start = now_s();
    for (int i = 0; i < LOOKUPS; i++)
        if (catalog_lookup(catalog, node.parent, "desktop.ini", &other) != SR_ERR_NOT_FOUND)
            exit(3);
    printf("catalog_lookup_absent %.2f us\n", (now_s() - start) / LOOKUPS * 1e6);
    start = now_s();
    for (int i = 0; i < LOOKUPS / 10; i++) {
        must(catalog_path(catalog, node.id, &path, NULL));
        free(path);
    }
    printf("catalog_path %.2f us\n", (now_s() - start) / (LOOKUPS / 10) * 1e6);
    start = now_s();
    for (int i = 0; i < 100; i++)
        must(catalog_has_sealed(catalog, CATALOG_ROOT, &sealed));
    printf("catalog_has_sealed_root %.2f ms\n", (now_s() - start) / 100 * 1e3);
}

static double resident_mib(void)
{
    long pages = 0, all = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%ld %ld", &all, &pages) != 2)
        exit(3);
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576.0;
}

/* Committed and closed, as at a shutdown; then opened, as at a start. */
static void reopen(struct vault *vault, uint64_t entries, struct catalog **catalog)
{
    struct catalog_progress progress;
    struct catalog_found found;
    bool committed;
    double start = now_s();

    must(catalog_durable(*catalog, entries, &committed));
    catalog_close(*catalog);
    printf("catalog_close %.2f s\n", now_s() - start);
    start = now_s();
    must(catalog_open(vault, CATALOG_FILE, &found, catalog));
    catalog_progress(*catalog, &progress);
    printf("catalog_open %.3f s\n", now_s() - start);
    if (found.fresh || progress.low != entries) {
        fprintf(stderr, "catalog bench: %s\n", found.why);
        exit(3);
    }
}

int main(int argc, char **argv)
{
    uint64_t entries = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
    struct ledger_of g = {0};
    struct catalog *catalog;
    struct catalog_found found;
    struct vault *vault;
    bool committed;
    char folder[256], path[300], command[300];

    snprintf(folder, sizeof(folder), "%s/srt-bench.XXXXXX",
             getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    if (entries < 10) {
        fprintf(stderr, "usage: catalog [ENTRIES]\n");
        return 2;
    }
    if (mkdtemp(folder) == NULL)
        return 3;
    snprintf(path, sizeof(path), "%s/vault", folder);
    must(vault_create_with_cost(sr_io_posix(), path, "bench passphrase", "", 4, &vault));
    must(catalog_open(vault, CATALOG_FILE, &found, &catalog));
    must(catalog_durable(catalog, entries, &committed)); /* the ledger is there already */
    project(catalog, entries, &g);
    reopen(vault, entries, &catalog);
    lookups(catalog, &g);
    search(catalog, "two_characters", "笔录");
    search(catalog, "one_character", "桐");
    search(catalog, "word_and_number", "VID_2026 000777");
    search(catalog, "prefix_of_all", "v");
    search(catalog, "absent", "不存在");
    printf("catalog_resident %.0f MiB\n", resident_mib());
    catalog_close(catalog);
    vault_close(vault);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command) == 0 ? 0 : 3;
}
