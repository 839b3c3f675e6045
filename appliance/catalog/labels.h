/* Labels of records (R2, R4, R12): what is known of a recording, from which source, said by whom. Labels are
 * the node's, not a version's: they stay when a new version comes. Nothing is ever overwritten: a label that
 * is said again is one row more, and which one is in force follows from source and time. */
#ifndef SR_CATALOG_LABELS_H
#define SR_CATALOG_LABELS_H

#include "catalog/catalog.h"

/* The words of docs/entries.md, in their order (catalog_label_words). */
enum catalog_label {
    CATALOG_LABEL_CASE_NUMBER, /* 案件编号 */
    CATALOG_LABEL_CAPTURED,    /* 采集时间: RFC 3339 with offset */
    CATALOG_LABEL_PLACE,       /* 采集地点 */
    CATALOG_LABEL_PERSON,      /* 采集人: badge or name */
    CATALOG_LABEL_PROVES,      /* 证明对象 */
    CATALOG_LABEL_SUBJECT, /* 执法对象: 统一社会信用代码, 公民身份号码 or a name; several, ';' between */
    CATALOG_LABEL_NUMBER,   /* 编号, as the device or station gave it */
    CATALOG_LABEL_CONTENT,  /* 摄录内容 */
    CATALOG_LABEL_SPEAKER,  /* 对话人员; this and the next two may have an offset */
    CATALOG_LABEL_IDENTITY, /* 身份 */
    CATALOG_LABEL_SUMMARY,  /* 主要内容 */
    CATALOG_LABEL_CLOCK,    /* 设备时间偏差: seconds that the device was ahead, with sign */
    CATALOG_LABEL_DEVICE,   /* 设备: make and model, or the number of the device */
    CATALOG_LABELS
};
#define CATALOG_LABELS_NEEDED 5 /* the first five: without all of them a record is not 入卷 */
extern const char *const catalog_label_words[CATALOG_LABELS];
extern const char *const catalog_label_names[CATALOG_LABELS]; /* Chinese */

/* A higher one prevails; within one, what was said last. CATALOG_FROM_PLACE stands in no entry: it is where the
 * record lies (the case's name as 案件编号), asked anew each time. */
enum catalog_label_source {
    CATALOG_FROM_MEDIA, /* the recording's own metadata */
    CATALOG_FROM_NAME,  /* a pattern of naming.yaml */
    CATALOG_FROM_PLACE, /* the folder */
    CATALOG_FROM_LIST,  /* 标签.yaml or 标签.csv beside it */
    CATALOG_FROM_FILE,  /* <file>.label.yaml beside it */
    CATALOG_FROM_TOOL,  /* a person, by the tool */
    CATALOG_SOURCES
};
extern const char *const catalog_source_words[CATALOG_SOURCES];

#define CATALOG_LABEL_MAX \
    4096 /* bytes of a value; at least one, but "" takes a label of the same source back */
#define CATALOG_NO_OFFSET (-1)
#define CATALOG_NOBODY UINT32_MAX
#define CATALOG_SERIES_MAX 24

struct catalog_label_value {
    enum catalog_label label;
    enum catalog_label_source source;
    const char *value; /* UTF-8; NULL: the record's key is destroyed. Lives until fn returns */
    int64_t offset_ms; /* from the beginning of the recording; CATALOG_NO_OFFSET */
    uint64_t index;    /* of the entry; 0 from the place */
    int64_t time_ns;   /* of the entry */
    uint32_t uid;      /* who said it; CATALOG_NOBODY for name, media, place */
    uint64_t file;     /* node of the label file; 0: none */
    bool in_force;
};

/* A non-zero return stops and is returned. fn must not call the catalog. */
typedef int catalog_label_fn(void *context, const struct catalog_label_value *value);
/* Those in force, by label, then offset; CATALOG_FROM_PLACE among them. */
int catalog_labels(struct catalog *catalog, uint64_t node, catalog_label_fn *fn, void *context);
/* All that was ever said, oldest first; what name and media say each time they are looked at again, once. */
int catalog_label_history(struct catalog *catalog, uint64_t node, catalog_label_fn *fn,
                          void *context);

/* 入卷: its number in its case, gap-free in its series, which is "LEVEL.MARKS" as two numbers. */
struct catalog_entered {
    uint64_t case_node;
    char series[CATALOG_SERIES_MAX + 1];
    uint64_t number; /* from 1 */
    uint64_t index;
};
/* The newest number of the node. SR_ERR_NOT_FOUND: it has none. */
int catalog_entered(struct catalog *catalog, uint64_t node, struct catalog_entered *out);
/* The records at or below node whose newest number is of another classification than theirs. */
int catalog_entered_stale(struct catalog *catalog, uint64_t node, catalog_id_fn *fn, void *context);
/* The number that the next record of the case and series gets. */
int catalog_enter_next(struct catalog *catalog, uint64_t case_node, const char *series,
                       uint64_t *out);

struct catalog_pending {
    struct catalog_node node; /* a sealed or incomplete record in a stage of the case */
    uint32_t missing; /* bits of 1 << enum catalog_label, of the first five; 0: only the number */
};
typedef int catalog_pending_fn(void *context, const struct catalog_pending *pending);
/* The records of a case that are not 入卷 there, by node. Drafts and junk are none. */
int catalog_pending(struct catalog *catalog, uint64_t case_node, catalog_pending_fn *fn,
                    void *context);
/* Which of the five are missing of one record. */
int catalog_label_missing(struct catalog *catalog, uint64_t node, uint32_t *missing);

/* A label file: the answer's type in its description. */
#define CATALOG_LABEL_FILE_TYPE "application/x-strongroom-labels"
/* The newest sealed ones that uid sent, wherever they lie, and that are their record's current version. */
int catalog_label_files_of(struct catalog *catalog, uint32_t uid, size_t limit, catalog_node_fn *fn,
                           void *context);

#endif
