#include "media/probe/labelfile.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "media/probe/charset.h"
#include "media/probe/labelcsv.h"
#include "media/probe/labelrows.h"
#include "media/probe/labelyaml.h"

#define OWN_SUFFIX ".label.yaml"

static bool ends_with(const char *name, const char *suffix)
{
    size_t len = strlen(name), tail = strlen(suffix);

    return len > tail && strcmp(name + len - tail, suffix) == 0;
}

bool labelfile_is_name(const char *name)
{
    return strcmp(name, "标签.yaml") == 0 || strcmp(name, "标签.csv") == 0 ||
           ends_with(name, OWN_SUFFIX);
}

/* A NUL ends values early in half of the programs there are, so what such a list says is not the same to everybody.
 * Looked for in the bytes: the decoded text has blanks in their places. */
static bool has_nul(const uint8_t *data, size_t len, const char *charset, struct labelrows *rows)
{
    size_t step = charset && strncmp(charset, "UTF-16", 6) == 0 ? 2 : 1;
    unsigned line = 1;

    for (size_t i = 0; i + step <= len; i += step) {
        if (!data[i] && !data[i + step - 1]) {
            labelrows_error(rows, line, "含有空字符（NUL），整份未采用");
            return true;
        }
        line += data[i] + (step == 2 ? data[i + 1] : 0) == '\n';
    }
    return false;
}

int labelfile_refuse(struct describe *answer, const char *mime)
{
    struct labelrows rows = {.answer = answer};

    labelrows_error(&rows, 1, "内容不是文字（%s），整份未采用", mime);
    return rows.error;
}

int labelfile_describe(struct probe_source *source, struct describe *answer)
{
    struct labelrows rows = {.answer = answer};
    struct charset_text text = {0};
    uint8_t *data = NULL;
    size_t len;
    int rc = probe_source_whole(source, LABELFILE_MAX, &data, &len);

    if (rc == SR_ERR_TOO_LARGE) {
        labelrows_error(&rows, 1, "标签文件超过 %u MiB，未采用", LABELFILE_MAX >> 20);
        return rows.error;
    }
    if (!rc)
        rc = charset_decode(data, len, NULL, false, &text);
    if (!rc) {
        describe_text_value(answer, "charset", text.charset);
        if (text.replaced)
            labelrows_error(&rows, 1, "有 %zu 处不是 %s 编码的文字", text.replaced, text.charset);
        if (has_nul(data, len, text.charset, &rows))
            ;
        else if (ends_with(probe_source_name(source), ".csv"))
            labelcsv_read(text.text, text.len, &rows);
        else
            labelyaml_read(text.text, text.len, &rows);
        rc = rows.error;
    }
    charset_text_free(&text);
    free(data);
    return rc;
}
