/* XML of strangers: what is given out is text, and the walk ends. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "media/probe/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int start(void *context, struct xml *at, const char *name)
{
    char value[64];

    (void)context;
    xml_attribute(at, name, value, sizeof(value));
    if (xml_attribute(at, "a", value, sizeof(value)))
        assert(sr_utf8_valid(value, strlen(value)));
    return 0;
}

static int text(void *context, const char *piece, size_t len)
{
    assert(len > 0 && sr_utf8_valid(piece, len));
    return ++*(unsigned *)context > 100000;
}

static int drop(void *context, const char *piece, size_t len)
{
    (void)context, (void)piece, (void)len;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned count = 0;
    const struct xml_visitor visitor = {start, NULL, text, &count};
    struct describe *answer = NULL;

    if (describe_new(drop, NULL, &answer))
        abort();
    (void)xml_walk((const char *)data, size, &visitor, answer);
    describe_free(answer);
    return 0;
}
