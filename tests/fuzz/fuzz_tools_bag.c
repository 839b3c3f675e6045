/* Any bytes as bagit.txt, and behind lines of --- as a manifest, fetch.txt and bag-info.txt. */
#include "base/text.h"
#include "fuzz.h"
#include "tools/bag.h"

static void lines(struct part part, const char *encoding, unsigned version, bool fetch)
{
    char *text, *at, *line, *digest, *path;
    struct bag_path_notes notes;
    size_t len;

    if (bag_decode(encoding, part.data, part.len, &text, &len) != NULL)
        return;
    must(sr_utf8_valid(text, len) && strlen(text) == len);
    for (at = text; bag_next_line(&at, text + len, &line);) {
        must(strpbrk(line, "\r\n") == NULL);
        if (fetch ? bag_fetch_line(line, version, &path) != NULL
                  : bag_manifest_line(line, version, &digest, &path, &notes) != NULL)
            continue;
        must(path[0] != '\0' && strlen(path) <= BAG_PATH_MAX);
        if (bag_path_wrong(path) == NULL)
            must(path[0] != '/' && path[0] != '~' && strncmp(path, "../", 3) != 0 &&
                 strstr(path, "/../") == NULL && strchr(path, '\\') == NULL);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct part first = next_part(&data, &size), manifest = next_part(&data, &size),
                fetch = next_part(&data, &size);
    struct bag_declaration declaration;
    uint64_t octets, files;
    char *info;
    size_t len;

    if (bag_declaration_read((const char *)first.data, first.len, &declaration) != NULL)
        return 0;
    must(declaration.version >= 93 && declaration.version <= BAG_VERSION_1_0);
    lines(manifest, declaration.encoding, declaration.version, false);
    lines(fetch, declaration.encoding, declaration.version, true);
    if (bag_decode("UTF-8", data, size, &info, &len) == NULL) {
        (void)bag_oxum(info, &octets, &files);
        free(info);
    }
    return 0;
}
