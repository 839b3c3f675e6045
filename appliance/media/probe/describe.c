#include "media/probe/describe.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "media/answer.h"
#include "media/probe.h"
#include "media/wire.h"

/* Numbers that a JSON reader keeps exactly. */
#define NUMBER_MAX (INT64_C(1) << 53)
#define SENTENCE_MAX 512 /* bytes of a finding's sentence */

struct describe {
    describe_text_fn *text;
    void *context;
    json_t *members;
    json_t *findings;
    json_t *signatures;
    size_t text_len;
    size_t text_max;
    bool truncated;
    bool failed; /* out of memory */
    const char *trust;
    describe_keep_fn *keep; /* NULL: nobody */
    bool kept;              /* it has an answer */
    int64_t started_ms;     /* of the processor's time */
    int64_t late_ms;        /* that much later no more text is read */
};

static int64_t cpu_ms(void)
{
    struct timespec used = {0};

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

int describe_new(describe_text_fn *text, void *context, struct describe **out)
{
    struct describe *answer = calloc(1, sizeof(*answer));

    *out = NULL;
    if (answer) {
        answer->text = text;
        answer->context = context;
        answer->text_max = DESCRIBE_TEXT_MAX;
        answer->started_ms = cpu_ms();
        describe_limit_cpu(answer, PROBE_CPU_S);
        answer->members = json_object();
        answer->findings = json_array();
        answer->signatures = json_array();
    }
    if (!answer || !answer->members || !answer->findings || !answer->signatures) {
        describe_free(answer);
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    }
    *out = answer;
    return 0;
}

void describe_free(struct describe *answer)
{
    if (!answer)
        return;
    json_decref(answer->members);
    json_decref(answer->findings);
    json_decref(answer->signatures);
    free(answer);
}

bool describe_has(const struct describe *answer, const char *key)
{
    return json_object_get(answer->members, key) != NULL;
}

void describe_member(struct describe *answer, const char *key, json_t *value)
{
    if (!value) {
        answer->failed = true;
        return;
    }
    if (json_object_get(answer->members, key))
        json_decref(value);
    else if (json_object_set_new(answer->members, key, value) != 0)
        answer->failed = true;
}

/* How many bytes at text are one character of UTF-8 that may stand in a value; 0 for none. */
static size_t character_len(const char *text, size_t left)
{
    uint8_t lead = (uint8_t)text[0];
    size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

    if (len > left || !sr_utf8_valid(text, len) || lead < 0x20 || lead == 0x7f)
        return 0;
    if (lead == 0xc2 && (uint8_t)text[1] < 0xa0) /* C1 controls */
        return 0;
    return len;
}

/* A fresh string of at most max bytes that is safe to show; *cut when the rest was left off. */
static json_t *clean_text(const char *value, size_t max, bool *cut)
{
    struct sr_buf buf = {0};
    json_t *text = NULL;
    size_t left = strlen(value);

    *cut = false;
    while (left > 0) {
        size_t len = character_len(value, left);
        size_t step = len ? len : 1;

        if (buf.len + (len ? len : 3) > max) {
            *cut = true;
            break;
        }
        if (len)
            sr_buf_append(&buf, value, len);
        else
            sr_buf_text(&buf, "\xef\xbf\xbd");
        value += step;
        left -= step;
    }
    if (!buf.failed)
        text = json_stringn(buf.data ? buf.data : "", buf.len);
    sr_buf_free(&buf);
    return text;
}

void describe_text_value(struct describe *answer, const char *key, const char *value)
{
    bool cut;

    describe_member(answer, key, clean_text(value, DESCRIBE_VALUE_MAX, &cut));
    if (cut)
        describe_finding(answer, "truncated", "the value of %s was over %d bytes and is cut", key,
                         DESCRIBE_VALUE_MAX);
}

void describe_number(struct describe *answer, const char *key, int64_t value)
{
    if (value > NUMBER_MAX || value < -NUMBER_MAX)
        describe_finding(answer, "broken", "the value of %s is no possible number", key);
    else
        describe_member(answer, key, json_integer(value));
}

void describe_real(struct describe *answer, const char *key, double value)
{
    if (!isfinite(value))
        describe_finding(answer, "broken", "the value of %s is no possible number", key);
    else
        describe_member(answer, key, json_real(value));
}

void describe_flag(struct describe *answer, const char *key, bool value)
{
    describe_member(answer, key, json_boolean(value));
}

static bool has_finding(const struct describe *answer, const json_t *finding)
{
    size_t i;
    json_t *other;

    json_array_foreach(answer->findings, i, other)
    {
        if (json_equal(other, finding))
            return true;
    }
    return false;
}

void describe_finding(struct describe *answer, const char *code, const char *format, ...)
{
    char sentence[SENTENCE_MAX * 2];
    json_t *finding;
    va_list args;
    bool cut;

    va_start(args, format);
    if (vsnprintf(sentence, sizeof(sentence), format, args) < 0)
        sentence[0] = '\0';
    va_end(args);
    finding =
        json_pack("{s:s, s:o}", "code", code, "text", clean_text(sentence, SENTENCE_MAX, &cut));
    if (!finding)
        answer->failed = true;
    else if (json_array_size(answer->findings) >= DESCRIBE_FINDINGS_MAX ||
             has_finding(answer, finding))
        json_decref(finding);
    else if (json_array_append_new(answer->findings, finding) != 0)
        answer->failed = true;
}

void describe_signature(struct describe *answer, json_t *signature)
{
    if (!signature) {
        answer->failed = true;
    } else if (json_array_size(answer->signatures) >= DESCRIBE_SIGNATURES_MAX) {
        json_decref(signature);
        describe_finding(answer, "truncated", "more than %d signatures; the others are left out",
                         DESCRIBE_SIGNATURES_MAX);
    } else if (json_array_append_new(answer->signatures, signature) != 0) {
        answer->failed = true;
    }
}

void describe_set_trust(struct describe *answer, const char *trust)
{
    answer->trust = trust;
}

const char *describe_trust(const struct describe *answer)
{
    return answer->trust;
}

void describe_limit_text(struct describe *answer, size_t max)
{
    answer->text_max = max < DESCRIBE_TEXT_MAX ? max : DESCRIBE_TEXT_MAX;
}

int describe_text(struct describe *answer, const char *text, size_t len, bool *full)
{
    size_t room = answer->truncated ? 0 : answer->text_max - answer->text_len;
    int rc = 0;

    if (len > room) {
        len = room;
        while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80) /* not within a character */
            len--;
        if (!answer->truncated)
            describe_finding(answer, "truncated", "only the first %zu bytes of text are kept",
                             answer->text_max);
        answer->truncated = true; /* nothing may follow: the text would have a gap */
    }
    if (full)
        *full = answer->truncated;
    if (len > 0) {
        bool kept = answer->kept;

        if (kept) /* it says how much text there is */
            answer->keep(NULL, 0);
        rc = answer->text(answer->context, text, len);
        if (!rc)
            answer->text_len += len;
        if (kept)
            describe_checkpoint(answer, NULL);
    }
    return rc;
}

