#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/error.h"

#define NS_PER_S INT64_C(1000000000)
#define LOCAL_OFFSET_S (8 * 3600)

bool sr_utf8_valid(const char *text, size_t len)
{
    return len == 0 || u8_check((const uint8_t *)text, len) == NULL;
}

int sr_name_fold(const char *name, char **out)
{
    *out = NULL;
    size_t len = strlen(name);
    if (!sr_utf8_valid(name, len))
        return sr_fail(SR_ERR_NAME_ENCODING, "name is not UTF-8");
    int rc = 0;
    size_t composed_len = 0;
    size_t folded_len = 0;
    uint8_t *folded = NULL;
    uint8_t *composed = u8_normalize(UNINORM_NFC, (const uint8_t *)name, len, NULL, &composed_len);
    /* No language: folding must not depend on the locale, Turkish dotless i or other. */
    if (composed)
        folded = u8_casefold(composed, composed_len, NULL, UNINORM_NFC, NULL, &folded_len);
    if (folded)
        *out = strndup((const char *)folded, folded_len);
    if (!*out)
        rc = sr_fail_errno(ENOMEM, "fold a name");
    free(folded);
    free(composed);
    return rc;
}

/* Returns the nanoseconds within the second, floored for times before 1970. int64_t nanoseconds
 * reach from 1677 to 2262, so a year always has four digits. */
static int64_t split_time(int64_t time_ns, int64_t offset_s, struct tm *tm)
{
    int64_t rest = time_ns % NS_PER_S;
    int64_t seconds = time_ns / NS_PER_S;
    if (rest < 0) {
        rest += NS_PER_S;
        seconds--;
    }
    time_t shifted = (time_t)(seconds + offset_s);
    gmtime_r(&shifted, tm);
    return rest;
}

void sr_time_local_text(int64_t time_ns, char out[20])
{
    struct tm tm;
    split_time(time_ns, LOCAL_OFFSET_S, &tm);
    strftime(out, 20, "%Y-%m-%d %H:%M:%S", &tm);
}

void sr_time_local_date(int64_t time_ns, char out[11])
{
    struct tm tm;
    split_time(time_ns, LOCAL_OFFSET_S, &tm);
    strftime(out, 11, "%Y-%m-%d", &tm);
}

void sr_time_utc_text(int64_t time_ns, char out[31])
{
    struct tm tm;
    int64_t ns = split_time(time_ns, 0, &tm);
    strftime(out, 20, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + 19, 12, ".%09uZ", (unsigned)ns % 1000000000u);
}
