/* Whether a bag is complete and valid (RFC 8493 section 3), all tag files read. */
#include "tools/bag_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/cms.h"
#include "base/error.h"
#include "base/text.h"

/* --- lines ---------------------------------------------------------------------------------------- */

static int by_path_and_manifest(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int order = strcmp(x->path, y->path);

    return order != 0 ? order : (x->manifest > y->manifest) - (x->manifest < y->manifest);
}

static void judge_lines(struct check *check)
{
    if (check->line_count > 0)
        qsort(check->lines, check->line_count, sizeof(*check->lines), by_path_and_manifest);
    for (size_t i = 1; i < check->line_count; i++) {
        const struct line *a = &check->lines[i - 1], *b = &check->lines[i];
        bool same = strcasecmp(a->hex, b->hex) == 0;

        if (by_path_and_manifest(a, b) != 0)
            continue;
        bag_say_of(
            check, same && check->declaration.version < BAG_VERSION_1_0 ? BAG_WARNING : BAG_BAD,
            b->path, same ? "stands twice in %s" : "stands twice in %s, with different digests",
            check->manifests[a->manifest].name);
    }
}

/* Lines of a path; *count 0: none. */
static struct line *lines_of(const struct check *check, const char *path, size_t *count)
{
    size_t low = 0, high = check->line_count, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(check->lines[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < check->line_count && strcmp(check->lines[end].path, path) == 0; end++)
        ;
    *count = end - low;
    return *count > 0 ? check->lines + low : NULL;
}

static const struct member *find_member(const struct check *check, const char *path)
{
    const struct member key = {.path = (char *)path}; /* not changed */

    return check->member_count == 0
               ? NULL
               : bsearch(&key, check->members, check->member_count, sizeof(key), bag_by_path);
}

static void read_fetch(struct check *check)
{
    const struct tag_file *file = bag_find_tag(check, "fetch.txt");
    size_t len, count;
    char *text, *at, *line, *path;
    uint64_t number = 0;

    if (file == NULL || (text = bag_text_of(check, file, &len)) == NULL)
        return;
    for (at = text; bag_next_line(&at, text + len, &line);) {
        const char *wrong = NULL;

        number++;
        if (line[0] == '\0')
            continue;
        wrong = bag_fetch_line(line, check->declaration.version, &path);
        if (wrong != NULL) {
            bag_say_of(check, BAG_BAD, "fetch.txt", "line %llu %s", (unsigned long long)number,
                       wrong);
            continue;
        }
        wrong = bag_path_wrong(path);
        if (wrong == NULL && strncmp(path, "data/", 5) != 0)
            wrong = "is outside of data/, which fetch.txt does not list";
        lines_of(check, path, &count);
        if (wrong == NULL && count == 0)
            wrong = "stands in fetch.txt and in no manifest";
        if (wrong == NULL && find_member(check, path) == NULL)
            wrong = "stands in fetch.txt and has not been fetched";
        if (wrong != NULL)
            bag_say(check, BAG_BAD, path, wrong);
    }
}

static void read_info(struct check *check)
{
    const struct tag_file *file = bag_find_tag(check, "bag-info.txt");
    uint64_t octets, files;
    char *text;
    size_t len;
    int found;

    if (file == NULL || (text = bag_text_of(check, file, &len)) == NULL ||
        (found = bag_oxum(text, &octets, &files)) == 0)
        return;
    if (found < 0) {
        bag_say(check, BAG_BAD, "bag-info.txt", "has a Payload-Oxum that is not \"OCTETS.FILES\"");
        return;
    }
    bool same = octets == check->payload_bytes && files == check->payload_files;
    bool lost = check->lost > 0 && octets >= check->payload_bytes &&
                files == check->payload_files + check->lost;
    bag_say_of(check,
               same   ? BAG_HOLDS
               : lost ? BAG_WARNING
                      : BAG_BAD,
               "bag-info.txt", "Payload-Oxum says %llu bytes in %llu files, data/ has %llu in %llu",
               (unsigned long long)octets, (unsigned long long)files,
               (unsigned long long)check->payload_bytes, (unsigned long long)check->payload_files);
}

/* --- the second reading ------------------------------------------------------------------------------ */

static void begin_hash(void *context, const char *path, uint64_t size, bool *wanted)
{
    struct check *check = context;
    size_t len = strlen(check->prefix);

    (void)size;
    if (strncmp(path, check->prefix, len) != 0 || find_member(check, path + len) == NULL)
        return;
    check->at_lines = lines_of(check, path + len, &check->at_count);
    *wanted = check->at_count > 0;
    for (size_t i = 0; i < check->at_count && check->rc == 0; i++)
        check->rc = sr_digest_reset(check->manifests[check->at_lines[i].manifest].digest);
}

static int hash(void *context, const uint8_t *data, size_t len)
{
    struct check *check = context;

    for (size_t i = 0; i < check->at_count && check->rc == 0; i++)
        if (i == 0 || check->at_lines[i].manifest != check->at_lines[i - 1].manifest)
            check->rc =
                sr_digest_update(check->manifests[check->at_lines[i].manifest].digest, data, len);
    check->done += len;
    if (check->progress != NULL)
        check->progress(check->context, check->done, check->summary->bytes);
    return check->rc;
}

static int end_hash(void *context)
{
    struct check *check = context;
    uint8_t digest[SR_DIGEST_MAX];
    char hex[2 * SR_DIGEST_MAX + 1];

    for (size_t i = 0; i < check->at_count && check->rc == 0; i++) {
        struct line *line = &check->at_lines[i];
        struct manifest *manifest = &check->manifests[line->manifest];

        if (i == 0 || line->manifest != line[-1].manifest)
            check->rc = sr_digest_final(manifest->digest, digest);
        sr_hex_encode(digest, sr_digest_len(manifest->digest), hex);
        line->seen = true;
        if (check->rc == 0 && strcasecmp(hex, line->hex) != 0) {
            manifest->bad++;
            bag_say_of(check, BAG_BAD, line->path, "is not what %s says: it was changed",
                       manifest->name);
        }
    }
    return check->rc;
}

/* --- what is left over ------------------------------------------------------------------------------- */

static bool is_system_file(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;

    return strcmp(name, ".DS_Store") == 0 || strcasecmp(name, "Thumbs.db") == 0 ||
           strcasecmp(name, "desktop.ini") == 0 || strncmp(name, "._", 2) == 0;
}

struct folded {
    char *fold;
    const char *path;
};

static int by_fold(const void *a, const void *b)
{
    return strcmp(((const struct folded *)a)->fold, ((const struct folded *)b)->fold);
}

/* Names that become one where capitals or the composition of accents do not count. */
static struct folded *fold_members(struct check *check)
{
    struct folded *folds = calloc(check->member_count + 1, sizeof(*folds));