void describe_attachment(struct describe *answer, const char *name)
{
    json_t *list = json_object_get(answer->members, "attachments");
    bool cut;

    if (!list) {
        list = json_array();
        describe_member(answer, "attachments", list);
    }
    if (json_array_size(list) >= ANSWER_ATTACHMENTS_MAX)
        describe_finding(answer, "truncated", "more than %u attachments; the others are left out",
                         ANSWER_ATTACHMENTS_MAX);
    else if (json_array_append_new(
                 list, json_pack("{s:o}", "name", clean_text(name, DESCRIBE_VALUE_MAX, &cut))) != 0)
        answer->failed = true;
}

void describe_limit_cpu(struct describe *answer, unsigned cpu_s)
{
    answer->late_ms = (int64_t)cpu_s * 1000 / 2;
}

bool describe_late(struct describe *answer)
{
    if (cpu_ms() - answer->started_ms < answer->late_ms)
        return false;
    describe_finding(answer, "truncated", "reading the text takes too long, and was given up");
    return true;
}

/* Leaves off the ends of the long lists until the answer fits its message. */
static int fit(json_t *result)
{
    static const char *const lists[] = {"findings", "signatures", "streams", "labels",
                                        "attachments"};
    struct sr_buf buf = {0};
    size_t dropped = 0;
    int rc;

    for (;;) {
        json_t *longest = NULL;

        buf.len = 0;
        rc = sr_json_canonical(result, &buf);
        if (rc || buf.len <= WIRE_ANSWER_MAX)
            break;
        for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
            json_t *list = json_object_get(result, lists[i]);

            if (json_array_size(list) > json_array_size(longest))
                longest = list;
        }
        if (!json_array_size(longest)) {
            rc = sr_fail(SR_ERR_TOO_LARGE, "the description is over %u bytes", WIRE_ANSWER_MAX);
            break;
        }
        json_array_remove(longest, json_array_size(longest) - 1);
        if (dropped++)
            continue;
        if (json_array_size(json_object_get(result, "findings")) >= DESCRIBE_FINDINGS_MAX)
            json_array_remove(json_object_get(result, "findings"), DESCRIBE_FINDINGS_MAX - 1);
        json_array_insert_new(
            json_object_get(result, "findings"), 0,
            json_pack("{s:s, s:s}", "code", "truncated", "text", "the description was too long"));
    }
    sr_buf_free(&buf);
    return rc;
}

