/* A case that is too much for one disc: a set of bundles, each of which verifies by itself. A record is never cut. */
#include "tools/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tools/print.h"

/* What a package holds beside the content: in all, and of each record (proof, seal, note, metadata, acts). */
#define AROUND (2u << 20)
#define AROUND_RECORD (32u << 10)

static int no_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a set of bundles");
}

static int begin_part(const struct bundle *whole, struct bundle **parts, size_t *count)
{
    struct bundle *longer = realloc(*parts, (*count + 1) * sizeof(*longer));
    struct bundle *part;

    if (longer == NULL)
        return no_memory();
    *parts = longer;
    part = &longer[(*count)++];
    memset(part, 0, sizeof(*part));
    part->in_case = json_incref(whole->in_case);
    part->records = json_array();
    part->acts = json_array();
    part->time_ns = whole->time_ns;
    part->part = (unsigned)*count;
    memcpy(part->group, whole->folder, sizeof(part->group));
    return part->records != NULL && part->acts != NULL ? 0 : no_memory();
}

static int share_records(const struct bundle *whole, uint64_t limit, struct bundle **parts,
                         size_t *count)
{
    uint64_t used = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(whole->records); i++) {
        json_t *record = json_array_get(whole->records, i);
        uint64_t size = 0, needed;

        (void)sr_json_get_u64(record, "size", &size); /* bundle_take has asked */
        needed = size + AROUND_RECORD;
        if (needed + AROUND > limit)
            return sr_fail(SR_ERR_TOO_LARGE,
                           "%s is too large for a bundle of that size, and no record is cut",
                           print_text(record, "path"));
        if (*count == 0 || used + needed > limit) {
            rc = begin_part(whole, parts, count);
            used = AROUND;
        }
        used += needed;
        if (rc == 0 && json_array_append((*parts)[*count - 1].records, record) != 0)
            rc = no_memory();
        if (rc == 0)
            (*parts)[*count - 1].bytes += size;
    }
    return rc;
}

/* Acts on the case go into each; those on a record where it is. */
static int share_acts(const struct bundle *whole, struct bundle *part)
{
    json_t *objects = json_object();
    int rc = objects != NULL ? 0 : no_memory();

    for (size_t i = 0; rc == 0 && i < json_array_size(part->records); i++) {
        const json_t *record = json_array_get(part->records, i);

        if (json_object_set_new(objects, print_text(record, "object"), json_true()) != 0 ||
            json_object_set_new(objects, print_text(record, "node"), json_true()) != 0)
            rc = no_memory();
    }
    for (size_t i = 0; rc == 0 && i < json_array_size(whole->acts); i++) {
        json_t *act = json_array_get(whole->acts, i);
        const json_t *entry = json_object_get(act, "entry");
        const char *object = print_text(entry, "object"), *node = print_text(entry, "node");

        if ((object[0] == '\0' || json_object_get(objects, object) != NULL ||
             json_object_get(objects, node) != NULL) &&
            json_array_append(part->acts, act) != 0)
            rc = no_memory();
    }
    json_decref(objects);
    return rc;
}

int bundle_split(const struct bundle *whole, uint64_t limit, struct bundle **out, size_t *count)
{
    struct bundle *parts = NULL;
    int rc;

    *out = NULL;
    *count = 0;
    rc = share_records(whole, limit, &parts, count);
    for (size_t i = 0; rc == 0 && i < *count; i++) {
        rc = share_acts(whole, &parts[i]);
        parts[i].parts = (unsigned)*count;
        snprintf(parts[i].folder, sizeof(parts[i].folder), "%.100s_%u", whole->folder,
                 parts[i].part);
    }
    if (rc < 0) {
        for (size_t i = 0; i < *count; i++)
            bundle_free(&parts[i]);
        free(parts);
        *count = 0;
        return rc;
    }
    *out = parts;
    return 0;
}
