#include "media/probe/labelyaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/error.h"
#include "media/probe/labelfile.h"

struct reader {
    yaml_document_t *document;
    struct labelrows *rows;
    size_t looked; /* nodes, each time it is come to: an alias may stand for many */
};

#define LOOKED_MAX (4 * LABELFILE_ROWS_MAX)

static unsigned line_of(const yaml_node_t *node)
{
    return (unsigned)node->start_mark.line + 1;
}

/* NULL: enough has been looked at. */
static yaml_node_t *node_at(struct reader *reader, int index)
{
    yaml_node_t *node = yaml_document_get_node(reader->document, index);

    if (node && ++reader->looked <= LOOKED_MAX)
        return node;
    if (!reader->rows->full)
        describe_finding(
            reader->rows->answer, "bomb",
            "a label file of more than %d values, or with aliases that stand for as many",
            LOOKED_MAX);
    reader->rows->full = true;
    return NULL;
}

/* The text of a scalar; NULL with an error on record for anything else. Owned by the document. */
static const char *text_of(struct reader *reader, const yaml_node_t *node, const char *what)
{
    const char *text;

    if (node->type != YAML_SCALAR_NODE) {
        labelrows_error(reader->rows, line_of(node), "%s应是一个值", what);
        return NULL;
    }
    text = (const char *)node->data.scalar.value;
    if (strlen(text) != node->data.scalar.length || strlen(text) > LABELFILE_VALUE_MAX) {
        labelrows_error(reader->rows, line_of(node), "%s超过 %d 字节，或含有不能显示的字符", what,
                        LABELFILE_VALUE_MAX);
        return NULL;
    }
    return text;
}

static void put_label(struct reader *reader, json_t *labels, const char *field, const char *value,
                      const char *offset)
{
    if (value[0] != '\0' && !reader->rows->error)
        reader->rows->error = labelrows_label(labels, field, value, offset);
}

/* One of 对话: a mapping of 时刻, 人员, 身份, 主要内容. */
static void read_talk(struct reader *reader, const yaml_node_t *map, json_t *labels)
{
    const char *offset = "";

    if (map->type != YAML_MAPPING_NODE) {
        labelrows_error(reader->rows, line_of(map),
                        "对话应是若干项，每项写 时刻、人员、身份、主要内容");
        return;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (yaml_node_pair_t *pair = map->data.mapping.pairs.start;
             pair < map->data.mapping.pairs.top; pair++) {
            yaml_node_t *key = node_at(reader, pair->key);
            yaml_node_t *value = key ? node_at(reader, pair->value) : NULL;
            const char *field, *name, *text;
            enum labelrows_meaning meaning;

            if (!value || key->type != YAML_SCALAR_NODE)
                return;
            name = (const char *)key->data.scalar.value;
            meaning = labelrows_meaning(name, &field);
            if ((meaning == LABELROWS_OFFSET) != (pass == 0))
                continue;
            text = text_of(reader, value, "对话的每一项");
            if (text && pass == 0)
                offset = text;
            else if (text && meaning == LABELROWS_FIELD)
                put_label(reader, labels, field, text, offset);
            else if (text)
                labelrows_error(reader->rows, line_of(key), "对话里没有“%.60s”这一项", name);
        }
    }
}

static void read_talks(struct reader *reader, const yaml_node_t *list, json_t *labels)
{
    if (list->type != YAML_SEQUENCE_NODE) {
        read_talk(reader, list, labels);
        return;
    }
    for (yaml_node_item_t *item = list->data.sequence.items.start;
         item < list->data.sequence.items.top && !reader->rows->full; item++) {
        yaml_node_t *map = node_at(reader, *item);

        if (map)
            read_talk(reader, map, labels);
    }
}

#define FIELDS_MAX 32 /* there are fewer */

struct seen { /* labels of one mapping, by their words, which are constant */
    const char *fields[FIELDS_MAX];
    size_t count;
};

/* A label that stands there twice says nothing: neither value is taken. */
static void put_once(struct reader *reader, struct seen *seen, json_t *labels, const char *field,
                     const char *value, const yaml_node_t *key)
{
    size_t i = 0;

    while (i < seen->count && seen->fields[i] != field)
        i++;
    if (i == seen->count && seen->count < FIELDS_MAX) {
        seen->fields[seen->count++] = field;
        put_label(reader, labels, field, value, "");
        return;
    }
    for (i = json_array_size(labels); i-- > 0;) {
        const json_t *label = json_array_get(labels, i);

        if (!json_object_get(label, "offset") &&
            strcmp(json_string_value(json_object_get(label, "field")), field) == 0)
            json_array_remove(labels, i);
    }
    labelrows_error(reader->rows, line_of(key), "“%.60s”写了不止一次，均未采用",
                    (const char *)key->data.scalar.value);
}

