#include "media/probe/ole.h"

#include <string.h>

#define HEADER_LEN 512
#define SECTOR_MAX 4096
#define ENTRY_LEN 128
#define AT_SECTOR_SHIFT 30
#define AT_DIRECTORY 48
#define AT_MORE_TABLES \
    68 /* the first sector of places of the table's sectors, behind those of the header */
#define AT_TABLES 76
#define TABLES_IN_HEADER 109
#define SECTORS_MAX 4096 /* of a directory, and of places of the table: 1 GiB of sectors */
#define READS_MAX \
    50000 /* in all: chains are walked from their beginning, for each sector of the directory */
#define LAST_SECTOR 0xfffffffau

struct ole {
    struct probe_source *source;
    uint8_t header[HEADER_LEN];
    uint32_t sector_len;
    unsigned reads;
};

static uint32_t get_le32(const uint8_t *in)
{
    return in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

bool ole_is(const uint8_t *head, size_t len)
{
    return len >= HEADER_LEN && memcmp(head, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8) == 0;
}

/* len bytes at a place within a sector; zeros beyond the file, ones (no sector) beyond the limit. */
static int read_sector(struct ole *ole, uint32_t sector, uint32_t at, uint8_t *out, size_t len)
{
    size_t got;
    int rc;

    if (ole->reads++ >= READS_MAX) {
        memset(out, 0xff, len);
        return 0;
    }
    rc = probe_source_read(ole->source, ((uint64_t)sector + 1) * ole->sector_len + at, out, len,
                           &got);

    memset(out + got, 0, len - got);
    return rc;
}

/* The sector that holds the nth part of the table; LAST_SECTOR for none. */
static int find_table(struct ole *ole, uint32_t n, uint32_t *sector)
{
    uint32_t places =
        ole->sector_len / 4 - 1; /* in each sector of them, then the next one's number */
    uint8_t number[4];
    int rc = 0;

    if (n < TABLES_IN_HEADER) {
        *sector = get_le32(ole->header + AT_TABLES + 4 * n);
        return 0;
    }
    n -= TABLES_IN_HEADER;
    *sector = get_le32(ole->header + AT_MORE_TABLES);
    for (unsigned steps = 0; !rc && n >= places && *sector < LAST_SECTOR; n -= places, steps++) {
        rc = read_sector(ole, *sector, 4 * places, number, sizeof(number));
        *sector = steps < SECTORS_MAX ? get_le32(number) : LAST_SECTOR;
    }
    if (rc || *sector >= LAST_SECTOR)
        return rc;
    rc = read_sector(ole, *sector, 4 * n, number, sizeof(number));
    *sector = get_le32(number);
    return rc;
}

/* The sector behind *sector in its chain. */
static int next_sector(struct ole *ole, uint32_t *sector)
{
    uint32_t per_table = ole->sector_len / 4, table = LAST_SECTOR;
    uint8_t number[4];
    int rc = find_table(ole, *sector / per_table, &table);

    if (!rc && table < LAST_SECTOR) {
        rc = read_sector(ole, table, 4 * (*sector % per_table), number, sizeof(number));
        table = get_le32(number);
    }
    *sector = table;
    return rc;
}

/* entry: UTF-16LE, its length in bytes with the NUL at 64. */
static bool is_called(const uint8_t *entry, const char *name)
{
    size_t len = strlen(name);

    if (entry[64] != 2 * (len + 1) || entry[65] != 0 || entry[66] == 0)
        return false;
    for (size_t i = 0; i < len; i++)
        if (entry[2 * i] != (uint8_t)name[i] || entry[2 * i + 1] != 0)
            return false;
    return true;
}

int ole_has(struct probe_source *source, const char *name, bool *found)
{
    struct ole ole = {.source = source};
    uint8_t sector[SECTOR_MAX];
    uint32_t at;
    size_t got;
    int rc = probe_source_read(source, 0, ole.header, HEADER_LEN, &got);

    *found = false;
    if (rc || got < HEADER_LEN)
        return rc;
    if (ole.header[AT_SECTOR_SHIFT] != 9 && ole.header[AT_SECTOR_SHIFT] != 12)
        return 0;
    ole.sector_len = 1u << ole.header[AT_SECTOR_SHIFT];
    at = get_le32(ole.header + AT_DIRECTORY);
    for (unsigned i = 0; i < SECTORS_MAX && at < LAST_SECTOR && !*found; i++) {
        rc = read_sector(&ole, at, 0, sector, ole.sector_len);
        for (uint32_t entry = 0; !rc && entry < ole.sector_len; entry += ENTRY_LEN)
            *found |= is_called(sector + entry, name);
        if (!rc)
            rc = next_sector(&ole, &at);
        if (rc)
            return rc;
    }
    return 0;
}
