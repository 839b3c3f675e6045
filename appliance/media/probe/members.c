#include "media/probe/members.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"
#include "media/probe/charset.h"

#define PIECE_LEN (64u << 10)
#define HONEST_RATIO 20 /* what a file unpacks to, for each of its bytes, when it is only large */

/* libarchive gives names in the thread's locale; those marked as UTF-8 are lost in any other. */
static locale_t names_locale;

void members_prepare(void)
{
    if (!names_locale)
        names_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

struct reader {
    struct probe_source *source;
    uint64_t at;
    uint8_t piece[PIECE_LEN];
    int error; /* the first of the source */
};

static la_ssize_t read_piece(struct archive *archive, void *context, const void **out)
{
    struct reader *reader = context;
    size_t got = 0;
    int rc = probe_source_read(reader->source, reader->at, reader->piece, PIECE_LEN, &got);

    if (rc) {
        reader->error = reader->error ? reader->error : rc;
        archive_set_error(archive, 5, "the record cannot be read");
        return -1;
    }
    reader->at += got;
    *out = reader->piece;
    return (la_ssize_t)got;
}

static la_int64_t seek_to(struct archive *archive, void *context, la_int64_t offset, int whence)
{
    struct reader *reader = context;
    la_int64_t size = (la_int64_t)probe_source_size(reader->source);
    la_int64_t to = whence == SEEK_SET   ? offset
                    : whence == SEEK_CUR ? (la_int64_t)reader->at + offset
                                         : size + offset;

    (void)archive;
    if (to < 0 || to > size)
        return -1;
    reader->at = (uint64_t)to;
    return to;
}

static la_int64_t skip(struct archive *archive, void *context, la_int64_t count)
{
    struct reader *reader = context;
    uint64_t left = probe_source_size(reader->source) - reader->at;

    (void)archive;
    if (count < 0)
        return 0;
    if ((uint64_t)count > left)
        count = (la_int64_t)left;
    reader->at += (uint64_t)count;
    return count;
}

/* One pass through the file. */
struct pass {
    struct archive *archive;
    members_want_fn *want; /* NULL: the names are taken */
    struct describe *answer;
    struct members *members;
    size_t at;         /* which of the members comes next */
    size_t limit;      /* bytes that may be unpacked in all */
    size_t over_limit; /* members that are */
};

/* The bytes of the entry at hand. SR_ERR_TOO_LARGE over limit, SR_ERR_INVALID when they cannot be had. */
static int read_member(struct archive *archive, size_t limit, struct member *out, size_t *unpacked)
{
    size_t capacity = 0;
    char *fitting;

    for (;;) {
        la_ssize_t got;

        if (capacity - out->len < PIECE_LEN + 1) {
            char *longer = realloc(out->data, capacity * 2 + PIECE_LEN + 1);

            if (!longer)
                return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
            capacity = capacity * 2 + PIECE_LEN + 1;
            out->data = longer;
        }
        got = archive_read_data(archive, out->data + out->len, PIECE_LEN);
        if (got < 0)
            return sr_fail(SR_ERR_INVALID, "a member cannot be read");
        out->len += (size_t)got;
        *unpacked += (size_t)got;
        out->data[out->len] = '\0';
        if (got == 0)
            break;
        if (out->len > limit)
            return sr_fail(SR_ERR_TOO_LARGE, "a member is too large");
    }
    fitting = realloc(out->data, out->len + 1); /* they may be thousands, and small */
    if (fitting)
        out->data = fitting;
    return 0;
}

static void drop_data(struct member *member)
{
    free(member->data);
    member->data = NULL;
    member->len = 0;
}

/* Fresh, in UTF-8; NULL: out of memory. */
static char *name_of(const char *name)
{
    struct charset_text text;
    char *fresh;

    name += name[0] == '/';
    if (sr_utf8_valid(name, strlen(name)))
        return strdup(name);
    if (charset_decode((const uint8_t *)name, strlen(name), "gb18030", false, &text))
        return NULL;
    fresh = strdup(text.text);
    charset_text_free(&text);
    return fresh;
}

/* The data of member, which is the entry at hand. */
static int take_data(struct pass *pass, struct member *member)
{
    size_t *unpacked = &pass->members->unpacked;
    size_t left = *unpacked < pass->limit ? pass->limit - *unpacked : 0;
    int rc;

    if (left == 0) {
        pass->over_limit++;
        member->unknown = true;
        return 0;
    }
    rc = read_member(pass->archive, left < MEMBERS_ONE_MAX ? left : MEMBERS_ONE_MAX, member,
                     unpacked);
    member->unknown = rc == SR_ERR_TOO_LARGE;
    if (rc == SR_ERR_TOO_LARGE)
        pass->over_limit++;
    else if (rc == SR_ERR_INVALID)
        describe_finding(pass->answer, "broken", "a member of the file cannot be unpacked");
    else
        return rc;
    drop_data(member);
    return 0;
}

static int take_name(struct members *members, const char *name)
{
    struct member *longer;

    if ((members->count & (members->count + 1)) == 0) {
        longer = realloc(members->items, (2 * members->count + 2) * sizeof(*longer));
        if (!longer)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        members->items = longer;
    }
    members->items[members->count] = (struct member){.name = name_of(name)};
    return members->items[members->count].name ? (members->count++, 0)
                                               : sr_fail(SR_ERR_NO_MEMORY, "out of memory");
}

static int take_entry(struct pass *pass, struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    struct members *members = pass->members;
    bool encrypted =
        archive_entry_is_data_encrypted(entry) || archive_entry_is_metadata_encrypted(entry);
    struct member *member;

    if (!name || !name[0] || strlen(name) >= MEMBERS_PATH_LEN)
        return 0;
    members->encrypted |= encrypted;
    if (!pass->want)
        return take_name(members, name);
    if (pass->at == members->count) /* a source that changes its mind */
        return 0;
    member = &members->items[pass->at++];
    if (member->data || member->unknown || !pass->want(member->name))
        return 0;
    member->unknown = encrypted;
    return encrypted ? 0 : take_data(pass, member);
}

static int read_entries(struct pass *pass)
{
    struct archive_entry *entry;
    int rc;

    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        int status = archive_read_next_header(pass->archive, &entry);

        if (status == ARCHIVE_EOF)
            return 0;
        if (status < ARCHIVE_WARN) {
            describe_finding(pass->answer, "broken",
                             "the list of the file's members cannot be read to its end");
            return 0;
        }
        if ((rc = take_entry(pass, entry)) != 0)
            return rc;
    }
    /* Of an archive that is no document the names alone are read, and they may well be many. */
    if (pass->want)
        describe_finding(pass->answer, "bomb", "the file has more than %d members", MEMBERS_MAX);
    return 0;
}

