/* How fast a large agency's records are taken into the catalog and found. Prints one figure a line.
 *
 * usage: search [RECORDS]     (default 1000000; every fifth is a document with 2 kB of text)
 *
 * Each record is created, sealed, looked into, labelled and numbered, as in use; cases hold 50 records; 200 officers.
 * The catalog is a file, as in use. Entries are made before the clock starts, in chunks; so their JSON is not
 * counted. Queries are a mix, and every one gives the number of all it finds. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "catalog/described.h"
#include "catalog/file.h"
#include "catalog/gathered.h"
#include "catalog/search.h"
#include "tests/bench/agency.h"

#define CHUNK 5000
#define TEXT_CHARS 680
#define ROUNDS 400 /* queries of each kind */

#define FULL 1000000 /* records that the requirements speak of */
#define REQUIRED_P99_MS 100.0
#define REQUIRED_PROJECT 20000.0 /* entries a second */
#define REQUIRED_RESIDENT_MIB 512.0

static bool missed;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int rc)
{
    if (rc < 0) {
        fprintf(stderr, "search bench: %s\n", sr_error_message());
        exit(3);
    }
}

static uint64_t project(struct catalog *catalog, struct agency_maker *m)
{
    static json_t *chunk[CHUNK];
    double spent = 0;

    while (m->made < m->records) {
        uint64_t first = m->index;
        size_t count = 0;
        double start;

        while (count < CHUNK && m->made < m->records) {
            chunk[count++] = agency_next(m);
            if (chunk[count - 1] == NULL) {
                fprintf(stderr, "search bench: entry %llu cannot be made\n",
                        (unsigned long long)m->index);
                exit(3);
            }
            m->index++;
        }
        start = now_s();
        for (size_t i = 0; i < count; i++)
            must(catalog_project(catalog, first + i, chunk[i]));
        spent += now_s() - start;
        for (size_t i = 0; i < count; i++)
            json_decref(chunk[i]);
    }
    printf("search_project %.1f s for %llu entries, %.0f entries/s\n", spent,
           (unsigned long long)m->index, (double)m->index / spent);
    missed |= m->records >= FULL && (double)m->index / spent < REQUIRED_PROJECT;
    return m->index;
}

static void fill_texts(struct catalog *catalog)
{
    struct object_expectation expected;
    struct catalog_version version;
    char *text = malloc(3 * TEXT_CHARS + 64);
    uint64_t from = 0, texts = 0;
    double spent = 0;

    while (catalog_untexted(catalog, from, &version, &expected) == 0) {
        double start;

        for (unsigned i = 0; i < TEXT_CHARS / 2; i++)
            agency_word(text + 6 * i, agency_any_word());
        start = now_s();
        must(catalog_text_index(catalog, &version, text));
        spent += now_s() - start;
        from = version.create_index + 1;
        texts++;
    }
    free(text);
    printf("search_fill %.1f s for %llu texts of 2 kB, %.0f texts/s\n", spent,
           (unsigned long long)texts, (double)texts / spent);
}

/* --- queries -------------------------------------------------------------------------------------- */

static double times[ROUNDS * 16];
static size_t time_count;

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void ask(struct catalog *catalog, const char *what, void (*make)(char *out), unsigned rounds)
{
    static struct search_query query;
    char text[SEARCH_TEXT_MAX], sentence[SEARCH_SENTENCE_MAX];
    size_t first = time_count;
    uint64_t found = 0;

    for (unsigned i = 0; i < rounds; i++) {
        struct catalog_hits hits;
        double start = now_s();

        make(text);
        if (!search_parse(text, &query, sentence)) {
            fprintf(stderr, "search bench: %s: %s\n", text, sentence);
            exit(3);
        }
        must(catalog_query(catalog, &query, &hits));
        found += hits.count;
        catalog_hits_free(&hits);
        times[time_count++] = (now_s() - start) * 1e3;
    }
    qsort(times + first, rounds, sizeof(double), by_size);
    printf("search_%-16s median %7.2f ms, p99 %7.2f ms, %llu found\n", what,
           times[first + rounds / 2], times[first + rounds * 99 / 100],
           (unsigned long long)(found / rounds));
}

static void q_subject(char *out)
{
    sprintf(out, "对象:91350100M%06u43X", agency_below(100000));
}
static void q_person(char *out)
{
    sprintf(out, "采集人:川H%03u", agency_below(AGENCY_PEOPLE));
}
static void q_place(char *out)
{
    char word[8];
    agency_word(word, agency_below(500));
    sprintf(out, "地点:%s", word);
}
static void q_word(char *out)
{
    agency_word(out, agency_any_word());
}
static void q_two_words(char *out)
{
    agency_word(out, agency_any_word());
    out[6] = ' ';
    agency_word(out + 7, agency_any_word());
}
static void q_common(char *out)
{
    strcpy(out, "询问笔录"); /* a fifth of all names */
}
static void q_type_and_time(char *out)
{
    sprintf(out, "类型:视频 时长>10m 2026-%02u..2026-%02u", 1 + agency_below(5),
            6 + agency_below(5));
}
static void q_person_and_time(char *out)
{
    sprintf(out, "采集人:川H%03u 类型:视频 2026-03", agency_below(AGENCY_PEOPLE));
}
static void q_case(char *out)
{
    sprintf(out, "案件:〔2026〕%u号", 1 + agency_below(20000));
}
static void q_most(char *out)
{
    strcpy(out, "利州"); /* stands in every record */
}

