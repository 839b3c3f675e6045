#include "catalog/search_query.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define KEYS_SHOWN                                                                                                                      \
    "案件 时间 入库 地点 采集人 证明 对象 编号 内容 对话 设备 档号 名称 全文 类型 时长 大小 密级 " \
    "发送人 入卷"

enum key_kind {
    KEY_WORDS,
    KEY_CAPTURED,
    KEY_SEALED,
    KEY_TYPE,
    KEY_DURATION,
    KEY_SIZE,
    KEY_LEVEL,
    KEY_SENDER,
    KEY_ENTERED
};

static const struct key {
    const char *name;
    enum key_kind kind;
    enum search_column column;
} keys[] = {
    {"案件编号", KEY_WORDS, SEARCH_CASE_NUMBER},
    {"案件", KEY_WORDS, SEARCH_CASE_NUMBER},
    {"案号", KEY_WORDS, SEARCH_CASE_NUMBER},
    {"case", KEY_WORDS, SEARCH_CASE_NUMBER},
    {"采集地点", KEY_WORDS, SEARCH_PLACE},
    {"地点", KEY_WORDS, SEARCH_PLACE},
    {"place", KEY_WORDS, SEARCH_PLACE},
    {"采集人", KEY_WORDS, SEARCH_PERSON},
    {"person", KEY_WORDS, SEARCH_PERSON},
    {"证明对象", KEY_WORDS, SEARCH_PROVES},
    {"证明", KEY_WORDS, SEARCH_PROVES},
    {"proves", KEY_WORDS, SEARCH_PROVES},
    {"执法对象", KEY_WORDS, SEARCH_SUBJECT},
    {"当事人", KEY_WORDS, SEARCH_SUBJECT},
    {"对象", KEY_WORDS, SEARCH_SUBJECT},
    {"subject", KEY_WORDS, SEARCH_SUBJECT},
    {"编号", KEY_WORDS, SEARCH_NUMBER},
    {"number", KEY_WORDS, SEARCH_NUMBER},
    {"摄录内容", KEY_WORDS, SEARCH_CONTENT},
    {"内容", KEY_WORDS, SEARCH_CONTENT},
    {"content", KEY_WORDS, SEARCH_CONTENT},
    {"对话", KEY_WORDS, SEARCH_TALK},
    {"talk", KEY_WORDS, SEARCH_TALK},
    {"设备", KEY_WORDS, SEARCH_DEVICE},
    {"device", KEY_WORDS, SEARCH_DEVICE},
    {"档号", KEY_WORDS, SEARCH_ARCHIVE},
    {"archive", KEY_WORDS, SEARCH_ARCHIVE},
    {"文件名", KEY_WORDS, SEARCH_NAME},
    {"名称", KEY_WORDS, SEARCH_NAME},
    {"name", KEY_WORDS, SEARCH_NAME},
    {"全文", KEY_WORDS, SEARCH_TEXT},
    {"text", KEY_WORDS, SEARCH_TEXT},
    {"采集时间", KEY_CAPTURED, 0},
    {"时间", KEY_CAPTURED, 0},
    {"captured", KEY_CAPTURED, 0},
    {"入库时间", KEY_SEALED, 0},
    {"入库", KEY_SEALED, 0},
    {"sealed", KEY_SEALED, 0},
    {"类型", KEY_TYPE, 0},
    {"type", KEY_TYPE, 0},
    {"时长", KEY_DURATION, 0},
    {"duration", KEY_DURATION, 0},
    {"大小", KEY_SIZE, 0},
    {"size", KEY_SIZE, 0},
    {"密级", KEY_LEVEL, 0},
    {"level", KEY_LEVEL, 0},
    {"发送人", KEY_SENDER, 0},
    {"存入人", KEY_SENDER, 0},
    {"sender", KEY_SENDER, 0},
    {"入卷", KEY_ENTERED, 0},
    {"entered", KEY_ENTERED, 0},
};

/* --- pieces --- */