static size_t limit_of(uint64_t size)
{
    if (size > MEMBERS_TOTAL_MAX / MEMBERS_RATIO_MAX)
        return MEMBERS_TOTAL_MAX;
    return size * MEMBERS_RATIO_MAX > MEMBERS_RATIO_FREE ? (size_t)size * MEMBERS_RATIO_MAX
                                                         : MEMBERS_RATIO_FREE;
}

static int go_through(struct pass *pass, struct probe_source *source)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    int rc = 0;

    pass->archive = archive_read_new();
    if (!pass->archive || !reader) {
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        goto out;
    }
    reader->source = source;
    archive_read_support_format_zip_seekable(pass->archive);
    archive_read_set_read_callback(pass->archive, read_piece);
    archive_read_set_seek_callback(pass->archive, seek_to);
    archive_read_set_skip_callback(pass->archive, skip);
    archive_read_set_callback_data(pass->archive, reader);
    if (archive_read_open1(pass->archive) != ARCHIVE_OK)
        describe_finding(pass->answer, "broken",
                         "the file cannot be read as the package that it begins like");
    else
        rc = read_entries(pass);
    if (!rc)
        rc = reader->error;
out:
    archive_read_free(pass->archive);
    free(reader);
    return rc;
}

/* want: NULL for the names. */
static int run_pass(struct probe_source *source, members_want_fn *want, struct describe *answer,
                    struct members *members)
{
    uint64_t size = probe_source_size(source);
    struct pass pass = {NULL, want, answer, members, 0, limit_of(size), 0};
    locale_t before;
    int rc;

    members_prepare();
    before = uselocale(names_locale); /* (locale_t)0 changes nothing */
    rc = go_through(&pass, source);
    uselocale(before);
    if (pass.over_limit > 0)
        describe_finding(answer, members->unpacked / HONEST_RATIO > size ? "bomb" : "truncated",
                         "%zu members of the file are not read: one of them would be over %u MiB, "
                         "all over %u, or over %d times the file",
                         pass.over_limit, MEMBERS_ONE_MAX >> 20, MEMBERS_TOTAL_MAX >> 20,
                         MEMBERS_RATIO_MAX);
    return rc;
}

int members_list(struct probe_source *source, struct describe *answer, struct members *out)
{
    return run_pass(source, NULL, answer, out);
}

int members_read(struct probe_source *source, members_want_fn *want, struct describe *answer,
                 struct members *members)
{
    return run_pass(source, want, answer, members);
}

void members_free(struct members *members)
{
    for (size_t i = 0; i < members->count; i++) {
        free(members->items[i].name);
        free(members->items[i].data);
    }
    free(members->items);
    memset(members, 0, sizeof(*members));
}

static const struct member *find(const struct members *members, const char *name, bool data)
{
    const struct member *found = NULL;
    bool exact = false;

    for (size_t i = 0; i < members->count; i++) {
        const struct member *member = &members->items[i];
        bool same = strcmp(member->name, name) == 0, fits = !data || member->data;

        if (same && fits)
            return member;
        if (!found && fits && strcasecmp(member->name, name) == 0)
            found = member;
        exact |= same;
    }
    return exact ? NULL : found;
}

const struct member *members_find(const struct members *members, const char *name)
{
    return find(members, name, true);
}

bool members_unknown(const struct members *members, const char *name)
{
    const struct member *member = find(members, name, false);

    return member && member->unknown;
}

bool members_have(const struct members *members, const char *name)
{
    return find(members, name, false) != NULL;
}

bool members_resolve(const char *in, const char *path, char out[MEMBERS_PATH_LEN])
{
    size_t len = 0;

    if (path[0] != '/') {
        const char *slash = strrchr(in, '/');

        len = slash ? (size_t)(slash - in) + 1 : 0;
        if (len >= MEMBERS_PATH_LEN)
            return false;
        memcpy(out, in, len);
    }
    while (*path) {
        size_t part = strcspn(path, "/");

        if (part == 2 && strncmp(path, "..", 2) == 0) {
            len -= len > 0;
            while (len > 0 && out[len - 1] != '/')
                len--;
        } else if (part > 0 && !(part == 1 && path[0] == '.')) {
            if (len + part + 2 > MEMBERS_PATH_LEN)
                return false;
            memcpy(out + len, path, part);
            len += part;
            if (path[part] == '/')
                out[len++] = '/';
        }
        path += part + (path[part] == '/');
    }
    out[len] = '\0';
    return len > 0;
}
