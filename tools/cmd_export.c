/* strongroom export: a case as a retention bundle on external media; disc make: as the image of a disc. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/json.h"
#include "tools/bundle.h"
#include "tools/client.h"
#include "tools/column.h"
#include "tools/commands.h"
#include "tools/place.h"
#include "tools/print.h"

#define PEM_MAX (1u << 20)

struct export
{
    struct tool *tool;
    const char *format, *out, *purpose, *as_of, *key_file, *chain_file, *stamp_url;
    bool leave_out, sm3;
    bool disc;         /* strongroom disc make */
    const char *label; /* of the disc */
    uint64_t limit;    /* bytes of a package; 0: none */
    struct bundle bundle;
    char *mountpoint;
    uint64_t begin; /* index of the act */
    struct cms_signer *signer;
    struct cms_recipients *recipients; /* NULL: not encrypted */
};

static const struct option options[] = {{"format", required_argument, NULL, 256},
                                        {"out", required_argument, NULL, 257},
                                        {"as-of", required_argument, NULL, 258},
                                        {"purpose", required_argument, NULL, 259},
                                        {"leave-out", no_argument, NULL, 260},
                                        {"seal-key", required_argument, NULL, 261},
                                        {"seal-cert", required_argument, NULL, 262},
                                        {"tsa", required_argument, NULL, 263},
                                        {"recipient", required_argument, NULL, 264},
                                        {"label", required_argument, NULL, 265},
                                        {"split", required_argument, NULL, 266},
                                        {"sm3", no_argument, NULL, 267},
                                        {NULL, 0, NULL, 0}};

static int add_recipient(struct export *run, const char *file)
{
    uint8_t *pem = NULL;
    size_t len;
    int rc = sr_io_read_file(sr_io_posix(), file, PEM_MAX, &pem, &len);

    if (rc == 0)
        rc = cms_recipients_add((const char *)pem, &run->recipients);
    free(pem);
    return rc;
}

