#include "tools/place.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "tools/client.h"
#include "vault/vault.h"

/* Removes empty parts, "." and ".." from an absolute path, in place. */
static void simplify(char *path)
{
    char *out = path;
    const char *in = path;

    while (*in != '\0') {
        size_t len;

        in += strspn(in, "/");
        len = strcspn(in, "/");
        if (len == 2 && in[0] == '.' && in[1] == '.') {
            while (out > path && *--out != '/')
                ;
        } else if (len > 0 && !(len == 1 && in[0] == '.')) {
            *out++ = '/';
            memmove(out, in, len);
            out += len;
        }
        in += len;
    }
    if (out == path)
        *out++ = '/';
    *out = '\0';
}

char *place_vault_path(const char *argument, const char *folder, const char *mountpoint)
{
    size_t mount_len = strlen(mountpoint);
    char *whole = argument[0] == '/' ? sr_path("%s", argument) : sr_path("%s/%s", folder, argument);
    char *result = NULL;

    if (whole == NULL)
        return NULL;
    simplify(whole);
    if (mount_len > 0 && strncmp(whole, mountpoint, mount_len) == 0 &&
        (whole[mount_len] == '/' || whole[mount_len] == '\0')) {
        result = sr_path("%s", whole + mount_len + (whole[mount_len] == '/'));
        free(whole);
        return result;
    }
    free(whole);
    whole = sr_path("/%s", argument);
    if (whole == NULL)
        return NULL;
    simplify(whole);
    result = sr_path("%s", whole + 1);
    free(whole);
    return result;
}

bool place_is_object(const char *argument)
{
    return strlen(argument) == 2 * VAULT_OBJECT_ID_LEN &&
           strspn(argument, "0123456789abcdef") == 2 * VAULT_OBJECT_ID_LEN;
}

bool place_is_outside(struct tool *tool, const char *argument)
{
    char *real = realpath(argument, NULL);
    json_t *greeting = NULL;
    bool outside = real != NULL;

    if (outside && client_request(tool, client_new("hello"), NULL, NULL, &greeting) == 0) {
        const char *mountpoint = json_string_value(json_object_get(greeting, "mountpoint"));
        size_t len = mountpoint != NULL ? strlen(mountpoint) : 0;

        outside = len == 0 || strncmp(real, mountpoint, len) != 0 ||
                  (real[len] != '/' && real[len] != '\0');
    }
    json_decref(greeting);
    free(real);
    return outside;
}

int place_set_path(struct tool *tool, json_t *request, const char *member, const char *argument)
{
    json_t *greeting = NULL;
    const char *mountpoint;
    char *folder = NULL, *path = NULL;
    int rc = client_request(tool, client_new("hello"), NULL, NULL, &greeting);

    if (rc != 0)
        return rc;
    mountpoint = json_string_value(json_object_get(greeting, "mountpoint"));
    folder = getcwd(NULL, 0);
    path = place_vault_path(argument, folder != NULL ? folder : "", mountpoint ? mountpoint : "");
    if (path == NULL)
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory for a path");
    /* The empty path is the vault's root. */
    else if (!client_set(request, member, path[0] != '\0' ? path : "/"))
        rc = sr_fail(SR_ERR_NAME_ENCODING, "'%s' is not UTF-8", argument);
    free(folder);
    free(path);
    json_decref(greeting);
    return rc;
}

int place_set(struct tool *tool, json_t *request, const char *argument)
{
    if (!place_is_object(argument))
        return place_set_path(tool, request, "path", argument);
    if (!client_set(request, "object", argument))
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a request");
    return 0;
}

int place_list(struct tool *tool, int argc, char **argv, const char *op, struct print_list *list)
{
    json_t *request;
    int rc;

    if (!tool_operands(tool, argc, argv, 1, 1))
        return TOOL_USAGE;
    request = client_new(op);
    rc = place_set_path(tool, request, "path", argv[optind]);
    if (rc == 0)
        rc = client_request(tool, request, print_list_item, list, NULL);
    else
        json_decref(request);
    return print_list_end(list, rc);
}
