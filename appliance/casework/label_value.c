#include "casework/label_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "casework/identifier.h"

#define SECOND INT64_C(1000000000)
#define LOCAL_OFFSET_S (8 * 3600)

bool label_by_name(const char *name, enum catalog_label *out)
{
    for (int i = 0; i < CATALOG_LABELS; i++)
        if (strcmp(name, catalog_label_words[i]) == 0 ||
            strcmp(name, catalog_label_names[i]) == 0) {
            *out = (enum catalog_label)i;
            return true;
        }
    return false;
}

/* --- reading --- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool take(const char **at, const char *token)
{
    size_t len = strlen(token);
    if (strncmp(*at, token, len) != 0)
        return false;
    *at += len;
    return true;
}

static bool take_any(const char **at, const char *one, const char *other)
{
    return take(at, one) || take(at, other);
}

static void skip_blanks(const char **at)
{
    while (is_blank(**at))
        (*at)++;
}

/* Digits, from min to max of them. */
static bool take_number(const char **at, int min, int max, unsigned *out)
{
    int digits = 0;
    *out = 0;
    for (; digits < max && **at >= '0' && **at <= '9'; digits++, (*at)++)
        *out = *out * 10 + (unsigned)(**at - '0');
    return digits >= min && !(**at >= '0' && **at <= '9');
}

/* ".5", of a second, to the millisecond. */
static bool take_fraction(const char **at, unsigned *ms)
{
    unsigned weight = 100;
    *ms = 0;
    if (!take(at, "."))
        return true;
    if (**at < '0' || **at > '9')
        return false;
    for (; **at >= '0' && **at <= '9'; (*at)++, weight /= 10)
        *ms += (unsigned)(**at - '0') * weight;
    return true;
}

/* "Z", "+08:00" or nothing, which is local. */
static bool take_zone(const char **at, int64_t *offset_s)
{
    unsigned hours, minutes;
    *offset_s = LOCAL_OFFSET_S;
    if (take_any(at, "Z", "z")) {
        *offset_s = 0;
        return true;
    }
    bool minus = **at == '-';
    if (!take_any(at, "+", "-"))
        return true;
    if (!take_number(at, 2, 2, &hours) || !take(at, ":") || !take_number(at, 2, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    *offset_s = (int64_t)(hours * 3600 + minutes * 60) * (minus ? -1 : 1);
    return true;
}

struct moment {
    unsigned year, month, day, hour, minute, second, ms;
    int64_t offset_s;
};

static bool take_date(const char **at, struct moment *out)
{
    if (!take_number(at, 4, 4, &out->year))
        return false;
    if (take(at, "年"))
        return take_number(at, 1, 2, &out->month) && take(at, "月") &&
               take_number(at, 1, 2, &out->day) && take(at, "日");
    const char *separator = **at == '-' ? "-" : **at == '/' ? "/" : ".";
    return take(at, separator) && take_number(at, 1, 2, &out->month) && take(at, separator) &&
           take_number(at, 1, 2, &out->day);
}

static bool take_time(const char **at, struct moment *out)
{
    if (!take_number(at, 1, 2, &out->hour))
        return false;
    if (take_any(at, "时", "点")) {
        if (!take_number(at, 1, 2, &out->minute) || !take(at, "分"))
            return false;
        const char *before = *at;
        if (!take_number(at, 1, 2, &out->second)) {
            *at = before;
            return true;
        }
        return take(at, "秒");
    }
    if (!take_any(at, ":", "：") || !take_number(at, 2, 2, &out->minute))
        return false;
    if (!take_any(at, ":", "："))
        return true;
    /* The second's digits end at a fraction, a zone or the end. */
    return take_number(at, 2, 2, &out->second) && take_fraction(at, &out->ms);
}

static bool read_moment(const char *text, int64_t *out_ns)
{
    struct moment moment = {.year = 0};
    const char *at = text;
    if (!take_date(&at, &moment))
        return false;
    if (!take_any(&at, "T", "t"))
        skip_blanks(&at);
    if (!take_time(&at, &moment) || !take_zone(&at, &moment.offset_s) || *at != '\0' ||
        !sr_time_from_local(moment.year, moment.month, moment.day, moment.hour, moment.minute,
                            moment.second, out_ns))
        return false;
    *out_ns += moment.ms * (SECOND / 1000) + (LOCAL_OFFSET_S - moment.offset_s) * SECOND;
    return true;
}

bool label_captured_ns(const char *value, int64_t *out)
{
    *out = 0;
    return value != NULL && read_moment(value, out);
}

void label_captured_text(int64_t time_ns, char out[40])
{
    char local[20];
    unsigned ms = (unsigned)(time_ns / (SECOND / 1000) % 1000);
    sr_time_local_text(time_ns, local);
    local[10] = 'T';
    if (ms > 0)
        snprintf(out, 40, "%s.%03u+08:00", local, ms);
    else
        snprintf(out, 40, "%s+08:00", local);
}

bool label_offset(const char *text, int64_t *out_ms)
{
    unsigned parts[3] = {0}, ms = 0;
    size_t count = 0;
    const char *at = text;
    int64_t seconds = 0;
    *out_ms = 0;
    if (strpbrk(text, "hms") != NULL) {
        static const struct {
            const char *unit;
            int64_t seconds;
        } units[] = {{"h", 3600}, {"m", 60}, {"s", 1}};
        for (size_t i = 0; i < 3 && *at != '\0'; i++) {
            const char *before = at;
            unsigned number;
            if (!take_number(&at, 1, 6, &number) || !take(&at, units[i].unit))
                at = before;
            else
                seconds += number * units[i].seconds;
        }
        *out_ms = seconds * 1000;
        return *at == '\0';
    }
    do {
        if (count == 3 || !take_number(&at, count == 0 ? 1 : 2, count == 0 ? 6 : 2, &parts[count]))
            return false;
        count++;
    } while (take_any(&at, ":", "："));
    if (!take_fraction(&at, &ms) || *at != '\0')
        return false;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && parts[i] > 59)
            return false;
        seconds = seconds * 60 + parts[i];
    }
    *out_ms = seconds * 1000 + ms;
    return true;
}

