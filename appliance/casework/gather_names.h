/* The names of links in one folder of 按对象 or 按日期 (gather.h): a pure function of what one person sees there. */
#ifndef SR_CASEWORK_GATHER_NAMES_H
#define SR_CASEWORK_GATHER_NAMES_H

#include "catalog/catalog.h"

struct gather_item {
    uint64_t id;                     /* of the case or record */
    bool folder;                     /* its name has no extension */
    char name[CATALOG_NAME_MAX + 1]; /* in: its own; out: to be shown */
    char from[CATALOG_NAME_MAX + 1]; /* where it lies: the case, the year, whose 待归案 */
    unsigned told;                   /* private */
    char *fold;                      /* private */
};

/* Ids differ, and items are in the order of their ids and stay in it. */
int gather_names(struct gather_item *items, size_t count);

#endif