struct parser {
    const char *start, *at;
    struct search_query *out;
    char *sentence;
};

static bool fail(struct parser *parser, const char *at, const char *chinese, const char *english)
{
    snprintf(parser->sentence, SEARCH_SENTENCE_MAX, "第 %zu 个字节起：%s (from byte %zu: %s)",
             (size_t)(at - parser->start) + 1, chinese, (size_t)(at - parser->start) + 1, english);
    return false;
}

static size_t blank(const char *at)
{
    if (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
        return 1;
    return strncmp(at, "\xe3\x80\x80", 3) == 0 ? 3 : 0;
}

/* Bytes of one of the pair at the place; 0: neither. */
static size_t either(const char *at, const char *one, const char *wide)
{
    if (strncmp(at, one, strlen(one)) == 0)
        return strlen(one);
    return strncmp(at, wide, strlen(wide)) == 0 ? strlen(wide) : 0;
}

enum op { OP_NONE, OP_IS, OP_MORE, OP_LESS, OP_FROM, OP_TO };

static enum op take_op(const char **at)
{
    static const struct {
        const char *text;
        enum op op;
    } ops[] = {{">=", OP_FROM}, {"<=", OP_TO},  {"＞=", OP_FROM}, {"＜=", OP_TO},  {"≥", OP_FROM},
               {"≤", OP_TO},    {">", OP_MORE}, {"<", OP_LESS},   {"＞", OP_MORE}, {"＜", OP_LESS},
               {":", OP_IS},    {"：", OP_IS},  {"=", OP_IS},     {"＝", OP_IS}};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (strncmp(*at, ops[i].text, strlen(ops[i].text)) == 0) {
            *at += strlen(ops[i].text);
            return ops[i].op;
        }
    return OP_NONE;
}

static bool same_key(const char *name, const char *at, size_t len)
{
    if (strlen(name) != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = at[i] >= 'A' && at[i] <= 'Z' ? (char)(at[i] + ('a' - 'A')) : at[i];
        if (c != name[i])
            return false;
    }
    return true;
}

/* Up to a blank, or between quotes. *quoted says which. */
static bool take_value(struct parser *parser, char *out, bool *quoted)
{
    size_t len = either(parser->at, "\"", "“"), used = 0, skip;
    const char *begin = parser->at;
    *quoted = len > 0;
    parser->at += len;
    for (; *parser->at != '\0'; parser->at++) {
        if (*quoted && ((skip = either(parser->at, "\"", "”")) > 0)) {
            parser->at += skip;
            out[used] = '\0';
            return true;
        }
        if (!*quoted && blank(parser->at) > 0)
            break;
        out[used++] = *parser->at;
    }
    out[used] = '\0';
    return !*quoted || fail(parser, begin, "引号没有结束", "the quote does not end");
}

/* --- values --- */

/* "2026", "2026-03", "2026-03-05" (also with / and .): first and last day of it. */
static bool read_days(const char *text, size_t len, int64_t *first, int64_t *last)
{
    unsigned parts[3] = {0, 1, 1}, count = 0;
    size_t at = 0;
    while (count < 3) {
        unsigned digits = 0, number = 0;
        for (; at < len && text[at] >= '0' && text[at] <= '9' && digits < 5; at++, digits++)
            number = number * 10 + (unsigned)(text[at] - '0');
        if (digits == 0 || (count == 0) != (digits == 4) || digits > 4)
            return false;
        parts[count++] = number;
        if (at == len)
            break;
        if (text[at] != '-' && text[at] != '/')
            return false;
        at++;
    }
    if (at != len || parts[0] < 1971 || parts[0] > 9999 ||
        !sr_date_exists(parts[0], parts[1], parts[2]))
        return false;
    *first = *last = sr_day_number(parts[0], parts[1], parts[2]);
    if (count == 2)
        *last = (parts[1] == 12 ? sr_day_number(parts[0], 12, 31)
                                : sr_day_number(parts[0], parts[1] + 1, 1) - 1);
    else if (count == 1)
        *last = sr_day_number(parts[0], 12, 31);
    return true;
}

static bool read_duration(const char *text, size_t len, int64_t *first, int64_t *last)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1},      {"h", 3600000},  {"小时", 3600000}, {"时", 3600000}, {"m", 60000},
                 {"min", 60000}, {"分钟", 60000}, {"分", 60000},     {"s", 1000},     {"秒", 1000}};
    size_t at = 0;
    int64_t total = 0;
    while (at < len) {
        int64_t number = 0;
        size_t digits = 0, best = 0, i, unit = 0;
        for (; at < len && text[at] >= '0' && text[at] <= '9' && digits < 9; at++, digits++)
            number = number * 10 + (text[at] - '0');
        for (i = 0; i < sizeof units / sizeof units[0]; i++) {
            size_t width = strlen(units[i].unit);
            if (width > best && width <= len - at &&
                strncmp(text + at, units[i].unit, width) == 0) {
                best = width;
                unit = i;
            }
        }
        if (digits == 0 || (best == 0 && at != len))
            return false;
        total += number * (best > 0 ? units[unit].ms : 1000);
        at += best;
    }
    *first = total;
    *last = total + (total % 1000 == 0 ? 999 : 0);
    return len > 0;
}

