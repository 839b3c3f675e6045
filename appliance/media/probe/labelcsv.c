#include "media/probe/labelcsv.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "media/probe/labelfile.h"

struct list {
    char *at;      /* the next character */
    unsigned line; /* of it, from 1 */
    char separator;
    char *cells[LABELFILE_COLUMNS_MAX]; /* of the row: into the text */
    size_t count;
    unsigned row_line;  /* where the row begins */
    const char *broken; /* what is wrong with its quotes; NULL: nothing */
    bool too_many;
};

struct column {
    enum labelrows_meaning meaning;
    const char *field;
};

/* --- rows of cells (RFC 4180) --- */

/* A quoted cell, from its first quote on; the end is cut off in place. Returns the character behind it. */
static char *quoted_cell(struct list *list)
{
    char *in = list->at + 1, *out = list->at;

    for (; *in != '\0'; in++) {
        if (*in == '\n')
            list->line++;
        if (*in == '"' && in[1] == '"')
            in++;
        else if (*in == '"')
            break;
        *out++ = *in;
    }
    if (*in == '\0') {
        list->broken = "引号没有结束";
        *out = '\0';
        return in;
    }
    in++;
    if (*in != '\0' && *in != list->separator && *in != '\n' && *in != '\r')
        list->broken = "引号后面还有字符";
    while (*in != '\0' && *in != list->separator && *in != '\n' && *in != '\r')
        in++;
    *out = '\0'; /* in is beyond out: a quote is gone */
    return in;
}

static char *plain_cell(struct list *list)
{
    char *end = list->at;

    while (*end != '\0' && *end != list->separator && *end != '\n' && *end != '\r')
        end++;
    return end;
}

/* Splits one row. False: there is none any more. */
static bool next_row(struct list *list)
{
    list->count = 0;
    list->broken = NULL;
    list->too_many = false;
    list->row_line = list->line;
    if (*list->at == '\0')
        return false;
    for (;;) {
        char *cell = list->at;
        char *end = *cell == '"' ? quoted_cell(list) : plain_cell(list);
        char stop = *end;

        if (list->count < LABELFILE_COLUMNS_MAX)
            list->cells[list->count++] = cell;
        else
            list->too_many = true;
        *end = '\0';
        list->at = end + (stop != '\0');
        if (stop == '\r' && *list->at == '\n')
            list->at++;
        if (stop == list->separator)
            continue;
        list->line += stop != '\0';
        return true;
    }
}

static bool is_empty(const struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->cells[i][strspn(list->cells[i], " ")] != '\0')
            return false;
    return true;
}

/* In place, without blanks around it, also wide ones. */
static char *trimmed(char *text)
{
    size_t len;

    while (*text == ' ' || *text == '\t' || strncmp(text, "\xe3\x80\x80", 3) == 0)
        text += *text == ' ' || *text == '\t' ? 1 : 3;
    for (len = strlen(text); len > 0; text[len] = '\0') {
        if (text[len - 1] == ' ' || text[len - 1] == '\t')
            len--;
        else if (len >= 3 && strcmp(text + len - 3, "\xe3\x80\x80") == 0)
            len -= 3;
        else
            break;
    }
    return text;
}

/* The one that the first line with something in it has most of. */
static char find_separator(const char *text)
{
    static const char candidates[] = {',', '\t', ';'};
    size_t counts[3] = {0}, best = 0;

    text += strspn(text, " \r\n");
    for (bool quoted = false; *text != '\0' && (quoted || *text != '\n'); text++) {
        quoted ^= *text == '"';
        for (size_t i = 0; i < 3 && !quoted; i++)
            counts[i] += *text == candidates[i];
    }
    for (size_t i = 1; i < 3; i++)
        if (counts[i] > counts[best])
            best = i;
    return candidates[best];
}

/* --- labels --- */

