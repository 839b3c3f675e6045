/* The documents of a bundle that are text: bag-info.txt, custody.jsonl, the note beside a recording. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "casework/classification.h"
#include "tools/bundle.h"
#include "tools/print.h"

#define RFC3339 31

/* A value of bag-info.txt stands in one line (RFC 8493 section 2.2.2). */
static void info_line(struct sr_buf *out, const char *label, const char *value)
{
    if (value[0] == '\0')
        return;
    sr_buf_format(out, "%s: ", label);
    for (; *value != '\0'; value++)
        sr_buf_append(out, (unsigned char)*value < 0x20 ? " " : value, 1);
    sr_buf_text(out, "\n");
}

/* As documents carry it: "秘密★2036-01-01 个人隐私". */
static void level_text(const json_t *node, struct sr_buf *out)
{
    struct classification class = {.level =
                                       (int)json_integer_value(json_object_get(node, "level"))};
    const json_t *marks = json_object_get(node, "marks");
    uint32_t mark;

    (void)sr_day_parse(print_text(node, "level_until"), &class.until); /* "": none */
    for (size_t i = 0; i < json_array_size(marks); i++)
        if (classification_mark(json_string_value(json_array_get(marks, i)), &mark))
            class.marks |= mark;
    classification_text(&class, out);
}

/* The highest of the case and of what leaves; the longest term. */
static const json_t *highest(const struct bundle *bundle)
{
    const json_t *best = bundle->in_case;

    for (size_t i = 0; i < json_array_size(bundle->records); i++) {
        const json_t *record = json_array_get(bundle->records, i);

        if (json_integer_value(json_object_get(record, "level")) >
            json_integer_value(json_object_get(best, "level")))
            best = record;
    }
    return best;
}

static const json_t *longest(const struct bundle *bundle)
{
    const json_t *best = json_array_get(bundle->records, 0);

    for (size_t i = 0; i < json_array_size(bundle->records); i++) {
        const json_t *record = json_array_get(bundle->records, i);
        const char *until = print_text(record, "kept_until"),
                   *so_far = print_text(best, "kept_until");

        if (so_far[0] != '\0' && (until[0] == '\0' || strcmp(until, so_far) > 0))
            best = record;
    }
    return best;
}

int bundle_info(const struct bundle *bundle, uint64_t octets, uint64_t files, struct sr_buf *out)
{
    const json_t *in_case = bundle->in_case;
    const json_t *lead = json_array_get(json_object_get(in_case, "leads"), 0);
    struct sr_buf level = {0};
    char day[11];

    sr_time_local_date(bundle->time_ns, day);
    info_line(out, "Source-Organization", print_text(in_case, "agency"));
    info_line(out, "Contact-Name", print_text(lead, "person"));
    for (size_t i = 0; i < json_array_size(bundle->records); i++)
        info_line(out, "External-Identifier",
                  print_text(json_array_get(bundle->records, i), "archive_number"));
    info_line(out, "Internal-Sender-Identifier", print_text(in_case, "name"));
    info_line(out, "Bagging-Date", day);
    sr_buf_format(out, "Payload-Oxum: %llu.%llu\n", (unsigned long long)octets,
                  (unsigned long long)files);
    level_text(highest(bundle), &level);
    if (level.failed)
        out->failed = true;
    else
        info_line(out, "密级", level.data);
    sr_buf_free(&level);
    info_line(out, "保管期限", print_text(longest(bundle), "period"));
    if (bundle->parts > 0) {
        sr_buf_format(out, "Bag-Group-Identifier: %s\n", bundle->group);
        sr_buf_format(out, "Bag-Count: %u of %u\n", bundle->part, bundle->parts);
    }
    info_line(out, "Strongroom-As-Of", print_text(in_case, "as_of"));
    info_line(out, "Strongroom-Left-Out", print_text(in_case, "left_out"));
    info_line(out, "Strongroom-Unsealed", print_text(in_case, "unsealed"));
    for (size_t i = 0; i < json_array_size(json_object_get(in_case, "policy")); i++) {
        const json_t *file = json_array_get(json_object_get(in_case, "policy"), i);

        sr_buf_format(out, "Strongroom-Policy: %s %s\n", print_text(file, "sha256"),
                      print_text(file, "file"));
    }
    return 0;
}

/* --- custody.jsonl --- */

static const struct {
    const char *act, *event;
} events[] = {
    {"record.create", "collected"},   {"record.version", "collected"},
    {"record.seal", "sealed"},        {"record.view", "accessed"},
    {"record.file", "transferred"},   {"case.transfer", "transferred"},
    {"case.assign", "assigned"},      {"case.open", "opened"},
    {"record.label", "described"},    {"record.index", "described"},
    {"record.enter", "entered"},      {"record.archive", "numbered"},
    {"classify", "classified"},       {"retention.set", "retained"},
    {"retention.extend", "retained"}, {"record.incomplete", "marked_incomplete"},
    {"export.begin", "exported"},     {"export.end", "exported"},
    {"view.grant", "authorized"},     {"view.end", "authorization_ended"},
};

static const char *event_of(const char *act)
{
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (strcmp(events[i].act, act) == 0)
            return events[i].event;
    return "recorded";
}

