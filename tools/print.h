/* How what the daemon answers is shown to people. Members that are missing are shown as "-". */
#ifndef SR_TOOLS_PRINT_H
#define SR_TOOLS_PRINT_H

#include <jansson.h>
#include <stdint.h>

#include "tools/column.h"
#include "tools/tool.h"

#define PRINT_TIME_TEXT 20

/* Text member, "" if absent. */
const char *print_text(const json_t *object, const char *member);
/* A size or time member (number or decimal string) as text, "-" if absent. */
void print_size(const json_t *object, const char *member, char out[COLUMN_SIZE_TEXT]);
void print_time(const json_t *object, const char *member, char out[PRINT_TIME_TEXT]);

/* State, size, time and name of a node in a table of four columns. */
void print_node_row(struct column_table *table, const json_t *node, const char *name);
/* "name: value" lines: of a node, a record with all that is known of it. */
void print_node(const json_t *node);
/* Any object: members flattened as "a.b", those of a list's objects as "a.1.b", aligned. */
void print_object(const json_t *object);

/* A list from the daemon: as JSON items, or into rows of a table which print_list_end prints. */
struct print_list {
    struct tool *tool;
    struct column_table table;
    void (*row)(struct column_table *table, const json_t *item);
    size_t count;
};
/* A client_item_fn whose context is a struct print_list. */
int print_list_item(void *context, const json_t *item);
/* Prints what was collected if rc is 0; frees it; returns the exit status for rc. */
int print_list_end(struct print_list *list, int rc);

#endif
