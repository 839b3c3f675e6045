#include "tests/lib/document_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"

static int keep(void *context, const char *text, size_t len)
{
    assert_true(sr_utf8_valid(text, len));
    sr_buf_append(context, text, len);
    return 0;
}

void document_rig_open(struct document_rig *rig, const void *data, size_t len)
{
    document_rig_open_named(rig, "文件", data, len);
}

void document_rig_open_named(struct document_rig *rig, const char *name, const void *data,
                             size_t len)
{
    *rig = (struct document_rig){0};
    assert_int_equal(probe_source_memory(data, len, name, &rig->source), 0);
    assert_int_equal(describe_new(keep, &rig->text, &rig->answer), 0);
}

void document_rig_close(struct document_rig *rig)
{
    json_decref(rig->result);
    describe_free(rig->answer);
    probe_source_free(rig->source);
    sr_buf_free(&rig->text);
    *rig = (struct document_rig){0};
}

json_t *document_rig_result(struct document_rig *rig)
{
    json_decref(rig->result);
    assert_int_equal(describe_result(rig->answer, &rig->result), 0);
    return rig->result;
}

const char *document_rig_text(const struct document_rig *rig, const char *key)
{
    const char *text = json_string_value(json_object_get(rig->result, key));
    return text ? text : "";
}

bool document_rig_finding(const struct document_rig *rig, const char *code)
{
    json_t *list = json_object_get(rig->result, "findings"), *finding;
    size_t i;

    json_array_foreach(list, i, finding)
    {
        const char *found = json_string_value(json_object_get(finding, "code"));
        if (found && !strcmp(found, code))
            return true;
    }
    return false;
}

bool document_rig_contains(const struct document_rig *rig, const char *text)
{
    return rig->text.data && strstr(rig->text.data, text);
}

uint8_t *document_rig_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data;

    if (!file)
        fail_msg("%s is not there", path);
    fseek(file, 0, SEEK_END);
    *len = (size_t)ftell(file);
    rewind(file);
    data = malloc(*len + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *len, file), *len);
    data[*len] = '\0';
    fclose(file);
    return data;
}

void document_rig_command(const char *command, struct sr_buf *out)
{
    FILE *pipe = popen(command, "r");
    char piece[4096];
    size_t got;

    assert_non_null(pipe);
    while ((got = fread(piece, 1, sizeof(piece), pipe)) > 0)
        sr_buf_append(out, piece, got);
    if (pclose(pipe) != 0)
        fail_msg("%s failed", command);
}

void document_rig_run(const char *format, ...)
{
    struct sr_buf out = {0};
    char command[2048];
    va_list list;

    va_start(list, format);
    int len = vsnprintf(command, sizeof command, format, list);
    va_end(list);
    assert_in_range(len, 1, sizeof command - 1);
    document_rig_command(command, &out);
    sr_buf_free(&out);
}

void document_rig_squeeze(struct sr_buf *text)
{
    size_t len = 0;

    for (size_t i = 0; i < text->len; i++)
        if (!strchr(" \t\r\n\f", text->data[i]))
            text->data[len++] = text->data[i];
    text->len = len;
    if (text->data)
        text->data[len] = '\0';
}
