#include "media/probe/charset.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/error.h"

#define DECLARATION_MAX 4096
#define NO_CONVERTER ((iconv_t)-1)

/* iconv's names; what is declared is looked up here, so that no other module is ever asked for. */
static const struct alias {
    const char *declared, *name;
} aliases[] = {
    {"gb18030", "GB18030"},     {"gbk", "GB18030"},           {"gb2312", "GB18030"},
    {"gb_2312-80", "GB18030"},  {"cp936", "GB18030"},         {"x-gbk", "GB18030"},
    {"big5", "BIG5-HKSCS"},     {"big5-hkscs", "BIG5-HKSCS"}, {"shift_jis", "SHIFT_JIS"},
    {"euc-jp", "EUC-JP"},       {"euc-kr", "EUC-KR"},         {"iso-8859-1", "CP1252"},
    {"windows-1252", "CP1252"}, {"us-ascii", "CP1252"},       {"ascii", "CP1252"},
    {"windows-1251", "CP1251"}, {"koi8-r", "KOI8-R"},         {"utf-8", "UTF-8"},
    {"utf8", "UTF-8"},          {"utf-16le", "UTF-16LE"},     {"utf-16be", "UTF-16BE"},
};
#define ALIASES (sizeof(aliases) / sizeof(aliases[0]))

/* GBK and EUC-CN are for libxml2, which asks for what an XML declaration names; those of UTF-16 for
 * poppler, whose titles and authors are in it. */
static const char *const modules[] = {"GB18030", "GBK",      "EUC-CN",  "BIG5-HKSCS", "SHIFT_JIS",
                                      "EUC-JP",  "EUC-KR",   "CP1252",  "CP1251",     "KOI8-R",
                                      "UTF-16",  "UTF-16BE", "UTF-16LE"};
#define MODULES (sizeof(modules) / sizeof(modules[0]))

/* Open descriptors keep the modules in memory, for iconv_open() finds them there; they are never used
 * themselves. Written once, by charset_prepare(). */
static iconv_t kept[MODULES][2];

int charset_prepare(void)
{
    if (kept[0][0])
        return 0;
    for (size_t i = MODULES; i--;) {
        iconv_t from = iconv_open("UTF-8", modules[i]), to = iconv_open(modules[i], "UTF-8");

        kept[i][0] = from == NO_CONVERTER ? NULL : from;
        kept[i][1] = to == NO_CONVERTER ? NULL : to;
    }
    return kept[0][0] ? 0 : sr_fail(SR_ERR_UNSUPPORTED, "no converter for GB18030 on this machine");
}

void charset_text_free(struct charset_text *text)
{
    free(text->text);
    *text = (struct charset_text){0};
}

static void put(struct sr_buf *buf, uint32_t code)
{
    char out[4];
    size_t len;

    if ((code < 0x20 && code != '\t' && code != '\n' && code != '\r') || code == 0x7f)
        code = ' ';
    if (code < 0x80) {
        out[0] = (char)code;
        len = 1;
    } else if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        len = 2;
    } else if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        len = 3;
    } else {
        out[0] = (char)(0xf0 | code >> 18);
        out[1] = (char)(0x80 | (code >> 12 & 0x3f));
        out[2] = (char)(0x80 | (code >> 6 & 0x3f));
        out[3] = (char)(0x80 | (code & 0x3f));
        len = 4;
    }
    sr_buf_append(buf, out, len);
}

/* One character of UTF-8: its bytes; 0 when there is none, and *need says how many it would have had
 * to be if the data only ended too early. */
static size_t utf8_step(const uint8_t *at, size_t left, uint32_t *code, size_t *need)
{
    size_t len = at[0] < 0x80   ? 1
                 : at[0] < 0xc2 ? 0
                 : at[0] < 0xe0 ? 2
                 : at[0] < 0xf0 ? 3
                 : at[0] < 0xf5 ? 4
                                : 0;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

    *need = 0;
    if (!len)
        return 0;
    *code = len == 1 ? at[0] : at[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if (i == left) {
            *need = len;
            return 0;
        }
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (at[i] & 0x3f);
    }
    return *code < least[len] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000) ? 0 : len;
}

