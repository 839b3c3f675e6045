/* strongroom verify PATH: a BagIt bag, no vault needed. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/io.h"
#include "tools/bag.h"
#include "tools/column.h"
#include "tools/commands.h"

struct verification {
    struct tool *tool;
    json_t *findings; /* with --json; otherwise NULL */
};

static const char *const words[] = {
    [BAG_HOLDS] = "ok", [BAG_WARNING] = "WARNING", [BAG_BAD] = "BAD"};

static void found(void *context, enum bag_level level, const char *what, const char *why)
{
    struct verification *run = context;

    tool_progress_end(run->tool);
    if (run->findings != NULL) {
        json_array_append_new(run->findings, json_pack("{s:s,s:s,s:s}", "level", words[level],
                                                       "what", what, "why", why));
        return;
    }
    printf("%s ", words[level]);
    column_print_safe(stdout, what);
    fputs(": ", stdout);
    column_print_safe(stdout, why);
    fputc('\n', stdout);
}

static void show_progress(void *context, uint64_t done, uint64_t total)
{
    struct verification *run = context;

    tool_progress(run->tool, done, total);
}

static void summary(const struct verification *run, const struct bag_summary *bag)
{
    char size[COLUMN_SIZE_TEXT], version[32] = "";

    if (bag->version != 0)
        snprintf(version, sizeof(version), "%u.%u", bag->version / 100, bag->version % 100);
    if (run->findings != NULL) {
        tool_json(json_pack("{s:b,s:s,s:I,s:I,s:I,s:I,s:O}", "ok", bag->bad == 0, "version",
                            version, "files", (json_int_t)bag->files, "bytes",
                            (json_int_t)bag->bytes, "warnings", (json_int_t)bag->warnings, "bad",
                            (json_int_t)bag->bad, "findings", run->findings));
        return;
    }
    column_size(bag->bytes, size);
    printf("BagIt %s, %llu files (%s): ", version[0] != '\0' ? version : "(of no version)",
           (unsigned long long)bag->files, size);
    if (bag->bad > 0)
        printf("%llu BAD\n", (unsigned long long)bag->bad);
    else if (bag->warnings > 0)
        printf("valid, with %llu warnings\n", (unsigned long long)bag->warnings);
    else
        puts("valid");
}

#define TRUST_MAX (1u << 20)

int cmd_verify_bag(struct tool *tool, const char *path, const char *trust_file)
{
    struct verification run = {.tool = tool, .findings = tool->json ? json_array() : NULL};
    struct bag_summary bag = {.bad = 1};
    uint8_t *trust = NULL;
    size_t len;
    int rc = 0;

    if (trust_file != NULL)
        rc = sr_io_read_file(sr_io_posix(), trust_file, TRUST_MAX, &trust, &len);
    setlocale(LC_CTYPE, "C.UTF-8"); /* or libarchive reads no name but ASCII */
    if (rc == 0)
        rc = bag_check(path, (const char *)trust, found, show_progress, &run, &bag);
    free(trust);
    tool_progress_end(tool);
    if (rc == 0) {
        summary(&run, &bag);
        if (tool_flush() != 0)
            rc = SR_ERR_SYSTEM;
    }
    json_decref(run.findings);
    if (rc < 0)
        return tool_fail(tool, rc);
    return bag.bad == 0 ? TOOL_DONE : TOOL_REFUSED;
}
