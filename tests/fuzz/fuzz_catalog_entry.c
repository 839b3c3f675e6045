/* Entries that nobody vouches for: each line of the input is one entry (JSON), projected in order
 * into a fresh catalog. What is refused must leave no trace, and the invariants must hold after
 * all. A line beginning with '?' is searched for. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "catalog/catalog.h"
#include "catalog/dump.h"

#define LINES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int ignore_node(void *context, const struct catalog_node *node)
{
    (void)context;
    return node->id == 0; /* reads it */
}

static void search(struct catalog *catalog, const uint8_t *line, size_t len)
{
    char *text = strndup((const char *)line, len);

    if (text == NULL)
        abort();
    catalog_search(catalog, text, 10, ignore_node, NULL);
    free(text);
}

/* dump is what the catalog holds, empty when that is not known. The index is taken only if the
 * entry is. */
static void project(struct catalog *catalog, const uint8_t *line, size_t len, uint64_t *index,
                    struct sr_buf *dump)
{
    struct sr_buf after = {0};
    json_t *entry = NULL;

    if (sr_json_parse(line, len, &entry) < 0)
        return;
    if (dump->len == 0 && dump_text(catalog, dump) < 0)
        abort();
    if (catalog_project(catalog, *index, entry) == 0) {
        ++*index;
        sr_buf_free(dump);
    } else {
        if (dump_text(catalog, &after) < 0 || strcmp(dump->data, after.data) != 0)
            abort();
        sr_buf_free(&after);
    }
    json_decref(entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct catalog *catalog;
    struct sr_buf dump = {0};
    uint64_t index = 0;

    if (catalog_open_memory(&catalog) < 0)
        abort();
    for (unsigned lines = 0; size > 0 && lines < LINES_MAX; lines++) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end != NULL ? (size_t)(end - data) : size;

        if (len > 0 && data[0] == '?')
            search(catalog, data + 1, len - 1);
        else
            project(catalog, data, len, &index, &dump);
        len += end != NULL;
        data += len;
        size -= len;
    }
    if (dump_check(catalog) < 0)
        abort();
    sr_buf_free(&dump);
    catalog_close(catalog);
    return 0;
}
