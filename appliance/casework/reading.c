/* Reading what is restricted: with a purpose, and on record.
 *
 * What is restricted is for the access rules to say: a record that may be read when a purpose is stated and
 * not without. The purpose is that of a grant (grants.c). Who read which bytes goes into the ledger as
 * record.view: the first bytes before they are given out, what follows folded into one entry for each
 * person, record, day, grant and client, once the reading pauses. */
#include "casework/reading.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "casework/door_internal.h"
#include "vault/ranges.h"

#define READINGS 256      /* folded at a time */
#define KNOWN_RANGES 1024 /* beyond, what is on record is forgotten, and put on record once more */
#define PAUSE_NS INT64_C(60000000000)
#define LONGEST_NS INT64_C(600000000000) /* what a crash can lose is not older */

struct reading { /* unused when node is 0 */
    struct reading_right right;
    uint64_t node;
    uint32_t uid;
    int32_t day;
    char client[64];
    uint64_t index;             /* of its last entry */
    struct ranges known, fresh; /* on record; not yet */
    bool coarse, dirty;         /* of fresh; something is not on record */
    uint64_t opens;             /* not yet on record, as the next two */
    int64_t from_ns, until_ns;
    int64_t dirty_ns, read_ns; /* boottime: dirty since; last read */
};

struct readings {
    pthread_mutex_t lock; /* door->lock may be taken inside of it */
    struct reading items[READINGS];
};

int reading_start(struct door *door)
{
    door->readings = calloc(1, sizeof *door->readings);
    if (door->readings == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for the record of readings");
    pthread_mutex_init(&door->readings->lock, NULL);
    return 0;
}

static void forget(struct reading *reading)
{
    ranges_free(&reading->known);
    ranges_free(&reading->fresh);
    memset(reading, 0, sizeof *reading);
}

void reading_stop(struct door *door)
{
    if (door->readings == NULL)
        return;
    for (size_t i = 0; i < READINGS; i++)
        forget(&door->readings->items[i]);
    pthread_mutex_destroy(&door->readings->lock);
    free(door->readings);
    door->readings = NULL;
}

/* --- may they? --- */

int reading_decide(struct door *door, const struct catalog_user *user,
                   const struct catalog_node *node, struct reading_right *right,
                   const char **reason)
{
    struct catalog_grant grant;
    *right = (struct reading_right){.object = node->version.object, .key_id = node->version.key_id};
    *reason = "denied";
    if (door_allows(door, user, ACT_READ, node))
        return 0;
    int status =
        catalog_grant_over(door->catalog, user->uid, node->id, door->io->now_ns(door->io), &grant);
    if (status < 0 && status != SR_ERR_NOT_FOUND)
        return status;
    bool granted = status == 0;
    /* The words of a purpose are for people; that there is one is what rules ask for. */
    if (!door_allows_for(door, user, ACT_READ, node, granted ? grant.purpose : "?"))
        return sr_fail(SR_ERR_DENIED, "%s may not read this record", user->account);
    if (!granted) {
        *reason = "purpose";
        return sr_fail(SR_ERR_DENIED, "this record is restricted: state why you open it first, "
                                      "with strongroom view --purpose");
    }
    right->restricted = true;
    right->grant = grant.index;
    right->until_ns = grant.until_ns;
    return 0;
}

static int decide_again(struct door_file *file, struct reading_right *right, const char **reason)
{
    struct door *door = file->door;
    struct catalog_user user;
    struct catalog_node node;
    *reason = "denied";
    int status = door_user(door, &file->actor, &user);
    if (status < 0 || (status = catalog_get(door->catalog, file->node, &node)) < 0 ||
        (status = place_visible(door, &user, &node)) < 0)
        return status == SR_ERR_NOT_FOUND ? SR_ERR_DENIED : status;
    if ((status = reading_decide(door, &user, &node, right, reason)) == 0 && right->restricted &&
        file->cached) {
        *reason = "purpose";
        status = sr_fail(SR_ERR_DENIED, "this record has become restricted: open it again");
    }
    return status;
}

int reading_again(struct door_file *file, struct reading_right *right)
{
    struct door *door = file->door;
    uint64_t generation = atomic_load(&door->rules.generation);
    const char *reason = "denied";
    int status = 0;
    *right = (struct reading_right){.restricted = false};
    if (file->read_generation == generation && !file->restricted)
        return 0;
    pthread_mutex_lock(&file->object_lock);
    *right = file->right;
    pthread_mutex_unlock(&file->object_lock);
    if (file->read_generation == generation &&
        (!right->restricted || door->io->now_ns(door->io) < right->until_ns))
        return 0;
    if ((status = decide_again(file, right, &reason)) < 0)
        return door_refused(door, &file->actor, "read", reason, file->node, NULL, status);
    reading_allowed(file, right, generation);
    return 0;
}

void reading_allowed(struct door_file *file, const struct reading_right *right, uint64_t generation)
{
    pthread_mutex_lock(&file->object_lock);
    file->right = *right;
    pthread_mutex_unlock(&file->object_lock);
    file->restricted = right->restricted;
    file->read_generation = generation;
}

/* --- on record --- */

static json_t *ranges_json(const struct ranges *ranges)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < ranges->count; i++) {
        json_t *range = json_array();
        if (range == NULL ||
            json_array_append_new(range, sr_json_u64_text(ranges->list[i].start)) != 0 ||
            json_array_append_new(range, sr_json_u64_text(ranges->list[i].end)) != 0 ||
            json_array_append(array, range) != 0) {
            json_decref(array);
            array = NULL;
        }
        json_decref(range);
    }
    return array;
}

