#include "casework/describer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "casework/audit.h"
#include "casework/door_internal.h"
#include "casework/label.h"
#include "casework/texts.h"
#include "catalog/described.h"

#define LOOK_NS INT64_C(1000000000)     /* at the queue, without being woken */
#define NICE 10                         /* uploads come first */
#define QUIET_NS INT64_C(300000000)     /* they have ended: nothing was written for so long */
#define PATIENCE_NS INT64_C(1000000000) /* for one record: they may go on all day */
#define GLANCE_NS INT64_C(50000000)     /* between two looks whether they have */
#define AGAIN_NS INT64_C(30000000000)   /* after an error of the machine */

struct describer {
    struct door *door;
    describer_fn *fn;
    void *context;
    int stop_fd;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows; nothing is taken inside of it */
    pthread_cond_t wake;
    bool stopping, woken;
    bool busy; /* object is being looked into */
    struct vault_object_id object;
};

/* One version while it is looked into. */
struct look {
    struct door *door;
    const struct catalog_version *version;
    struct object *object;
    struct texts *text; /* NULL: no text yet */
};

static int read_record(void *context, uint64_t offset, void *buf, size_t len, size_t *got)
{
    struct look *look = context;
    return door_damaged(look->door, &look->version->object,
                        object_read(look->object, offset, buf, len, got));
}

static int take_text(void *context, const char *data, size_t len)
{
    struct look *look = context;
    int status = 0;
    if (look->text == NULL && (status = door_keys_ready(look->door)) == 0)
        status = texts_begin(look->door->vault, &look->version->object, &look->text);
    return status < 0 ? status : texts_add(look->text, data, len);
}

