/* Signatures of PDF. Their dictionaries stand in the clear, as /ByteRange gives places of the file; so they are looked
 * for in the bytes, from each /ByteRange on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "media/probe/signature.h"

#define SIGNATURES_MAX 64
#define CONTENTS_MAX (4u << 20) /* hex digits */
#define DICTIONARY_MAX 65536    /* bytes of the rest of it on either side */

struct range {
    uint64_t at[4]; /* offset, length, offset, length */
};

/* [0 840 960 240] behind the key. */
static bool read_range(const uint8_t *data, size_t len, size_t at, struct range *out)
{
    while (at < len && data[at] != '[' && data[at] <= ' ')
        at++;
    if (at == len || data[at++] != '[')
        return false;
    for (int i = 0; i < 4; i++) {
        size_t digits = 0;

        out->at[i] = 0;
        while (at < len && data[at] <= ' ')
            at++;
        for (; at < len && data[at] >= '0' && data[at] <= '9' && digits < 15; at++, digits++)
            out->at[i] = out->at[i] * 10 + (data[at] - '0');
        if (digits == 0)
            return false;
    }
    return true;
}

/* Two ranges that leave out nothing but the value of /Contents. */
static bool is_sound(const uint8_t *data, size_t len, const struct range *range,
                     struct cms_result *result)
{
    const uint64_t *at = range->at;

    if (at[0] != 0 || at[1] > len || at[2] > len || at[3] > len || at[2] < at[1] ||
        at[2] - at[1] < 4 || at[3] > len - at[2]) {
        snprintf(result->detail, sizeof(result->detail),
                 "the ranges of the signature are not of this file");
        return false;
    }
    if (data[at[1]] != '<' || data[at[2] - 1] != '>') {
        snprintf(result->detail, sizeof(result->detail),
                 "the signature leaves out more than its own value");
        return false;
    }
    for (uint64_t i = at[1] + 1; i < at[2] - 1; i++)
        if (!strchr("0123456789abcdefABCDEF \r\n\t", data[i]) || data[i] == '\0') {
            snprintf(result->detail, sizeof(result->detail),
                     "the signature leaves out more than its own value");
            return false;
        }
    return true;
}

/* The value of /Contents; NULL: it is too long, or no hex. Fresh. */
static uint8_t *read_contents(const uint8_t *data, const struct range *range, size_t *len)
{
    uint64_t from = range->at[1] + 1, to = range->at[2] - 1;
    uint8_t *out = to - from <= CONTENTS_MAX ? malloc((size_t)(to - from) / 2 + 1) : NULL;
    int high = -1;

    *len = 0;
    for (uint64_t i = from; out && i < to; i++) {
        char c = (char)data[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            continue;
        if (high < 0) {
            high = digit;
        } else {
            out[(*len)++] = (uint8_t)(high << 4 | digit);
            high = -1;
        }
    }
    return out;
}

/* The name behind the key in the dictionary around the value. */
static bool find_name(const uint8_t *data, size_t len, const struct range *range, const char *key,
                      char *out, size_t size)
{
    size_t from = range->at[1] > DICTIONARY_MAX ? (size_t)range->at[1] - DICTIONARY_MAX : 0;
    size_t to =
        (size_t)range->at[2] + DICTIONARY_MAX < len ? (size_t)range->at[2] + DICTIONARY_MAX : len;
    const uint8_t *object = NULL, *end, *found = NULL;

    for (size_t i = (size_t)range->at[1]; i > from + 3 && !object; i--) /* " obj" before it */
        if (memcmp(data + i - 3, "obj", 3) == 0)
            object = data + i;
    if (!object)
        object = data + from;
    end = memmem(data + range->at[2], to - (size_t)range->at[2], "endobj", 6);
    if (!end)
        end = data + to;
    found = memmem(object, (size_t)(data + range->at[1] - object), key, strlen(key));
    if (!found)
        found = memmem(data + range->at[2], (size_t)(end - data) - (size_t)range->at[2], key,
                       strlen(key));
    if (!found)
        return false;
    found += strlen(key);
    while (found < end && *found <= ' ')
        found++;
    size_t used = 0;
    if (found < end && *found == '/')
        for (found++; found < end && used + 1 < size && *found > ' ' && !strchr("/<>[]()", *found);
             found++)
            out[used++] = (char)*found;
    out[used] = '\0';
    return used > 0;
}

static int verify_one(const uint8_t *data, size_t len, const struct range *range,
                      struct describe *answer)
{
    struct cms_result result = {.time_ns = CMS_NO_TIME};
    char filter[64] = "";
    uint8_t *contents = NULL;
    size_t size = 0;
    int rc = 0;

    if (!is_sound(data, len, range, &result)) {
        result.intact = CMS_CHANGED;
    } else if (find_name(data, len, range, "/SubFilter", filter, sizeof(filter)) &&
               strcmp(filter, "adbe.pkcs7.detached") != 0 &&
               strcmp(filter, "ETSI.CAdES.detached") != 0) {
        snprintf(result.detail, sizeof(result.detail), "signatures of the kind %s are not checked",
                 filter);
    } else if (!(contents = read_contents(data, range, &size))) {
        snprintf(result.detail, sizeof(result.detail), "the signature's value is too long");
    } else {
        const struct cms_piece pieces[] = {{data, (size_t)range->at[1]},
                                           {data + range->at[2], (size_t)range->at[3]}};

        rc = cms_verify(contents, size, pieces, 2, describe_trust(answer), &result);
        if (rc == 0 && range->at[2] + range->at[3] < len && result.intact == CMS_INTACT) {
            snprintf(result.detail, sizeof(result.detail),
                     "%llu bytes were added to the file after it was signed",
                     (unsigned long long)(len - range->at[2] - range->at[3]));
            describe_finding(answer, "signature_covers",
                             "a signature does not cover the end of the file");
        }
    }
    free(contents);
    if (rc == 0)
        signature_put(answer, "pdf", &result);
    return rc;
}

int signature_pdf(const uint8_t *data, size_t len, struct describe *answer)
{
    static const char key[] = "/ByteRange";
    const uint8_t *at = data;
    int count = 0, rc = 0;

    while (rc == 0 && count < SIGNATURES_MAX &&
           (at = memmem(at, len - (size_t)(at - data), key, sizeof(key) - 1)) != NULL) {
        struct range range;

        at += sizeof(key) - 1;
        if (read_range(data, len, (size_t)(at - data), &range)) {
            if (count > 0 && describe_late(answer)) /* each is a hash of the whole file */
                break;
            count++;
            rc = verify_one(data, len, &range, answer);
        }
    }
    return rc;
}
