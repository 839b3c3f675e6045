#include "policy/cedar_ip.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* A decimal number of at most max_digits digits without leading zero. */
static bool parse_number(const char **at, const char *end, int max_digits, unsigned max,
                         unsigned *out)
{
    const char *start = *at;
    unsigned value = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        if (*at - start >= max_digits)
            return false;
        value = value * 10 + (unsigned)(**at - '0');
    }
    *out = value;
    return *at > start && (*start != '0' || *at - start == 1) && value <= max;
}

static bool parse_v4(const char *at, const char *end, uint8_t address[16])
{
    for (int i = 0; i < 4; i++) {
        unsigned value;
        if (i && (at == end || *at++ != '.'))
            return false;
        if (!parse_number(&at, end, 3, 255, &value))
            return false;
        address[i] = (uint8_t)value;
    }
    return at == end;
}

/* Groups of one to four hex digits with a colon between them, as far as they go, at most max. What
 * follows the last whole group stays unread. */
static int parse_groups(const char **at, const char *end, uint16_t *groups, int max)
{
    int count = 0;
    while (count < max) {
        const char *next = *at;
        if (count && (next == end || *next++ != ':'))
            break;
        unsigned value = 0;
        int digits = 0;
        for (; next < end && digits < 4 && hex_digit(*next) >= 0; next++, digits++)
            value = value << 4 | (unsigned)hex_digit(*next);
        if (!digits)
            break;
        groups[count++] = (uint16_t)value;
        *at = next;
    }
    return count;
}

/* RFC 4291 section 2.2, forms 1 and 2; "::" stands for one group or more. */
static bool parse_v6(const char *at, const char *end, uint8_t address[16])
{
    uint16_t head[8] = {0};
    uint16_t tail[8];
    int count = parse_groups(&at, end, head, 8);
    if (count < 8) {
        if (end - at < 2 || at[0] != ':' || at[1] != ':')
            return false;
        at += 2;
        int after = parse_groups(&at, end, tail, 7 - count);
        for (int i = 0; i < after; i++)
            head[8 - after + i] = tail[i];
    }
    for (int i = 0; i < 8; i++) {
        address[2 * i] = (uint8_t)(head[i] >> 8);
        address[2 * i + 1] = (uint8_t)head[i];
    }
    return at == end;
}

bool cedar_ip_parse(const char *text, size_t len, struct cedar_ip *out)
{
    const char *end = text + len;
    const char *slash = memchr(text, '/', len);
    const char *stop = slash ? slash : end;
    *out = (struct cedar_ip){0};
    if (len > 43) /* eight groups and "/128" */
        return false;
    out->v6 = memchr(text, ':', (size_t)(stop - text)) != NULL;
    if (!(out->v6 ? parse_v6(text, stop, out->address) : parse_v4(text, stop, out->address)))
        return false;
    unsigned prefix = out->v6 ? 128 : 32;
    if (slash) {
        slash++;
        if (!parse_number(&slash, end, out->v6 ? 3 : 2, prefix, &prefix) || slash != end)
            return false;
    }
    out->prefix = (uint8_t)prefix;
    return true;
}

/* Whether the first bits of both addresses agree. */
static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    if (memcmp(a, b, bits / 8))
        return false;
    return bits % 8 == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8) == 0;
}

bool cedar_ip_in_range(const struct cedar_ip *ip, const struct cedar_ip *range)
{
    return ip->v6 == range->v6 && ip->prefix >= range->prefix &&
           same_prefix(ip->address, range->address, range->prefix);
}

bool cedar_ip_is_loopback(const struct cedar_ip *ip)
{
    static const struct cedar_ip v4 = {.prefix = 8, .address = {127}};
    static const struct cedar_ip v6 = {.v6 = true, .prefix = 128, .address = {[15] = 1}};
    return cedar_ip_in_range(ip, ip->v6 ? &v6 : &v4);
}

bool cedar_ip_is_multicast(const struct cedar_ip *ip)
{
    static const struct cedar_ip v4 = {.prefix = 4, .address = {224}};
    static const struct cedar_ip v6 = {.v6 = true, .prefix = 8, .address = {0xff}};
    return cedar_ip_in_range(ip, ip->v6 ? &v6 : &v4);
}