static size_t from_utf8(const uint8_t *data, size_t len, bool cut, struct sr_buf *out)
{
    size_t bad = 0, need, step;
    uint32_t code;

    for (size_t at = 0; at < len; at += step) {
        step = utf8_step(data + at, len - at, &code, &need);
        if (!step && need && cut)
            break;
        if (!step) {
            step = 1;
            code = 0xfffd;
            bad++;
        }
        if (out)
            put(out, code);
    }
    return bad;
}

/* width 2 or 4. */
static size_t from_wide(const uint8_t *data, size_t len, size_t width, bool big, bool cut,
                        struct sr_buf *out)
{
    size_t bad = 0, at = 0;
    uint32_t high = 0;

    for (; at + width <= len; at += width) {
        uint32_t code = 0;

        for (size_t i = 0; i < width; i++)
            code = code << 8 | data[at + (big ? i : width - 1 - i)];
        if (high && (width == 4 || code < 0xdc00 || code > 0xdfff)) {
            bad++;
            high = 0;
            if (out)
                put(out, 0xfffd);
        }
        if (width == 2 && code >= 0xd800 && code < 0xdc00) {
            high = code;
            continue;
        }
        if (high)
            code = 0x10000 + ((high & 0x3ff) << 10) + (code & 0x3ff);
        high = 0;
        if ((code >= 0xd800 && code < 0xe000) || code > 0x10ffff) {
            code = 0xfffd;
            bad++;
        }
        if (out)
            put(out, code);
    }
    if (!cut && (high || at < len)) {
        bad++;
        if (out)
            put(out, 0xfffd);
    }
    return bad;
}

static int from_iconv(const char *name, const uint8_t *data, size_t len, bool cut,
                      struct sr_buf *out, size_t *bad)
{
    iconv_t converter = iconv_open("UTF-8", name);
    char *in = (char *)(uintptr_t)data, piece[8192];

    *bad = 0;
    if (converter == NO_CONVERTER)
        return sr_fail(SR_ERR_UNSUPPORTED, "no converter for %s", name);
    while (len) {
        char *to = piece;
        size_t room = sizeof(piece), got;
        int error = iconv(converter, &in, &len, &to, &room) == (size_t)-1 ? errno : 0;

        got = sizeof(piece) - room;
        from_utf8((const uint8_t *)piece, got, false, out); /* for the control characters */
        if (error == EINVAL && cut)
            break;
        if (error == EILSEQ || error == EINVAL) {
            put(out, 0xfffd);
            ++*bad;
            in++;
            len--;
            iconv(converter, NULL, NULL, NULL, NULL);
        }
    }
    iconv_close(converter);
    return 0;
}

static const char *known(const char *declared)
{
    for (size_t i = 0; declared && i < ALIASES; i++)
        if (!strcasecmp(declared, aliases[i].declared))
            return aliases[i].name;
    return NULL;
}

static const char *marked(const uint8_t *data, size_t len, size_t *skip)
{
    static const struct {
        const char *name, *mark;
        size_t len;
    } marks[] = {
        {"UTF-8", "\xef\xbb\xbf", 3},    {"UTF-32LE", "\xff\xfe\0\0", 4},
        {"UTF-32BE", "\0\0\xfe\xff", 4}, {"UTF-16LE", "\xff\xfe", 2},
        {"UTF-16BE", "\xfe\xff", 2},     {"GB18030", "\x84\x31\x95\x33", 4},
    };
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (len >= marks[i].len && !memcmp(data, marks[i].mark, marks[i].len)) {
            *skip = marks[i].len;
            return marks[i].name;
        }
    return NULL;
}

/* UTF-16 without a mark. In text of ours each second byte is zero (Latin letters, digits, line ends), or
 * most units are Chinese characters; and read the other way round hardly any is. */
static const char *wide_guess(const uint8_t *data, size_t len, bool cut)
{
    size_t likely[2] = {0, 0}, units = len / 2, limit = units < 32768 ? units : 32768;

    if (limit < 2 || (len % 2 && !cut))
        return NULL;
    for (size_t i = 0; i < limit; i++)
        for (int big = 0; big < 2; big++) {
            unsigned code =
                big ? data[2 * i] << 8 | data[2 * i + 1] : data[2 * i + 1] << 8 | data[2 * i];
            likely[big] += (code >= 0x20 && code < 0x7f) || code == '\n' || code == '\r' ||
                           code == '\t' || (code >= 0x4e00 && code <= 0x9fa5) ||
                           (code >= 0x3000 && code <= 0x301f) || (code >= 0xff00 && code <= 0xff5e);
        }
    for (int big = 0; big < 2; big++)
        if (likely[big] * 10 >= limit * 9 && likely[!big] * 10 <= limit * 6 &&
            !from_wide(data, limit * 2, 2, big, true, NULL))
            return big ? "UTF-16BE" : "UTF-16LE";
    return NULL;
}

