#include "ledger/ledger_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ledger/journal.h"

#define FILE_MODE 0600
#define FOLDER_MODE 0700
#define TORN_NAMES 16
/* One group, and what preallocation may have added to the size. */
#define TORN_MAX (GROUP_LEN_MAX + LEDGER_ALLOCATE_AHEAD + LEDGER_ALLOCATE_STEP)

static int out_of_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
}

/* What the files outside the journal say that it must hold. */
struct trusted {
    struct note_checkpoint checkpoint;
    uint8_t *note; /* its text; NULL: the creation was interrupted before there was one */
    size_t note_len;
    bool replace; /* `checkpoint` is one behind: publishing was interrupted */
    bool keep;    /* checkpoints/SIZE is missing */
    uint64_t *sizes;
    size_t count;
};

static void trusted_free(struct trusted *trusted)
{
    free(trusted->note);
    free(trusted->sizes);
}

static int read_trusted(struct ledger *ledger, uint64_t journal_bytes, struct trusted *trusted)
{
    struct sr_io *io = ledger->io;
    uint64_t newest;
    int status;

    status = kept_list(io, ledger->dir, &trusted->sizes, &trusted->count);
    if (status != 0)
        return status;
    status = kept_read_newest(io, ledger->dir, &ledger->verifier, &trusted->note,
                              &trusted->note_len, &trusted->checkpoint);
    if (status == SR_ERR_NOT_FOUND) {
        /* A checkpoint of the empty tree comes before everything else (publish_first). */
        if (journal_bytes == 0 && trusted->count == 0)
            return 0;
        return sr_fail(SR_ERR_DAMAGED, "ledger/checkpoint is missing");
    }
    if (status != 0)
        return status;
    newest = trusted->count == 0 ? 0 : trusted->sizes[trusted->count - 1];
    if (newest <= trusted->checkpoint.size) {
        trusted->keep = trusted->count == 0 || newest < trusted->checkpoint.size;
        return 0;
    }
    if (trusted->count > 1 && trusted->sizes[trusted->count - 2] > trusted->checkpoint.size)
        return sr_fail(SR_ERR_DAMAGED,
                       "ledger/checkpoint is of size %llu, but checkpoints up to %llu were "
                       "published: it was put back",
                       (unsigned long long)trusted->checkpoint.size, (unsigned long long)newest);
    free(trusted->note);
    trusted->replace = true;
    return kept_read(io, ledger->dir, &ledger->verifier, newest, &trusted->note, &trusted->note_len,
                     &trusted->checkpoint);
}

/* Copies the bytes from the end of the good groups on to torn-SIZE-TIME, durably. */
static int keep_torn(struct ledger *ledger, uint64_t len)
{
    struct sr_io *io = ledger->io;
    int64_t now_ns = io->now_ns(io);
    uint8_t *data = malloc((size_t)len);
    size_t got = 0;
    int status;

    if (data == NULL)
        return out_of_memory();
    status = sr_io_read_full(io, ledger->fd, data, (size_t)len, ledger->end, &got);
    for (int i = 0; i < TORN_NAMES && status == 0; i++) {
        char *path = sr_path("%s/torn-%llu-%lld", ledger->dir,
                             (unsigned long long)ledger->committed, (long long)now_ns + i);

        status = path == NULL ? out_of_memory() : sr_io_create_file(io, path, data, got, FILE_MODE);
        free(path);
        if (status != SR_ERR_EXISTS) /* kept before, and then interrupted: keep this one too */
            break;
        status = 0;
    }
    free(data);
    return status;
}

/* A group that does not parse is torn if it was never acknowledged: it is beyond the checkpoint and
 * nothing follows it, because only one group is ever being written. Then it is kept aside. */
static int judge_tail(struct ledger *ledger, struct journal_reader *reader,
                      const struct journal_group *bad, uint64_t trusted_size, uint64_t *torn_bytes)
{
    struct sr_io *io = ledger->io;
    uint64_t len = reader->size - reader->offset;
    struct group_header header;
    uint64_t later = 0;
    bool followed = false;
    int status;

    status =
        journal_find_later(reader, reader->offset + 1, reader->index, &followed, &later, &header);
    if (status != 0)
        return status;
    if (reader->index < trusted_size || followed || len > TORN_MAX)
        return sr_fail(
            SR_ERR_DAMAGED, "ledger/journal: the group of entry %llu at offset %llu is damaged: %s",
            (unsigned long long)reader->index, (unsigned long long)reader->offset, bad->why);
    status = keep_torn(ledger, len);
    if (status != 0)
        return status;
    status = io->ftruncate(io, ledger->fd, ledger->end);
    if (status == 0)
        status = io->fsync(io, ledger->fd);
    if (status < 0)
        return sr_fail_errno(-status, "cut the torn end off ledger/journal");
    *torn_bytes = len;
    sr_log(SR_LOG_WARNING,
           "ledger/journal: %llu bytes of a group that was never acknowledged (%s) are kept in "
           "ledger/torn-%llu-*",
           (unsigned long long)len, bad->why, (unsigned long long)ledger->committed);
    return 0;
}

