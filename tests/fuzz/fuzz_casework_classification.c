/* The text of a classification, which anybody may set as an attribute: what is taken reads the same
 * once more when it is written out. */
#include <stdlib.h>
#include <string.h>

#include "casework/classification.h"

#define TODAY 20454 /* 2026-01-01 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct classification first, again;
    struct sr_buf text = {0};
    char *input = strndup((const char *)data, size);

    if (input == NULL)
        abort();
    if (classification_parse(input, TODAY, &first) == 0) {
        classification_text(&first, &text);
        if (text.failed || classification_parse(text.data, TODAY, &again) < 0 ||
            again.level != first.level || again.marks != first.marks || again.until != first.until)
            abort();
        sr_buf_free(&text);
    }
    free(input);
    return 0;
}
