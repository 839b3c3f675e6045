/* Any bytes as the notice of a year: terms go forward, and count back to what was asked. */
#include "casework/calendar.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct calendar *calendar;
    bool provisional = false;

    if (calendar_parse("2026.yaml", data, size, &calendar) < 0)
        return 0;
    for (int32_t from = 20440; from < 20840; from += 37)
        for (unsigned days = 1; days < 60; days += 7) {
            int32_t last = calendar_add(calendar, from, days, &provisional);

            must(last > from && calendar_is_working(calendar, last, NULL));
            must(calendar_between(calendar, from, last, NULL) == days);
        }
    calendar_free(calendar);
    return 0;
}
