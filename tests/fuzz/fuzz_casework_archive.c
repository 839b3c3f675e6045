/* Any bytes as archive.yaml, and a record to number by it. */
#include "base/text.h"
#include "casework/archive.h"
#include "catalog/catalog.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct part file = next_part(&data, &size), unit = next_part(&data, &size);
    char name[256], series[CATALOG_ARCHIVE_SERIES_MAX + 1];
    size_t len = unit.len < sizeof(name) - 1 ? unit.len : sizeof(name) - 1;
    struct archive_rules *archive;

    memcpy(name, unit.data, len);
    name[len] = '\0';
    if (archive_rules_parse("fuzz", file.data, file.len, &archive) < 0)
        return 0;
    must(archive_rules_digits(archive) > 0);
    for (unsigned type = 0; type < 6; type++) {
        const struct archive_subject subject = {.type = type,
                                                .level = type % 4,
                                                .marks = type * 3,
                                                .year = 2026,
                                                .months = type % 2 ? CATALOG_PERMANENT : 120,
                                                .unit = name};
        if (archive_rules_series(archive, &subject, series) == 0)
            must(series[0] != '\0' && strlen(series) <= CATALOG_ARCHIVE_SERIES_MAX &&
                 sr_utf8_valid(series, strlen(series)) && strchr(series, '\n') == NULL);
    }
    archive_rules_free(archive);
    return 0;
}
