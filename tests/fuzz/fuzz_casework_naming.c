/* Any bytes as naming.yaml, and behind a line of --- names to read by it. */
#include "base/text.h"
#include "casework/naming.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct part file = next_part(&data, &size);
    struct naming_labels labels;
    struct naming *naming;
    char name[300];

    if (naming_parse("fuzz", file.data, file.len, &naming) < 0)
        return 0;
    while (size > 0) {
        struct part part = next_part(&data, &size);
        size_t len = part.len < sizeof(name) - 1 ? part.len : sizeof(name) - 1;

        memcpy(name, part.data, len);
        name[len] = '\0';
        bool known = naming_read(naming, name, &labels);
        must(labels.device != NULL && labels.pattern != NULL);
        must(known || (!labels.has_time && labels.badge[0] == '\0'));
        must(labels.has_time == (labels.captured_ns != 0));
        must(strlen(labels.badge) <= NAMING_FIELD_MAX &&
             sr_utf8_valid(labels.badge, strlen(labels.badge)));
    }
    naming_free(naming);
    return 0;
}