static void read_files(struct reader *reader, const yaml_node_t *map);

/* Labels of one file, or of all (file NULL). files: may 文件 stand in it? */
static void read_labels(struct reader *reader, const yaml_node_t *map, const char *file, bool files)
{
    struct seen seen = {.count = 0};
    json_t *labels = json_array();

    if (map->type != YAML_MAPPING_NODE) {
        labelrows_error(reader->rows, line_of(map), "应是若干行“标签: 值”");
        json_decref(labels);
        return;
    }
    if (!labels)
        reader->rows->error = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    for (yaml_node_pair_t *pair = map->data.mapping.pairs.start;
         pair < map->data.mapping.pairs.top && !reader->rows->error && !reader->rows->full;
         pair++) {
        yaml_node_t *key = node_at(reader, pair->key);
        yaml_node_t *value = key ? node_at(reader, pair->value) : NULL;
        const char *name, *field, *text;
        enum labelrows_meaning meaning;

        if (!value || !(name = text_of(reader, key, "标签的名称")))
            continue;
        meaning = labelrows_meaning(name, &field);
        if (strcmp(name, "对话") == 0)
            read_talks(reader, value, labels);
        else if (meaning == LABELROWS_FILE && files && value->type == YAML_MAPPING_NODE)
            read_files(reader, value);
        else if (meaning == LABELROWS_FILE && (text = text_of(reader, value, "文件名")))
            file = text;
        else if (meaning == LABELROWS_FIELD && (text = text_of(reader, value, name)))
            put_once(reader, &seen, labels, field, text, key);
        else if (meaning == LABELROWS_NONE || meaning == LABELROWS_OFFSET)
            labelrows_error(reader->rows, line_of(key), "没有“%.60s”这个标签", name);
    }
    labelrows_put(reader->rows, line_of(map), file, labels);
}

static void read_files(struct reader *reader, const yaml_node_t *map)
{
    for (yaml_node_pair_t *pair = map->data.mapping.pairs.start;
         pair < map->data.mapping.pairs.top && !reader->rows->error && !reader->rows->full;
         pair++) {
        yaml_node_t *key = node_at(reader, pair->key);
        yaml_node_t *value = key ? node_at(reader, pair->value) : NULL;
        const char *name = value ? text_of(reader, key, "文件名") : NULL;

        if (name)
            read_labels(reader, value, name, false);
    }
}

static void read_document(struct reader *reader)
{
    yaml_node_t *root = yaml_document_get_root_node(reader->document);

    if (!root) {
        labelrows_error(reader->rows, 1, "文件是空的");
    } else if (root->type == YAML_SEQUENCE_NODE) {
        for (yaml_node_item_t *item = root->data.sequence.items.start;
             item < root->data.sequence.items.top && !reader->rows->error && !reader->rows->full;
             item++) {
            yaml_node_t *map = node_at(reader, *item);

            if (map)
                read_labels(reader, map, NULL, false);
        }
    } else {
        read_labels(reader, root, NULL, true);
    }
}

static void not_yaml(struct labelrows *rows, const yaml_parser_t *parser)
{
    labelrows_error(rows, (unsigned)parser->problem_mark.line + 1,
                    "不是正确的 YAML（第 %zu 列：%.100s）；缩进请用空格，不用制表符",
                    parser->problem_mark.column + 1,
                    parser->problem ? parser->problem : "unreadable");
}

void labelyaml_read(const char *text, size_t len, struct labelrows *rows)
{
    yaml_parser_t parser;
    yaml_document_t document, second;
    struct reader reader = {.document = &document, .rows = rows};

    if (!yaml_parser_initialize(&parser)) {
        rows->error = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        return;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    if (!yaml_parser_load(&parser, &document)) {
        not_yaml(rows, &parser);
        yaml_parser_delete(&parser);
        return;
    }
    read_document(&reader);
    yaml_document_delete(&document);
    if (!yaml_parser_load(&parser, &second)) {
        not_yaml(rows, &parser);
    } else {
        const yaml_node_t *root = yaml_document_get_root_node(&second);

        if (root)
            labelrows_error(rows, line_of(root), "一个文件只写一份，--- 之后的未采用");
        yaml_document_delete(&second);
    }
    yaml_parser_delete(&parser);
}
