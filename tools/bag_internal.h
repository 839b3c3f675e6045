/* A bag while it is checked: what bag_check.c has read is judged by bag_judge.c. */
#ifndef SR_TOOLS_BAG_INTERNAL_H
#define SR_TOOLS_BAG_INTERNAL_H

#include "base/crypto.h"
#include "tools/bag.h"

#define MANIFESTS_MAX 16
#define BAG_SEAL "seal.p7s"
#define BAG_TIME_STAMP "seal.tsr"
#define BAG_LEDGER "data/ledger/"
#define BAG_SEALED "tagmanifest-sha256.txt"

struct manifest {
    char name[48], algorithm[32];
    bool tag;
    struct sr_digest *digest; /* NULL: the algorithm is not known here */
    uint64_t lines, bad;
};

struct line { /* of a manifest */
    const char *path, *hex;
    uint8_t manifest;
    bool seen;
};

struct member {
    char *path; /* in the bag, without the folder around it */
    uint64_t size;
};

struct tag_file {
    char *path; /* as it stands there */
    uint8_t *data;
    size_t len, capacity;
};

struct check {
    bag_say_fn *say;
    void (*progress)(void *, uint64_t, uint64_t);
    void *context;
    struct bag_summary *summary;
    const char *trust; /* PEM, or NULL */
    struct bag_declaration declaration;
    struct member *members; /* sorted by path after the first reading */
    size_t member_count, member_capacity;
    struct tag_file *tags; /* all that could be one, then those of the bag */
    size_t tag_count, tag_capacity, tag_bytes;
    bool composed; /* an archive's names are, as libarchive gives them: so are the lines then */
    char prefix[BAG_PATH_MAX + 1]; /* folder around the bag, with its slash, or "" */
    struct manifest manifests[MANIFESTS_MAX];
    size_t manifest_count;
    struct line *lines; /* sorted by path, then manifest */
    size_t line_count, line_capacity;
    char **texts; /* of the manifests, and composed paths: lines point into them */
    size_t text_count, text_capacity;
    uint64_t payload_files, payload_bytes, done;
    uint64_t lost;  /* files of a system that are listed and not there */
    const char *at; /* the member that is read */
    struct line *at_lines;
    size_t at_count;
    int rc; /* of what cannot return one */
};

void bag_say(struct check *check, enum bag_level level, const char *what, const char *why);
void bag_say_of(struct check *check, enum bag_level level, const char *what, const char *format,
                ...) __attribute__((format(printf, 4, 5)));
int bag_by_path(const void *a, const void *b); /* struct member */
/* Tag file of the bag by its name; NULL: there is none. */
const struct tag_file *bag_find_tag(const struct check *check, const char *name);
/* Its text, kept until the end; NULL: said why. */
char *bag_text_of(struct check *check, const struct tag_file *file, size_t *len);
/* What bag_judge_ledger wants to have read. */
bool bag_is_of_ledger(const char *path);
void bag_judge_ledger(struct check *check);
/* The same of what else our bundles hold: bag_bundle.c. */
bool bag_is_of_bundle(const char *path);
void bag_judge_bundle(struct check *check);
/* All that the manifests say is read: is it so? Reads the bag at path again. */
int bag_judge(struct check *check, const char *path);

#endif