static int make_entry(struct door *door, const struct reading *reading, json_t **out)
{
    char day[11];
    json_t *entry;
    int status = entry_new(door->io, "record.view", &entry);
    *out = NULL;
    if (status < 0)
        return status;
    sr_day_text(reading->day, day);
    if ((status = entry_set_record(door->vault, entry, &reading->right.object,
                                   reading->right.key_id, NULL)) < 0 ||
        (status = entry_set(entry, "node", sr_json_u64_text(reading->node))) < 0 ||
        (status = entry_set(entry, "uid", json_integer(reading->uid))) < 0 ||
        (status = entry_set(entry, "client", json_string(reading->client))) < 0 ||
        (status = entry_set(entry, "grant", sr_json_u64_text(reading->right.grant))) < 0 ||
        (status = entry_set(entry, "day", json_string(day))) < 0 ||
        (status = entry_set(entry, "opens", json_integer((json_int_t)reading->opens))) < 0 ||
        (status = entry_set(entry, "from", sr_json_i64_text(reading->from_ns))) < 0 ||
        (status = entry_set(entry, "until", sr_json_i64_text(reading->until_ns))) < 0 ||
        (status = entry_set(entry, "coarse", json_boolean(reading->coarse))) < 0 ||
        (status = entry_set(entry, "ranges", ranges_json(&reading->fresh))) < 0) {
        json_decref(entry);
        return status;
    }
    *out = entry;
    return 0;
}

