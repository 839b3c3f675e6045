/* The tag files of a bag. */
#include "tools/bag.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/text.h"

bool bag_next_line(char **at, char *end, char **line)
{
    char *stop = *at;

    if (*at >= end)
        return false;
    *line = *at;
    while (stop < end && *stop != '\n' && *stop != '\r')
        stop++;
    *at = stop + 1 + (stop + 1 < end && stop[0] == '\r' && stop[1] == '\n');
    if (stop < end)
        *stop = '\0';
    else
        *at = end;
    return true;
}

/* "LABEL: value" exactly, which bagit.txt alone has to keep to. */
static const char *after_label(const char *line, const char *label)
{
    size_t len = strlen(label);

    return strncmp(line, label, len) == 0 && strncmp(line + len, ": ", 2) == 0 ? line + len + 2
                                                                               : NULL;
}

static bool read_version(const char *text, unsigned *out)
{
    unsigned major, minor;
    char rest;

    if (!isdigit((unsigned char)text[0]) || sscanf(text, "%3u.%3u%c", &major, &minor, &rest) != 2 ||
        text[strlen(text) - 1] == '.' || minor > 99)
        return false;
    *out = 100 * major + minor;
    return true;
}

static bool is_encoding(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len < sizeof(((struct bag_declaration *)0)->encoding) &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:") ==
               len;
}

const char *bag_declaration_read(const char *text, size_t len, struct bag_declaration *out)
{
    char copy[256], *at = copy, *line;
    const char *value, *wrong = NULL;

    memset(out, 0, sizeof(*out));
    if (len >= sizeof(copy))
        return "is longer than its two lines can be";
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (len >= 3 && memcmp(copy, "\xef\xbb\xbf", 3) == 0)
        return "begins with a byte order mark";
    if (memchr(text, '\0', len) != NULL)
        return "is not text in UTF-8";
    if (!bag_next_line(&at, copy + len, &line) ||
        (value = after_label(line, "BagIt-Version")) == NULL || !read_version(value, &out->version))
        wrong = "its first line is not \"BagIt-Version: M.N\"";
    else if (out->version < 93 || out->version > BAG_VERSION_1_0)
        wrong = "its version is not known here (0.93 to 1.0 are)";
    else if (!bag_next_line(&at, copy + len, &line) ||
             (value = after_label(line, "Tag-File-Character-Encoding")) == NULL ||
             !is_encoding(value))
        wrong = "its second line is not \"Tag-File-Character-Encoding: ENCODING\"";
    else if (bag_next_line(&at, copy + len, &line))
        wrong = "has more than its two lines";
    else
        strcpy(out->encoding, value); /* is_encoding: it fits */
    if (wrong != NULL)
        memset(out, 0, sizeof(*out));
    return wrong;
}

static const char *convert(const char *encoding, const uint8_t *data, size_t len, char *out,
                           size_t size, size_t *out_len)
{
    iconv_t cd = iconv_open("UTF-8", encoding);
    char *in = (char *)data, *to = out; /* iconv does not change what it reads */
    size_t left = len, room = size;

    if (cd == (iconv_t)-1)
        return "is in an encoding that is not known here";
    size_t rc = iconv(cd, &in, &left, &to, &room);
    if (rc != (size_t)-1)
        rc = iconv(cd, NULL, NULL, &to, &room);
    iconv_close(cd);
    *out_len = size - room;
    return rc == (size_t)-1 ? "is not text in the encoding that bagit.txt names" : NULL;
}

const char *bag_decode(const char *encoding, const uint8_t *data, size_t len, char **out,
                       size_t *out_len)
{
    const char *wrong = NULL;
    bool utf8 = strcasecmp(encoding, "UTF-8") == 0;
    size_t size = utf8 ? len : 4 * len; /* no encoding has characters that grow more */

    *out = NULL;
    if (utf8 && len >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 || memcmp(data, "\xfe\xff", 2) == 0))
        return "is in UTF-16, though bagit.txt names UTF-8";
    if (utf8 && len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
        return "begins with a byte order mark";
    char *text = malloc(size + 1);
    if (text == NULL)
        return "does not fit into memory";
    if (utf8) {
        memcpy(text, data, len);
        *out_len = len;
    } else {
        wrong = convert(encoding, data, len, text, size, out_len);
    }
    if (wrong == NULL && (!sr_utf8_valid(text, *out_len) || memchr(text, '\0', *out_len) != NULL))
        wrong = "is not text in the encoding that bagit.txt names";
    if (wrong != NULL) {
        free(text);
        return wrong;
    }
    text[*out_len] = '\0';
    *out = text;
    return NULL;
}