/* The head line. False: there is no name of a file in it, and nothing can be made of the rest. */
static bool read_head(struct list *list, struct column *columns, struct labelrows *rows)
{
    bool has_file = false, has_field = false;

    for (size_t i = 0; i < list->count; i++) {
        columns[i].meaning = labelrows_meaning(trimmed(list->cells[i]), &columns[i].field);
        for (size_t k = 0; k < i; k++) {
            if (columns[i].meaning != LABELROWS_NONE && columns[k].meaning == columns[i].meaning &&
                columns[k].field == columns[i].field) {
                labelrows_error(rows, list->row_line, "第 %zu 列和第 %zu 列是同一项，只采用前一列",
                                i + 1, k + 1);
                columns[i].meaning = LABELROWS_NONE;
            }
        }
        has_file |= columns[i].meaning == LABELROWS_FILE;
        has_field |= columns[i].meaning == LABELROWS_FIELD;
    }
    if (!has_file)
        labelrows_error(rows, list->row_line, "标题行没有“文件名”一列，整份未采用");
    else if (!has_field)
        labelrows_error(rows, list->row_line, "标题行没有一列是标签，整份未采用");
    return has_file && has_field;
}

static const char *cell_of(const struct list *list, const struct column *columns,
                           enum labelrows_meaning meaning)
{
    for (size_t i = 0; i < list->count; i++)
        if (columns[i].meaning == meaning)
            return list->cells[i];
    return "";
}

static bool has_offset(const char *field)
{
    return strcmp(field, "speaker") == 0 || strcmp(field, "identity") == 0 ||
           strcmp(field, "summary") == 0;
}

/* A sheet that is opened in a spreadsheet would run it. Here it is text. */
static void note_formula(const struct list *list, const char *field, const char *value,
                         struct labelrows *rows)
{
    if (value[0] != '\0' && strchr("=+-@", value[0]) && strcmp(field, "clock") != 0)
        describe_finding(rows->answer, "formula",
                         "line %u: a cell begins like a formula; it is taken as text",
                         list->row_line);
}

static void read_row(struct list *list, const struct column *columns, struct labelrows *rows)
{
    json_t *labels = json_array();
    const char *file, *offset;

    for (size_t i = 0; i < list->count; i++)
        list->cells[i] = trimmed(list->cells[i]);
    file = cell_of(list, columns, LABELROWS_FILE);
    offset = cell_of(list, columns, LABELROWS_OFFSET);
    if (file[0] == '\0') {
        labelrows_error(rows, list->row_line, "没有文件名");
        json_decref(labels);
        return;
    }
    for (size_t i = 0; i < list->count && !rows->error; i++) {
        const char *field = columns[i].field, *value = list->cells[i];

        if (columns[i].meaning != LABELROWS_FIELD || value[0] == '\0')
            continue;
        if (strlen(value) > LABELFILE_VALUE_MAX) {
            labelrows_error(rows, list->row_line, "第 %zu 列超过 %d 字节", i + 1,
                            LABELFILE_VALUE_MAX);
            continue;
        }
        note_formula(list, field, value, rows);
        rows->error = labels
                          ? labelrows_label(labels, field, value, has_offset(field) ? offset : "")
                          : sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    }
    labelrows_put(rows, list->row_line, file, labels);
}

void labelcsv_read(char *text, size_t len, struct labelrows *rows)
{
    struct column columns[LABELFILE_COLUMNS_MAX];
    struct list list = {.at = text, .line = 1, .separator = find_separator(text)};
    size_t width;

    (void)len; /* charset.h gives text without a NUL in it */
    do {
        if (!next_row(&list)) {
            labelrows_error(rows, 1, "文件是空的");
            return;
        }
    } while (is_empty(&list));
    if (list.broken || list.too_many) {
        labelrows_error(rows, list.row_line, "标题行有误：%s",
                        list.broken ? list.broken : "列数过多");
        return;
    }
    width = list.count;
    if (!read_head(&list, columns, rows))
        return;
    while (!rows->error && !rows->full && next_row(&list)) {
        if (is_empty(&list))
            continue;
        if (list.broken)
            labelrows_error(rows, list.row_line, "%s", list.broken);
        else if (list.count != width || list.too_many)
            labelrows_error(rows, list.row_line, "这一行有 %zu 列，标题行有 %zu 列", list.count,
                            width);
        else
            read_row(&list, columns, rows);
    }
}
