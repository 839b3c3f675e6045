/* Label files: 标签.yaml, 标签.csv and <file>.label.yaml beside recordings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "casework/label.h"
#include "casework/label_value.h"
#include "casework/nodes.h"
#include "casework/texts.h"
#include "catalog/described.h"

#define OWN_SUFFIX ".label.yaml"
#define LINE_LEN_MAX 65536       /* bytes of JSON that one row may have */
#define NOTICE_FILES 16          /* shown in 提示.txt: a station drops many at once */
#define NOTICE_ERRORS 20         /* of each */
#define NOTICE_TEXT (512u << 10) /* bytes of a text that is worth looking through each time */
#define ROW_LABELS 256

static bool ends_with(const char *name, const char *suffix)
{
    size_t len = strlen(name), tail = strlen(suffix);
    return len > tail && strcmp(name + len - tail, suffix) == 0;
}

bool label_file_is_name(const char *name)
{
    return strcmp(name, "标签.yaml") == 0 || strcmp(name, "标签.csv") == 0 ||
           ends_with(name, OWN_SUFFIX);
}

/* --- rows --- */

static int give_row(const json_t *line, label_row_fn *fn, void *context)
{
    json_int_t number = json_integer_value(json_object_get(line, "line"));
    struct label_row row = {.line = number > 0 && number < INT32_MAX ? (unsigned)number : 0,
                            .file = json_string_value(json_object_get(line, "file")),
                            .labels = json_object_get(line, "labels"),
                            .error = json_string_value(json_object_get(line, "error"))};
    if (row.error != NULL)
        row.labels = NULL;
    else if (!json_is_array(row.labels) || json_array_size(row.labels) == 0 ||
             json_array_size(row.labels) > ROW_LABELS)
        return 0;
    return fn(context, &row);
}

int label_file_rows(const char *text, size_t len, label_row_fn *fn, void *context)
{
    int status = 0;
    for (const char *at = text, *end = text + len; status == 0 && at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((stop != NULL ? stop : end) - at);
        json_t *line = size > 0 && size <= LINE_LEN_MAX
                           ? json_loadb(at, size, JSON_REJECT_DUPLICATES, NULL)
                           : NULL;
        if (json_is_object(line))
            status = give_row(line, fn, context);
        json_decref(line);
        at += size + 1;
    }
    return status;
}

/* --- which records a row is about --- */

struct beside { /* the records of the folder that have a name */
    const struct catalog_node *file;
    const char *name; /* NULL: all */
    struct nodes found;
};

static int keep_record(void *context, const struct catalog_node *node)
{
    struct beside *beside = context;
    if (node->kind != CATALOG_KIND_RECORD || node->draft || node->junk ||
        label_file_is_name(node->name))
        return 0;
    return nodes_add(&beside->found, node);
}

/* What the row names, or the file is named after; NULL: all that lies beside it. out: of 256 bytes. */
static const char *subject_of(const char *label_file, const struct label_row *row, char *out)
{
    if (ends_with(label_file, OWN_SUFFIX)) {
        snprintf(out, CATALOG_NAME_MAX + 1, "%.*s", (int)(strlen(label_file) - strlen(OWN_SUFFIX)),
                 label_file);
        return out;
    }
    return row->file;
}

/* Names that differ in case or composition (NFC, NFD) are the same one here: stations and people write lists. */
static int find_beside(struct door *door, struct beside *beside)
{
    uint64_t folder = beside->file->parent;
    if (beside->name == NULL)
        return catalog_children(door->catalog, folder, 0, keep_record, beside);
    int status = catalog_named(door->catalog, folder, beside->name, keep_record, beside);
    if (status == 0 && beside->found.count == 0)
        status = catalog_twins(door->catalog, folder, beside->name, keep_record, beside);
    return status == SR_ERR_NAME_ENCODING ? 0 : status;
}

