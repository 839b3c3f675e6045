/* BagIt bags (RFC 8493, and its drafts back to 0.93) as strongroom verify reads them: nothing of a bag is believed.
 * bag_text.c reads tag files (pure, fuzzed), bag_source.c reads folders, tar, zip and ISO 9660, bag_check.c compares. */
#ifndef SR_TOOLS_BAG_H
#define SR_TOOLS_BAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BAG_PATH_MAX 4096        /* bytes of a path in a bag */
#define BAG_TAGS_MAX (24u << 20) /* bytes of all tag files that are read */
#define BAG_FILES_MAX 500000     /* their names are kept in memory */
#define BAG_VERSION_1_0 100      /* 1.0 as bag_declaration.version */

enum bag_level { BAG_HOLDS, BAG_WARNING, BAG_BAD };

/* One line for a person: what (a path in the bag) and why. */
typedef void bag_say_fn(void *context, enum bag_level level, const char *what, const char *why);

/* --- tag files (bag_text.c) --- */

struct bag_declaration { /* bagit.txt, RFC 8493 section 2.1.1 */
    unsigned version;    /* 100 * major + minor */
    char encoding[48];   /* of the other tag files, as iconv(3) names it */
};

/* NULL, or why it is none. */
const char *bag_declaration_read(const char *text, size_t len, struct bag_declaration *out);

/* Text in UTF-8 with a NUL behind it, fresh. NULL, or why it cannot be had (*out is NULL then). */
const char *bag_decode(const char *encoding, const uint8_t *data, size_t len, char **out,
                       size_t *out_len);

/* Cuts the next line off; the text is changed (a NUL at the line's end). CR, LF and CRLF end one. False: no more. */
bool bag_next_line(char **at, char *end, char **line);

struct bag_path_notes { /* what was odd, each worth a warning */
    bool asterisk;      /* "*" before it, as md5sum writes */
    bool dot_slash;     /* "./" before it */
};
/* A line of a manifest, cut in place into the hexadecimal digest and the path, decoded as the version has it (1.0: %0A %0D
 * %25) and without "*" and "./". NULL, or why it is none. */
const char *bag_manifest_line(char *line, unsigned version, char **digest, char **path,
                              struct bag_path_notes *notes);
/* A line of fetch.txt: URL, length or "-", path. The same. */
const char *bag_fetch_line(char *line, unsigned version, char **path);
/* NULL: a path within the bag on every system; or what is wrong with it. */
const char *bag_path_wrong(const char *path);
/* The algorithm in manifest-ALGORITHM.txt or tagmanifest-ALGORITHM.txt; false: it is no such name. out >= 32 bytes. */
bool bag_manifest_name(const char *name, bool *tag, char *algorithm);
/* Payload-Oxum (RFC 8493 section 2.2.2) of a bag-info.txt: 1; 0: there is none; -1: malformed. */
int bag_oxum(const char *info, uint64_t *octets, uint64_t *files);

/* --- where a bag lies (bag_source.c) --- */

struct bag_visitor {
    /* A member of size bytes; wanted: its data follow. path: as it stands there, UTF-8. */
    void (*begin)(void *context, const char *path, uint64_t size, bool *wanted);
    int (*data)(void *context, const uint8_t *data, size_t len); /* an error ends the reading */
    int (*end)(void *context);                                   /* of a wanted one */
    void *context;
};

/* Every file below the folder, or in the archive, in its order; links, special files and what cannot be read are said to be
 * bad, and passed over. Errors are those of the machine, of the visitor, and SR_ERR_NOT_FOUND, SR_ERR_UNSUPPORTED (neither
 * a folder nor an archive of these kinds). say NULL: they have been said before. */
int bag_each(const char *path, const struct bag_visitor *visitor, bag_say_fn *say, void *context);

/* --- the whole (bag_check.c) --- */

struct bag_summary {
    unsigned version; /* 0: no bagit.txt that says so */
    uint64_t files, bytes;
    uint64_t bad, warnings;
    char sealed[65]; /* SHA-256 of tagmanifest-sha256.txt; "" without one */
};

/* Whether the bag is complete and valid (RFC 8493 section 3): out->bad is 0 then. A seal.p7s is a CMS signature over
 * tagmanifest-sha256.txt, a seal.tsr a time stamp of it, data/ledger/X.tlog-proof proves data/ledger/X.json; trust: certificates in PEM that their chains have to lead to, NULL: that is not asked. progress may
 * be NULL. */
int bag_check(const char *path, const char *trust, bag_say_fn *say,
              void (*progress)(void *, uint64_t, uint64_t), void *context, struct bag_summary *out);

#endif
