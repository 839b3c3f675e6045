#include "tools/column.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct range {
    uint32_t first, last;
};

static const struct range wide[] = {
    /* Unicode East Asian Width W and F, in whole blocks */
    {0x1100, 0x115f}, {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},
    {0xa000, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
    {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};
static const struct range unseen[] = {
    {0x0300, 0x036f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};
static const struct range unsafe[] = {
    {0x00, 0x1f}, {0x7f, 0x9f}, {0x2028, 0x2029}, {0x202a, 0x202e}, {0x2066, 0x2069},
};

/* One code point at *text, which moves on. Malformed bytes give UINT32_MAX, one at a time. */
static uint32_t next_code_point(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    size_t len = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
    uint32_t code;

    if (strnlen(*text, len) < len || !sr_utf8_valid(*text, len)) {
        *text += 1;
        return UINT32_MAX;
    }
    code = len == 1 ? p[0] : p[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++)
        code = code << 6 | (p[i] & 0x3fu);
    *text += len;
    return code;
}

#define IS_IN(ranges, code) is_in(ranges, sizeof ranges / sizeof ranges[0], code)

static bool is_in(const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

size_t column_width(const char *text)
{
    size_t width = 0;

    while (*text != '\0') {
        uint32_t code = next_code_point(&text);

        if (code == UINT32_MAX || IS_IN(unsafe, code))
            width += 1; /* shown as '?' */
        else
            width += IS_IN(wide, code) ? 2 : IS_IN(unseen, code) ? 0 : 1;
    }
    return width;
}

void column_print_safe(FILE *out, const char *text)
{
    while (*text != '\0') {
        const char *start = text;
        uint32_t code = next_code_point(&text);

        if (code == UINT32_MAX || IS_IN(unsafe, code))
            fputc('?', out);
        else
            fwrite(start, 1, (size_t)(text - start), out);
    }
}

void column_size(uint64_t bytes, char out[COLUMN_SIZE_TEXT])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;

    if (bytes < 1024) {
        snprintf(out, COLUMN_SIZE_TEXT, "%u B", (unsigned)bytes);
        return;
    }
    value /= 1024;
    /* 1023.95 would print as 1024 of the smaller unit. */
    while (value >= 1023.5 && unit < 5) {
        value /= 1024;
        unit++;
    }
    snprintf(out, COLUMN_SIZE_TEXT, value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void column_row(struct column_table *table, const char *const *cells)
{
    if (table->rows == table->capacity) {
        size_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
        char **more = realloc(table->cells, capacity * table->columns * sizeof *more);

        if (more == NULL) {
            table->failed = 1;
            return;
        }
        table->cells = more;
        table->capacity = capacity;
    }
    for (size_t i = 0; i < table->columns; i++) {
        char *copy = strdup(cells[i] != NULL ? cells[i] : "");

        if (copy == NULL)
            table->failed = 1;
        table->cells[table->rows * table->columns + i] = copy;
    }
    table->rows++;
}

static const char *cell_at(const struct column_table *table, size_t row, size_t column)
{
    const char *cell = table->cells[row * table->columns + column];

    return cell != NULL ? cell : "";
}

void column_print(const struct column_table *table, FILE *out)
{
    size_t widths[COLUMN_MAX] = {0};

    for (size_t row = 0; row < table->rows; row++)
        for (size_t i = 0; i < table->columns; i++) {
            size_t width = column_width(cell_at(table, row, i));

            if (width > widths[i])
                widths[i] = width;
        }
    for (size_t row = 0; row < table->rows; row++) {
        size_t blanks = 0;

        for (size_t i = 0; i < table->columns; i++) {
            const char *cell = cell_at(table, row, i);
            size_t pad = widths[i] - column_width(cell);
            bool right = (table->right & 1u << i) != 0;

            /* Blanks are owed until something follows them. */
            blanks += right ? pad : 0;
            if (cell[0] != '\0') {
                fprintf(out, "%*s", (int)blanks, "");
                blanks = 0;
            }
            column_print_safe(out, cell);
            blanks += (right ? 0 : pad) + 2;
        }
        fputc('\n', out);
    }
}

void column_free(struct column_table *table)
{
    for (size_t i = 0; i < table->rows * table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct column_table){0};
}
