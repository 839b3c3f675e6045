/* Open files: open, read, write, flush, close, truncate. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "casework/audit.h"
#include "casework/door_internal.h"

int door_file_new(struct door *door, const struct door_actor *actor, uint64_t node, bool write,
                  struct door_file **out)
{
    struct door_file *file = calloc(1, sizeof *file);
    *out = NULL;
    if (file == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for an open file");
    file->door = door;
    file->actor = door_who(door, actor); /* now: later the thread may serve somebody else */
    file->node = node;
    file->write = write;
    file->read_generation = UINT64_MAX;
    pthread_mutex_init(&file->object_lock, NULL);
    door_rules_opened(file);
    *out = file;
    return 0;
}

void door_file_free(struct door_file *file)
{
    if (file == NULL)
        return;
    door_rules_closed(file);
    object_close(file->object);
    pthread_mutex_destroy(&file->object_lock);
    free(file->text);
    free(file);
}

/* Counts the file on its live. Lock held. */
int door_file_attach(struct door *door, struct door_file *file, struct live *live)
{
    if (door->stopping)
        return sr_fail(SR_ERR_CLOSED, "the store is shutting down");
    file->live = live;
    live_ref(live);
    if (file->write)
        live->writers++;
    door->open_files++;
    return 0;
}

/* --- open --- */

static int open_sealed(struct door *door, const struct catalog_version *version,
                       struct object **out)
{
    struct object_expectation expected = audit_expectation(version);
    return door_damaged(door, &version->object, object_open(door->vault, &expected, out));
}

/* Content that is not sealed yet; now is the record as it is, which may be sealed: then nothing is done. */
static int open_unsealed(struct door *door, struct door_file *file, uint64_t node_id,
                         struct catalog_node *now)
{
    pthread_mutex_lock(&door->lock);
    int status = catalog_get(door->catalog, node_id, now); /* anew: it may have been sealed since */
    struct live *live = status == 0 ? live_find(door, &now->version.object) : NULL;
    if (status < 0 || now->version.state != CATALOG_STAGING)
        ;
    else if (live == NULL)
        status = sr_fail(SR_ERR_DAMAGED, "the unsealed content is missing or damaged");
    else if (file->write && live_is_frozen(live))
        status = sr_fail(SR_ERR_SEALED, "the record is being sealed");
    else
        status = door_file_attach(door, file, live);
    pthread_mutex_unlock(&door->lock);
    return status;
}

/* Truncation of what has content makes a new version, so that the earlier bytes are kept. */
static bool truncation_makes_version(const struct live *live)
{
    return !live->draft && !live->junk && !live->scratch && staging_size(live->staging) > 0;
}

