#include "casework/policyfile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/error.h"

#define DEPTH_MAX 8
#define MARKS_MAX 8192
#define REASON_MAX 160

struct place { /* both from 1; columns in characters */
    size_t line, column;
};

struct mark { /* where a key of the top mapping, or an element below it, stands */
    char *key;
    size_t item;
    struct place at;
};

struct policyfile {
    char *name;
    uint8_t *data;
    size_t len;
    uint8_t sha256[SR_SHA256_LEN];
    struct mark *marks;
    size_t mark_count;
};

static const struct place beginning = {1, 1};

static int refuse_at(const struct policyfile *file, struct place at, const char *reason)
{
    return sr_fail(SR_ERR_INVALID, "%s:%zu:%zu: %s", file->name, at.line, at.column, reason);
}

static struct place place_of(const yaml_mark_t *mark)
{
    return (struct place){mark->line + 1, mark->column + 1};
}

/* --- first pass: what libcyaml would let through, and the lines that it does not give --------- */

struct scan {
    struct policyfile *file;
    unsigned depth, documents;
    bool in_value;   /* at depth 1: the next node is a value */
    const char *key; /* last key at depth 1; owned by its mark */
    size_t item;     /* of the value's elements */
};

static const struct mark *find_mark(const struct policyfile *file, const char *key, size_t item)
{
    for (size_t i = 0; i < file->mark_count; i++)
        if (file->marks[i].item == item && strcmp(file->marks[i].key, key) == 0)
            return &file->marks[i];
    return NULL;
}

static int add_mark(struct scan *scan, const char *key, size_t item, struct place at)
{
    struct policyfile *file = scan->file;
    struct mark *mark;

    if (file->mark_count == MARKS_MAX)
        return refuse_at(file, at, "too many values");
    if ((file->mark_count & (file->mark_count - 1)) == 0) { /* grows at powers of two */
        size_t capacity = file->mark_count == 0 ? 1 : 2 * file->mark_count;
        struct mark *more = reallocarray(file->marks, capacity, sizeof(*more));
        if (more == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "%s: out of memory", file->name);
        file->marks = more;
    }
    mark = &file->marks[file->mark_count];
    *mark = (struct mark){.key = strdup(key), .item = item, .at = at};
    if (mark->key == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "%s: out of memory", file->name);
    file->mark_count++;
    if (item == POLICYFILE_KEY)
        scan->key = mark->key;
    return 0;
}

/* A node begins: a scalar, or a container whose content follows. text is the scalar's. */
static int scan_node(struct scan *scan, struct place at, const char *text)
{
    if (scan->depth == 0)
        return text == NULL ? 0 : refuse_at(scan->file, at, "expected `key: value` lines");
    if (scan->depth == 1 && scan->in_value) {
        scan->in_value = false;
        scan->item = 0;
        return 0;
    }
    if (scan->depth == 1) {
        if (text == NULL)
            return refuse_at(scan->file, at, "a key must be a word");
        if (find_mark(scan->file, text, POLICYFILE_KEY) != NULL)
            return refuse_at(scan->file, at, "this key stands here a second time");
        scan->in_value = true;
        return add_mark(scan, text, POLICYFILE_KEY, at);
    }
    return scan->depth == 2 ? add_mark(scan, scan->key, scan->item++, at) : 0;
}

static int scan_event(struct scan *scan, const yaml_event_t *event)
{
    struct place at = place_of(&event->start_mark);
    const yaml_char_t *anchor = NULL, *tag = NULL;
    const char *text = NULL;
    bool opens = false;
    int rc;

    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return ++scan->documents == 1 ? 0 : refuse_at(scan->file, at, "a second document");
    case YAML_ALIAS_EVENT:
        return refuse_at(scan->file, at, "aliases are not allowed here");
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        scan->depth--;
        return 0;
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        text = (const char *)event->data.scalar.value;
        if (strlen(text) != event->data.scalar.length)
            return refuse_at(scan->file, at, "a NUL character");
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        if (scan->depth == 0)
            return refuse_at(scan->file, at, "expected `key: value` lines");
        opens = true;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        opens = true;
        break;
    default:
        return 0;
    }
    if (anchor != NULL || tag != NULL)
        return refuse_at(scan->file, at, "anchors (&) and tags (!) are not allowed here");
    rc = scan_node(scan, at, text);
    if (rc == 0 && opens && ++scan->depth > DEPTH_MAX)
        rc = refuse_at(scan->file, at, "nested too deeply");
    return rc;
}