static bool names_record(struct door *door, const char *name, const struct catalog_node *node)
{
    char *fold = NULL, *other = NULL;
    bool same = name == NULL || strcmp(name, node->name) == 0;
    (void)door;
    if (!same && sr_name_fold(name, &fold) == 0 && sr_name_fold(node->name, &other) == 0)
        same = strcmp(fold, other) == 0;
    free(fold);
    free(other);
    return same;
}

/* --- values --- */

struct problem { /* the first thing that is wrong with a row */
    char text[LABEL_SENTENCE_MAX];
};

/* Of a row into labels of an entry. What is wrong with one of them costs that one. */
static int read_labels(struct door *door, const struct label_row *row, json_t *out,
                       struct problem *problem)
{
    char *value = malloc(CATALOG_LABEL_MAX + 1);
    char sentence[LABEL_SENTENCE_MAX];
    int64_t now = door->io->now_ns(door->io);
    int status = value != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "no memory for labels");
    for (size_t i = 0; status == 0 && i < json_array_size(row->labels); i++) {
        const json_t *one = json_array_get(row->labels, i);
        const char *field = json_string_value(json_object_get(one, "field"));
        const char *text = json_string_value(json_object_get(one, "value"));
        const char *offset = json_string_value(json_object_get(one, "offset"));
        int64_t offset_ms = CATALOG_NO_OFFSET;
        enum catalog_label label;
        bool good = field != NULL && text != NULL && label_by_name(field, &label);
        if (!good)
            snprintf(sentence, sizeof sentence, "不认识的标签");
        else if (!(good = label_value(label, text, now, value, sentence)))
            ;
        else if (offset != NULL && !(good = label_offset(offset, &offset_ms)))
            snprintf(sentence, sizeof sentence, "时刻写法如 00:12:30");
        if (good && value[0] != '\0' &&
            json_array_append_new(out, label_json(label, value, offset_ms, NULL)) != 0)
            status = sr_fail(SR_ERR_NO_MEMORY, "no memory for labels");
        if (!good && problem->text[0] == '\0')
            memcpy(problem->text, sentence, sizeof problem->text);
    }
    free(value);
    return status;
}

struct known { /* what this file has said of a record before: a crash may have come between */
    uint64_t file;
    json_t *labels; /* what is left to be said */
};

static int drop_known(void *context, const struct catalog_label_value *value)
{
    struct known *known = context;
    if (value->file != known->file || value->value == NULL)
        return 0;
    for (size_t i = json_array_size(known->labels); i-- > 0;) {
        const json_t *one = json_array_get(known->labels, i);
        uint64_t offset = 0;
        bool has_offset = sr_json_get_u64(one, "offset_ms", &offset) == 0;
        if (strcmp(json_string_value(json_object_get(one, "label")),
                   catalog_label_words[value->label]) == 0 &&
            strcmp(json_string_value(json_object_get(one, "value")), value->value) == 0 &&
            (has_offset ? (int64_t)offset : CATALOG_NO_OFFSET) == value->offset_ms)
            json_array_remove(known->labels, i);
    }
    return 0;
}

/* --- applying --- */

struct apply {
    struct door *door;
    const struct catalog_node *file;
    const struct catalog_node *only; /* NULL: every record that a row is about */
    struct catalog_user user;        /* who sent the file */
    uint64_t index;
    bool dry;               /* only looks: for 提示.txt */
    uint64_t given, waited; /* rows that are about a record, and those about none yet */
    uint64_t errors;
    struct sr_buf *lines; /* dry: what is wrong, line by line */
};

static void note_error(struct apply *apply, unsigned line, const char *text)
{
    if (apply->errors++ < NOTICE_ERRORS && apply->lines != NULL)
        sr_buf_format(apply->lines, "    第 %u 行：%.400s\r\n", line, text);
}