    for (size_t i = 0; folds != NULL && i < check->member_count; i++) {
        folds[i].path = check->members[i].path;
        if (sr_name_fold(folds[i].path, &folds[i].fold) < 0 && (folds[i].fold = strdup("")) == NULL)
            abort();
    }
    if (folds == NULL)
        check->rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    else
        qsort(folds, check->member_count, sizeof(*folds), by_fold);
    return folds;
}

/* A member that is the line's under another spelling, with the same digest; NULL: none. */
static const char *find_twin(const struct check *check, const struct folded *folds,
                             const struct line *line)
{
    struct folded key = {.fold = NULL};
    const struct folded *found = NULL;
    size_t count;

    if (sr_name_fold(line->path, &key.fold) == 0)
        found = bsearch(&key, folds, check->member_count, sizeof(key), by_fold);
    free(key.fold);
    if (found == NULL)
        return NULL;
    const struct line *of = lines_of(check, found->path, &count);
    for (size_t i = 0; i < count; i++)
        if (of[i].manifest == line->manifest && strcasecmp(of[i].hex, line->hex) == 0)
            return found->path;
    return NULL;
}

static void judge_missing(struct check *check, const struct folded *folds)
{
    for (size_t i = 0; i < check->line_count; i++) {
        const struct line *line = &check->lines[i];
        struct manifest *manifest = &check->manifests[line->manifest];
        const char *twin;

        if (line->seen)
            continue;
        if ((twin = find_twin(check, folds, line)) != NULL) {
            bag_say_of(check, BAG_WARNING, line->path,
                       "is there only as %s, the same name otherwise spelt", twin);
        } else if (is_system_file(line->path)) {
            check->lost += !manifest->tag && (i == 0 || strcmp(line[-1].path, line->path) != 0);
            bag_say_of(check, BAG_WARNING, line->path,
                       "stands in %s and is not there: a file of a system, "
                       "which copying leaves out",
                       manifest->name);
        } else {
            manifest->bad++;
            bag_say_of(check, BAG_BAD, line->path, "stands in %s and is not there", manifest->name);
        }
    }
}

/* A payload file has to be in every payload manifest since 1.0, in one before. */
static void judge_extra(struct check *check)
{
    for (size_t i = 0; i < check->member_count; i++) {
        const char *path = check->members[i].path;
        size_t count, in = 0, known = 0;
        const struct line *lines = lines_of(check, path, &count);

        if (strncmp(path, "data/", 5) != 0)
            continue;
        for (size_t m = 0; m < check->manifest_count; m++) {
            bool listed = false;

            if (check->manifests[m].tag || check->manifests[m].digest == NULL)
                continue;
            known++;
            for (size_t k = 0; k < count; k++)
                listed = listed || lines[k].manifest == m;
            in += listed;
            if (!listed && check->declaration.version >= BAG_VERSION_1_0) {
                check->manifests[m].bad++;
                bag_say_of(check, BAG_BAD, path, "is payload and does not stand in %s",
                           check->manifests[m].name);
            }
        }
        if (check->declaration.version < BAG_VERSION_1_0 && known > 0 && in < known)
            bag_say(check, in == 0 ? BAG_BAD : BAG_WARNING, path,
                    in == 0 ? "is payload and stands in no manifest"
                            : "is payload and does not stand in every manifest");
        if (in > 0 && is_system_file(path))
            bag_say(check, BAG_WARNING, path, "is a file of a system, which copying may leave out");
    }
}

static void judge_twins(struct check *check, const struct folded *folds)
{
    for (size_t i = 1; i < check->member_count; i++)
        if (by_fold(&folds[i - 1], &folds[i]) == 0)
            bag_say_of(check, BAG_WARNING, folds[i].path,
                       "and %s are one name on systems that do not tell them apart",
                       folds[i - 1].path);
}

static void judge_manifests(struct check *check)
{
    bool payload = false;

    for (size_t i = 0; i < check->manifest_count; i++) {
        const struct manifest *manifest = &check->manifests[i];

        payload = payload || (!manifest->tag && manifest->digest != NULL);
        if (manifest->digest == NULL || manifest->bad > 0)
            continue;
        bag_say_of(check, BAG_HOLDS, manifest->name, "%llu files are as it says",
                   (unsigned long long)manifest->lines);
    }
    if (!payload)
        bag_say(check, BAG_BAD, "manifest",
                "there is no payload manifest with an algorithm known here");
}

/* --- signature and time stamp ---------------------------------------------------------------------------- */

static void judge_chain(struct check *check, const char *name, const struct cms_result *seal)
{
    static const char *const chains[] = {
        [CMS_UNKNOWN] = "whether its certificate is to be trusted is not asked",
        [CMS_TRUSTED] = "its certificate is trusted",
        [CMS_UNTRUSTED] = "its certificate leads to none that is trusted",
        [CMS_EXPIRED] = "its certificate was trusted then and has expired",
        [CMS_NO_CERTIFICATE] = "it has no certificate"};
    bool doubtful = seal->chain == CMS_UNTRUSTED || seal->chain == CMS_NO_CERTIFICATE;
    char at[48] = "at no time that it names";

    if (seal->time_ns != CMS_NO_TIME)
        sr_time_utc_text(seal->time_ns, at);
    bag_say_of(check,
               doubtful                     ? BAG_BAD
               : seal->chain == CMS_EXPIRED ? BAG_WARNING
                                            : BAG_HOLDS,
               name, "is of " BAG_SEALED " as it is, by \"%s\", %s; %s", seal->signer, at,
               chains[seal->chain]);
}

static int verify_seal(const struct tag_file *file, const struct tag_file *sealed,
                       const char *trust, struct cms_result *out)
{
    const struct cms_piece piece = {sealed->data, sealed->len};

    return cms_verify(file->data, file->len, &piece, 1, trust, out);
}

static int verify_time_stamp(const struct tag_file *file, const struct tag_file *sealed,
                             const char *trust, struct cms_result *out)
{
    return cms_verify_time_stamp(file->data, file->len, sealed->data, sealed->len, trust, out);
}

/* Over the tag manifest: what that signs for is judged with it. */
static void judge_seal(struct check *check, const char *name,
                       int (*verify)(const struct tag_file *, const struct tag_file *, const char *,
                                     struct cms_result *))
{
    const struct tag_file *file = bag_find_tag(check, name);
    const struct tag_file *sealed = bag_find_tag(check, BAG_SEALED);
    struct cms_result seal;
    int rc;