static int custody_line(const json_t *by_object, const json_t *item, size_t number,
                        char previous[2 * SR_SHA256_LEN + 1], struct sr_buf *out)
{
    json_t *entry = json_object_get(item, "entry");
    const char *act = print_text(entry, "act");
    const json_t *record = json_object_get(by_object, print_text(entry, "object"));
    json_t *by = json_object_get(item, "by");
    char time[RFC3339];
    uint8_t hash[SR_SHA256_LEN];
    int64_t time_ns = 0;
    size_t start = out->len;
    json_t *line;
    int rc = sr_json_get_i64(entry, "time", &time_ns);

    sr_time_utc_text(time_ns, time);
    line = json_pack("{s:I, s:s, s:s, s:s, s:s, s:O, s:O}", "seq", (json_int_t)number, "prev",
                     previous, "event", event_of(act), "act", act, "time", time, "index",
                     json_object_get(item, "index"), "entry", entry);
    if (line == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for custody.jsonl");
    json_object_set(line, "actor", by != NULL ? by : json_null());
    if (json_object_get(entry, "purpose") != NULL)
        json_object_set(line, "purpose", json_object_get(entry, "purpose"));
    if (json_object_get(entry, "grant") != NULL)
        json_object_set(line, "authorization", json_object_get(entry, "grant"));
    if (record != NULL) {
        json_object_set(line, "file", json_object_get(record, "file"));
        if (strcmp(act, "record.seal") == 0)
            json_object_set_new(line, "copy", json_string("original"));
        else if (strcmp(act, "record.create") != 0 && strcmp(act, "record.version") != 0 &&
                 strcmp(act, "record.close") != 0)
            json_object_set(line, "sha256_before", json_object_get(record, "sha256"));
        if (json_object_get(line, "copy") != NULL || json_object_get(line, "sha256_before") != NULL)
            json_object_set(line, "sha256_after", json_object_get(record, "sha256"));
    }
    if (rc == 0)
        rc = sr_json_canonical(line, out);
    json_decref(line);
    if (rc == 0 && !out->failed) {
        rc = sr_sha256(out->data + start, out->len - start, hash);
        sr_hex_encode(hash, sizeof(hash), previous);
        sr_buf_text(out, "\n");
    }
    return rc;
}

int bundle_custody(const struct bundle *bundle, struct sr_buf *out)
{
    json_t *by_object = json_object();
    char previous[2 * SR_SHA256_LEN + 1];
    int rc = 0;

    for (size_t i = 0; i < json_array_size(bundle->records); i++) {
        json_t *record = json_array_get(bundle->records, i);

        if (json_object_set(by_object, print_text(record, "object"), record) != 0)
            rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory for custody.jsonl");
    }
    memset(previous, '0', 2 * SR_SHA256_LEN);
    previous[2 * SR_SHA256_LEN] = '\0';
    for (size_t i = 0; rc == 0 && i < json_array_size(bundle->acts); i++)
        rc = custody_line(by_object, json_array_get(bundle->acts, i), i + 1, previous, out);
    json_decref(by_object);
    return rc;
}

/* --- the note (R4, R5) --- */

static void note_line(struct sr_buf *out, const char *name, const char *value)
{
    if (value[0] != '\0')
        sr_buf_format(out, "%s：%s\r\n", name, value);
}

void bundle_note(const struct bundle *bundle, const json_t *record, struct sr_buf *out)
{
    const json_t *labels = json_object_get(record, "labels");
    char time[20];
    int64_t sealed_ns = 0;
    uint64_t ms;

    note_line(out, "案件编号", print_text(bundle->in_case, "name"));
    note_line(out, "档号", print_text(record, "archive_number"));
    note_line(out, "原文件名", print_text(record, "name"));
    note_line(out, "存放位置", print_text(record, "place"));
    note_line(out, "制作人", print_text(json_object_get(record, "sender"), "person"));
    if (sr_json_get_i64(record, "sealed", &sealed_ns) == 0) {
        sr_time_local_text(sealed_ns, time);
        note_line(out, "入库封存时间", time);
    }
    for (size_t i = 0; i < json_array_size(labels); i++) {
        const json_t *label = json_array_get(labels, i);

        if (sr_json_get_u64(label, "offset_ms", &ms) == 0)
            sr_buf_format(out, "%02llu:%02llu:%02llu ", (unsigned long long)(ms / 3600000),
                          (unsigned long long)(ms / 60000 % 60),
                          (unsigned long long)(ms / 1000 % 60));
        if (strcmp(print_text(label, "label"), "case_number") != 0)
            note_line(out, print_text(label, "name"), print_text(label, "value"));
    }
    note_line(out, "SHA-256", print_text(record, "sha256"));
    note_line(out, "状态",
              strcmp(print_text(record, "state"), "sealed") == 0 ? "完整封存" : "不完整");
}

void bundle_disc_note(const struct bundle *bundle, const char *label, const char *person,
                      int64_t now_ns, struct sr_buf *out)
{
    const json_t *leads = json_object_get(bundle->in_case, "leads");
    char time[20];

    sr_time_local_text(now_ns, time);
    sr_buf_text(out, "光盘说明\r\n");
    note_line(out, "标签", label);
    note_line(out, "案件编号", print_text(bundle->in_case, "name"));
    note_line(out, "单位", print_text(bundle->in_case, "agency"));
    for (size_t i = 0; i < json_array_size(leads); i++)
        note_line(out, "承办人", print_text(json_array_get(leads, i), "person"));
    note_line(out, "制作人", person);
    note_line(out, "制作时间", time);
    note_line(out, "账本", print_text(bundle->in_case, "as_of"));
    for (size_t i = 0; i < json_array_size(bundle->records); i++) {
        const json_t *record = json_array_get(bundle->records, i);

        sr_buf_format(out, "\r\n%s\r\n", print_text(record, "file"));
        bundle_note(bundle, record, out);
    }
}