/* --- the labels --- */

/* Without blanks at the ends, also the wide one. False: too long, not UTF-8, or control characters. */
static bool trim(const char *text, char *out)
{
    static const char wide[] = "\xe3\x80\x80";
    size_t len = strlen(text);
    for (;;) {
        if (is_blank(*text)) {
            text++;
            len--;
        } else if (strncmp(text, wide, 3) == 0) {
            text += 3;
            len -= 3;
        } else {
            break;
        }
    }
    for (;;) {
        if (len > 0 && is_blank(text[len - 1]))
            len--;
        else if (len >= 3 && memcmp(text + len - 3, wide, 3) == 0)
            len -= 3;
        else
            break;
    }
    if (len > CATALOG_LABEL_MAX || !sr_utf8_valid(text, len))
        return false;
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)text[i] < 0x20 && !is_blank(text[i])) || text[i] == 0x7f)
            return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

static bool value_captured(char *value, int64_t now_ns, char *sentence)
{
    int64_t time_ns;
    if (!read_moment(value, &time_ns)) {
        snprintf(sentence, LABEL_SENTENCE_MAX,
                 "采集时间不是一个存在的时间，或没有写到分；写法如 2026-03-05 14:03");
        return false;
    }
    if (time_ns > now_ns) {
        snprintf(sentence, LABEL_SENTENCE_MAX,
                 "采集时间晚于现在；设备时钟有偏差时，请另填设备时间偏差");
        return false;
    }
    label_captured_text(time_ns, value);
    return true;
}

static bool value_clock(char *value, char *sentence)
{
    bool minus = value[0] == '-';
    uint64_t seconds;
    const char *digits = value + (minus || value[0] == '+');
    char number[24];
    size_t len = strlen(digits);
    if (len > 1 && digits[len - 1] == 's')
        len--;
    else if (len > 3 && strcmp(digits + len - 3, "秒") == 0)
        len -= 3;
    if (len < sizeof number) {
        memcpy(number, digits, len);
        number[len] = '\0';
        if (sr_parse_u64(number, &seconds) == 0 && seconds <= INT32_MAX) {
            snprintf(value, CATALOG_LABEL_MAX, "%s%llu",
                     seconds == 0 ? ""
                     : minus      ? "-"
                                  : "+",
                     (unsigned long long)seconds);
            return true;
        }
    }
    snprintf(sentence, LABEL_SENTENCE_MAX,
             "设备时间偏差须是秒数，设备快为正、慢为负，如 +90 或 -3600");
    return false;
}

/* Has it the form of one of the two numbers: 18 letters or digits? */
static bool is_number_like(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'A' && text[i] <= 'Z') ||
              (text[i] >= 'a' && text[i] <= 'z')))
            return false;
    return len == IDENTIFIER_LEN;
}

static bool add_subject(const char *one, int64_t now_ns, struct sr_buf *out, char *sentence)
{
    struct identifier_fault fault;
    char part[CATALOG_LABEL_MAX + 1];
    if (!trim(one, part) || part[0] == '\0')
        return true; /* an empty one between two separators */
    const char *kept = part;
    if (is_number_like(part)) {
        if (identifier_check(part, sr_day_local(now_ns), &fault) < 0) {
            snprintf(sentence, LABEL_SENTENCE_MAX, "执法对象：%s", fault.text);
            return false;
        }
        kept = fault.normal;
    }
    sr_buf_format(out, "%s%s", out->len > 0 ? ";" : "", kept);
    return true;
}

static bool value_subject(char *value, int64_t now_ns, char *sentence)
{
    static const char *const separators[] = {";", "；", "、", "\n"};
    struct sr_buf out = {0};
    char *at = value;
    bool good = true;
    while (good && at != NULL) {
        char *end = NULL;
        size_t len = 0;
        for (size_t i = 0; i < sizeof separators / sizeof separators[0]; i++) {
            char *found = strstr(at, separators[i]);
            if (found != NULL && (end == NULL || found < end)) {
                end = found;
                len = strlen(separators[i]);
            }
        }
        if (end != NULL)
            *end = '\0';
        good = add_subject(at, now_ns, &out, sentence);
        at = end != NULL ? end + len : NULL;
    }
    if (good && (out.failed || out.len > CATALOG_LABEL_MAX)) {
        snprintf(sentence, LABEL_SENTENCE_MAX, "执法对象过长");
        good = false;
    } else if (good) {
        snprintf(value, CATALOG_LABEL_MAX + 1, "%s", out.len > 0 ? out.data : "");
    }
    sr_buf_free(&out);
    return good;
}

bool label_value(enum catalog_label label, const char *text, int64_t now_ns, char *out,
                 char sentence[LABEL_SENTENCE_MAX])
{
    sentence[0] = '\0';
    if (!trim(text, out)) {
        snprintf(sentence, LABEL_SENTENCE_MAX, "%s超过 %d 字节，或含有不能显示的字符",
                 catalog_label_names[label], CATALOG_LABEL_MAX);
        return false;
    }
    if (out[0] == '\0')
        return true;
    switch (label) {
    case CATALOG_LABEL_CAPTURED:
        return value_captured(out, now_ns, sentence);
    case CATALOG_LABEL_CLOCK:
        return value_clock(out, sentence);
    case CATALOG_LABEL_SUBJECT:
        return value_subject(out, now_ns, sentence);
    default:
        return true;
    }
}
