/* Damage that a reader meets: an alert for each place of a record, not one for each try. A player that
 * meets a bad segment asks for it again and again. */
#include <string.h>

#include "base/log.h"
#include "base/error.h"
#include "casework/door_internal.h"

static uint64_t hash_place(const struct vault_object_id *object, const char *why)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a: a folding key, nothing secret */
    for (size_t i = 0; i < sizeof object->bytes; i++)
        hash = (hash ^ object->bytes[i]) * UINT64_C(0x100000001b3);
    for (; *why != '\0'; why++)
        hash = (hash ^ (uint8_t)*why) * UINT64_C(0x100000001b3);
    return hash | 1;
}

/* Was it told within DOOR_DAMAGE_NS? From now on it was. */
static bool told(struct door *door, uint64_t place)
{
    int64_t now = door->io->boottime_ns(door->io);
    struct damage_fold *free_fold = &door->damage[0];
    bool found = false;
    pthread_mutex_lock(&door->lock);
    for (size_t i = 0; i < DOOR_DAMAGE && !found; i++) {
        found = door->damage[i].place == place && door->damage[i].until_ns > now;
        if (door->damage[i].until_ns < free_fold->until_ns)
            free_fold = &door->damage[i];
    }
    if (!found)
        *free_fold = (struct damage_fold){.place = place, .until_ns = now + DOOR_DAMAGE_NS};
    pthread_mutex_unlock(&door->lock);
    return found;
}

int door_damaged(struct door *door, const struct vault_object_id *object, int status)
{
    struct sr_error_copy why;
    if (status != SR_ERR_DAMAGED)
        return status;
    sr_error_save(&why, status);
    if (!told(door, hash_place(object, why.message))) {
        sr_log(SR_LOG_ERROR, "read refused: %s", why.message);
        door_alert(door, "object.damaged", object, why.message);
    }
    return sr_error_raise(&why);
}