static bool read_size(const char *text, size_t len, int64_t *first, int64_t *last)
{
    int64_t number = 0, unit = 1;
    size_t at = 0, digits = 0;
    for (; at < len && text[at] >= '0' && text[at] <= '9' && digits < 12; at++, digits++)
        number = number * 10 + (text[at] - '0');
    if (digits == 0)
        return false;
    if (at < len) {
        static const char letters[] = "kmgtKMGT";
        const char *letter = memchr(letters, text[at], 8);
        if (letter != NULL) {
            for (int i = (int)(letter - letters) % 4; i >= 0; i--)
                unit *= 1024;
            at++;
        }
        if (at < len && (text[at] == 'B' || text[at] == 'b'))
            at++;
    }
    if (at != len || number > INT64_MAX / unit / 2)
        return false;
    *first = number * unit;
    *last = *first + (unit > 1 ? unit - 1 : 0);
    return true;
}

typedef bool read_fn(const char *text, size_t len, int64_t *first, int64_t *last);

static void narrow(struct search_range *range, int64_t min, int64_t max)
{
    range->min = min > range->min ? min : range->min;
    range->max = max < range->max ? max : range->max;
}

/* "A..B", "A..", "..B", "A", or one side with an operator. */
static bool read_range(read_fn *read, enum op op, const char *text, struct search_range *range)
{
    const char *dots = strstr(text, "..");
    int64_t first, last, other;
    if (op != OP_IS) {
        if (dots != NULL || !read(text, strlen(text), &first, &last))
            return false;
        narrow(range,
               op == OP_MORE   ? last + 1
               : op == OP_FROM ? first
                               : INT64_MIN,
               op == OP_LESS ? first - 1
               : op == OP_TO ? last
                             : INT64_MAX);
        return true;
    }
    if (dots == NULL) {
        if (!read(text, strlen(text), &first, &last))
            return false;
        narrow(range, first, last);
        return true;
    }
    if (dots == text && dots[2] == '\0')
        return false;
    first = INT64_MIN;
    last = INT64_MAX;
    if ((dots != text && !read(text, (size_t)(dots - text), &first, &other)) ||
        (dots[2] != '\0' && !read(dots + 2, strlen(dots + 2), &other, &last)))
        return false;
    narrow(range, first, last);
    return true;
}

static bool read_words(const char *text, const char *const *words, size_t count, size_t forms,
                       uint32_t *out)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], text) == 0) {
            *out |= 1u << (i / forms);
            return true;
        }
    return false;
}

