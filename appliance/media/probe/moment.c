#include "media/probe/moment.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define MOMENT_LEN 19 /* "2026-03-05T14:03:22" */
#define LOCAL_OFFSET_S (8 * 3600)
#define LONGEST 40 /* with nine digits of a fraction and an offset */

/* "Z", "+08:00" and what else may stand behind a moment; *seconds east of Greenwich. */
static bool read_offset(const char *text, int64_t *seconds)
{
    unsigned hours = 0, minutes = 0;

    *seconds = 0;
    if (strcmp(text, "Z") == 0)
        return true;
    if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
        strspn(text + 1, "0123456789") != 2 || strspn(text + 4, "0123456789") != 2 ||
        sscanf(text + 1, "%2u:%2u", &hours, &minutes) != 2 || hours > 23 || minutes > 59)
        return false;
    *seconds = (text[0] == '-' ? -1 : 1) * ((int64_t)hours * 3600 + (int64_t)minutes * 60);
    return true;
}

void moment_put(struct describe *answer, const char *key, const char *text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    unsigned year, month, day, hour, minute, second;
    char whole[LONGEST + 1], ns_key[32], ns_text[24];
    const char *at;
    int64_t ns, offset = 0;
    size_t len;

    if (describe_has(answer, key)) /* of two moments never a part of each */
        return;
    text += strspn(text, " \t\r\n");
    len = strcspn(text, " \t\r\n");
    if (len > LONGEST)
        return;
    snprintf(whole, sizeof(whole), "%.*s%s", (int)len, text, len == 10 ? "T00:00:00" : "");
    for (size_t i = 0; i < MOMENT_LEN; i++)
        if (form[i] == 'd' ? whole[i] < '0' || whole[i] > '9' : whole[i] != form[i])
            return;
    if (sscanf(whole, "%4u-%2u-%2uT%2u:%2u:%2u", &year, &month, &day, &hour, &minute, &second) !=
            6 ||
        !sr_time_from_local(year, month, day, hour, minute, second, &ns))
        return;
    at = whole + MOMENT_LEN;
    if (*at == '.')
        at += 1 + strspn(at + 1, "0123456789");
    if (*at && !read_offset(at, &offset))
        return;
    memmove(whole + MOMENT_LEN, at, strlen(at) + 1); /* without the fraction */
    describe_text_value(answer, key, whole);
    if (whole[MOMENT_LEN] == '\0') /* whose clock it was is not said */
        return;
    snprintf(ns_key, sizeof(ns_key), "%s_ns", key);
    snprintf(ns_text, sizeof(ns_text), "%lld",
             (long long)(ns + (LOCAL_OFFSET_S - offset) * INT64_C(1000000000)));
    describe_text_value(answer, ns_key, ns_text);
}
