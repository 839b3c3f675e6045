#include <fcntl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ledger/findings.h"
#include "ledger/journal.h"
#include "ledger/kept.h"
#include "ledger/tile.h"

/* Everything is read from the files again: checkpoint and the names of those kept, of one moment, then
 * the journal. So a ledger that is open may go on: whatever the first names, the later has. */

#define PUBLISHED_MEANWHILE 1000 /* checkpoints, each while the one before was read */

struct all {
    const struct ledger_config *config;
    const struct note_verifier *verifier;
    struct findings findings;
    struct sr_gcm *gcm;
    uint8_t *plain;
    uint64_t *sizes; /* of the kept checkpoints */
    size_t count;
    uint8_t *note; /* the checkpoint; NULL: none that is good */
    size_t note_len;
    struct note_checkpoint checkpoint;
    struct tree tree; /* the leaves before the first entry that is lost */
    bool gap;         /* there is such an entry */
    uint64_t end;     /* entries the journal holds */
};

/* An error that is a finding about one file; others end the verification. */
static bool is_finding(int status)
{
    return status != SR_ERR_NO_MEMORY;
}

/* The newest checkpoint and the list of those kept, of one moment: a daemon may be publishing beside. */
static int read_both(struct all *all)
{
    struct sr_io *io = all->config->io;
    const char *dir = all->config->dir;
    struct note_checkpoint after;
    int status = 0;

    for (unsigned tries = 0; tries < PUBLISHED_MEANWHILE; tries++) {
        uint8_t *note = NULL;
        size_t len;

        free(all->note);
        free(all->sizes);
        all->note = NULL;
        all->sizes = NULL;
        status =
            kept_read_newest(io, dir, all->verifier, &all->note, &all->note_len, &all->checkpoint);
        if (status != 0 && !is_finding(status))
            return status;
        if (status != 0) {
            findings_add(&all->findings, "checkpoint", "%s", sr_error_message());
            return kept_list(io, dir, &all->sizes, &all->count);
        }
        if ((status = kept_list(io, dir, &all->sizes, &all->count)) != 0)
            return status;
        status = kept_read_newest(io, dir, all->verifier, &note, &len, &after);
        free(note);
        if (status == 0 && after.size == all->checkpoint.size)
            return 0;
    }
    return status;
}

static int read_checkpoint(struct all *all)
{
    size_t newer = 0;
    int status = read_both(all);

    if (status != 0 || all->note == NULL)
        return status;
    while (newer < all->count && all->sizes[all->count - 1 - newer] > all->checkpoint.size)
        newer++;
    if (newer > 1) /* one is what an interrupted publication leaves */
        findings_add(&all->findings, "checkpoint",
                     "it is of size %llu, but %zu later ones were published: it was put back",
                     (unsigned long long)all->checkpoint.size, newer);
    return 0;
}

static int take_entry(struct all *all, uint64_t index, uint64_t offset,
                      const struct group_entry *entry)
{
    struct tlog_hash leaf;
    int status = group_entry_decrypt(all->gcm, all->config->key_enc, all->config->vault_id, index,
                                     entry, all->plain);

    if (status == SR_ERR_DAMAGED) {
        findings_add(&all->findings, "journal", "entry %llu at offset %llu does not decrypt",
                     (unsigned long long)index, (unsigned long long)offset);
        all->gap = true;
        return 0;
    }
    if (status != 0 || all->gap)
        return status;
    status = tlog_leaf_hash(all->plain, entry->len, &leaf);
    return status == 0 ? tree_append(&all->tree, &leaf, NULL) : status;
}

static int take_group(struct all *all, const struct journal_group *group)
{
    struct group_entry entry;
    size_t position = 0;
    int status = 0;

    for (uint32_t i = 0; i < group->header.count && status == 0; i++) {
        uint64_t offset = group->offset + GROUP_HEADER_LEN + position;

        group_entry_next(group->body, group->header.body_len, &position, &entry);
        status = take_entry(all, group->header.first + i, offset, &entry);
    }
    return status;
}

/* Reports a bad group and goes on at the next thing that looks like one; *more is false if there is
 * none. A bad end beyond the checkpoint is no finding: it may be a group that is being written, or
 * was when the power failed. ledger_open is who judges that. */
static int skip_group(struct all *all, struct journal_reader *reader,
                      const struct journal_group *group, bool *more)
{
    struct group_header later;
    uint64_t offset = 0;
    int status =
        journal_find_later(reader, reader->offset + 1, reader->index, more, &offset, &later);

    if (status != 0)
        return status;
    if (*more || reader->index < all->checkpoint.size)
        findings_add(
            &all->findings, "journal", "the group of entry %llu at offset %llu is damaged: %s",
            (unsigned long long)reader->index, (unsigned long long)reader->offset, group->why);
    if (*more) {
        all->gap = true;
        reader->offset = offset;
        reader->index = later.first;
    }
    return 0;
}

static int read_groups(struct all *all, struct journal_reader *reader)
{
    struct journal_group group;
    bool more = true;
    int status = 0;

    while (status == 0 && more) {
        status = journal_next(reader, all->config->key_mac, &group, &more);
        if (status != 0 || !more)
            break;
        if (group.why == NULL)
            status = take_group(all, &group);
        else
            status = skip_group(all, reader, &group, &more);
    }
    all->end = reader->index;
    return status;
}