static json_t *text_json(const struct object_expectation *text)
{
    json_t *out = json_object();
    if (out == NULL ||
        json_object_set_new(out, "object", sr_json_hex(text->id.bytes, sizeof text->id.bytes)) !=
            0 ||
        json_object_set_new(out, "key", sr_json_u64_text(text->key_id)) != 0 ||
        json_object_set_new(out, "size", sr_json_u64_text(text->size)) != 0 ||
        json_object_set_new(out, "sha256", sr_json_hex(text->sha256, SR_SHA256_LEN)) != 0 ||
        json_object_set_new(out, "tag_root", sr_json_hex(text->tag_root, SR_SHA256_LEN)) != 0 ||
        json_object_set_new(out, "header_sha256",
                            sr_json_hex(text->header_sha256, SR_SHA256_LEN)) != 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

/* record.index, and the record's number if that is due now; *index: of the last entry. text NULL: none. */
static int record_index(struct door *door, const struct catalog_version *version,
                        const char *outcome, json_t *answer, json_t *labels,
                        const struct object_expectation *text, uint64_t *index)
{
    json_t *entry = NULL;
    json_t *hidden = json_object();
    int status = hidden != NULL ? entry_new(door->io, "record.index", &entry)
                                : sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    if (status == 0 &&
        ((answer != NULL && (status = entry_set(hidden, "media", json_incref(answer))) < 0) ||
         (labels != NULL && (status = entry_set(hidden, "labels", json_incref(labels))) < 0))) {
        json_decref(entry);
        entry = NULL;
    }
    if (status == 0) {
        if ((status = entry_set_record(door->vault, entry, &version->object, version->key_id,
                                       hidden)) < 0 ||
            (status = entry_set(entry, "node", sr_json_u64_text(version->node))) < 0 ||
            (status = entry_set(entry, "outcome", json_string(outcome))) < 0 ||
            (status = entry_set(entry, "rules", json_integer(DESCRIBER_RULES))) < 0 ||
            (text != NULL && (status = entry_set(entry, "text", text_json(text))) < 0)) {
            json_decref(entry);
        } else {
            pthread_mutex_lock(&door->lock);
            status = door_act(door, entry, hidden, index);
            if (status == 0)
                status = label_enter(door, version->node, index);
            pthread_mutex_unlock(&door->lock);
        }
    }
    json_decref(hidden);
    return status;
}

/* What label files say, before the record counts as looked into: a crash in between does it again. */
static int label(struct look *look, const struct catalog_node *node, const json_t *answer,
                 const struct object_expectation *text, uint64_t *index)
{
    const char *type = json_string_value(json_object_get(answer, "type"));
    char *lines = NULL;
    size_t len;
    if (type == NULL || strcmp(type, CATALOG_LABEL_FILE_TYPE) != 0)
        return label_file_find(look->door, node, index);
    if (text == NULL)
        return 0;
    int status = texts_read(look->door->vault, text, &look->version->object, &lines, &len);
    if (status == 0)
        status = label_file_apply(look->door, node, lines, len, index);
    free(lines);
    return status;
}

static int look_into(struct describer *describer, struct look *look, const char *name,
                     const char **outcome, json_t **answer)
{
    struct object_expectation expected = audit_expectation(look->version);
    struct describer_job job = {.name = name,
                                .size = look->version->size,
                                .read = read_record,
                                .text = take_text,
                                .context = look,
                                .stop_fd = describer->stop_fd};
    int status = door_damaged(look->door, &expected.id,
                              object_open(look->door->vault, &expected, &look->object));
    *outcome = "unreadable";
    if (status == SR_ERR_DAMAGED)
        return 0;
    if (status < 0)
        return status;
    status = describer->fn(describer->context, &job, outcome, answer);
    object_close(look->object);
    return status;
}

/* Looks, and puts on record what there was to see. */
static int describe(struct describer *describer, const struct catalog_version *version)
{
    struct door *door = describer->door;
    struct look look = {.door = door, .version = version};
    struct object_expectation text;
    struct catalog_node node;
    struct sr_error_copy why;
    const char *outcome;
    json_t *answer = NULL, *labels = NULL;
    uint64_t index = 0;
    int status = catalog_get(door->catalog, version->node, &node);
    if (status == 0)
        status = look_into(describer, &look, node.name, &outcome, &answer);
    if (status == 0 && strcmp(outcome, "described") != 0 && look.text != NULL) {
        texts_end(look.text, false); /* half a text is none */
        look.text = NULL;
    }
    if (status == 0 && look.text != NULL)
        status = texts_seal(look.text, &text);
    /* Of a version that has been replaced meanwhile there is a description, and no label. */
    if (status == 0 && node.version.create_index == version->create_index &&
        (status = label(&look, &node, answer, look.text != NULL ? &text : NULL, &index)) == 0)
        status = label_derive(door, &node, answer, &labels);
    if (status == 0)
        status = record_index(door, version, outcome, answer, labels,
                              look.text != NULL ? &text : NULL, &index);
    if (status == 0)
        status = ledger_commit(door->ledger, index);
    sr_error_save(&why, status);
    texts_end(look.text, status == 0);
    json_decref(labels);
    json_decref(answer);
    return status < 0 ? sr_error_raise(&why) : status;
}

/* --- the queue --- */

/* Sets what is under way; true: go on. */
static bool begin(struct describer *describer, const struct vault_object_id *object)
{
    pthread_mutex_lock(&describer->lock);
    bool go = !describer->stopping;
    describer->busy = go && object != NULL;
    if (describer->busy)
        describer->object = *object;
    pthread_mutex_unlock(&describer->lock);
    return go;
}

/* For so long at most, or until woken if that counts; false: stop. */
static bool pause_until(struct describer *describer, int64_t wait_ns, bool or_woken)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t at = until.tv_sec * INT64_C(1000000000) + until.tv_nsec + wait_ns;
    until.tv_sec = at / INT64_C(1000000000);
    until.tv_nsec = at % INT64_C(1000000000);
    pthread_mutex_lock(&describer->lock);
    while (!describer->stopping && !(or_woken && describer->woken) &&
           pthread_cond_timedwait(&describer->wake, &describer->lock, &until) != ETIMEDOUT)
        ;
    bool go = !describer->stopping;
    if (or_woken)
        describer->woken = false;
    pthread_mutex_unlock(&describer->lock);
    return go;
}

/* One small file looked into costs as much as a hundred of them uploaded. False: stop. */
static bool wait_for_quiet(struct describer *describer)
{
    struct door *door = describer->door;
    int64_t began = door->io->boottime_ns(door->io), now = began;
    bool go = true;
    while (go && now - atomic_load(&door->written_ns) < QUIET_NS && now - began < PATIENCE_NS) {
        go = pause_until(describer, GLANCE_NS, false);
        now = door->io->boottime_ns(door->io);
    }
    return go;
}

static void *describer_thread(void *context)
{
    struct describer *describer = context;
    struct catalog_version version;
    uint64_t from = 0, fill = 0;
    int64_t failed_ns = 0; /* boottime of the first failure of this round; 0: none */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* of this thread */
    if (label_finish(describer->door) < 0)
        sr_log_failure("numbers that were due at the last stop are given with the next label");
    for (;;) {
        int status = catalog_undescribed(describer->door->catalog, from, &version);
        if (status < 0) { /* the end of the queue, or a catalog that is being healed */
            bool again = failed_ns != 0;
            if (!wait_for_quiet(describer))
                break;
            if (search_fill(describer->door, &fill) == 0) {
                if (!begin(describer, NULL))
                    break;
                continue;
            }
            fill = 0;
            from = 0;
            failed_ns = 0;
            if (!pause_until(describer, again ? AGAIN_NS : LOOK_NS, true))
                break;
            continue;
        }
        from = version.create_index + 1;
        if (!wait_for_quiet(describer) || !begin(describer, &version.object))
            break;
        status = describe(describer, &version);
        if (!begin(describer, NULL))
            break;
        if (status < 0) {
            sr_log_failure("a record could not be looked into; it is tried again");
            failed_ns = 1;
        }
        (void)search_fill(describer->door, &fill); /* what fails is tried again */
    }
    return NULL;
}

int describer_start(struct door *door, describer_fn *fn, void *context, struct describer **out)
{
    struct describer *describer = calloc(1, sizeof *describer);
    pthread_condattr_t monotonic;
    *out = NULL;
    if (describer == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for looking into records");
    describer->door = door;
    describer->fn = fn;
    describer->context = context;
    describer->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (describer->stop_fd < 0) {
        free(describer);
        return sr_fail_errno(errno, "looking into records cannot be stopped, so it is not begun");
    }
    pthread_mutex_init(&describer->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&describer->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int error = pthread_create(&describer->thread, NULL, describer_thread, describer);
    if (error != 0) {
        describer->thread = 0;
        close(describer->stop_fd);
        free(describer);
        return sr_fail_errno(error, "no thread for looking into records");
    }
    *out = describer;
    return 0;
}

void describer_stop(struct describer *describer)
{
    if (describer == NULL)
        return;
    pthread_mutex_lock(&describer->lock);
    describer->stopping = true;
    pthread_cond_signal(&describer->wake);
    pthread_mutex_unlock(&describer->lock);
    (void)eventfd_write(describer->stop_fd, 1);
    pthread_join(describer->thread, NULL);
    close(describer->stop_fd);
    pthread_cond_destroy(&describer->wake);
    pthread_mutex_destroy(&describer->lock);
    free(describer);
}

void describer_wake(struct describer *describer)
{
    if (describer == NULL)
        return;
    pthread_mutex_lock(&describer->lock);
    describer->woken = true;
    pthread_cond_signal(&describer->wake);
    pthread_mutex_unlock(&describer->lock);
}

bool describer_now(struct describer *describer, struct vault_object_id *object)
{
    if (describer == NULL)
        return false;
    pthread_mutex_lock(&describer->lock);
    bool busy = describer->busy;
    *object = describer->object;
    pthread_mutex_unlock(&describer->lock);
    return busy;
}
