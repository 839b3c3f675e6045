#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "fusefs/fusefs_internal.h"

int handles_add(struct fusefs *fs, struct door_file *file, bool write, struct handle **out)
{
    struct handle *handle = calloc(1, sizeof(*handle));

    *out = handle;
    if (!handle)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for an open file");
    handle->file = file;
    atomic_init(&handle->unflushed, write);
    pthread_mutex_lock(&fs->lock);
    handle->next = fs->handles;
    if (handle->next)
        handle->next->previous = handle;
    fs->handles = handle;
    pthread_mutex_unlock(&fs->lock);
    return 0;
}

void handles_release(struct fusefs *fs, struct handle *handle)
{
    pthread_mutex_lock(&fs->lock);
    if (handle->next)
        handle->next->previous = handle->previous;
    if (handle->previous)
        handle->previous->next = handle->next;
    else
        fs->handles = handle->next;
    pthread_mutex_unlock(&fs->lock);
    door_release(handle->file);
    free(handle);
}

/* A writer whose close we have not answered was cut off by the unmount, as by a kill: what it wrote
 * is kept, but must not pass for the whole file. */
void handles_abandon(struct fusefs *fs)
{
    while (fs->handles) {
        struct handle *handle = fs->handles;

        if (atomic_load(&handle->unflushed) && door_flush(handle->file, true))
            sr_log_failure("a file that was open at the unmount");
        handles_release(fs, handle);
    }
}
