/* The language of search: any query is parsed or refused with a sentence, and what is parsed is found by. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "catalog/search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct catalog *catalog;
    static struct search_query query;
    char sentence[SEARCH_SENTENCE_MAX], snippet[SNIPPET_MAX + 1];
    struct catalog_hits hits;
    char *text = malloc(size + 1);

    if (text == NULL || (catalog == NULL && catalog_open_memory(&catalog) < 0))
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    if (search_parse(text, &query, sentence)) {
        int rc = catalog_query(catalog, &query, &hits);

        assert(rc == 0 || rc == SR_ERR_INVALID); /* over so many words; nothing is syntax */
        assert(hits.count == 0);
        catalog_hits_free(&hits);
        if (sr_utf8_valid(text, strlen(text)) &&
            search_snippet(&query, text, strlen(text), snippet))
            assert(sr_utf8_valid(snippet, strlen(snippet)));
    } else {
        assert(sentence[0] != '\0');
    }
    free(text);
    return 0;
}
