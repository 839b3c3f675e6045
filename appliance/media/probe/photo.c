#include "media/probe/photo.h"

#include <libexif/exif-data.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "media/probe/av.h"

#define HEAD_MAX (4u << 20) /* bytes in which EXIF is looked for */
#define EXIF_MAX 65533u     /* bytes that libexif is given */
#define CHUNKS_MAX 4096     /* of a file, one after the other */

static const uint8_t mark[6] = {'E', 'x', 'i', 'f', 0, 0};

static uint32_t be(const uint8_t *at, size_t len)
{
    uint32_t value = 0;

    for (size_t i = 0; i < len; i++)
        value = value << 8 | at[i];
    return value;
}

static uint32_t le32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* --- where the EXIF block is: without its mark, beginning with the byte order ------------------------------- */

struct block {
    const uint8_t *data;
    size_t len;
};

static bool is_tiff(const uint8_t *at, size_t len)
{
    return len >= 8 && (memcmp(at, "II*\0", 4) == 0 || memcmp(at, "MM\0*", 4) == 0);
}

static struct block in_jpeg(const uint8_t *data, size_t len)
{
    size_t at = 2;

    for (int i = 0; i < CHUNKS_MAX && at + 4 <= len && data[at] == 0xff; i++) {
        size_t size = be(data + at + 2, 2);

        if (data[at + 1] == 0xda || size < 2 || at + 2 + size > len)
            break;
        if (data[at + 1] == 0xe1 && size >= 16 && memcmp(data + at + 4, mark, 6) == 0)
            return (struct block){data + at + 10, size - 8};
        at += 2 + size;
    }
    return (struct block){NULL, 0};
}

static struct block in_png(const uint8_t *data, size_t len)
{
    size_t at = 8;

    for (int i = 0; i < CHUNKS_MAX && at + 12 <= len; i++) {
        size_t size = be(data + at, 4);

        if (size > len - at - 12)
            break;
        if (memcmp(data + at + 4, "eXIf", 4) == 0)
            return (struct block){data + at + 8, size};
        at += 12 + size;
    }
    return (struct block){NULL, 0};
}

static struct block in_webp(const uint8_t *data, size_t len)
{
    size_t at = 12;

    for (int i = 0; i < CHUNKS_MAX && at + 8 <= len; i++) {
        size_t size = le32(data + at + 4), skip = 0;

        if (size > len - at - 8)
            break;
        if (memcmp(data + at, "EXIF", 4) == 0) {
            if (size > 6 && memcmp(data + at + 8, mark, 6) == 0)
                skip = 6;
            return (struct block){data + at + 8 + skip, size - skip};
        }
        at += 8 + size + (size & 1);
    }
    return (struct block){NULL, 0};
}

/* Of HEIF the item's place stands in tables of its own (ISO/IEC 23008-12); what it begins with stands nowhere else. */
static struct block in_heif(const uint8_t *data, size_t len)
{
    for (size_t at = 0; at + 14 < len; at++) {
        const uint8_t *found = memchr(data + at, 'E', len - at - 14);

        if (!found)
            break;
        at = (size_t)(found - data);
        if (memcmp(found, mark, 6) == 0 && is_tiff(found + 6, len - at - 6))
            return (struct block){found + 6, len - at - 6};
    }
    return (struct block){NULL, 0};
}

static struct block find_block(const char *mime, const uint8_t *data, size_t len)
{
    struct block block = {NULL, 0};

    if (strcmp(mime, "image/jpeg") == 0 && len > 2)
        block = in_jpeg(data, len);
    else if (strcmp(mime, "image/png") == 0)
        block = in_png(data, len);
    else if (strcmp(mime, "image/webp") == 0)
        block = in_webp(data, len);
    else if (strcmp(mime, "image/tiff") == 0)
        block = (struct block){data, len};
    else if (strcmp(mime, "image/heic") == 0 || strcmp(mime, "image/heif") == 0 ||
             strcmp(mime, "image/avif") == 0)
        block = in_heif(data, len);
    if (!block.data || !is_tiff(block.data, block.len))
        return (struct block){NULL, 0};
    return block;
}

/* --- tags ---------------------------------------------------------------------------------------------------- */

