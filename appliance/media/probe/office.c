#include "media/probe/office.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "media/probe/odf.h"
#include "media/probe/ooxml.h"

bool office_may_be(const struct members *list)
{
    return members_have(list, OOXML_CONTENT_TYPES) || members_have(list, "mimetype");
}

/* All XML of the folders that hold documents, for what a part is called is not fixed; but what was copied into
 * them for calculating, and may be large, is no text. */
bool office_wants(const char *name)
{
    static const char *const folders[] = {"word/",     "xl/",    "ppt/",
                                          "docProps/", "_rels/", "META-INF/"};
    static const char *const needless[] = {"xl/calcChain", "xl/pivot",         "xl/styles",
                                           "xl/theme",     "word/styles",      "word/theme",
                                           "ppt/theme",    "ppt/slideLayouts", "ppt/slideMasters"};
    const char *dot = strrchr(name, '.');
    bool xml = dot && (strcasecmp(dot, ".xml") == 0 || strcasecmp(dot, ".rels") == 0);

    if (strcmp(name, "mimetype") == 0)
        return true;
    for (size_t i = 0; i < sizeof(needless) / sizeof(needless[0]); i++)
        if (strncasecmp(name, needless[i], strlen(needless[i])) == 0)
            return false;
    for (size_t i = 0; xml && i < sizeof(folders) / sizeof(folders[0]); i++)
        if (strncasecmp(name, folders[i], strlen(folders[i])) == 0)
            return true;
    return xml && !strchr(name, '/');
}

const char *office_type(const struct members *members)
{
    const char *type = ooxml_type(members);

    return type ? type : odf_type(members);
}

int office_describe(const struct members *members, const char *type, struct describe *answer)
{
    return strncmp(type, ODF, strlen(ODF)) == 0 ? odf_describe(members, answer)
                                                : ooxml_describe(members, type, answer);
}
