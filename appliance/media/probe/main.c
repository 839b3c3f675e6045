/* strongroom-probe MEMORY_MIB CPU_SECONDS, with the daemon at fd 3 (media/wire.h). Started by
 * media/probe.c alone. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "media/probe.h"
#include "media/probe/charset.h"
#include "media/probe/describe.h"
#include "media/probe/examine.h"
#include "media/probe/lastword.h"
#include "media/probe/members.h"
#include "media/probe/pdf.h"
#include "media/probe/sandbox.h"
#include "media/probe/source.h"
#include "media/wire.h"

/* In pieces that the wire takes, cut between characters. */
static int send_text(void *context, const char *text, size_t len)
{
    int rc = 0;

    while (!rc && len > 0) {
        size_t part = len < WIRE_TEXT_MAX ? len : WIRE_TEXT_MAX;

        while (part < len && ((uint8_t)text[part] & 0xc0) == 0x80)
            part--;
        rc = wire_send(context, WIRE_TEXT, text, part);
        text += part;
        len -= part;
    }
    return rc;
}

static int work(struct wire *wire, struct examine *examine, unsigned cpu_s)
{
    uint8_t ready[WIRE_READY_LEN], *payload = malloc(WIRE_JOB_MAX + 1);
    char name[WIRE_NAME_MAX + 1] = "";
    struct probe_source *source = NULL;
    struct describe *answer = NULL;
    struct sr_buf text = {0};
    enum wire_type type;
    struct wire_job job;
    json_t *result = NULL;
    size_t len;
    int rc;

    wire_put_ready(ready);
    rc = payload ? wire_send(wire, WIRE_READY, ready, sizeof(ready)) : SR_ERR_NO_MEMORY;
    if (!rc)
        rc = wire_receive(wire, WIRE_BIT(WIRE_JOB), payload, WIRE_JOB_MAX, &type, &len);
    if (!rc)
        rc = wire_parse_job(payload, len, &job);
    if (!rc) {
        memcpy(name, job.name, job.name_len);
        rc = probe_source_socket(wire->fd, job.size, name, &source);
    }
    if (!rc)
        rc = describe_new(send_text, wire, &answer);
    if (!rc) {
        describe_limit_text(answer, job.text_max);
        describe_limit_cpu(answer, cpu_s);
        payload[len] = '\0'; /* the trust store is its end */
        describe_set_trust(answer, job.trust);
        describe_set_keep(answer, lastword_keep);
        rc = examine_file(examine, source, answer);
    }
    if (rc == SR_ERR_NO_MEMORY)
        lastword_say();
    lastword_keep(NULL, 0);
    if (rc == SR_ERR_DAMAGED) { /* what could be read is still described */
        describe_text_value(answer, "type", "application/octet-stream");
        describe_finding(answer, "damaged", "a range of the record cannot be read");
        rc = 0;
    }
    if (!rc)
        rc = describe_result(answer, &result);
    if (!rc)
        rc = sr_json_canonical(result, &text);
    if (!rc)
        rc = wire_send(wire, WIRE_ANSWER, text.data, text.len);
    json_decref(result);
    describe_free(answer);
    probe_source_free(source);
    sr_buf_free(&text);
    free(payload);
    return rc;
}

int main(int argc, char **argv)
{
    struct wire wire = {.fd = 3, .stop_fd = -1, .deadline_ns = INT64_MAX};
    struct examine *examine = NULL;
    uint64_t memory_mib, cpu_s;
    int rc;

    if (argc != 3 || sr_parse_u64(argv[1], &memory_mib) || sr_parse_u64(argv[2], &cpu_s))
        return PROBE_EXIT_ERROR;
    rc = examine_new(&examine);
    if (!rc)
        rc = charset_prepare();
    if (!rc)
        rc = pdf_prepare();
    if (!rc)
        rc = lastword_watch(wire.fd);
    members_prepare();
    if (!rc && sandbox_close((unsigned)memory_mib, (unsigned)cpu_s) != 0)
        _exit(PROBE_EXIT_SANDBOX);
    if (!rc)
        rc = work(&wire, examine, (unsigned)cpu_s);
    /* At once: what libraries do at the end is of no use here. */
    _exit(rc == SR_ERR_NO_MEMORY ? PROBE_EXIT_MEMORY : rc ? PROBE_EXIT_ERROR : 0);
}