static bool read_type(const char *text, struct search_query *out)
{
    static const char *const words[] = {"其他",  "other", "视频",  "video", "音频",
                                        "audio", "图片",  "image", "文档",  "document"};
    return read_words(text, words, sizeof words / sizeof words[0], 2, &out->types);
}

static bool read_level(const char *text, struct search_query *out)
{
    static const char *const words[] = {"公开", "public",       "内部", "internal",
                                        "秘密", "confidential", "机密", "secret",
                                        "绝密", "top_secret"};
    return read_words(text, words, sizeof words / sizeof words[0], 2, &out->levels);
}

static bool read_entered(const char *text, struct search_query *out)
{
    static const char *const words[] = {"否", "no", "是", "yes"};
    uint32_t bits = 0;
    if (!read_words(text, words, 4, 2, &bits))
        return false;
    out->entered = bits == 2;
    return true;
}

/* --- terms --- */

static bool add_term(struct parser *parser, const char *at, enum search_column column, bool negated,
                     const char *text)
{
    struct search_query *out = parser->out;
    if (out->count == SEARCH_TERMS_MAX)
        return fail(parser, at, "条件过多", "too many terms");
    struct search_term *term = &out->terms[out->count++];
    term->column = column;
    term->negated = negated;
    memcpy(term->text, text, strlen(text) + 1);
    return true;
}

static bool condition(struct parser *parser, const struct key *key, enum op op, const char *at,
                      const char *value)
{
    struct search_query *out = parser->out;
    out->conditions = true;
    switch (key->kind) {
    case KEY_CAPTURED:
        return read_range(read_days, op, value, &out->captured) ||
               fail(parser, at, "日期写法如 2026-03-05、2026-03 或 2026-03..2026-06",
                    "not a date or range of dates");
    case KEY_SEALED:
        return read_range(read_days, op, value, &out->sealed) ||
               fail(parser, at, "日期写法如 2026-03-05、2026-03 或 2026-03..2026-06",
                    "not a date or range of dates");
    case KEY_DURATION:
        return read_range(read_duration, op, value, &out->duration) ||
               fail(parser, at, "时长写法如 10m、1h30m 或 90秒", "not a duration");
    case KEY_SIZE:
        return read_range(read_size, op, value, &out->size) ||
               fail(parser, at, "大小写法如 500K、20M 或 1G", "not a size");
    default:
        break;
    }
    if (op != OP_IS)
        return fail(parser, at, "这一项只能用冒号", "this takes a colon");
    if (key->kind == KEY_TYPE)
        return read_type(value, out) || fail(parser, at, "类型是 视频、音频、图片、文档 或 其他",
                                             "a type is video, audio, image, document or other");
    if (key->kind == KEY_LEVEL)
        return read_level(value, out) ||
               fail(parser, at, "密级是 公开、内部、秘密、机密 或 绝密",
                    "a level is public, internal, confidential, secret or top_secret");
    if (key->kind == KEY_ENTERED)
        return read_entered(value, out) || fail(parser, at, "入卷是 是 或 否", "yes or no");
    if (value[0] == '\0' || strlen(value) > SEARCH_SENDER_MAX)
        return fail(parser, at, "发送人是账号或姓名", "an account or a name");
    memcpy(out->sender, value, strlen(value) + 1);
    return true;
}

/* A key and its operator at the place; *op is OP_NONE when there is none. False: it is no key that is known. */
static bool find_key(struct parser *parser, const struct key **key, enum op *op)
{
    const char *at = parser->at, *end = at;
    bool letters = true;
    *key = NULL;
    *op = OP_NONE;
    for (; *end != '\0' && blank(end) == 0 && either(end, "\"", "“") == 0; end++) {
        const char *behind = end;
        *op = take_op(&behind);
        if (*op != OP_NONE) {
            for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
                if (same_key(keys[i].name, at, (size_t)(end - at)))
                    *key = &keys[i];
            if (*key != NULL) {
                parser->at = behind;
                return true;
            }
            bool is_colon = *op == OP_IS && end > at && letters && *end != '=';
            *op = OP_NONE;
            return !is_colon;
        }
        letters =
            letters && !(*end >= '0' && *end <= '9') && *end != '/' && *end != '\\' && *end != '.';
    }
    return true;
}