/* The first row of every key, as a listing of all folders goes through them, with a name for each key; then one folder. */
static void gather(struct catalog *catalog, const char *what, enum catalog_gathering by)
{
    static struct catalog_gathered_page page = {.more = true};
    uint64_t key = 0, node = UINT64_MAX, rows = 0, keys = 0, last = 0, middle = 0, one = 0;
    char name[CATALOG_NAME_MAX + 1];
    double start = now_s();

    for (page.more = true; page.more;) {
        must(catalog_gathered(catalog, by, key, node, false, &page));
        for (size_t i = 0; i < page.count; i++, rows++) {
            key = page.rows[i].key;
            node = page.rows[i].node;
            if (key == last)
                continue;
            if (by == CATALOG_GATHERED_BY_SUBJECT)
                must(catalog_subject_name(catalog, key, node, name));
            last = key;
            middle = keys++ % 7 == 3 ? key : middle;
        }
    }
    printf("gather_%s_all %.2f s for %llu folders of %llu records\n", what, now_s() - start,
           (unsigned long long)keys, (unsigned long long)rows);
    start = now_s();
    for (page.more = true, key = middle, node = 0; page.more; one += page.count) {
        must(catalog_gathered(catalog, by, key, node, true, &page));
        node = page.count > 0 ? page.rows[page.count - 1].node : node;
    }
    printf("gather_%s_one %.2f ms for %llu records\n", what, (now_s() - start) * 1e3,
           (unsigned long long)one);
}

static void queries(struct catalog *catalog)
{
    double start = now_s();
    struct catalog_hits hits;
    static struct search_query query;
    char sentence[SEARCH_SENTENCE_MAX];

    search_parse("不存在", &query, sentence);
    must(catalog_query(catalog, &query, &hits));
    catalog_hits_free(&hits);
    printf("search_first %.2f s\n", now_s() - start);
    ask(catalog, "subject", q_subject, ROUNDS);
    ask(catalog, "person", q_person, ROUNDS);
    ask(catalog, "place", q_place, ROUNDS);
    ask(catalog, "word", q_word, ROUNDS);
    ask(catalog, "two_words", q_two_words, ROUNDS);
    ask(catalog, "case", q_case, ROUNDS);
    ask(catalog, "person_and_time", q_person_and_time, ROUNDS);
    ask(catalog, "type_and_time", q_type_and_time, 100);
    ask(catalog, "fifth_of_all", q_common, 20);
    qsort(times, time_count, sizeof(double), by_size);
    printf("search_p99 %.1f ms of %zu queries, count included\n", times[time_count * 99 / 100],
           time_count);
    missed |= times[time_count * 99 / 100] > REQUIRED_P99_MS;
    ask(catalog, "every_record", q_most, 5);
}

int main(int argc, char **argv)
{
    struct agency_maker m = {.records = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000};
    char folder[256], path[300], command[400];
    struct catalog *catalog;
    struct catalog_found found;
    struct vault *vault;
    uint64_t entries;
    bool committed;
    double start;

    snprintf(folder, sizeof(folder), "%s/srt-bench.XXXXXX",
             getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    if (m.records < 100 || mkdtemp(folder) == NULL) {
        fprintf(stderr, "usage: search [RECORDS]\n");
        return 2;
    }
    snprintf(path, sizeof(path), "%s/vault", folder);
    must(vault_create_with_cost(sr_io_posix(), path, "bench passphrase", "", 4, &vault));
    must(catalog_open(vault, CATALOG_FILE, &found, &catalog));
    must(catalog_durable(catalog, UINT64_MAX / 4, &committed)); /* the ledger is there already */
    entries = project(catalog, &m);
    if (argc < 3)
        fill_texts(catalog);
    must(catalog_durable(catalog, entries, &committed));
    catalog_close(catalog);
    start = now_s();
    must(catalog_open(vault, CATALOG_FILE, &found, &catalog));
    printf("search_open %.2f s\n", now_s() - start);
    queries(catalog);
    gather(catalog, "subjects", CATALOG_GATHERED_BY_SUBJECT);
    gather(catalog, "days", CATALOG_GATHERED_BY_DAY);
    printf("search_resident %.0f MiB\n", agency_resident_mib());
    missed |= agency_resident_mib() > REQUIRED_RESIDENT_MIB;
    catalog_close(catalog);
    snprintf(command, sizeof(command),
             "du -m '%s' | tail -1 | cut -f1 | sed 's/^/search_disk_mib /'", path);
    if (system(command) != 0)
        return 3;
    vault_close(vault);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command) == 0 ? missed : 3;
}
