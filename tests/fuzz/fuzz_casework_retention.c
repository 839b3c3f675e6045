/* Any bytes as retention.yaml: every record is kept for half a year at least, and a file never says less than itself. */
#include "casework/retention.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct retention_reason reasons[RETENTION_RULES_MAX + 1];
    struct retention *retention;
    char period[32];

    if (retention_parse("fuzz", data, size, &retention) < 0)
        return 0;
    must(retention_check_longer(retention, retention) == 0);
    for (unsigned i = 0; i < 3 * 6 * 4; i++) {
        const struct retention_subject subject = {
            .scope = i % 3, .type = i / 3 % 6, .marks = i / 18, .sealed = 20000};
        size_t count = retention_explain(retention, &subject, reasons), decides = 0;

        must(count >= 1 && count <= RETENTION_RULES_MAX + 1);
        for (size_t j = 0; j < count; j++) {
            decides += reasons[j].decides;
            must(!reasons[j].decides || reasons[j].months >= RETENTION_FLOOR_MONTHS);
            must((reasons[j].until == 0) == (reasons[j].months == RETENTION_PERMANENT));
            retention_period_text(reasons[j].months, period);
            must(strlen(period) < sizeof(period) && period[0] != '\0');
        }
        must(decides == 1);
    }
    retention_free(retention);
    return 0;
}
