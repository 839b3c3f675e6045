/* Ten thousand entries, and readers while they arrive. Prints the time; tests/bench/catalog.c
 * measures a hundred thousand. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "tests/unit/catalog_entries.h"

#define RECORDS 5000 /* two entries each */

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct reader {
    struct catalog *catalog;
    atomic_bool stop;
    unsigned long reads, found;
};

/* Looks for the newest records: each must be whole, with a version, wherever projection stands. */
static void *read_on(void *context)
{
    struct reader *r = context;
    struct catalog_counts counts;
    struct catalog_node node;

    while (!atomic_load(&r->stop)) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000},
                  NULL); /* it would keep the lock to itself */
        catalog_counts(r->catalog, &counts);
        r->reads++;
        if (counts.records == 0 || catalog_get(r->catalog, NODE(counts.records), &node) != 0)
            continue;
        if (node.kind != CATALOG_KIND_RECORD || node.version.node != node.id ||
            counts.staging + counts.sealed != counts.records)
            return r;
        r->found++;
    }
    return NULL;
}

static void test_scale(void **state)
{
    struct catalog *catalog = *state;
    struct reader reader = {.catalog = catalog};
    struct ids ids = {.count = 0};
    struct catalog_counts counts;
    json_t *create, *seal, *hidden;
    pthread_t thread;
    char last[64];
    void *wrong;
    double start;

    entry_ok(catalog, 0, "{'act':'year.open','year':2026,'uid':1}");
    create = entry_make(1, "{'act':'record.create','key':'1','private':{'parent':'$0','uid':7,"
                           "'client':'','draft':false,'junk':false}}");
    seal = entry_make(2, "{'act':'record.seal','key':'1','size':'1','sha256':'#1','tag_root':'#2',"
                         "'header_sha256':'#3','mtime':'1','state':'sealed','salvaged':false,"
                         "'holes':[],'hole_count':0,'empty':false}");
    hidden = json_object_get(create, "private");
    assert_int_equal(pthread_create(&thread, NULL, read_on, &reader), 0);
    start = now_s();
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < RECORDS; i++) {
            char text[64];
            snprintf(text, sizeof(text), "%032x", i);
            json_object_set_new(pass == 0 ? create : seal, "object", json_string(text));
            snprintf(text, sizeof(text), "IMG_%06u 现场照片.jpg", i);
            if (pass == 0)
                json_object_set_new(hidden, "name", json_string(text));
            if (catalog_project(catalog, 1 + pass * RECORDS + i, pass == 0 ? create : seal) != 0)
                fail_msg("%s", sr_error_message());
        }
    print_message("%u entries in %.2f s\n", 2 * RECORDS, now_s() - start);
    atomic_store(&reader.stop, true);
    assert_int_equal(pthread_join(thread, &wrong), 0);
    assert_null(wrong);
    assert_true(reader.reads > 0);
    json_decref(create);
    json_decref(seal);
    assert_int_equal(catalog_counts(catalog, &counts), 0);
    assert_int_equal(counts.sealed, RECORDS);
    snprintf(last, sizeof(last), "照片 img %06u", RECORDS - 1);
    assert_int_equal(catalog_search(catalog, last, 10, collect, &ids), 0);
    assert_int_equal(ids.count, 1);
    assert_int_equal(ids.id[0], NODE(RECORDS));
    ids.count = 0;
    assert_int_equal(catalog_search(catalog, "现场", 50, collect, &ids), 0);
    assert_int_equal(ids.count, 50);
    check(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_scale, open_catalog, close_catalog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