/* cut: the content could not be read to its end. */
static int build(const struct describe *answer, bool cut, json_t **out)
{
    json_t *result = answer->failed ? NULL : json_copy(answer->members);
    json_t *findings = json_copy(answer->findings);
    bool failed = !result || !findings;
    int rc = 0;

    *out = NULL;
    if (cut && json_array_size(findings) >= DESCRIBE_FINDINGS_MAX)
        json_array_remove(findings, DESCRIBE_FINDINGS_MAX - 1);
    failed = failed || (cut && json_array_insert_new(
                                   findings, 0,
                                   json_pack("{s:s, s:s}", "code", "truncated", "text",
                                             "reading the content takes too much time or memory, "
                                             "and was given up")) != 0);
    failed = failed || json_object_set(result, "findings", findings) != 0;
    if (!failed && json_array_size(answer->signatures))
        failed = json_object_set_new(result, "signatures", json_copy(answer->signatures)) != 0;
    if (!failed && (answer->text_len || answer->truncated))
        failed = json_object_set_new(result, "text",
                                     json_pack("{s:I, s:b}", "bytes", (json_int_t)answer->text_len,
                                               "truncated", answer->truncated || cut)) != 0;
    json_decref(findings);
    if (failed)
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    if (!rc)
        rc = fit(result);
    if (!rc && !json_array_size(json_object_get(result, "findings")))
        json_object_del(result, "findings");
    if (rc) {
        json_decref(result);
        return rc;
    }
    *out = result;
    return 0;
}

int describe_result(struct describe *answer, json_t **out)
{
    return build(answer, false, out);
}

void describe_set_keep(struct describe *answer, describe_keep_fn *keep)
{
    answer->keep = keep;
    answer->kept = false;
}

void describe_checkpoint(struct describe *answer, const char *type)
{
    struct sr_buf buf = {0};
    json_t *result = NULL;

    if (!answer->keep)
        return;
    if (build(answer, true, &result) == 0 && type && !json_object_get(result, "type"))
        json_object_set_new(result, "type", json_string(type));
    answer->kept = result && json_object_get(result, "type") &&
                   sr_json_canonical(result, &buf) == 0 && buf.len <= WIRE_ANSWER_MAX;
    answer->keep(answer->kept ? buf.data : NULL, answer->kept ? buf.len : 0);
    json_decref(result);
    sr_buf_free(&buf);
}
