/* A bag against its manifests. The first reading takes names and tag files, the second (bag_judge.c) the digests. */
#include "tools/bag_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"

/* --- saying ----------------------------------------------------------------------------------- */

void bag_say(struct check *check, enum bag_level level, const char *what, const char *why)
{
    check->summary->bad += level == BAG_BAD;
    check->summary->warnings += level == BAG_WARNING;
    check->say(check->context, level, what, why);
}

static void say_through(void *context, enum bag_level level, const char *what, const char *why)
{
    bag_say(context, level, what, why);
}

void bag_say_of(struct check *check, enum bag_level level, const char *what, const char *format,
                ...)
{
    char why[BAG_PATH_MAX + 256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    bag_say(check, level, what, why);
}

static void *grow(struct check *check, void *items, size_t count, size_t *capacity, size_t size)
{
    void *longer = items;

    if (count == *capacity) {
        *capacity = *capacity == 0 ? 64 : 2 * *capacity;
        longer = realloc(items, *capacity * size);
        if (longer == NULL) {
            check->rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
            *capacity = count;
        }
    }
    return longer;
}

/* --- the first reading ---------------------------------------------------------------------------- */

static bool may_be_tag_file(const char *path)
{
    const char *slash = strchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    char algorithm[32];
    bool tag;

    if (bag_is_of_ledger(path) || bag_is_of_ledger(name) || bag_is_of_bundle(path) ||
        bag_is_of_bundle(name))
        return true;
    if (strchr(name, '/') != NULL)
        return false; /* deeper than a folder around the bag */
    return strcmp(name, "bagit.txt") == 0 || strcmp(name, "bag-info.txt") == 0 ||
           strcmp(name, "fetch.txt") == 0 || strcmp(name, BAG_SEAL) == 0 ||
           strcmp(name, BAG_TIME_STAMP) == 0 || bag_manifest_name(name, &tag, algorithm);
}

static void note_member(void *context, const char *path, uint64_t size, bool *wanted)
{
    struct check *check = context;
    void *longer;

    if (check->rc == 0 && check->member_count == BAG_FILES_MAX)
        check->rc =
            sr_fail(SR_ERR_TOO_LARGE, "a bag of over %u files is not checked here", BAG_FILES_MAX);
    if (check->rc < 0)
        return;
    longer = grow(check, check->members, check->member_count, &check->member_capacity,
                  sizeof(*check->members));
    if (longer == NULL)
        return;
    check->members = longer;
    check->members[check->member_count] = (struct member){strdup(path), size};
    if (check->members[check->member_count].path == NULL) {
        check->rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        return;
    }
    check->member_count++;
    if (!may_be_tag_file(path))
        return;
    longer = grow(check, check->tags, check->tag_count, &check->tag_capacity, sizeof(*check->tags));
    if (longer == NULL)
        return;
    check->tags = longer;
    check->tags[check->tag_count++] = (struct tag_file){.path = strdup(path)};
    *wanted = true;
}

static int take_tag_data(void *context, const uint8_t *data, size_t len)
{
    struct check *check = context;
    struct tag_file *file = &check->tags[check->tag_count - 1];

    if (check->rc < 0)
        return check->rc;
    if (check->tag_bytes + len > BAG_TAGS_MAX)
        return sr_fail(SR_ERR_TOO_LARGE,
                       "%s: with it the tag files hold over %u MiB, and a bag of so many files is "
                       "not checked here",
                       file->path, BAG_TAGS_MAX >> 20);
    while (file->len + len > file->capacity) {
        size_t capacity = file->capacity == 0 ? 4096 : 2 * file->capacity;
        uint8_t *longer = realloc(file->data, capacity);

        if (longer == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        file->data = longer;
        file->capacity = capacity;
    }
    memcpy(file->data + file->len, data, len);
    file->len += len;
    check->tag_bytes += len;
    return 0;
}

static int end_nothing(void *context)
{
    return ((struct check *)context)->rc;
}

int bag_by_path(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->path, ((const struct member *)b)->path);
}

/* The bag is where bagit.txt is: at the top, or in the one folder there. */
static void find_base(struct check *check)
{
    const char *found = NULL;

    for (size_t i = 0; i < check->tag_count; i++) {
        const char *path = check->tags[i].path, *slash = path ? strchr(path, '/') : NULL;

        if (path != NULL && strcmp(slash != NULL ? slash + 1 : path, "bagit.txt") == 0 &&
            (found == NULL || slash == NULL))
            found = path;
    }
    if (found != NULL && strchr(found, '/') != NULL)
        snprintf(check->prefix, sizeof(check->prefix), "%.*s/", (int)strcspn(found, "/"), found);
}

static void judge_members(struct check *check)
{
    size_t len = strlen(check->prefix), kept = 0;

    if (check->member_count > 0)
        qsort(check->members, check->member_count, sizeof(*check->members), bag_by_path);
    for (size_t i = 0; i < check->member_count; i++) {
        struct member *member = &check->members[i];
        const char *wrong = bag_path_wrong(member->path);

        if (wrong != NULL)
            bag_say(check, BAG_BAD, member->path, wrong);
        else if (strncmp(member->path, check->prefix, len) != 0)
            bag_say(check, BAG_BAD, member->path, "lies beside the bag's folder");
        else if (i > 0 && kept > 0 &&
                 strcmp(check->members[kept - 1].path, member->path + len) == 0)
            bag_say(check, BAG_BAD, member->path, "is there twice");
        else {
            memmove(member->path, member->path + len, strlen(member->path + len) + 1);
            if (strncmp(member->path, "data/", 5) == 0) {
                check->payload_files++;
                check->payload_bytes += member->size;
            }
            check->summary->files++;
            check->summary->bytes += member->size;
            check->members[kept++] = *member;
            continue;
        }
        free(member->path);
    }
    check->member_count = kept;
}

/* --- the tag files --------------------------------------------------------------------------------- */

const struct tag_file *bag_find_tag(const struct check *check, const char *name)
{
    size_t len = strlen(check->prefix);

    for (size_t i = 0; i < check->tag_count; i++)
        if (check->tags[i].path != NULL && strncmp(check->tags[i].path, check->prefix, len) == 0 &&
            strcmp(check->tags[i].path + len, name) == 0)
            return &check->tags[i];
    return NULL;
}

/* Takes text over until the end; NULL: no memory. */
static char *keep_text(struct check *check, char *text)
{
    char **longer =
        grow(check, check->texts, check->text_count, &check->text_capacity, sizeof(*longer));

    if (longer == NULL) {
        free(text);
        return NULL;
    }
    check->texts = longer;
    return check->texts[check->text_count++] = text;
}

char *bag_text_of(struct check *check, const struct tag_file *file, size_t *len)
{
    const char *name = file->path + strlen(check->prefix), *wrong;
    char *text;
    static const uint8_t nothing[1];

    wrong = bag_decode(check->declaration.encoding, file->data != NULL ? file->data : nothing,
                       file->len, &text, len);
    if (wrong != NULL) {
        bag_say(check, BAG_BAD, name, wrong);
        return NULL;
    }
    return keep_text(check, text);
}

static bool read_declaration(struct check *check)
{
    const struct tag_file *file = bag_find_tag(check, "bagit.txt");
    const char *wrong;

    if (file == NULL) {
        bag_say(check, BAG_BAD, "bagit.txt", "is not there: this is no bag");
        return false;
    }
    wrong = bag_declaration_read(file->data != NULL ? (const char *)file->data : "", file->len,
                                 &check->declaration);
    if (wrong != NULL) {
        bag_say(check, BAG_BAD, "bagit.txt", wrong);
        return false;
    }
    check->summary->version = check->declaration.version;
    bag_say_of(check, BAG_HOLDS, "bagit.txt", "BagIt %u.%u, tag files in %s",
               check->declaration.version / 100, check->declaration.version % 100,
               check->declaration.encoding);
    return true;
}

static void add_line(struct check *check, size_t manifest, const char *path, const char *hex)
{
    const struct manifest *of = &check->manifests[manifest];
    bool payload = strncmp(path, "data/", 5) == 0;
    const char *wrong = bag_path_wrong(path);
    void *longer;

    if (wrong == NULL && payload == of->tag)
        wrong = of->tag ? "payload, which a tag manifest does not list"
                        : "outside of data/, which a payload manifest does not list";
    if (wrong == NULL && of->digest != NULL && strlen(hex) != 2 * sr_digest_len(of->digest))
        wrong = "a digest of another length than the algorithm's";
    if (wrong != NULL) {

        bag_say_of(check, BAG_BAD, path, "in %s: %s", of->name, wrong);
        return;
    }
    if (check->composed) {
        char *composed;

        if ((check->rc = sr_nfc(path, &composed)) < 0 ||
            (path = keep_text(check, composed)) == NULL)
            return;
    }
    longer =
        grow(check, check->lines, check->line_count, &check->line_capacity, sizeof(*check->lines));
    if (longer == NULL)
        return;
    check->lines = longer;
    check->lines[check->line_count++] =
        (struct line){.path = path, .hex = hex, .manifest = (uint8_t)manifest};
}

static void read_lines(struct check *check, size_t which, char *text, size_t len)
{
    struct manifest *manifest = &check->manifests[which];
    char *at = text, *line, *hex, *path;
    bool asterisk = false, dot_slash = false;
    uint64_t number = 0;

    while (check->rc == 0 && bag_next_line(&at, text + len, &line)) {
        struct bag_path_notes notes;
        const char *wrong;

        number++;
        if (line[0] == '\0') {
            bag_say_of(check, BAG_WARNING, manifest->name, "line %llu is empty",
                       (unsigned long long)number);
            continue;
        }
        wrong = bag_manifest_line(line, check->declaration.version, &hex, &path, &notes);
        if (wrong != NULL) {
            bag_say_of(check, BAG_BAD, manifest->name, "line %llu %s", (unsigned long long)number,
                       wrong);
            continue;
        }
        asterisk = asterisk || notes.asterisk;
        dot_slash = dot_slash || notes.dot_slash;
        manifest->lines++;
        add_line(check, which, path, hex);
    }
    if (asterisk)
        bag_say(check, BAG_WARNING, manifest->name, "has \"*\" before paths, as md5sum writes");
    if (dot_slash)
        bag_say(check, BAG_WARNING, manifest->name, "has \"./\" before paths");
}

static void read_manifest(struct check *check, const struct tag_file *file)
{
    const char *name = file->path + strlen(check->prefix);
    struct manifest manifest = {.lines = 0};
    size_t len;
    char *text;

    if (!bag_manifest_name(name, &manifest.tag, manifest.algorithm))
        return;
    if (check->manifest_count == MANIFESTS_MAX) {
        bag_say(check, BAG_BAD, name, "is one manifest too many");
        return;
    }
    snprintf(manifest.name, sizeof(manifest.name), "%s", name);
    for (char *c = manifest.algorithm; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z') {
            bag_say(check, check->declaration.version >= BAG_VERSION_1_0 ? BAG_BAD : BAG_WARNING,
                    name, "has the algorithm in capitals");
            break;
        }
    for (char *c = manifest.algorithm; *c != '\0'; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    int rc = sr_digest_new(manifest.algorithm, &manifest.digest);
    if (rc == SR_ERR_UNSUPPORTED)
        bag_say_of(check, BAG_WARNING, name, "is not checked: %s", sr_error_message());
    else if (rc < 0)
        check->rc = rc;
    check->manifests[check->manifest_count++] = manifest;
    if (rc == 0 && (text = bag_text_of(check, file, &len)) != NULL)
        read_lines(check, check->manifest_count - 1, text, len);
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static void check_free(struct check *check)
{
    for (size_t i = 0; i < check->member_count; i++)
        free(check->members[i].path);
    for (size_t i = 0; i < check->tag_count; i++) {
        free(check->tags[i].path);
        free(check->tags[i].data);
    }
    for (size_t i = 0; i < check->text_count; i++)
        free(check->texts[i]);
    for (size_t i = 0; i < check->manifest_count; i++)
        sr_digest_free(check->manifests[i].digest);
    free(check->members);
    free(check->tags);
    free(check->texts);
    free(check->lines);
    free(check);
}

int bag_check(const char *path, const char *trust, bag_say_fn *say_fn,
              void (*progress)(void *, uint64_t, uint64_t), void *context, struct bag_summary *out)
{
    struct check *check = calloc(1, sizeof(*check));
    int rc;

    memset(out, 0, sizeof(*out));
    if (check == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    const struct bag_visitor visitor = {note_member, take_tag_data, end_nothing, check};
    struct stat st;
    check->say = say_fn;
    check->trust = trust;
    check->progress = progress;
    check->context = context;
    check->summary = out;
    check->composed = stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
    rc = bag_each(path, &visitor, say_through, check);
    if (rc == 0 && (rc = check->rc) == 0) {
        find_base(check);
        judge_members(check);
        if (read_declaration(check)) {
            for (size_t i = 0; i < check->tag_count && check->rc == 0; i++)
                if (check->tags[i].path != NULL &&
                    strncmp(check->tags[i].path, check->prefix, strlen(check->prefix)) == 0)
                    read_manifest(check, &check->tags[i]);
            rc = check->rc < 0 ? check->rc : bag_judge(check, path);
        }
    }
    check_free(check);
    return rc;
}