/* What is not on record yet goes there. The lock of the readings is held, door->lock is not. */
static int write_out(struct door *door, struct reading *reading)
{
    json_t *entry;
    int status = 0;
    if (!reading->dirty)
        return 0;
    if (reading->known.count > KNOWN_RANGES)
        ranges_clear(&reading->known);
    if ((status = ranges_reserve(&reading->known, reading->known.count + reading->fresh.count)) <
            0 ||
        (status = make_entry(door, reading, &entry)) < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    status = door_act(door, entry, NULL, &reading->index);
    pthread_mutex_unlock(&door->lock);
    if (status < 0)
        return status;
    (void)ranges_merge(&reading->known, &reading->fresh); /* there is room */
    ranges_clear(&reading->fresh);
    reading->coarse = reading->dirty = false;
    reading->opens = 0;
    return 0;
}

static bool is_of(const struct reading *reading, const struct door_file *file,
                  const struct reading_right *right, int32_t day, const char *client)
{
    return reading->node == file->node && reading->uid == file->actor.uid && reading->day == day &&
           reading->right.grant == right->grant && strcmp(reading->client, client) == 0 &&
           memcmp(&reading->right.object, &right->object, sizeof right->object) == 0;
}

/* The one that file reads into; the one that was read longest ago makes room. */
static int find_or_make(struct door *door, const struct door_file *file,
                        const struct reading_right *right, int32_t day, struct reading **out)
{
    struct reading *oldest = &door->readings->items[0];
    char client[64];
    door_client(&file->actor, client);
    for (size_t i = 0; i < READINGS; i++) {
        struct reading *reading = &door->readings->items[i];
        *out = reading;
        if (is_of(reading, file, right, day, client))
            return 0;
        if (reading->node == 0 || (oldest->node != 0 && reading->read_ns < oldest->read_ns))
            oldest = reading;
    }
    int status = write_out(door, oldest);
    *out = oldest;
    if (status < 0)
        return status;
    forget(oldest);
    oldest->right = *right;
    oldest->node = file->node;
    oldest->uid = file->actor.uid;
    oldest->day = day;
    strcpy(oldest->client, client);
    return 0;
}

/* An entry names so many ranges; what lies between the nearest ones is then taken for read as well. */
static int add_range(struct reading *reading, uint64_t start, uint64_t end)
{
    struct ranges *fresh = &reading->fresh;
    int status = ranges_add(fresh, start, end);
    while (status == 0 && fresh->count > CATALOG_VIEW_RANGES) {
        size_t nearest = 0;
        for (size_t i = 1; i + 1 < fresh->count; i++)
            if (fresh->list[i + 1].start - fresh->list[i].end <
                fresh->list[nearest + 1].start - fresh->list[nearest].end)
                nearest = i;
        status = ranges_add(fresh, fresh->list[nearest].end, fresh->list[nearest + 1].start);
        reading->coarse = true;
    }
    return status;
}

static int note(struct door_file *file, struct reading *reading, uint64_t start, uint64_t end)
{
    struct door *door = file->door;
    int64_t now_ns = door->io->now_ns(door->io);
    reading->read_ns = door->io->boottime_ns(door->io);
    bool fresh = !ranges_contain(&reading->known, start, end) &&
                 !ranges_contain(&reading->fresh, start, end);
    if (fresh) {
        int status = add_range(reading, start, end);
        if (status < 0)
            return status;
    }
    bool first = !atomic_exchange(&file->counted, true);
    reading->opens += first;
    if (!fresh && !first)
        return 0;
    if (!reading->dirty) {
        reading->dirty = true;
        reading->dirty_ns = reading->read_ns;
        reading->from_ns = now_ns;
    }
    reading->until_ns = now_ns;
    return 0;
}

int reading_record(struct door_file *file, const struct reading_right *right, uint64_t offset,
                   size_t len)
{
    struct door *door = file->door;
    struct reading *reading;
    uint64_t index = 0;
    if (!right->restricted || len == 0)
        return 0;
    int32_t day = sr_day_local(door->io->now_ns(door->io));
    pthread_mutex_lock(&door->readings->lock);
    int status = find_or_make(door, file, right, day, &reading);
    if (status == 0 && (status = note(file, reading, offset, offset + len)) == 0 &&
        reading->index == 0) /* the first */
        status = write_out(door, reading);
    if (status == 0)
        index = reading->index;
    pthread_mutex_unlock(&door->readings->lock);
    if (status == 0 && ledger_committed(door->ledger) <= index)
        status = ledger_commit(door->ledger, index);
    return status;
}

void reading_flush(struct door *door, bool force)
{
    int64_t now = door->io->boottime_ns(door->io);
    int32_t today = sr_day_local(door->io->now_ns(door->io));
    bool written = false;
    pthread_mutex_lock(&door->readings->lock);
    for (size_t i = 0; i < READINGS; i++) {
        struct reading *reading = &door->readings->items[i];
        bool old = reading->day != today;
        if (reading->node == 0)
            continue;
        if (reading->dirty && (force || old || now - reading->read_ns >= PAUSE_NS ||
                               now - reading->dirty_ns >= LONGEST_NS)) {
            if (write_out(door, reading) < 0)
                sr_log_failure("readings of a restricted record could not be put on record; "
                               "tried again");
            written = true;
        }
        if (!reading->dirty && old)
            forget(reading);
    }
    pthread_mutex_unlock(&door->readings->lock);
    if (written)
        ledger_kick(door->ledger);
}
