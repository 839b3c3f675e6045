#include "media/probe/labelrows.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "media/probe/labelfile.h"

static const struct {
    const char *name;
    enum labelrows_meaning meaning;
    const char *field;
} names[] = {
    {"文件名", LABELROWS_FILE, NULL},
    {"文件", LABELROWS_FILE, NULL},
    {"文件名称", LABELROWS_FILE, NULL},
    {"file", LABELROWS_FILE, NULL},
    {"filename", LABELROWS_FILE, NULL},
    {"时刻", LABELROWS_OFFSET, NULL},
    {"偏移", LABELROWS_OFFSET, NULL},
    {"offset", LABELROWS_OFFSET, NULL},
    {"案件编号", LABELROWS_FIELD, "case_number"},
    {"案号", LABELROWS_FIELD, "case_number"},
    {"case_number", LABELROWS_FIELD, "case_number"},
    {"采集时间", LABELROWS_FIELD, "captured"},
    {"拍摄时间", LABELROWS_FIELD, "captured"},
    {"摄录时间", LABELROWS_FIELD, "captured"},
    {"录制时间", LABELROWS_FIELD, "captured"},
    {"captured", LABELROWS_FIELD, "captured"},
    {"采集地点", LABELROWS_FIELD, "place"},
    {"拍摄地点", LABELROWS_FIELD, "place"},
    {"摄录地点", LABELROWS_FIELD, "place"},
    {"地点", LABELROWS_FIELD, "place"},
    {"place", LABELROWS_FIELD, "place"},
    {"采集人", LABELROWS_FIELD, "person"},
    {"拍摄人", LABELROWS_FIELD, "person"},
    {"摄录人", LABELROWS_FIELD, "person"},
    {"警号", LABELROWS_FIELD, "person"},
    {"执法证件号", LABELROWS_FIELD, "person"},
    {"person", LABELROWS_FIELD, "person"},
    {"证明对象", LABELROWS_FIELD, "proves"},
    {"proves", LABELROWS_FIELD, "proves"},
    {"执法对象", LABELROWS_FIELD, "subject"},
    {"当事人", LABELROWS_FIELD, "subject"},
    {"subject", LABELROWS_FIELD, "subject"},
    {"编号", LABELROWS_FIELD, "number"},
    {"number", LABELROWS_FIELD, "number"},
    {"摄录内容", LABELROWS_FIELD, "content"},
    {"content", LABELROWS_FIELD, "content"},
    {"对话人员", LABELROWS_FIELD, "speaker"},
    {"人员", LABELROWS_FIELD, "speaker"},
    {"speaker", LABELROWS_FIELD, "speaker"},
    {"身份", LABELROWS_FIELD, "identity"},
    {"identity", LABELROWS_FIELD, "identity"},
    {"主要内容", LABELROWS_FIELD, "summary"},
    {"summary", LABELROWS_FIELD, "summary"},
    {"设备时间偏差", LABELROWS_FIELD, "clock"},
    {"时间偏差", LABELROWS_FIELD, "clock"},
    {"clock", LABELROWS_FIELD, "clock"},
    {"设备", LABELROWS_FIELD, "device"},
    {"设备编号", LABELROWS_FIELD, "device"},
    {"device", LABELROWS_FIELD, "device"},
};

enum labelrows_meaning labelrows_meaning(const char *name, const char **field)
{
    *field = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(names[i].name, name) == 0) {
            *field = names[i].field;
            return names[i].meaning;
        }
    }
    return LABELROWS_NONE;
}

int labelrows_label(json_t *labels, const char *field, const char *value, const char *offset)
{
    json_t *one = json_pack("{s:s, s:s}", "field", field, "value", value);

    if (one && offset && offset[0] &&
        json_object_set_new(one, "offset", json_string(offset)) != 0) {
        json_decref(one);
        one = NULL;
    }
    return json_array_append_new(labels, one) == 0 ? 0 : sr_fail(SR_ERR_NO_MEMORY, "out of memory");
}

/* One line. Takes over row. */
static void write_row(struct labelrows *rows, json_t *row)
{
    char *text = row ? json_dumps(row, JSON_COMPACT) : NULL;
    bool full = false;

    json_decref(row);
    if (!text) {
        rows->error = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        return;
    }
    rows->error = describe_text(rows->answer, text, strlen(text), &full);
    if (!rows->error)
        rows->error = describe_text(rows->answer, "\n", 1, &full);
    rows->full |= full;
    free(text);
}

static bool takes_more(struct labelrows *rows)
{
    if (rows->error || rows->full)
        return false;
    if (rows->count++ < LABELFILE_ROWS_MAX)
        return true;
    rows->full = true;
    describe_finding(rows->answer, "truncated", "of a label file %d rows are read, no more",
                     LABELFILE_ROWS_MAX);
    return false;
}

void labelrows_put(struct labelrows *rows, unsigned line, const char *file, json_t *labels)
{
    json_t *row;

    if (!labels || json_array_size(labels) == 0 || !takes_more(rows)) {
        json_decref(labels);
        return;
    }
    row = json_pack("{s:I, s:o}", "line", (json_int_t)line, "labels", labels);
    if (row && file && file[0] && json_object_set_new(row, "file", json_string(file)) != 0) {
        json_decref(row);
        row = NULL;
    }
    write_row(rows, row);
}

void labelrows_error(struct labelrows *rows, unsigned line, const char *format, ...)
{
    char text[400];
    va_list list;

    if (!takes_more(rows))
        return;
    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    write_row(rows, json_pack("{s:I, s:s}", "line", (json_int_t)line, "error", text));
}