static bool read_size(const char *text, uint64_t *out)
{
    static const struct {
        const char *name;
        double bytes;
    } units[] = {{"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1099511627776.0}};
    char *end;
    double number = strtod(text, &end);

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (end != text && strcmp(end, units[i].name) == 0 && number > 0 && number < 100000) {
            *out = (uint64_t)(number * units[i].bytes);
            return *out >= 8u << 20;
        }
    return false;
}

/* What goes together. */
static int check_options(struct export *run)
{
    if (strcmp(run->format, "tar") != 0 && strcmp(run->format, "zip") != 0 &&
        strcmp(run->format, "iso") != 0)
        return tool_usage(run->tool, "--format is tar, zip or iso");
    if (run->disc ? strcmp(run->format, "iso") != 0 : run->label != NULL)
        return tool_usage(run->tool, run->disc ? "a disc is an ISO 9660 image"
                                               : "--label goes with strongroom disc make");
    if (run->recipients != NULL && strcmp(run->format, "iso") == 0)
        return tool_usage(run->tool, "--recipient goes with tar and zip");
    if (run->out == NULL)
        return tool_usage(run->tool,
                          "--out FILE is needed: where the bundle goes, on external media");
    if ((run->key_file == NULL) != (run->chain_file == NULL))
        return tool_usage(run->tool, "--seal-key and --seal-cert belong together");
    return TOOL_DONE;
}

static int read_options(struct export *run, int argc, char **argv)
{
    int id;

    while ((id = tool_getopt(run->tool, argc, argv, options)) != -1) {
        switch (id) {
        case 256:
            run->format = optarg;
            break;
        case 257:
            run->out = optarg;
            break;
        case 258:
            run->as_of = optarg;
            break;
        case 259:
            run->purpose = optarg;
            break;
        case 260:
            run->leave_out = true;
            break;
        case 261:
            run->key_file = optarg;
            break;
        case 262:
            run->chain_file = optarg;
            break;
        case 263:
            run->stamp_url = optarg;
            break;
        case 264:
            if (add_recipient(run, optarg) < 0)
                return tool_fail(run->tool, SR_ERR_INVALID);
            break;
        case 267:
            run->sm3 = true;
            break;
        case 266:
            if (!read_size(optarg, &run->limit))
                return tool_usage(run->tool, "--split is a size of at least 8MiB: 4.3GiB, 700MiB");
            break;
        case 265:
            run->label = optarg;
            break;
        default:
            return TOOL_USAGE;
        }
    }
    return optind + 1 == argc ? check_options(run) : tool_usage(run->tool, "one case is needed");
}

static int load_signer(struct export *run)
{
    uint8_t *key = NULL, *chain = NULL;
    size_t key_len = 0, chain_len;
    int rc;

    if (run->key_file == NULL)
        return 0;
    rc = sr_io_read_file(sr_io_posix(), run->key_file, PEM_MAX, &key, &key_len);
    if (rc == 0)
        rc = sr_io_read_file(sr_io_posix(), run->chain_file, PEM_MAX, &chain, &chain_len);
    if (rc == 0)
        rc = cms_signer_new((const char *)key, (const char *)chain, &run->signer);
    if (key != NULL)
        sr_wipe(key, key_len);
    free(key);
    free(chain);
    return rc;
}

static int find_mount(struct export *run)
{
    json_t *greeting = NULL;
    int rc = client_request(run->tool, client_new("hello"), NULL, NULL, &greeting);

    if (rc == 0)
        run->mountpoint = sr_path("%s", print_text(greeting, "mountpoint"));
    json_decref(greeting);
    if (rc == 0 && (run->mountpoint == NULL || run->mountpoint[0] == '\0'))
        rc = sr_fail(SR_ERR_NOT_FOUND, "the vault has no mount: records cannot be read");
    return rc;
}

static int take(void *context, const json_t *item)
{
    struct export *run = context;
    json_t *copy = json_deep_copy(item);

    return copy != NULL ? bundle_take(&run->bundle, copy)
                        : sr_fail(SR_ERR_NO_MEMORY, "out of memory for an export");
}

static int ask(struct export *run, const char *place)
{
    json_t *request = client_new("export.begin"), *result = NULL;
    uint64_t as_of;
    int rc = place_set_path(run->tool, request, "path", place);

    if (rc == 0 && run->as_of != NULL) {
        rc = sr_parse_u64(run->as_of, &as_of);
        if (rc == 0)
            json_object_set_new(request, "as_of", json_integer((json_int_t)as_of));
        else
            rc = sr_fail(SR_ERR_INVALID, "--as-of is the index of an entry of the ledger");
    }
    if (rc == 0 && (!client_set(request, "format", run->disc ? "disc" : run->format) ||
                    !client_set(request, "purpose", run->purpose)))
        rc = sr_fail(SR_ERR_INVALID, "a purpose is UTF-8");
    if (rc < 0) {
        json_decref(request);
        return rc;
    }
    if (run->recipients != NULL)
        json_object_set_new(request, "encrypted", json_true());
    if (run->leave_out)
        json_object_set_new(request, "leave_out", json_true());
    rc = client_request(run->tool, request, take, run, &result);
    if (rc == 0)
        rc = sr_json_get_u64(result, "index", &run->begin);
    json_decref(result);
    return rc == 0 ? bundle_prepare(&run->bundle) : rc;
}

static void show_progress(void *context, uint64_t done, uint64_t total)
{
    struct export *run = context;

    tool_progress(run->tool, done, total);
}

/* By their name, if there is one. */
static void disc_note(const struct export *run, const struct bundle *bundle, struct sr_buf *out)
{
    struct passwd *maker = getpwuid(getuid());
    char person[256];

    snprintf(person, sizeof(person), "%s%s%s%s", maker != NULL ? maker->pw_name : "",
             maker != NULL && maker->pw_gecos[0] != '\0' ? "（" : "",
             maker != NULL ? maker->pw_gecos : "",
             maker != NULL && maker->pw_gecos[0] != '\0' ? "）" : "");
    bundle_disc_note(bundle, run->label != NULL ? run->label : "", person,
                     sr_io_posix()->now_ns(sr_io_posix()), out);
}

static int write_package(struct export *run, const struct bundle *bundle, const char *out,
                         const struct sr_buf *disc, uint8_t sha256[SR_SHA256_LEN])
{
    struct bundle_ways ways = {.mountpoint = run->mountpoint,
                               .signer = run->signer,
                               .stamp_url = run->stamp_url,
                               .disc = run->disc ? disc : NULL,
                               .progress = show_progress,
                               .context = run};
    struct sink *sink;
    int rc = sink_open(out, run->format, bundle->folder, bundle->time_ns, run->recipients, &sink);

    if (rc < 0)
        return rc;
    if (run->label != NULL)
        sink_label(sink, run->label);
    if (run->sm3)
        rc = sink_want_sm3(sink);
    if (rc == 0)
        rc = bundle_write(bundle, &ways, sink, sha256);
    if (rc == 0)
        rc = sink_finish(sink, run->limit);
    sink_free(sink);
    tool_progress_end(run->tool);
    return rc;
}

/* The bundle is there; that it is, goes on record. */
static int tell_end(struct export *run, const char *hex)
{
    json_t *request = client_new("export.end");

    json_object_set_new(request, "begin", json_integer((json_int_t)run->begin));
    if (!client_set(request, "sha256", hex))
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a request");
    return client_request(run->tool, request, NULL, NULL, NULL);
}

static void report(const struct export *run, const struct bundle *bundle, const char *out,
                   const char *hex)
{
    uint64_t left_out = 0, unsealed = 0;
    char size[COLUMN_SIZE_TEXT];

    (void)sr_json_get_u64(bundle->in_case, "left_out", &left_out);
    (void)sr_json_get_u64(bundle->in_case, "unsealed", &unsealed);
    if (run->tool->json) {
        tool_json(json_pack("{s:s,s:s,s:I,s:I,s:s,s:s,s:I,s:I,s:b,s:I}", "file", out, "folder",
                            bundle->folder, "records", (json_int_t)json_array_size(bundle->records),
                            "bytes", (json_int_t)bundle->bytes, "as_of",
                            print_text(bundle->in_case, "as_of"), "sha256", hex, "left_out",
                            (json_int_t)left_out, "unsealed", (json_int_t)unsealed, "signed",
                            run->signer != NULL, "index", (json_int_t)run->begin));
        return;
    }
    column_size(bundle->bytes, size);
    printf("%s：%s，%zu 件，%s，截至账本第 %s 条\n", out, bundle->folder,
           json_array_size(bundle->records), size, print_text(bundle->in_case, "as_of"));
    printf("tagmanifest-sha256.txt：%s\n", hex);
    if (left_out > 0)
        printf("注意：%llu 件您不能导出，没有放入，包中写明\n", (unsigned long long)left_out);
    if (unsealed > 0)
        printf("注意：%llu 件还没有封存，没有放入，包中写明\n", (unsigned long long)unsealed);
    if (run->signer == NULL)
        puts("注意：没有签名（--seal-key、--seal-cert）");
}

/* One bundle, written, on record and told. */
static int export_one(struct export *run, const struct bundle *bundle, const char *out)
{
    struct sr_buf disc = {0};
    uint8_t sha256[SR_SHA256_LEN];
    char hex[2 * SR_SHA256_LEN + 1];
    int rc;

    if (run->disc)
        disc_note(run, bundle, &disc);
    rc = disc.failed ? sr_fail(SR_ERR_NO_MEMORY, "out of memory for the note of a disc")
                     : write_package(run, bundle, out, &disc, sha256);
    sr_buf_free(&disc);
    if (rc < 0)
        return rc;
    sr_hex_encode(sha256, sizeof(sha256), hex);
    rc = tell_end(run, hex);
    if (rc == 0)
        report(run, bundle, out, hex);
    return rc;
}

/* "x.tar" of the second of three is "x-2of3.tar". */
static char *name_of_part(const char *out, unsigned part, unsigned parts)
{
    const char *slash = strrchr(out, '/'), *dot = strrchr(out, '.');
    int len = dot != NULL && dot > (slash != NULL ? slash + 1 : out) ? (int)(dot - out)
                                                                     : (int)strlen(out);

    return sr_path("%.*s-%uof%u%s", len, out, part, parts, out + len);
}

static int export_set(struct export *run)
{
    struct bundle *parts;
    size_t count;
    int rc = bundle_split(&run->bundle, run->limit, &parts, &count);

    for (size_t i = 0; i < count; i++) {
        char *out = rc == 0 ? name_of_part(run->out, parts[i].part, parts[i].parts) : NULL;

        if (rc == 0)
            rc = out != NULL ? export_one(run, &parts[i], out)
                             : sr_fail(SR_ERR_NO_MEMORY, "out of memory for a name");
        free(out);
        bundle_free(&parts[i]);
    }
    free(parts);
    return rc;
}

static int make_export(struct export run, int argc, char **argv)
{
    int rc = read_options(&run, argc, argv);

    if (rc != TOOL_DONE) {
        cms_recipients_free(run.recipients);
        return rc;
    }
    rc = load_signer(&run);
    if (rc == 0)
        rc = find_mount(&run);
    if (rc == 0)
        rc = ask(&run, argv[optind]);
    if (rc == 0)
        rc = run.limit > 0 ? export_set(&run) : export_one(&run, &run.bundle, run.out);
    if (rc == 0)
        rc = tool_flush();
    cms_signer_free(run.signer);
    cms_recipients_free(run.recipients);
    bundle_free(&run.bundle);
    free(run.mountpoint);
    return rc == 0 ? TOOL_DONE : tool_fail(run.tool, rc);
}

int cmd_export(struct tool *tool, int argc, char **argv)
{
    return make_export((struct export){.tool = tool, .format = "tar"}, argc, argv);
}

int cmd_disc_make(struct tool *tool, int argc, char **argv)
{
    return make_export((struct export){.tool = tool, .format = "iso", .disc = true}, argc, argv);
}