/* Of ASCII, without blanks at its end; "" when it is not there. */
static void text_of(const ExifContent *ifd, ExifTag tag, char *out, size_t size)
{
    const ExifEntry *entry = exif_content_get_entry((ExifContent *)ifd, tag);
    size_t len = 0;

    if (entry && entry->format == EXIF_FORMAT_ASCII && entry->data)
        len = strnlen((const char *)entry->data, entry->size);
    if (len >= size)
        len = size - 1;
    if (len > 0)
        memcpy(out, entry->data, len);
    while (len > 0 && (out[len - 1] == ' ' || out[len - 1] == '\n'))
        len--;
    out[len] = '\0';
}

static bool rational_at(const ExifData *exif, const ExifEntry *entry, size_t index, double *out)
{
    ExifRational value;

    if (!entry || entry->format != EXIF_FORMAT_RATIONAL || !entry->data ||
        entry->size < 8 * (index + 1))
        return false;
    value = exif_get_rational(entry->data + 8 * index, exif_data_get_byte_order((ExifData *)exif));
    *out = value.denominator ? (double)value.numerator / value.denominator : 0;
    return value.denominator != 0 || (index > 0 && value.numerator == 0);
}

/* Degrees, minutes, seconds and the half of the world. */
static bool angle_of(const ExifData *exif, ExifTag tag, ExifTag half_tag, char negative, double max,
                     double *out)
{
    const ExifContent *gps = exif->ifd[EXIF_IFD_GPS];
    const ExifEntry *entry = exif_content_get_entry((ExifContent *)gps, tag);
    double degrees, minutes, seconds;
    char half[4];

    text_of(gps, half_tag, half, sizeof(half));
    if (!rational_at(exif, entry, 0, &degrees) || !rational_at(exif, entry, 1, &minutes) ||
        !rational_at(exif, entry, 2, &seconds) || !half[0])
        return false;
    *out = (degrees + minutes / 60 + seconds / 3600) * (half[0] == negative ? -1 : 1);
    return *out >= -max && *out <= max;
}

static void describe_place(const ExifData *exif, struct describe *answer)
{
    const ExifEntry *entry =
        exif_content_get_entry(exif->ifd[EXIF_IFD_GPS], (ExifTag)EXIF_TAG_GPS_ALTITUDE);
    const ExifEntry *below =
        exif_content_get_entry(exif->ifd[EXIF_IFD_GPS], (ExifTag)EXIF_TAG_GPS_ALTITUDE_REF);
    double latitude, longitude, altitude;

    if (angle_of(exif, (ExifTag)EXIF_TAG_GPS_LATITUDE, (ExifTag)EXIF_TAG_GPS_LATITUDE_REF, 'S', 90,
                 &latitude) &&
        angle_of(exif, (ExifTag)EXIF_TAG_GPS_LONGITUDE, (ExifTag)EXIF_TAG_GPS_LONGITUDE_REF, 'W',
                 180, &longitude)) {
        describe_real(answer, "latitude", latitude);
        describe_real(answer, "longitude", longitude);
    }
    if (rational_at(exif, entry, 0, &altitude) && altitude < 100000)
        describe_real(answer, "altitude",
                      below && below->data && below->size > 0 && below->data[0] == 1 ? -altitude
                                                                                     : altitude);
}

