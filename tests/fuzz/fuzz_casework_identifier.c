/* Any text as 证件号码: refused with a sentence, or good, and then good again as it is stored. */
#include "base/text.h"
#include "casework/identifier.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct identifier_fault fault, again;
    char *text = malloc(size + 1);

    must(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (identifier_check(text, 20000, &fault) == 0) {
        must(fault.rule == IDENTIFIER_GOOD && fault.kind != IDENTIFIER_UNKNOWN);
        must(strlen(fault.normal) == IDENTIFIER_LEN);
        must(identifier_check(fault.normal, 20000, &again) == 0 && !again.normalised);
        must(again.kind == fault.kind && strcmp(again.normal, fault.normal) == 0);
        if (fault.kind == IDENTIFIER_PERSON)
            must(identifier_birth_day(fault.normal) <= 20000);
    } else {
        must(fault.rule != IDENTIFIER_GOOD && fault.normal[0] == '\0');
        must(fault.position <= IDENTIFIER_LEN && fault.text[0] != '\0');
    }
    must(sr_utf8_valid(fault.text, strlen(fault.text)));
    free(text);
    return 0;
}
