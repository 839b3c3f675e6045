#include "tests/bench/agency.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PER_CASE 50
#define WORDS 4000

static unsigned seed = 7;

unsigned agency_below(unsigned limit)
{
    return (unsigned)rand_r(&seed) % limit;
}

double agency_resident_mib(void)
{
    long pages = 0, all = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%ld %ld", &all, &pages) != 2)
        exit(3);
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576.0;
}

/* One of the 3000 most common places for a character, as UTF-8 (3 bytes). */
static void put_char(char *out, unsigned n)
{
    unsigned c = 0x4e00 + n;

    out[0] = (char)(0xe0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 0x3f));
    out[2] = (char)(0x80 | (c & 0x3f));
}

void agency_word(char *out, unsigned w)
{
    put_char(out, w * 7 % 3000);
    put_char(out + 3, (w * 13 + 5) % 3000);
    out[6] = '\0';
}

unsigned agency_any_word(void)
{
    unsigned a = agency_below(WORDS) + 1, b = agency_below(WORDS) + 1;

    return (unsigned)((uint64_t)a * b / (WORDS + 1)) % WORDS;
}

/* Ids and hashes are spread, as random ones are. */
static void put_spread(char *out, size_t digits, uint64_t from)
{
    for (size_t i = 0; i < digits; i += 16) {
        uint64_t x = from += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

        x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
        snprintf(out + i, 17, "%016llx", (unsigned long long)(x ^ x >> 31));
    }
}

static json_t *open_case(struct agency_maker *m)
{
    char name[64];

    m->case_index = m->index;
    m->cases++;
    snprintf(name, sizeof(name), "桐卫医罚〔2026〕%llu号",
             (unsigned long long)(m->made / PER_CASE + 1));
    return json_pack("{s:i,s:s,s:s,s:i,s:s,s:[s,s,s],s:s,s:b,s:i,s:s}", "v", 1, "act", "case.open",
                     "time", "1767225600000000000", "year", 2026, "name", name, "stages",
                     "01受理立案", "02调查取证", "03审核", "drafts", "草稿", "provisional", 1,
                     "uid", 20000, "client", "");
}

static json_t *index_entry(struct agency_maker *m, const char *object, const char *node)
{
    bool document = m->made % 5 == 0;
    char text_id[33], hash[65], captured[40];

    put_spread(text_id, 32, m->record_index ^ UINT64_C(1) << 40);
    put_spread(hash, 64, m->record_index ^ UINT64_C(1) << 41);
    snprintf(captured, sizeof(captured), "2026-%02u-%02uT%02u:03:22+08:00", 1 + agency_below(10),
             1 + agency_below(28), agency_below(24));
    if (document)
        return json_pack(
            "{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:{s:s,s:s,s:s,s:s,s:s,s:s},s:{s:{s:s,s:i}}}", "v", 1,
            "act", "record.index", "time", "1772600000000000000", "object", object, "key", "1",
            "node", node, "outcome", "described", "rules", 1, "text", "object", text_id, "key", "2",
            "size", "2100", "sha256", hash, "tag_root", hash, "header_sha256", hash, "private",
            "media", "type", "application/pdf", "pages", 3);
    return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:{s:{s:s,s:i,s:s},s:[{s:s,s:s,s:s}]}}", "v",
                     1, "act", "record.index", "time", "1772600000000000000", "object", object,
                     "key", "1", "node", node, "outcome", "described", "rules", 1, "private",
                     "media", "type", "video/mp4", "duration_ms",
                     (int)(1000 + agency_below(3600000)), "container", "mov,mp4", "labels", "label",
                     "captured", "value", captured, "source", "name");
}

static json_t *label_entry(struct agency_maker *m, const char *object, const char *node)
{
    char place[64] = "利州区", person[16], subject[32], proves[16], word[8];

    agency_word(word, agency_below(500));
    strcat(place, word);
    strcat(place, "街道");
    snprintf(person, sizeof(person), "川H%03u", agency_below(AGENCY_PEOPLE));
    snprintf(subject, sizeof(subject), "91350100M%06u43X", agency_below(100000));
    agency_word(proves, agency_any_word());
    return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:{s:i,s:s,s:[{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:"
                     "s},{s:s,s:s}]}}",
                     "v", 1, "act", "record.label", "time", "1772600000000000000", "object", object,
                     "key", "1", "node", node, "private", "uid",
                     20000 + (int)(m->made % AGENCY_PEOPLE), "source", "tool", "labels", "label",
                     "place", "value", place, "label", "person", "value", person, "label", "proves",
                     "value", proves, "label", "subject", "value", subject, "label", "captured",
                     "value", "2026-03-05T14:03:22+08:00");
}

json_t *agency_next(struct agency_maker *m)
{
    char object[33], node[24], parent[24], in_case[24], number[24], name[64], hash[65], word[8];

    if (!m->begun) {
        m->begun = true;
        return json_pack("{s:i,s:s,s:s,s:i,s:i}", "v", 1, "act", "year.open", "time", "1", "year",
                         2026, "uid", 0);
    }
    if (m->step == 0 && m->made / PER_CASE == m->cases)
        return open_case(m);
    if (m->step == 0)
        m->record_index = m->index;
    put_spread(object, 32, m->record_index);
    put_spread(hash, 64, m->record_index ^ UINT64_C(1) << 42);
    snprintf(node, sizeof(node), "%llu", (unsigned long long)(m->record_index + 1) * 256);
    snprintf(in_case, sizeof(in_case), "%llu", (unsigned long long)(m->case_index + 1) * 256);
    snprintf(parent, sizeof(parent), "%llu",
             (unsigned long long)(m->case_index + 1) * 256 + 1 + m->made % 3);
    switch (m->step++) {
    case 0:
        agency_word(word, agency_any_word());
        if (m->made % 5 == 0)
            snprintf(name, sizeof(name), "%s询问笔录%llu.pdf", word, (unsigned long long)m->made);
        else
            snprintf(name, sizeof(name), "VID_2026%04u_%06llu%s.mp4", agency_below(1231),
                     (unsigned long long)m->made % 1000000, word);
        return json_pack("{s:i,s:s,s:s,s:s,s:s,s:{s:s,s:s,s:i,s:s,s:b,s:b}}", "v", 1, "act",
                         "record.create", "time", "1772600000000000000", "object", object, "key",
                         "1", "private", "parent", parent, "name", name, "uid",
                         20000 + (int)(m->made % AGENCY_PEOPLE), "client", "10.0.0.1", "draft", 0,
                         "junk", 0);
    case 1:
        return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:[],s:i,s:b}", "v", 1,
                         "act", "record.seal", "time", "1772600000000000000", "object", object,
                         "key", "1", "size", "104857600", "sha256", hash, "tag_root", hash,
                         "header_sha256", hash, "mtime", "1", "state", "sealed", "salvaged", 0,
                         "holes", "hole_count", 0, "empty", 0);
    case 2:
        return index_entry(m, object, node);
    case 3:
        return label_entry(m, object, node);
    default:
        m->step = 0;
        snprintf(number, sizeof(number), "%llu", (unsigned long long)(m->made % PER_CASE + 1));
        m->made++;
        return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "v", 1, "act", "record.enter",
                         "time", "1772600000000000000", "object", object, "key", "1", "node", node,
                         "case", in_case, "series", "0.0", "number", number);
    }
}
