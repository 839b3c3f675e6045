/* Human output: aligned columns of text with wide (Chinese) characters, sizes, safe text. Pure
 * but for the printing itself. */
#ifndef SR_TOOLS_COLUMN_H
#define SR_TOOLS_COLUMN_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define COLUMN_MAX 10
#define COLUMN_SIZE_TEXT 16

/* Zero-initialise; column_free() when done. Out of memory makes failed true and drops rows. */
struct column_table {
    char **cells; /* rows * columns, each owned */
    size_t columns, rows, capacity;
    unsigned right; /* bit i: column i is aligned to the right */
    int failed;
};

/* Columns on a terminal: 2 for East Asian wide characters, 0 for combining ones. */
size_t column_width(const char *text);
/* "812 B", "1.4 MiB", "12 GiB". */
void column_size(uint64_t bytes, char out[COLUMN_SIZE_TEXT]);
/* Prints text with every control character, direction override and malformed byte shown as '?':
 * names come from other people and must not talk to the terminal. */
void column_print_safe(FILE *out, const char *text);

/* Cells are copied; NULL is an empty one. */
void column_row(struct column_table *table, const char *const *cells);
/* Columns two spaces apart, no trailing blanks. */
void column_print(const struct column_table *table, FILE *out);
void column_free(struct column_table *table);

#endif
