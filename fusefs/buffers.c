#include <stdlib.h>

#include "fusefs/fusefs_internal.h"

/* A free buffer holds the link to the next one in its first bytes. */
struct buffers_item {
    struct buffers_item *next;
};

void *buffers_take(struct fusefs *fs)
{
    struct buffers_item *item;

    pthread_mutex_lock(&fs->lock);
    item = fs->buffers;
    if (item)
        fs->buffers = item->next;
    pthread_mutex_unlock(&fs->lock);
    return item ? item : aligned_alloc(4096, FUSEFS_MAX_IO);
}

/* There are never more buffers than request threads, so the list needs no limit of its own. */
void buffers_give(struct fusefs *fs, void *buffer)
{
    struct buffers_item *item = buffer;

    if (!item)
        return;
    pthread_mutex_lock(&fs->lock);
    item->next = fs->buffers;
    fs->buffers = item;
    pthread_mutex_unlock(&fs->lock);
}

void buffers_free(struct fusefs *fs)
{
    while (fs->buffers) {
        struct buffers_item *item = fs->buffers;

        fs->buffers = item->next;
        free(item);
    }
}
