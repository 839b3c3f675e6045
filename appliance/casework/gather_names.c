#include "casework/gather_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define EXTENSION_MAX 16 /* bytes; what is longer belongs to the stem */
#define FROM_MAX 120     /* bytes of what is said of the place */

static size_t whole_characters(const char *text, size_t len)
{
    while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static const char *extension_of(const struct gather_item *item)
{
    const char *dot = strrchr(item->name, '.'), *end = item->name + strlen(item->name);
    return item->folder || dot == NULL || dot == item->name || end - dot > EXTENSION_MAX ? end
                                                                                         : dot;
}

/* more comes before the extension; the stem is cut where there is no room. */
static void insert(struct gather_item *item, const char *more)
{
    const char *extension = extension_of(item);
    char tail[CATALOG_NAME_MAX + 1];
    size_t stem = (size_t)(extension - item->name);
    size_t len = (size_t)snprintf(tail, sizeof tail, "%s%s", more, extension);
    if (stem + len > CATALOG_NAME_MAX)
        stem = whole_characters(item->name, CATALOG_NAME_MAX - len);
    memcpy(item->name + stem, tail, len + 1);
}

static void tell_apart(struct gather_item *item)
{
    char more[FROM_MAX + 16];
    size_t len = strlen(item->from);
    if (item->told++ == 0) {
        len = len > FROM_MAX ? whole_characters(item->from, FROM_MAX) : len;
        snprintf(more, sizeof more, "（%.*s）", (int)len, item->from);
    } else {
        snprintf(more, sizeof more, "〔同名%llu〕", (unsigned long long)(item->id / 256));
    }
    insert(item, more);
}

static int by_fold(const void *a, const void *b)
{
    const struct gather_item *one = *(struct gather_item *const *)a,
                             *other = *(struct gather_item *const *)b;
    return strcmp(one->fold, other->fold);
}

/* Those of one name that were told apart so often already get more; the first time that is all of them. */
static int one_round(struct gather_item *items, struct gather_item **order, size_t count,
                     unsigned round)
{
    for (size_t i = 0; i < count; i++) {
        order[i] = &items[i];
        free(items[i].fold);
        items[i].fold = NULL;
        int status = sr_name_fold(items[i].name, &items[i].fold);
        if (status < 0)
            return status;
    }
    qsort(order, count, sizeof *order, by_fold);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && strcmp(order[end]->fold, order[i]->fold) == 0;)
            end++;
        for (size_t k = i; end - i > 1 && k < end; k++)
            if (order[k]->told == round)
                tell_apart(order[k]);
    }
    return 0;
}

int gather_names(struct gather_item *items, size_t count)
{
    struct gather_item **order = calloc(count > 0 ? count : 1, sizeof *order);
    int status = order != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "no memory for a folder");
    for (unsigned round = 0; status == 0 && round < 2; round++)
        status = one_round(items, order, count, round);
    for (size_t i = 0; i < count; i++) {
        free(items[i].fold);
        items[i].fold = NULL;
    }
    free(order);
    return status;
}