static int convert(const char *name, const uint8_t *data, size_t len, bool cut,
                   struct charset_text *out)
{
    struct sr_buf buf = {0};
    int rc = 0;

    if (!strcmp(name, "UTF-8"))
        out->replaced = from_utf8(data, len, cut, &buf);
    else if (!strncmp(name, "UTF-16", 6))
        out->replaced = from_wide(data, len, 2, name[6] == 'B', cut, &buf);
    else if (!strncmp(name, "UTF-32", 6))
        out->replaced = from_wide(data, len, 4, name[6] == 'B', cut, &buf);
    else
        rc = from_iconv(name, data, len, cut, &buf, &out->replaced);
    sr_buf_append(&buf, "", 0);
    if (!rc && buf.failed)
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    free(out->text);
    out->text = NULL;
    if (rc) {
        sr_buf_free(&buf);
        return rc;
    }
    if (!buf.data)
        buf.data = calloc(1, 1);
    if (!buf.data)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    out->text = buf.data;
    out->len = buf.len;
    strncpy(out->charset, name, sizeof(out->charset) - 1);
    return 0;
}

/* Neither mark nor declaration: what the bytes are without a fault, else what they are with the fewest. */
static int guess(const uint8_t *data, size_t len, bool cut, struct charset_text *out)
{
    size_t bad_utf8 = from_utf8(data, len, cut, NULL);
    const char *wide = memchr(data, 0, len) || bad_utf8 ? wide_guess(data, len, cut) : NULL;
    int rc;

    out->assumed = true;
    if (wide)
        return convert(wide, data, len, cut, out);
    if (bad_utf8) {
        rc = convert("GB18030", data, len, cut, out);
        if (rc != SR_ERR_UNSUPPORTED && (rc || out->replaced <= bad_utf8))
            return rc;
    }
    return convert("UTF-8", data, len, cut, out);
}

int charset_decode(const uint8_t *data, size_t len, const char *declared, bool cut,
                   struct charset_text *out)
{
    size_t skip = 0;
    const char *name = marked(data, len, &skip);
    int rc;

    *out = (struct charset_text){0};
    if (name) {
        rc = convert(name, data + skip, len - skip, cut, out);
        if (rc != SR_ERR_UNSUPPORTED)
            return rc;
    }
    name = known(declared);
    if (name) {
        rc = convert(name, data, len, cut, out);
        if (rc && rc != SR_ERR_UNSUPPORTED)
            return rc;
        /* A declaration that holds but for a few places stands; one that is plainly wrong does not. */
        if (!rc && out->replaced <= len / 50)
            return 0;
        charset_text_free(out);
    }
    return len ? guess(data, len, cut, out) : convert("UTF-8", data, len, cut, out);
}

static bool name_char(uint8_t c)
{
    return isalnum(c) || c == '-' || c == '_' || c == ':' || c == '.';
}

/* word, =, an optional quote, the name; only inside of a tag that starts with tag. */
static bool find_name(const char *text, const char *tag, const char *word, char name[32])
{
    for (const char *at = text; (at = strcasestr(at, tag)); at++) {
        const char *end = strchr(at, '>'), *found = strcasestr(at, word);
        size_t n = 0;

        if (!end || !found || found > end)
            continue;
        found += strlen(word);
        found += strspn(found, " \t\r\n");
        if (*found++ != '=')
            continue;
        found += strspn(found, " \t\r\n\"'");
        while (n < 31 && name_char((uint8_t)found[n])) {
            name[n] = found[n];
            n++;
        }
        name[n] = '\0';
        if (n)
            return true;
    }
    return false;
}

bool charset_declared(const uint8_t *data, size_t len, char name[32])
{
    char head[DECLARATION_MAX + 1];

    name[0] = '\0';
    if (len > DECLARATION_MAX)
        len = DECLARATION_MAX;
    for (size_t i = 0; i < len; i++)
        head[i] = data[i] ? (char)data[i] : ' ';
    head[len] = '\0';
    return find_name(head, "<meta", "charset", name) || find_name(head, "<?xml", "encoding", name);
}