static int label_one(struct apply *apply, const struct catalog_node *node, json_t *labels)
{
    struct door *door = apply->door;
    struct catalog_node now;
    enum catalog_label_source source =
        ends_with(apply->file->name, OWN_SUFFIX) ? CATALOG_FROM_FILE : CATALOG_FROM_LIST;
    struct door_actor actor = {.uid = apply->user.uid, .tool = true};
    struct known known = {.file = apply->file->id, .labels = json_deep_copy(labels)};
    int status = known.labels != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "no memory for labels");
    pthread_mutex_lock(&door->lock);
    if (status == 0)
        status = catalog_label_history(door->catalog, node->id, drop_known, &known);
    if (status == 0 && json_array_size(known.labels) > 0 &&
        (status = catalog_get(door->catalog, node->id, &now)) == 0 &&
        now.version.state != CATALOG_STAGING) {
        status =
            label_append(door, &actor, &now, source, apply->file->id, known.labels, &apply->index);
        known.labels = NULL;
    }
    if (status == 0)
        status = label_enter(door, node->id, &apply->index);
    pthread_mutex_unlock(&door->lock);
    json_decref(known.labels);
    return status;
}

static int apply_to(struct apply *apply, const struct label_row *row, struct beside *beside,
                    json_t *labels, bool *about)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < beside->found.count; i++) {
        const struct catalog_node *node = &beside->found.items[i];
        if (node->version.state == CATALOG_STAGING ||
            place_visible(apply->door, &apply->user, node) < 0)
            continue;
        *about = true;
        if (!door_allows(apply->door, &apply->user, ACT_LABEL, node))
            note_error(apply, row->line, "您不能给这个文件填写标签");
        else if (!apply->dry)
            status = label_one(apply, node, labels);
    }
    return status;
}

static int apply_row(void *context, const struct label_row *row)
{
    struct apply *apply = context;
    char own[CATALOG_NAME_MAX + 1];
    struct problem problem = {.text = ""};
    struct beside beside = {.file = apply->file};
    bool about = false;
    if (row->error != NULL) {
        note_error(apply, row->line, row->error);
        return 0;
    }
    beside.name = subject_of(apply->file->name, row, own);
    if (apply->only != NULL && !names_record(apply->door, beside.name, apply->only))
        return 0;
    json_t *labels = json_array();
    int status = labels != NULL ? read_labels(apply->door, row, labels, &problem)
                                : sr_fail(SR_ERR_NO_MEMORY, "no memory for labels");
    if (problem.text[0] != '\0')
        note_error(apply, row->line, problem.text);
    if (status == 0 && json_array_size(labels) > 0) {
        status = apply->only != NULL ? nodes_add(&beside.found, apply->only)
                                     : find_beside(apply->door, &beside);
        if (status == 0)
            status = apply_to(apply, row, &beside, labels, &about);
        apply->given += about;
        apply->waited += !about;
    }
    nodes_free(&beside.found);
    json_decref(labels);
    return status;
}

static int begin(struct apply *apply, struct door *door, const struct catalog_node *file)
{
    apply->door = door;
    apply->file = file;
    /* Somebody who may not do anything any more labels nothing. */
    int status = catalog_user(door->catalog, file->version.uid, &apply->user);
    return status == 0 && apply->user.disabled ? SR_ERR_NOT_FOUND : status;
}

int label_file_apply(struct door *door, const struct catalog_node *file, const char *text,
                     size_t len, uint64_t *index)
{
    struct apply apply = {.index = 0};
    int status = begin(&apply, door, file);
    if (status == 0)
        status = label_file_rows(text, len, apply_row, &apply);
    if (apply.index != 0)
        *index = apply.index;
    return status == SR_ERR_NOT_FOUND ? 0 : status;
}

/* The text of a described label file; SR_ERR_NOT_FOUND: there is none. */
static int read_text(struct door *door, const struct catalog_node *file, size_t max, char **text,
                     size_t *len)
{
    struct catalog_description found;
    int status = catalog_description(door->catalog, file->version.create_index, &found);
    if (status < 0)
        return status;
    if (!found.has_text || found.text.size > max || found.media == NULL ||
        strstr(found.media, "\"" CATALOG_LABEL_FILE_TYPE "\"") == NULL)
        status = SR_ERR_NOT_FOUND;
    else
        status = texts_read(door->vault, &found.text, &file->version.object, text, len);
    catalog_description_free(&found);
    return status;
}

