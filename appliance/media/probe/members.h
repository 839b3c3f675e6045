/* Members of a ZIP file that a document is made of, read within limits (libarchive). */
#ifndef SR_MEDIA_PROBE_MEMBERS_H
#define SR_MEDIA_PROBE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "media/probe/describe.h"
#include "media/probe/source.h"

#define MEMBERS_MAX 10000              /* entries that are looked at */
#define MEMBERS_ONE_MAX (64u << 20)    /* bytes of one */
#define MEMBERS_TOTAL_MAX (256u << 20) /* bytes that are unpacked in all, kept or not */
#define MEMBERS_RATIO_MAX 250 /* the same for each byte of the file, beyond MEMBERS_RATIO_FREE */
#define MEMBERS_RATIO_FREE (8u << 20)
#define MEMBERS_PATH_LEN 1024 /* of a name, its NUL included; longer ones are left out */

struct member {
    char
        *name; /* UTF-8, whatever the file has (GB18030 becomes UTF-8); no slash at its beginning */
    char *data; /* a NUL behind len bytes; NULL: it was not wanted, or could not be read */
    size_t len;
    bool unknown; /* over a limit, or locked: what it holds cannot be said */
};

struct members {          /* zero-initialise; members_free() when done */
    struct member *items; /* in the order of the file */
    size_t count;
    bool encrypted;  /* a member is */
    size_t unpacked; /* bytes so far, kept or not */
};

/* Once, before the sandbox and before threads: the locale in which names are read. */
void members_prepare(void);
/* Which of them are to be read. */
typedef bool members_want_fn(const char *name);
/* The names. What is over a limit is a finding ("bomb", or "truncated" where the file is large itself), what cannot be
 * read a finding "broken"; neither is an error. Errors are those of the source, and no memory; out is to be freed then
 * too. */
int members_list(struct probe_source *source, struct describe *answer, struct members *out);
/* The data of those that are wanted and not read yet, of the same source after members_list. As there. */
int members_read(struct probe_source *source, members_want_fn *want, struct describe *answer,
                 struct members *members);
void members_free(struct members *members);
/* By its name, or, where none is called so, with letters of ASCII in either case, as writers differ; NULL: it is not there or has no data. */
const struct member *members_find(const struct members *members, const char *name);
/* Whether it is there, but was not read for its size or a password. */
bool members_unknown(const struct members *members, const char *name);
bool members_have(const struct members *members, const char *name); /* also what was not wanted */
/* A place as it stands in the member `in`; one that begins with a slash is the package's. False: it leads nowhere. */
bool members_resolve(const char *in, const char *place, char out[MEMBERS_PATH_LEN]);

#endif