/* RFC 8493 section 2.1.3: only what would end a line, and the sign itself, in 1.0. */
static void unescape(char *path)
{
    char *to = path;

    for (const char *from = path; *from != '\0'; from++)
        if (from[0] == '%' && from[1] == '2' && from[2] == '5') {
            *to++ = '%';
            from += 2;
        } else if (from[0] == '%' && from[1] == '0' && (from[2] == 'A' || from[2] == 'a')) {
            *to++ = '\n';
            from += 2;
        } else if (from[0] == '%' && from[1] == '0' && (from[2] == 'D' || from[2] == 'd')) {
            *to++ = '\r';
            from += 2;
        } else {
            *to++ = *from;
        }
    *to = '\0';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* The path at the end of a line. */
static const char *read_path(char *text, unsigned version, char **path,
                             struct bag_path_notes *notes)
{
    if (version >= BAG_VERSION_1_0)
        unescape(text);
    while (strncmp(text, "./", 2) == 0) {
        notes->dot_slash = true;
        text += 2;
    }
    *path = text;
    if (text[0] == '\0')
        return "names no file";
    return strlen(text) <= BAG_PATH_MAX ? NULL : "names a path that is too long";
}

const char *bag_manifest_line(char *line, unsigned version, char **digest, char **path,
                              struct bag_path_notes *notes)
{
    size_t len = strspn(line, "0123456789abcdefABCDEF");

    *notes = (struct bag_path_notes){.asterisk = false};
    *digest = line;
    if (len == 0 || !is_space(line[len]))
        return "is not a digest in hexadecimal, white space, and a path";
    for (line += len; is_space(*line); line++)
        *line = '\0';
    if (*line == '*') {
        notes->asterisk = true;
        line++;
    }
    return read_path(line, version, path, notes);
}

const char *bag_fetch_line(char *line, unsigned version, char **path)
{
    static const char form[] = "is not a URL, a length or \"-\", and a path";
    struct bag_path_notes notes;
    size_t len = strcspn(line, " \t");
    char *at = line + len;

    if (len == 0 || *at == '\0')
        return form;
    at += strspn(at, " \t");
    len = strcspn(at, " \t");
    if (!(len == 1 && *at == '-') && (len == 0 || strspn(at, "0123456789") != len))
        return form;
    at += len;
    if (*at == '\0')
        return form;
    at += strspn(at, " \t");
    return read_path(at, version, path, &notes);
}

const char *bag_path_wrong(const char *path)
{
    const char *percent;

    if (path[0] == '/')
        return "an absolute path leads out of the bag";
    if (path[0] == '~')
        return "a path that begins with ~ leads out of the bag";
    if (strchr(path, '\\') != NULL)
        return "a backslash leads out of the bag on Windows";
    if (isalpha((unsigned char)path[0]) && path[1] == ':')
        return "a drive letter leads out of the bag on Windows";
    if (path[0] == '%' && (percent = strchr(path + 1, '%')) != NULL &&
        (percent[1] == '/' || percent[1] == '\0'))
        return "a variable leads out of the bag on Windows";
    for (const char *part = path;; part++) {
        size_t len = strcspn(part, "/");

        if (len == 2 && memcmp(part, "..", 2) == 0)
            return "\"..\" leads out of the bag";
        if (len == 0 || (len == 1 && *part == '.'))
            return "a part of the path is empty or \".\"";
        part += len;
        if (*part == '\0')
            return NULL;
    }
}

bool bag_manifest_name(const char *name, bool *tag, char *algorithm)
{
    size_t len;

    *tag = strncmp(name, "tag", 3) == 0;
    if (*tag)
        name += 3;
    if (strncmp(name, "manifest-", 9) != 0)
        return false;
    name += 9;
    len = strlen(name);
    if (len < 5 || len - 4 > 31 || strcmp(name + len - 4, ".txt") != 0)
        return false;
    memcpy(algorithm, name, len - 4);
    algorithm[len - 4] = '\0';
    return strchr(algorithm, '/') == NULL;
}

int bag_oxum(const char *info, uint64_t *octets, uint64_t *files)
{
    static const char label[] = "Payload-Oxum";

    for (const char *line = info; line != NULL && *line != '\0';) {
        size_t len = strcspn(line, "\r\n");
        const char *colon = memchr(line, ':', len);
        size_t name = colon != NULL ? (size_t)(colon - line) : 0;

        while (name > 0 && is_space(line[name - 1]))
            name--;
        if (name == sizeof(label) - 1 && strncasecmp(line, label, name) == 0) {
            char text[64], *dot, *end;
            size_t skip = 1 + strspn(colon + 1, " \t");

            len -= (size_t)(colon - line) + skip;
            if (len >= sizeof(text))
                return -1;
            memcpy(text, colon + skip, len);
            text[len] = '\0';
            for (end = text + len; end > text && is_space(end[-1]); end--)
                end[-1] = '\0';
            dot = strchr(text, '.');
            if (dot == NULL)
                return -1;
            *dot = '\0';
            return sr_parse_u64(text, octets) == 0 && sr_parse_u64(dot + 1, files) == 0 ? 1 : -1;
        }
        line += len;
        line += strspn(line, "\r\n");
    }
    return 0;
}
