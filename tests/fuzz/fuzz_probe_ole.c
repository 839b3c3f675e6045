/* Compound files: whether something is in the directory, wherever that leads. */
#include <stdlib.h>

#include "media/probe/ole.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct probe_source *source = NULL;
    bool found;

    must(probe_source_memory(data, size, "f", &source) == 0);
    must(ole_has(source, "EncryptedPackage", &found) == 0);
    must(!found || size >= 512);
    probe_source_free(source);
    return 0;
}