static int scan_file(struct policyfile *file)
{
    struct scan scan = {.file = file};
    yaml_parser_t parser;
    bool end = false;
    int rc = 0;

    if (yaml_parser_initialize(&parser) == 0)
        return sr_fail(SR_ERR_NO_MEMORY, "%s: out of memory", file->name);
    yaml_parser_set_input_string(&parser, file->data, file->len);
    while (rc == 0 && !end) {
        yaml_event_t event;

        if (yaml_parser_parse(&parser, &event) == 0) {
            rc = parser.error == YAML_MEMORY_ERROR
                     ? sr_fail(SR_ERR_NO_MEMORY, "%s: out of memory", file->name)
                     : refuse_at(file, place_of(&parser.problem_mark),
                                 parser.problem != NULL ? parser.problem : "not YAML");
            break;
        }
        end = event.type == YAML_STREAM_END_EVENT;
        rc = scan_event(&scan, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (rc == 0 && file->mark_count == 0)
        rc = refuse_at(file, beginning, "the file is empty");
    return rc;
}

int policyfile_parse(const char *name, const uint8_t *data, size_t len, struct policyfile **out)
{
    struct policyfile *file;
    int rc;

    *out = NULL;
    if (len > POLICYFILE_BYTES_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "%s: over %u bytes", name, POLICYFILE_BYTES_MAX);
    file = calloc(1, sizeof(*file));
    if (file != NULL) {
        file->name = strdup(name);
        file->data = malloc(len + 1);
        file->len = len;
    }
    if (file == NULL || file->name == NULL || file->data == NULL) {
        rc = sr_fail(SR_ERR_NO_MEMORY, "%s: out of memory", name);
        goto out;
    }
    if (len > 0)
        memcpy(file->data, data, len);
    rc = sr_sha256(file->data, len, file->sha256);
    if (rc == 0)
        rc = scan_file(file);
    if (rc == 0) {
        *out = file;
        file = NULL;
    }
out:
    policyfile_free(file);
    return rc;
}

int policyfile_read(struct sr_io *io, const char *dir, const char *name, struct policyfile **out)
{
    uint8_t *data = NULL;
    size_t len;
    char *path = sr_path("%s/%s", dir, name);
    int rc;

    *out = NULL;
    if (path == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "%s: out of memory", name);
    rc = sr_io_read_file(io, path, POLICYFILE_BYTES_MAX, &data, &len);
    if (rc == SR_ERR_NOT_FOUND)
        rc = sr_fail(SR_ERR_NOT_FOUND,
                     "policy file %s is missing: copy the shipped one from the folder policy/ of "
                     "the product",
                     path);
    if (rc == 0)
        rc = policyfile_parse(path, data, len, out);
    free(data);
    free(path);
    return rc;
}

void policyfile_free(struct policyfile *file)
{
    if (file == NULL)
        return;
    for (size_t i = 0; i < file->mark_count; i++)
        free(file->marks[i].key);
    free(file->marks);
    free(file->data);
    free(file->name);
    free(file);
}

const uint8_t *policyfile_sha256(const struct policyfile *file)
{
    return file->sha256;
}

bool policyfile_has(const struct policyfile *file, const char *key)
{
    return find_mark(file, key, POLICYFILE_KEY) != NULL;
}

/* --- second pass: libcyaml ------------------------------------------------------------------- */

struct complaint { /* what libcyaml logs: the reason first, then a backtrace with places */
    char reason[REASON_MAX];
    struct place at;
};

__attribute__((format(printf, 3, 0))) static void cyaml_complains(cyaml_log_t level, void *context,
                                                                  const char *format, va_list args)
{
    struct complaint *complaint = context;
    const char *reason, *at;
    char text[256];

    if (level < CYAML_LOG_ERROR)
        return;
    vsnprintf(text, sizeof(text), format, args);
    text[strcspn(text, "\n")] = '\0';
    reason = strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;
    at = strstr(reason, "(line: ");
    if (at != NULL && complaint->at.line == 0)
        (void)sscanf(at, "(line: %zu, column: %zu", &complaint->at.line, &complaint->at.column);
    else if (at == NULL && complaint->reason[0] == '\0')
        snprintf(complaint->reason, sizeof(complaint->reason), "%.*s",
                 (int)sizeof(complaint->reason) - 1, reason);
}

/* libcyaml would name the line of the value before. */
static int check_keys(const struct policyfile *file, const struct cyaml_schema_value *schema)
{
    for (size_t i = 0; i < file->mark_count; i++) {
        const struct cyaml_schema_field *field = schema->mapping.fields;

        if (file->marks[i].item != POLICYFILE_KEY)
            continue;
        while (field->key != NULL && strcmp(field->key, file->marks[i].key) != 0)
            field++;
        if (field->key == NULL)
            return sr_fail(SR_ERR_INVALID, "%s:%zu:%zu: unknown key `%.40s`", file->name,
                           file->marks[i].at.line, file->marks[i].at.column, file->marks[i].key);
    }
    return 0;
}

static cyaml_config_t config_for(struct complaint *complaint)
{
    return (cyaml_config_t){.log_fn = cyaml_complains,
                            .log_ctx = complaint,
                            .mem_fn = cyaml_mem,
                            .log_level = CYAML_LOG_ERROR,
                            .flags = CYAML_CFG_NO_ALIAS};
}

int policyfile_decode(const struct policyfile *file, const struct cyaml_schema_value *schema,
                      void **value)
{
    struct complaint complaint = {0};
    cyaml_config_t config = config_for(&complaint);
    cyaml_err_t error;
    int rc = check_keys(file, schema);

    *value = NULL;
    if (rc < 0)
        return rc;
    error = cyaml_load_data(file->data, file->len, &config, schema, value, NULL);
    if (error == CYAML_ERR_OOM)
        return sr_fail(SR_ERR_NO_MEMORY, "%s: out of memory", file->name);
    if (error != CYAML_OK || *value == NULL)
        return refuse_at(file, complaint.at.line > 0 ? complaint.at : beginning,
                         complaint.reason[0] != '\0' ? complaint.reason : cyaml_strerror(error));
    return 0;
}

void policyfile_free_value(const struct cyaml_schema_value *schema, void *value)
{
    struct complaint complaint = {0};
    cyaml_config_t config = config_for(&complaint);

    if (value != NULL)
        cyaml_free(&config, schema, value, 0);
}

int policyfile_refuse(const struct policyfile *file, const char *key, size_t item,
                      const char *format, ...)
{
    const struct mark *mark = find_mark(file, key, item);
    char reason[REASON_MAX];
    va_list args;

    if (mark == NULL) /* a key left out: its default is refused */
        mark = find_mark(file, key, POLICYFILE_KEY);
    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    return refuse_at(file, mark != NULL ? mark->at : beginning, reason);
}