/* The label files that may be about node: by their names, which are few. */
static int files_beside(struct door *door, const struct catalog_node *node, struct nodes *out)
{
    char own[CATALOG_NAME_MAX + 1];
    const char *const names[] = {"标签.yaml", "标签.csv", own};
    int len = snprintf(own, sizeof own, "%s" OWN_SUFFIX, node->name);
    size_t count = len < (int)sizeof own ? 3 : 2;
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        status = catalog_named(door->catalog, node->parent, names[i], nodes_add, out);
        if (status == 0)
            status = catalog_twins(door->catalog, node->parent, names[i], nodes_add, out);
    }
    return status;
}

int label_file_find(struct door *door, const struct catalog_node *node, uint64_t *index)
{
    struct nodes files = {.count = 0};
    int status = label_file_is_name(node->name) ? 0 : files_beside(door, node, &files);
    for (size_t i = 0; status == 0 && i < files.count; i++) {
        struct apply apply = {.only = node};
        char *text = NULL;
        size_t len;
        if (files.items[i].kind != CATALOG_KIND_RECORD)
            continue;
        status = begin(&apply, door, &files.items[i]);
        if (status == 0)
            status = read_text(door, &files.items[i], TEXTS_MAX + TEXTS_HEAD_LEN, &text, &len);
        if (status == 0)
            status = label_file_rows(text, len, apply_row, &apply);
        free(text);
        if (apply.index != 0)
            *index = apply.index;
        if (status == SR_ERR_DAMAGED || status == SR_ERR_NOT_FOUND)
            status =
                0; /* not looked into yet; its damage is another record's, and has its own alert */
    }
    nodes_free(&files);
    return status;
}

/* --- 提示.txt --- */

static int notice_one(struct door *door, const struct catalog_node *file, struct sr_buf *out)
{
    struct sr_buf lines = {0};
    struct apply apply = {.dry = true, .lines = &lines};
    char *text = NULL, *path = NULL;
    size_t len;
    int status = begin(&apply, door, file);
    if (status == 0)
        status = read_text(door, file, NOTICE_TEXT, &text, &len);
    if (status == 0)
        status = label_file_rows(text, len, apply_row, &apply);
    if (status == 0 && place_visible(door, &apply.user, file) == 0 &&
        (status = door_path_for(door, &apply.user, file->id, &path)) == 0) {
        sr_buf_format(out, "\r\n%s\r\n    已采用 %llu 条", path, (unsigned long long)apply.given);
        if (apply.waited > 0)
            sr_buf_format(out, "，%llu 条所说的文件还没有入库，入库后自动采用",
                          (unsigned long long)apply.waited);
        if (apply.errors > 0)
            sr_buf_format(out,
                          "，%llu 处有误，改正后请以新的文件名（如 %s）或用 strongroom record "
                          "label 补填",
                          (unsigned long long)apply.errors, "文件名.label.yaml");
        sr_buf_text(out, "。\r\n");
        if (lines.len > 0)
            sr_buf_append(out, lines.data, lines.len);
        if (apply.errors > NOTICE_ERRORS)
            sr_buf_format(out, "    （只列出前 %d 处）\r\n", NOTICE_ERRORS);
    }
    sr_buf_free(&lines);
    free(text);
    free(path);
    return status == SR_ERR_NOT_FOUND || status == SR_ERR_DAMAGED ? 0 : status;
}

int label_file_notice(struct door *door, const struct catalog_user *user, struct sr_buf *out)
{
    struct nodes files = {.count = 0};
    int status = catalog_label_files_of(door->catalog, user->uid, NOTICE_FILES, nodes_add, &files);
    if (status == 0 && files.count > 0)
        sr_buf_text(out, "\r\n标签文件（最新的在前）：\r\n");
    for (size_t i = 0; status == 0 && i < files.count; i++)
        status = notice_one(door, &files.items[i], out);
    nodes_free(&files);
    return status;
}