    if (file == NULL)
        return;
    if (sealed == NULL || file->len == 0) {
        bag_say(check, BAG_BAD, name,
                sealed == NULL ? "is of " BAG_SEALED ", which is not there" : "is empty");
        return;
    }
    if ((rc = verify(file, sealed, check->trust, &seal)) < 0)
        check->rc = rc;
    else if (seal.intact == CMS_INTACT)
        judge_chain(check, name, &seal);
    else
        bag_say_of(check, BAG_BAD, name, "%s: %s",
                   seal.intact == CMS_CHANGED ? "is not of " BAG_SEALED " as it is"
                                              : "cannot be checked here",
                   seal.detail[0] != '\0' ? seal.detail : "no more is known");
}

static void note_sealed(struct check *check)
{
    const struct tag_file *sealed = bag_find_tag(check, BAG_SEALED);
    uint8_t sha256[SR_SHA256_LEN];

    if (sealed != NULL && sealed->len > 0 && sr_sha256(sealed->data, sealed->len, sha256) == 0)
        sr_hex_encode(sha256, sizeof(sha256), check->summary->sealed);
}

/* --- the whole ------------------------------------------------------------------------------------------ */

int bag_judge(struct check *check, const char *path)
{
    const struct bag_visitor visitor = {begin_hash, hash, end_hash, check};
    struct folded *folds;
    int rc;

    judge_lines(check);
    read_fetch(check);
    rc = check->rc < 0 ? check->rc : bag_each(path, &visitor, NULL, NULL);
    if (rc < 0)
        return rc;
    if ((folds = fold_members(check)) == NULL)
        return check->rc;
    judge_missing(check, folds);
    read_info(check);
    judge_extra(check);
    judge_twins(check, folds);
    judge_manifests(check);
    note_sealed(check);
    bag_judge_ledger(check);
    bag_judge_bundle(check);
    judge_seal(check, BAG_SEAL, verify_seal);             /* RFC 5652 */
    judge_seal(check, BAG_TIME_STAMP, verify_time_stamp); /* RFC 3161 */
    for (size_t i = 0; i < check->member_count; i++)
        free(folds[i].fold);
    free(folds);
    return check->rc;
}