/* The journal against the checkpoint. */
static int check_root(struct ledger *ledger, const struct note_checkpoint *checkpoint)
{
    struct tlog_source source = tree_source(&ledger->tree);
    struct tlog_hash root;
    int status;

    if (ledger->committed < checkpoint->size)
        return sr_fail(SR_ERR_ROLLED_BACK,
                       "ledger/journal ends with entry %llu, but the checkpoint covers %llu",
                       (unsigned long long)ledger->committed, (unsigned long long)checkpoint->size);
    status = tlog_root(&source, checkpoint->size, &root);
    if (status == 0 && memcmp(&root, &checkpoint->root, sizeof(root)) != 0)
        status =
            sr_fail(SR_ERR_ROLLED_BACK, "ledger/journal forks from the checkpoint of size %llu",
                    (unsigned long long)checkpoint->size);
    return status;
}

struct mending {
    struct ledger *ledger;
    struct tile_writer writer;
    uint64_t bad;
};

/* Called for each tile file that is missing or differs. */
static int mend_tile(void *context, const struct tile_at *tile, int error)
{
    struct mending *mending = context;
    char name[TILE_NAME_MAX];

    if (error == SR_ERR_NOT_FOUND)
        return tile_write(&mending->writer, tile->level, tile->n, tile->width, tile->expected);
    if (error == SR_ERR_NO_MEMORY)
        return error;
    tile_name(tile->level, tile->n, tile->width, name);
    if (error == SR_ERR_DAMAGED)
        sr_log(SR_LOG_WARNING, "ledger/%s disagrees with the journal and is left as it is", name);
    else
        sr_log_failure("a tile cannot be read");
    mending->bad++;
    return 0;
}

static int mend_tiles(struct ledger *ledger, const struct trusted *trusted, uint64_t *bad)
{
    struct mending mending = {.ledger = ledger, .writer = {.io = ledger->io, .dir = ledger->dir}};
    uint64_t size = trusted->checkpoint.size;
    struct tile_need need = {0};
    int flushed;
    int status;

    tile_need_add(&need, size, size);
    for (size_t i = 0; i < trusted->count; i++)
        if (trusted->sizes[i] <= size)
            tile_need_add(&need, trusted->sizes[i], size);
    status =
        tile_compare_all(ledger->io, ledger->dir, &ledger->tree, size, &need, mend_tile, &mending);
    flushed = tile_flush(&mending.writer);
    *bad = mending.bad;
    return status == 0 ? flushed : status;
}

static int make_kept_folder(struct ledger *ledger)
{
    char *path = sr_path("%s/checkpoints", ledger->dir);
    int status = path == NULL ? out_of_memory() : sr_io_make_dir(ledger->io, path, FOLDER_MODE);

    free(path);
    return status;
}

/* Makes the checkpoint files what they would be had nothing been interrupted. */
static int mend_checkpoint(struct ledger *ledger, const struct trusted *trusted)
{
    uint64_t size = trusted->checkpoint.size;
    int status = 0;

    if (trusted->note == NULL)
        return publish_first(ledger);
    if (trusted->keep)
        status = make_kept_folder(ledger);
    if (status == 0 && trusted->keep)
        status = kept_write(ledger->io, ledger->dir, size, trusted->note, trusted->note_len);
    if (status == 0 && trusted->replace)
        status = kept_write_newest(ledger->io, ledger->dir, trusted->note, trusted->note_len);
    if (status != 0)
        return status;
    ledger->published = size;
    sr_buf_append(&ledger->note, trusted->note, trusted->note_len);
    return ledger->note.failed ? out_of_memory() : 0;
}

int ledger_load(struct ledger *ledger, struct ledger_open_report *report)
{
    struct journal_reader reader = {0};
    struct trusted trusted = {0};
    struct journal_group bad;
    int status;

    status = journal_begin(&reader, ledger->io, ledger->fd, ledger->vault_id);
    if (status == 0)
        status = read_trusted(ledger, reader.size, &trusted);
    if (status == 0)
        status = ledger_take_journal(ledger, &reader, &bad);
    if (status == 0 && bad.why != NULL)
        status = judge_tail(ledger, &reader, &bad, trusted.checkpoint.size, &report->torn_bytes);
    if (status == 0 && trusted.note != NULL)
        status = check_root(ledger, &trusted.checkpoint);
    if (status == 0)
        status = mend_tiles(ledger, &trusted, &report->bad_tiles);
    if (status == 0)
        status = mend_checkpoint(ledger, &trusted);
    report->size = ledger->committed;
    report->checkpoint_size = trusted.checkpoint.size;
    journal_end(&reader);
    trusted_free(&trusted);
    return status;
}