static int read_journal(struct all *all)
{
    struct sr_io *io = all->config->io;
    struct journal_reader reader = {0};
    char *path = sr_path("%s/journal", all->config->dir);
    int status;
    int fd;

    if (path == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    fd = io->open(io, path, O_RDONLY, 0);
    free(path);
    if (fd == -ENOENT) {
        findings_add(&all->findings, "journal", "it is missing");
        return 0;
    }
    if (fd < 0)
        return sr_fail_errno(-fd, "open ledger/journal");
    status = journal_begin(&reader, io, fd, all->config->vault_id);
    if (status == 0)
        status = read_groups(all, &reader);
    journal_end(&reader);
    io->close(io, fd);
    if (status == 0 && all->end < all->checkpoint.size)
        findings_add(&all->findings, "journal",
                     "it ends with entry %llu, the checkpoint covers %llu",
                     (unsigned long long)all->end, (unsigned long long)all->checkpoint.size);
    return status;
}

/* The root at the checkpoint's size, where the leaves up to there are known. */
static int check_root(struct all *all, const char *file, const struct note_checkpoint *checkpoint)
{
    struct tlog_source source = tree_source(&all->tree);
    struct tlog_hash root;
    int status;

    if (checkpoint->size > all->tree.size) {
        if (!all->gap && checkpoint->size > all->end)
            findings_add(&all->findings, file, "it covers %llu entries, the journal has %llu",
                         (unsigned long long)checkpoint->size, (unsigned long long)all->end);
        return 0;
    }
    status = tlog_root(&source, checkpoint->size, &root);
    if (status == 0 && memcmp(&root, &checkpoint->root, sizeof(root)) != 0)
        findings_add(&all->findings, file, "its root is not the journal's at that size");
    return status;
}

static int check_kept(struct all *all, uint64_t size)
{
    struct note_checkpoint checkpoint;
    uint8_t *note = NULL;
    size_t len;
    char *file = sr_path("checkpoints/%llu", (unsigned long long)size);
    int status;

    if (file == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    status =
        kept_read(all->config->io, all->config->dir, all->verifier, size, &note, &len, &checkpoint);
    if (status == 0) {
        status = check_root(all, file, &checkpoint);
    } else if (is_finding(status)) {
        findings_add(&all->findings, file, "%s", sr_error_message());
        status = 0;
    }
    free(note);
    free(file);
    return status;
}

static int check_checkpoints(struct all *all)
{
    bool kept = false;
    int status = 0;

    if (all->note != NULL)
        status = check_root(all, "checkpoint", &all->checkpoint);
    for (size_t i = 0; i < all->count && status == 0; i++) {
        kept |= all->sizes[i] == all->checkpoint.size;
        status = check_kept(all, all->sizes[i]);
    }
    if (status == 0 && all->note != NULL && !kept) {
        char *file = sr_path("checkpoints/%llu", (unsigned long long)all->checkpoint.size);

        findings_add(&all->findings, file != NULL ? file : "checkpoints", "it is missing");
        free(file);
    }
    return status;
}

static int bad_tile(void *context, const struct tile_at *tile, int error)
{
    struct all *all = context;
    char name[TILE_NAME_MAX];

    if (!is_finding(error))
        return error;
    tile_name(tile->level, tile->n, tile->width, name);
    if (error == SR_ERR_DAMAGED)
        findings_add(&all->findings, name, "it does not hold the hashes of the journal's entries");
    else
        findings_add(&all->findings, name, "%s", sr_error_message());
    return 0;
}

static int check_tiles(struct all *all)
{
    uint64_t size = all->checkpoint.size;
    struct tile_need need = {0};
    int status;

    if (all->note == NULL)
        return 0;
    if (all->tree.size < size) { /* entries are lost: what can be said from the files alone */
        status = ledger_verify_tiles(all->config->io, all->config->dir, all->verifier, all->note,
                                     all->note_len, all->findings.bad, all->findings.context);
        if (status == SR_ERR_DAMAGED) {
            all->findings.count++;
            status = 0;
        }
        return status;
    }
    tile_need_add(&need, size, size);
    for (size_t i = 0; i < all->count; i++)
        if (all->sizes[i] <= size)
            tile_need_add(&need, all->sizes[i], size);
    return tile_compare_all(all->config->io, all->config->dir, &all->tree, size, &need, bad_tile,
                            all);
}

/* *size: entries of the journal whose groups hold, so that the caller of an open ledger can compare
 * it with what was committed before. */
int ledger_verify_all(const struct ledger_config *config, const struct note_verifier *verifier,
                      ledger_bad_fn *bad, void *context, uint64_t *size)
{
    struct all all = {
        .config = config,
        .verifier = verifier,
        .findings = {.bad = bad, .context = context},
    };
    int status;

    *size = 0;
    all.plain = malloc(LEDGER_ENTRY_MAX);
    if (all.plain == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    status = sr_gcm_new(&all.gcm);
    if (status == 0)
        status = read_checkpoint(&all);
    if (status == 0)
        status = read_journal(&all);
    if (status == 0)
        status = check_checkpoints(&all);
    if (status == 0)
        status = check_tiles(&all);
    *size = all.end;
    tree_free(&all.tree);
    free(all.sizes);
    free(all.note);
    sr_gcm_free(all.gcm);
    sr_wipe(all.plain, LEDGER_ENTRY_MAX);
    free(all.plain);
    return status == 0 ? findings_result(&all.findings) : status;
}
