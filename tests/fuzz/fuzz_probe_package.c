/* Documents in packages: the file as it is. And their parts by themselves, behind the package's checksums: a first byte
 * below 8 says what they make, and parts between lines of "---" are members, the first line of each its name. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "media/probe/ofd.h"
#include "media/probe/office.h"
#include "media/probe/package.h"
#include "tests/fuzz/fuzz.h"

static int check(void *context, const char *text, size_t len)
{
    (void)context;
    assert(sr_utf8_valid(text, len));
    return 0;
}

#define PARTS_MAX 16

static void as_members(unsigned which, const uint8_t *data, size_t size, struct describe *answer)
{
    static const char *const types[] = {
        "application/vnd.oasis.opendocument.text",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation"};
    struct member items[PARTS_MAX];
    struct members members = {.items = items};

    while (size > 0 && members.count < PARTS_MAX) {
        struct part part = next_part(&data, &size);
        const uint8_t *end = part.len ? memchr(part.data, '\n', part.len) : NULL;
        size_t name_len = end ? (size_t)(end - part.data) : part.len;
        size_t rest = part.len - name_len - (end != NULL);

        items[members.count].name = strndup((const char *)part.data, name_len);
        items[members.count].data = calloc(1, rest + 1);
        if (rest)
            memcpy(items[members.count].data, end + 1, rest);
        items[members.count++].len = rest;
    }
    if (which % 5 == 4)
        ofd_describe(&members, answer);
    else
        office_describe(&members, types[which % 5], answer);
    for (size_t i = 0; i < members.count; i++) {
        free(items[i].name);
        free(items[i].data);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct probe_source *source = NULL;
    struct describe *answer = NULL;
    json_t *result = NULL;
    const char *type;

    if (!size)
        return 0;
    if (probe_source_memory(data, size, "f", &source) || describe_new(check, NULL, &answer))
        abort();
    describe_limit_cpu(answer, 4);
    if (data[0] < 8)
        as_members(data[0], data + 1, size - 1, answer);
    else
        package_describe(source, answer, "application/zip", &type);
    describe_result(answer, &result);
    json_decref(result);
    describe_free(answer);
    probe_source_free(source);
    return 0;
}
