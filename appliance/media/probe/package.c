#include "media/probe/package.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "media/probe/members.h"
#include "media/probe/ofd.h"
#include "media/probe/office.h"

bool package_may_be(const char *mime, const uint8_t *head, size_t len)
{
    return strcmp(mime, "application/zip") == 0 ||
           (len >= 4 &&
            memcmp(head, "PK\3\4", 4) == 0); /* libmagic knows some by their first member */
}

static int by_name(const void *a, const void *b)
{
    return strcasecmp(*(char *const *)a, *(char *const *)b);
}

/* Two members of one name, as some programs see it: what was signed or shown here may not be what another program shows. */
static int find_twins(const struct members *members, struct describe *answer)
{
    char **names = malloc((members->count + 1) * sizeof(*names));
    bool twins = false;

    if (!names)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < members->count; i++)
        names[i] = members->items[i].name;
    qsort(names, members->count, sizeof(*names), by_name);
    for (size_t i = 1; i < members->count && !twins; i++)
        twins = strcasecmp(names[i - 1], names[i]) == 0;
    if (twins)
        describe_finding(answer, "twins",
                         "members of the file have the same name, or differ in capital letters "
                         "alone: programs may show different ones");
    free(names);
    return 0;
}

static bool wants_all(const char *name)
{
    return name[0] && name[strlen(name) - 1] != '/';
}

static int read_ofd(struct probe_source *source, struct describe *answer, struct members *members)
{
    int rc = members_read(source, ofd_wants, answer, members);

    return rc || !ofd_is_signed(members) ? rc : members_read(source, wants_all, answer, members);
}

/* *type: what the members make; NULL for no document, and then none of them is unpacked. */
static int find_type(struct probe_source *source, struct describe *answer, struct members *members,
                     const char **type)
{
    int rc = members_list(source, answer, members);

    *type = NULL;
    if (rc)
        return rc;
    if (ofd_is(members)) {
        *type = OFD_TYPE;
        return read_ofd(source, answer, members);
    }
    if (office_may_be(members))
        rc = members_read(source, office_wants, answer, members);
    if (!rc)
        *type = office_type(members);
    return rc;
}

int package_describe(struct probe_source *source, struct describe *answer, const char *mime,
                     const char **type)
{
    struct members members = {0};
    const char *found;
    int rc = find_type(source, answer, &members, &found);

    *type = found ? found : mime;
    describe_text_value(answer, "type", *type);
    if (members.encrypted) {
        describe_flag(answer, "encrypted", true);
        describe_finding(answer, "encrypted", "members of the file are locked by a password");
    }
    if (!rc && found)
        rc = find_twins(&members, answer);
    if (!rc)
        describe_checkpoint(answer, NULL);
    if (!rc && found)
        rc = ofd_is(&members) ? ofd_describe(&members, answer)
                              : office_describe(&members, found, answer);
    members_free(&members);
    return rc;
}