/* "2026:03:05 14:03:22", "+08:00", "512": as RFC 3339, without the offset if there is none. */
static void describe_time(const ExifData *exif, struct describe *answer)
{
    const ExifContent *ifd = exif->ifd[EXIF_IFD_EXIF];
    char taken[32], offset[16], part[16], text[80], ns_text[24];
    unsigned year, month, day, hour, minute, second, hours, minutes;
    int64_t ns;
    char sign;

    text_of(ifd, EXIF_TAG_DATE_TIME_ORIGINAL, taken, sizeof(taken));
    text_of(ifd, EXIF_TAG_OFFSET_TIME_ORIGINAL, offset, sizeof(offset));
    text_of(ifd, EXIF_TAG_SUB_SEC_TIME_ORIGINAL, part, sizeof(part));
    if (!taken[0]) {
        text_of(exif->ifd[EXIF_IFD_0], EXIF_TAG_DATE_TIME, taken, sizeof(taken));
        text_of(ifd, EXIF_TAG_OFFSET_TIME, offset, sizeof(offset));
        part[0] = '\0';
    }
    if (sscanf(taken, "%4u:%2u:%2u %2u:%2u:%2u", &year, &month, &day, &hour, &minute, &second) !=
            6 ||
        !sr_time_from_local(year, month, day, hour, minute, second, &ns))
        return;
    if (strspn(part, "0123456789") != strlen(part) || strlen(part) > 9)
        part[0] = '\0';
    if (sscanf(offset, "%c%2u:%2u", &sign, &hours, &minutes) != 3 || (sign != '+' && sign != '-') ||
        hours > 23 || minutes > 59)
        offset[0] = '\0';
    snprintf(text, sizeof(text), "%04u-%02u-%02uT%02u:%02u:%02u%s%.9s%.6s", year, month, day, hour,
             minute, second, part[0] ? "." : "", part, offset);
    describe_text_value(answer, "created", text);
    if (!offset[0])
        return;
    ns += (8 * 3600 - (int64_t)(sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60)) *
          INT64_C(1000000000);
    for (size_t i = 0, weight = 100000000; part[i]; i++, weight /= 10)
        ns += (int64_t)weight * (part[i] - '0');
    snprintf(ns_text, sizeof(ns_text), "%lld", (long long)ns);
    describe_text_value(answer, "created_ns", ns_text);
}

static void describe_rotation(const ExifData *exif, struct describe *answer)
{
    static const int degrees[] = {0, 0, 0, 180, 180, 90, 90, 270, 270};
    const ExifEntry *entry = exif_content_get_entry(exif->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);

    if (entry && entry->format == EXIF_FORMAT_SHORT && entry->data && entry->size >= 2) {
        unsigned value = exif_get_short(entry->data, exif_data_get_byte_order((ExifData *)exif));

        if (value >= 1 && value <= 8)
            describe_number(answer, "rotation", degrees[value]);
    }
}

static void describe_tag(const ExifContent *ifd, ExifTag tag, struct describe *answer,
                         const char *key)
{
    char text[DESCRIBE_VALUE_MAX];

    text_of(ifd, tag, text, sizeof(text));
    if (text[0])
        describe_text_value(answer, key, text);
}

static int describe_exif(const struct block *block, struct describe *answer)
{
    size_t len = block->len < EXIF_MAX ? block->len : EXIF_MAX;
    uint8_t *marked = malloc(sizeof(mark) + len);
    ExifData *exif = exif_data_new();

    if (!marked || !exif) {
        free(marked);
        exif_data_unref(exif);
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    }
    memcpy(marked, mark, sizeof(mark));
    memcpy(marked + sizeof(mark), block->data, len);
    exif_data_unset_option(exif,
                           EXIF_DATA_OPTION_FOLLOW_SPECIFICATION); /* what is there, as it is */
    exif_data_set_option(exif, EXIF_DATA_OPTION_DONT_CHANGE_MAKER_NOTE);
    exif_data_load_data(exif, marked, (unsigned)(sizeof(mark) + len));
    describe_time(exif, answer);
    describe_tag(exif->ifd[EXIF_IFD_0], EXIF_TAG_MAKE, answer, "make");
    describe_tag(exif->ifd[EXIF_IFD_0], EXIF_TAG_MODEL, answer, "model");
    describe_tag(exif->ifd[EXIF_IFD_0], EXIF_TAG_SOFTWARE, answer, "software");
    describe_place(exif, answer);
    describe_rotation(exif, answer);
    exif_data_unref(exif);
    free(marked);
    return 0;
}

int photo_describe(struct probe_source *source, struct describe *answer, const char *mime)
{
    uint64_t size = probe_source_size(source);
    size_t len = size < HEAD_MAX ? (size_t)size : HEAD_MAX, got = 0;
    uint8_t *data = malloc(len + 1);
    struct block block;
    int rc;

    if (!data)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = probe_source_read(source, 0, data, len, &got);
    block = find_block(mime, data, got);
    if (!rc && block.data)
        rc = describe_exif(&block, answer);
    free(data);
    if (!rc && (strcmp(mime, "image/heic") != 0 && strcmp(mime, "image/heif") != 0 &&
                strcmp(mime, "image/avif") != 0))
        rc = av_describe(source, answer, mime); /* the size; what EXIF has said stays */
    return rc;
}