/* Moves an open file to a new version of its record. */
static int switch_version(struct door_file *file)
{
    struct door *door = file->door;
    struct live *fresh, *unused = NULL;
    int status = door_new_version(door, &file->actor, file->node, &fresh);
    if (status < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    struct live *before = file->live;
    fresh->writers++; /* the ref is door_new_version's */
    file->live = fresh;
    file->may_version = false;
    if (before != NULL) {
        before->writers--;
        before->last_close_ns = door->io->boottime_ns(door->io);
        if (file->before != NULL)
            unused = live_unref(door, file->before);
        file->before = before; /* a read of this handle may still be in it */
    } else {
        door->open_files++;
    }
    pthread_cond_signal(&door->wake);
    pthread_mutex_unlock(&door->lock);
    live_destroy(unused);
    return 0;
}

/* Bytes that a person sent and that are not there make the record incomplete, whatever comes after. */
static int note_failure(struct door_file *file, int status)
{
    if (status == 0 || status == SR_ERR_SEALED || file->live == NULL)
        return status;
    struct sr_error_copy why;
    sr_error_save(&why, status);
    pthread_mutex_lock(&file->door->lock);
    file->live->died = true;
    pthread_mutex_unlock(&file->door->lock);
    return sr_error_raise(&why);
}

static int truncate_file(struct door_file *file, uint64_t size)
{
    struct door *door = file->door;
    struct live *live = file->live;
    if (live == NULL)
        return file->may_version && size == 0 ? switch_version(file) : SR_ERR_SEALED;
    if (size == 0 && !file->wrote && truncation_makes_version(live))
        return switch_version(file);
    if (live->closed) {
        int status = door_reopen(door, live);
        if (status < 0)
            return status;
    }
    file->wrote = true;
    return note_failure(file, staging_truncate(live->staging, size));
}

static int open_record(struct door *door, struct door_file *file, const struct catalog_node *node,
                       bool truncate)
{
    struct catalog_node now = *node;
    int status = 0;
    if (node->version.state == CATALOG_STAGING &&
        (status = open_unsealed(door, file, node->id, &now)) < 0)
        return status;
    if (now.version.state != CATALOG_STAGING) {
        if (file->write && now.version.state == CATALOG_SEALED)
            return sr_fail(SR_ERR_SEALED, "the record is sealed");
        if ((status = open_sealed(door, &now.version, &file->object)) < 0)
            return status;
        file->may_version = file->write;
    }
    return truncate ? truncate_file(file, 0) : 0;
}

static int open_text(struct door_file *file, const struct catalog_node *node)
{
    struct sr_buf text = {0};
    int status = notice_text(file->door, &file->actor, node, &text);
    if (status < 0) {
        sr_buf_free(&text);
        return status;
    }
    file->text_len = text.len;
    file->text = text.data; /* taken over; may be NULL when empty */
    return 0;
}

/* Do the rules let them? SR_ERR_DENIED with *reason, not recorded. */
static int may_open(struct door *door, const struct catalog_user *user,
                    const struct catalog_node *node, bool write, struct reading_right *right,
                    const char **reason)
{
    enum act needed = write ? ACT_ADD : ACT_LIST;
    *reason = "denied";
    if (node->kind == CATALOG_KIND_VIRTUAL)
        return 0;
    if (node->kind == CATALOG_KIND_RECORD && !write)
        return reading_decide(door, user, node, right, reason);
    return door_allows(door, user, needed, node)
               ? 0
               : sr_fail(SR_ERR_DENIED, "%s may not %s this record", user->account,
                         write ? "write" : "read");
}

int door_open(struct door *door, const struct door_actor *actor, uint64_t node_id, bool write,
              bool truncate, struct door_file **out, struct door_open_info *info)
{
    struct catalog_user user;
    struct catalog_node node;
    struct door_file *file;
    struct reading_right right = {.restricted = false};
    const char *op = truncate ? "truncate" : write ? "write" : "read", *reason;
    uint64_t generation = atomic_load(&door->rules.generation); /* before they are asked */
    *out = NULL;
    *info = (struct door_open_info){.direct_io = true};
    int status = door_user(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, op, status);
    if ((status = catalog_get(door->catalog, node_id, &node)) < 0 ||
        (status = place_visible(door, &user, &node)) < 0)
        return status;
    bool text = node.kind == CATALOG_KIND_VIRTUAL || node.kind == CATALOG_KIND_STUB;
    if (node.kind != CATALOG_KIND_RECORD && !text)
        return sr_fail(SR_ERR_IS_DIRECTORY, "it is a folder");
    bool sealed = text || node.version.state == CATALOG_SEALED;
    if (write && sealed)
        return door_refused(door, actor, op, "sealed", node_id, NULL,
                            sr_fail(SR_ERR_SEALED, "the record is sealed"));
    bool foreign = write && node.version.state == CATALOG_STAGING && node.version.uid != actor->uid;
    if ((status = may_open(door, &user, &node, write, &right, &reason)) < 0)
        return status == SR_ERR_DENIED
                   ? door_refused(door, actor, op, reason, node_id, NULL, status)
                   : status;
    if (foreign) /* D7 */
        return door_refused(door, actor, op, "in_use", node_id, NULL,
                            sr_fail(SR_ERR_DENIED, "somebody else's content is not sealed yet"));
    if ((write && (status = door_ready(door)) < 0) ||
        (status = door_file_new(door, actor, node_id, write, &file)) < 0)
        return status;
    file->generation = generation;
    if (!write)
        reading_allowed(file, &right, generation);
    status = text ? open_text(file, &node) : open_record(door, file, &node, truncate);
    if (status < 0) {
        struct sr_error_copy why;
        sr_error_save(&why, status);
        door_release(file);
        status = sr_error_raise(&why);
        return status == SR_ERR_SEALED
                   ? door_refused(door, actor, op, "sealed", node_id, NULL, status)
                   : status;
    }
    info->keep_cache = file->cached = file->object != NULL && !write && !right.restricted;
    info->direct_io = !info->keep_cache;
    *out = file;
    return 0;
}

/* --- read and write --- */

/* A record that was sealed under this handle is read, and verified, as a sealed one. */
static int late_object(struct door_file *file)
{
    struct catalog_version version;
    int status = 0;
    pthread_mutex_lock(&file->object_lock);
    if (file->object == NULL &&
        (status = catalog_object(file->door->catalog, &file->live->object, &version)) == 0)
        status = open_sealed(file->door, &version, &file->object);
    pthread_mutex_unlock(&file->object_lock);
    return status;
}

/* Whoever writes reads what they are sending themselves; anything else is reading like any other. */
static int may_read(struct door_file *file, struct reading_right *right)
{
    *right = (struct reading_right){.restricted = false};
    return file->write && file->live != NULL ? door_rules_again(file, ACT_ADD, "read")
                                             : reading_again(file, right);
}

static int damaged(struct door_file *file, int status)
{
    struct vault_object_id object;
    pthread_mutex_lock(&file->object_lock);
    object = file->live != NULL ? file->live->object : file->right.object;
    pthread_mutex_unlock(&file->object_lock);
    return door_damaged(file->door, &object, status);
}

int door_read(struct door_file *file, uint64_t offset, void *buf, size_t len, size_t *got)
{
    struct reading_right right;
    *got = 0;
    if (file->text != NULL || (file->object == NULL && file->live == NULL)) {
        if (offset < file->text_len) {
            *got = file->text_len - offset < len ? file->text_len - offset : len;
            memcpy(buf, file->text + offset, *got);
        }
        return 0;
    }
    int status = may_read(file, &right);
    if (status < 0)
        return status;
    if (file->live != NULL && file->live->phase != LIVE_SEALED) {
        status = staging_read(file->live->staging, offset, buf, len, got);
    } else {
        status = file->object != NULL ? 0 : late_object(file);
        if (status == 0)
            status = object_read(file->object, offset, buf, len, got);
        status = damaged(file, status);
    }
    if (status == 0 && (status = reading_record(file, &right, offset, *got)) < 0) {
        sr_log_failure("a reading of a restricted record could not be recorded, and was refused");
        sr_wipe(buf, *got);
        *got = 0;
    }
    return status;
}

int door_reopen(struct door *door, struct live *live)
{
    json_t *entry;
    uint64_t index;
    int status = 0;
    pthread_mutex_lock(&door->lock);
    if (live_is_frozen(live)) {
        status = sr_fail(SR_ERR_SEALED, "the record is sealed");
    } else if (live->closed) {
        status = entry_new(door->io, "record.reopen", &entry);
        if (status == 0 &&
            (status = entry_set_record(door->vault, entry, &live->object, live->key_id, NULL)) < 0)
            json_decref(entry);
        else if (status == 0)
            status = door_act(door, entry, NULL, &index);
        if (status == 0) {
            live->closed = live->mtime_set = false;
            live->newest_index = index;
        }
    }
    pthread_mutex_unlock(&door->lock);
    return status;
}

static int refused_content(struct door_file *file, const char *op, int status)
{
    const char *reason = status == SR_ERR_SEALED      ? "sealed"
                         : status == SR_ERR_NO_SPACE  ? "no_space"
                         : status == SR_ERR_TOO_LARGE ? "too_large"
                                                      : NULL;
    return reason != NULL
               ? door_refused(file->door, &file->actor, op, reason, file->node, NULL, status)
               : status;
}

int door_write(struct door_file *file, const struct door_actor *actor, uint64_t offset,
               const void *buf, size_t len)
{
    (void)actor; /* a handle's user is its opener: READ and WRITE carry worker threads' ids */
    struct live *live = file->live;
    int status = 0;
    if (!file->write)
        return sr_fail(SR_ERR_INVALID, "the file is not open for writing");
    if (live == NULL)
        return refused_content(file, "write", sr_fail(SR_ERR_SEALED, "the record is sealed"));
    if ((status = door_rules_again(file, ACT_ADD, "write")) < 0)
        return status;
    if (live->closed && (status = door_reopen(file->door, live)) < 0)
        return refused_content(file, "write", status);
    file->wrote = true;
    atomic_store(&file->door->written_ns, file->door->io->boottime_ns(file->door->io));
    if ((status = note_failure(file, staging_write(live->staging, offset, buf, len))) < 0)
        return refused_content(file, "write", status);
    if (!live->mtime_set)
        live->mtime_ns = file->door->io->now_ns(file->door->io);
    return 0;
}

/* Content and all entries about it so far are durable: acknowledged. */
static int acknowledge(struct door_file *file)
{
    struct door *door = file->door;
    struct live *live = file->live;
    ledger_expect(door->ledger); /* the create entry's commit runs beside the content's */
    int status = note_failure(file, staging_sync(live->staging));
    if (status < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    uint64_t index = live->newest_index;
    pthread_mutex_unlock(&door->lock);
    return ledger_commit(door->ledger, index);
}

int door_fsync(struct door_file *file)
{
    if (file->live == NULL || !file->write || live_is_frozen(file->live))
        return 0;
    return refused_content(file, "fsync", acknowledge(file));
}

/* record.close, if this is the last writer and nothing went wrong. Lock held. */
static int close_in_order(struct door_file *file)
{
    struct live *live = file->live;
    if (live->writers > 1 || live->closed || live->died || live_is_frozen(live))
        return 0;
    return live_append_close(file->door, live);
}

/* The record.close is appended once the content is durable, and is durable itself when this returns:
 * what close(2) acknowledged is a whole upload, whatever happens next. */
int door_flush(struct door_file *file, bool died)
{
    struct door *door = file->door;
    struct live *live = file->live;
    if (live == NULL || !file->write || live_is_frozen(live))
        return 0;
    if (died && file->wrote) {
        pthread_mutex_lock(&door->lock);
        live->died = true;
        pthread_mutex_unlock(&door->lock);
    }
    int status = note_failure(file, staging_sync(live->staging));
    if (status == 0) {
        pthread_mutex_lock(&door->lock);
        status = close_in_order(file);
        uint64_t index = live->newest_index;
        pthread_mutex_unlock(&door->lock);
        if (status == 0)
            status = ledger_commit(door->ledger, index);
    }
    return refused_content(file, "close", status);
}

/* A writer goes: one that wrote after its flush, or never got one, is brought to the disk first. */
static void release_writer(struct door_file *file)
{
    struct door *door = file->door;
    struct live *live = file->live;
    if (!live->closed && live->phase == LIVE_OPEN &&
        note_failure(file, staging_sync(live->staging)) < 0)
        sr_log_failure("content of an unsealed record could not be made durable at its close");
    pthread_mutex_lock(&door->lock);
    bool closed = live->closed;
    if (close_in_order(file) < 0)
        sr_log_failure("a close could not be recorded");
    closed = !closed && live->closed;
    if (--live->writers == 0)
        live->last_close_ns = door->io->boottime_ns(door->io);
    pthread_mutex_unlock(&door->lock);
    if (closed)
        ledger_kick(door->ledger);
}

void door_release(struct door_file *file)
{
    struct door *door = file->door;
    struct live *unused = NULL, *before = NULL;
    if (file->live != NULL) {
        if (file->write)
            release_writer(file);
        pthread_mutex_lock(&door->lock);
        live_wake(door, file->live);
        unused = live_unref(door, file->live);
        if (file->before != NULL)
            before = live_unref(door, file->before);
        door->open_files--;
        pthread_mutex_unlock(&door->lock);
        live_destroy(unused);
        live_destroy(before);
    }
    door_file_free(file);
}

int door_truncate(struct door *door, const struct door_actor *actor, uint64_t node,
                  struct door_file *file, uint64_t size)
{
    struct door_open_info info;
    struct door_file *own = NULL;
    int status;
    if (file != NULL && file->write)
        return refused_content(file, "truncate", truncate_file(file, size));
    if ((status = door_open(door, actor, node, true, size == 0, &own, &info)) < 0)
        return status;
    if (size != 0)
        status = refused_content(own, "truncate", truncate_file(own, size));
    if (status == 0)
        status = door_flush(own, false);
    struct sr_error_copy why;
    sr_error_save(&why, status);
    door_release(own);
    return status < 0 ? sr_error_raise(&why) : 0;
}
