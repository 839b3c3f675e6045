/* The language of search: words and conditions, all of which must hold.
 *
 *   强制 "行政处罚" -草稿 采集人:张三 地点:利州区 类型:视频 时长>10m 大小<=1G 2026-03..2026-06 入卷:否
 *
 * Words are looked for in names, labels and texts of documents; a word with - before it must stand in neither name
 * nor label; KEY:words in one label. A bare date or range of dates is the 采集时间, or the time of the seal where
 * there is none. Full-width punctuation is as good. Pure. */
#ifndef SR_CATALOG_SEARCH_QUERY_H
#define SR_CATALOG_SEARCH_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEARCH_TEXT_MAX 1024 /* bytes of a query */
#define SEARCH_TERMS_MAX 16
#define SEARCH_WORDS_MAX 64 /* in all terms */
#define SEARCH_SENTENCE_MAX 600
#define SEARCH_SENDER_MAX 127

enum search_column { /* of the index of words, in its order; the last two stand for more, and for texts */
                     SEARCH_NAME,
                     SEARCH_CASE_NUMBER,
                     SEARCH_PLACE,
                     SEARCH_PERSON,
                     SEARCH_PROVES,
                     SEARCH_SUBJECT,
                     SEARCH_NUMBER,
                     SEARCH_CONTENT,
                     SEARCH_TALK, /* 对话人员, 身份, 主要内容 */
                     SEARCH_DEVICE,
                     SEARCH_ARCHIVE, /* 档号 */
                     SEARCH_COLUMNS,
                     SEARCH_TEXT = SEARCH_COLUMNS,
                     SEARCH_ANY,
};

enum search_type { /* what a record is; bits 1 << */
                   SEARCH_OTHER,
                   SEARCH_VIDEO,
                   SEARCH_AUDIO,
                   SEARCH_IMAGE,
                   SEARCH_DOCUMENT,
                   SEARCH_TYPES,
};
/* By the MIME type; NULL: SEARCH_OTHER. */
enum search_type search_type_of(const char *mime);

struct search_term {
    enum search_column column;
    bool negated;
    char text[SEARCH_TEXT_MAX + 1]; /* as it was typed, without quotes */
};

struct search_range { /* both included */
    int64_t min, max; /* INT64_MIN, INT64_MAX: no limit */
};

struct search_query {
    struct search_term terms[SEARCH_TERMS_MAX];
    size_t count;
    bool conditions;                    /* one of the following is set: only records fit */
    struct search_range when;           /* days of sr_day: captured, or sealed */
    struct search_range captured;       /* days */
    struct search_range sealed;         /* days */
    struct search_range duration;       /* ms */
    struct search_range size;           /* bytes */
    uint32_t types, levels;             /* bits; 0: all */
    int entered;                        /* -1: either */
    char sender[SEARCH_SENDER_MAX + 1]; /* account or name; "": anybody */
};

/* False: sentence (Chinese, then English) says what is wrong and where. A query without anything in it is
 * none. */
bool search_parse(const char *text, struct search_query *out, char sentence[SEARCH_SENTENCE_MAX]);

#endif
