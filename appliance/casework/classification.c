#include "casework/classification.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "catalog/catalog.h"

#define STAR "★"
#define YEARS "年"
#define WIDE_BLANK "\u3000"

static const struct {
    const char *chinese, *english, *digit;
    unsigned years;
} levels[CATALOG_LEVELS] = {
    [CATALOG_PUBLIC] = {"公开", "public", "0", 0},
    [CATALOG_INTERNAL] = {"内部", "internal", "1", 0},
    [CATALOG_CONFIDENTIAL] = {"秘密", "confidential", "2", 10},
    [CATALOG_SECRET] = {"机密", "secret", "3", 20},
    [CATALOG_TOP_SECRET] = {"绝密", "top_secret", "4", 30},
};

/* In the order of the bits; the English words are catalog_mark_words. */
static const char *const marks[CATALOG_MARKS] = {"工作秘密", "商业秘密", "个人隐私",
                                                 "隐蔽录音录像"};

bool classification_level(const char *word, int *out)
{
    for (int level = 0; level < CATALOG_LEVELS; level++)
        if (strcmp(word, levels[level].chinese) == 0 || strcmp(word, levels[level].english) == 0 ||
            strcmp(word, levels[level].digit) == 0) {
            *out = level;
            return true;
        }
    return false;
}

bool classification_mark(const char *word, uint32_t *out)
{
    for (unsigned i = 0; i < CATALOG_MARKS; i++)
        if (strcmp(word, marks[i]) == 0 || strcmp(word, catalog_mark_words[i]) == 0) {
            *out = 1u << i;
            return true;
        }
    return false;
}

const char *classification_level_name(uint32_t level)
{
    return level < CATALOG_LEVELS ? levels[level].chinese : "?";
}

const char *classification_mark_name(uint32_t bit)
{
    for (unsigned i = 0; i < CATALOG_MARKS; i++)
        if (bit == 1u << i)
            return marks[i];
    return "?";
}

unsigned classification_years(uint32_t level)
{
    return level < CATALOG_LEVELS ? levels[level].years : 0;
}

/* "2036-01-01", or "10年" from today. */
static bool parse_term(const char *term, int32_t today, int32_t *out)
{
    size_t digits = strspn(term, "0123456789");
    unsigned years = 0;

    if (strcmp(term + digits, YEARS) != 0)
        return sr_day_parse(term, out);
    for (size_t i = 0; i < digits; i++)
        years = 10 * years + (unsigned)(term[i] - '0');
    if (digits == 0 || digits > 2 || years == 0)
        return false;
    *out = sr_day_add_years(today, years);
    return true;
}

static int parse_word(char *word, int32_t today, struct classification *out)
{
    char *star = strstr(word, STAR);
    uint32_t mark;
    int level;

    if (star == NULL && classification_mark(word, &mark)) {
        if ((out->marks & mark) != 0)
            return sr_fail(SR_ERR_INVALID, "the mark %s stands there twice", word);
        out->marks |= mark;
        return 0;
    }
    if (star != NULL)
        *star = '\0';
    if (!classification_level(word, &level))
        return sr_fail(SR_ERR_INVALID,
                       "\"%.60s\" is no level (公开 内部 秘密 机密 绝密) and no mark (工作秘密 "
                       "商业秘密 个人隐私 隐蔽录音录像)",
                       word);
    if (out->level >= 0)
        return sr_fail(SR_ERR_INVALID, "there are two levels");
    out->level = level;
    if (star != NULL && !parse_term(star + strlen(STAR), today, &out->until))
        return sr_fail(SR_ERR_INVALID,
                       "after the star there stands neither a date YYYY-MM-DD nor years like 10年");
    return 0;
}

int classification_parse(const char *text, int32_t today, struct classification *out)
{
    char copy[CLASSIFICATION_TEXT_MAX + 1], *wide, *rest = copy, *word;
    bool any = false;

    *out = (struct classification){.level = -1};
    if (strlen(text) > CLASSIFICATION_TEXT_MAX || !sr_utf8_valid(text, strlen(text)))
        return sr_fail(SR_ERR_INVALID, "the classification is over %d bytes, or not UTF-8",
                       CLASSIFICATION_TEXT_MAX);
    strcpy(copy, text);
    while ((wide = strstr(copy, WIDE_BLANK)) != NULL)
        memset(wide, ' ', strlen(WIDE_BLANK));
    while ((word = strsep(&rest, " \t\r\n")) != NULL) {
        int rc = word[0] != '\0' ? parse_word(word, today, out) : 0;

        if (rc < 0)
            return rc;
        any = any || word[0] != '\0';
    }
    return any ? 0 : sr_fail(SR_ERR_INVALID, "the classification is empty");
}

void classification_text(const struct classification *class, struct sr_buf *out)
{
    char day[11];

    sr_day_text(class->until, day);
    if (class->level >= 0)
        sr_buf_text(out, classification_level_name((uint32_t) class->level));
    if (class->level >= 0 && class->until != 0)
        sr_buf_format(out, STAR "%s", day);
    for (unsigned i = 0; i < CATALOG_MARKS; i++)
        if ((class->marks & 1u << i) != 0)
            sr_buf_format(out, "%s%s", out->len > 0 ? " " : "", marks[i]);
}