static bool take_term(struct parser *parser)
{
    const char *begin = parser->at;
    char value[SEARCH_TEXT_MAX + 1], unknown[64];
    const struct key *key = NULL;
    enum op op = OP_NONE;
    bool quoted, negated = false;
    size_t minus = either(parser->at, "-", "－");
    if (minus > 0 && parser->at[minus] != '\0' && blank(parser->at + minus) == 0) {
        negated = true;
        parser->at += minus;
    }
    if (either(parser->at, "\"", "“") == 0 && !find_key(parser, &key, &op)) {
        size_t len = strcspn(parser->at, ":");
        const char *wide = strstr(parser->at, "：");
        if (wide != NULL && (size_t)(wide - parser->at) < len)
            len = (size_t)(wide - parser->at);
        snprintf(unknown, sizeof unknown, "%.*s", len < 30 ? (int)len : 0, parser->at);
        snprintf(parser->sentence, SEARCH_SENTENCE_MAX,
                 "第 %zu 个字节起：没有“%s”这一项；可用的有 " KEYS_SHOWN
                 "；要找这几个字本身，请加引号 "
                 "(from byte %zu: there is no such key; quote it to look for it as it stands)",
                 (size_t)(begin - parser->start) + 1, unknown, (size_t)(begin - parser->start) + 1);
        return false;
    }
    const char *at = parser->at;
    if (!take_value(parser, value, &quoted))
        return false;
    if (key != NULL && key->kind != KEY_WORDS)
        return negated ? fail(parser, begin, "这一项前面不能有减号", "this takes no minus")
                       : condition(parser, key, op, at, value);
    if (key != NULL && op != OP_IS)
        return fail(parser, begin, "这一项只能用冒号", "this takes a colon");
    if (key == NULL && !quoted && !negated &&
        (strstr(value, "..") != NULL || strchr(value, '-') != NULL || strchr(value, '/') != NULL) &&
        read_range(read_days, OP_IS, value, &parser->out->when)) {
        parser->out->conditions = true;
        return true;
    }
    if (value[0] == '\0')
        return key == NULL ||
               fail(parser, begin, "冒号后面没有内容", "nothing stands behind the colon");
    enum search_column column = key != NULL ? key->column : SEARCH_ANY;
    if (negated && column == SEARCH_TEXT)
        return fail(parser, begin, "全文前面不能有减号", "text takes no minus");
    return add_term(parser, begin, column, negated, value);
}

bool search_parse(const char *text, struct search_query *out, char sentence[SEARCH_SENTENCE_MAX])
{
    static const struct search_range all = {INT64_MIN, INT64_MAX};
    struct parser parser = {.start = text, .at = text, .out = out, .sentence = sentence};
    out->count = 0;
    out->conditions = false;
    out->when = out->captured = out->sealed = out->duration = out->size = all;
    out->types = out->levels = 0;
    out->entered = -1;
    out->sender[0] = '\0';
    sentence[0] = '\0';
    if (strlen(text) > SEARCH_TEXT_MAX || !sr_utf8_valid(text, strlen(text)))
        return fail(&parser, text, "超过 1024 字节，或不是 UTF-8", "over 1024 bytes, or not UTF-8");
    for (;;) {
        size_t skip;
        while ((skip = blank(parser.at)) > 0)
            parser.at += skip;
        if (*parser.at == '\0')
            break;
        if (!take_term(&parser))
            return false;
    }
    for (size_t i = 0; i < out->count; i++)
        if (!out->terms[i].negated)
            return true;
    return out->conditions ||
           fail(&parser, text, out->count > 0 ? "只有要排除的词" : "没有要找的内容",
                out->count > 0 ? "only words that must not be there" : "nothing to look for");
}
