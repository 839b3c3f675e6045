#include "media/probe/pdf.h"

#include <poppler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "media/probe/gather.h"
#include "media/probe/signature.h"

#define PAGES_MAX 20000

/* An empty page. Poppler lists its folders of character maps at the first document and forgets the list with the
 * last one, so this one stays: inside of the sandbox folders cannot be listed, and texts whose fonts are not
 * embedded would be lost. */
static const char kept_source[] = "%PDF-1.4\n"
                                  "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
                                  "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
                                  "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
                                  "xref\n"
                                  "0 4\n"
                                  "0000000000 65535 f \n"
                                  "0000000009 00000 n \n"
                                  "0000000052 00000 n \n"
                                  "0000000101 00000 n \n"
                                  "trailer<</Size 4/Root 1 0 R>>\n"
                                  "startxref\n160\n%%EOF\n";
static PopplerDocument *kept;

int pdf_prepare(void)
{
    GBytes *bytes;
    PopplerPage *page;

    if (kept)
        return 0;
    bytes = g_bytes_new_static(kept_source, sizeof(kept_source) - 1);
    kept = poppler_document_new_from_bytes(bytes, NULL, NULL);
    g_bytes_unref(bytes);
    page = kept ? poppler_document_get_page(kept, 0) : NULL;
    if (!page)
        return sr_fail(SR_ERR_UNSUPPORTED, "poppler does not read PDF on this machine");
    g_free(poppler_page_get_text(page));
    g_object_unref(page);
    return 0;
}

/* Takes over value. */
static void put_text(struct describe *answer, const char *key, char *value)
{
    if (value && value[0] && sr_utf8_valid(value, strlen(value)))
        describe_text_value(answer, key, value);
    g_free(value);
}

/* With the offset that the file gives. Takes over moment, which may be NULL. key: "created" or "modified". */
static void put_time(struct describe *answer, const char *key, GDateTime *moment)
{
    char text[40], offset[8] = "Z", ns_key[16], ns_text[24];
    int64_t seconds = moment ? g_date_time_to_unix(moment) : 0;
    int minutes = moment ? (int)(g_date_time_get_utc_offset(moment) / G_TIME_SPAN_MINUTE) : 0;

    if (seconds > 0 && seconds < INT64_MAX / 1000000000 / 2) {
        if (minutes)
            snprintf(offset, sizeof(offset), "%c%02d:%02d", minutes < 0 ? '-' : '+',
                     abs(minutes) / 60 % 24, abs(minutes) % 60);
        snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d%s",
                 g_date_time_get_year(moment), g_date_time_get_month(moment),
                 g_date_time_get_day_of_month(moment), g_date_time_get_hour(moment),
                 g_date_time_get_minute(moment), g_date_time_get_second(moment), offset);
        describe_text_value(answer, key, text);
        snprintf(ns_key, sizeof(ns_key), "%s_ns", key);
        snprintf(ns_text, sizeof(ns_text), "%lld", (long long)seconds * 1000000000);
        describe_text_value(answer, ns_key, ns_text);
    }
    if (moment)
        g_date_time_unref(moment);
}

static void put_version(struct describe *answer, PopplerDocument *document)
{
    char *version = poppler_document_get_pdf_version_string(document); /* "PDF-1.6" */

    put_text(answer, "format_version",
             g_strdup(version && strncmp(version, "PDF-", 4) == 0 ? version + 4 : version));
    g_free(version);
}

static void put_attachments(struct describe *answer, PopplerDocument *document)
{
    GList *attachments = poppler_document_get_attachments(document);

    for (GList *at = attachments; at; at = at->next) {
        const char *name = POPPLER_ATTACHMENT(at->data)->name;

        if (name && sr_utf8_valid(name, strlen(name)))
            describe_attachment(answer, name);
    }
    g_list_free_full(attachments, g_object_unref);
}

/* Last of all, as poppler comes back from a page when it is through with it; what was read by then is given out before
 * each. */
static int read_pages(PopplerDocument *document, struct describe *answer)
{
    struct gather gather = {.answer = answer};
    int pages = poppler_document_get_n_pages(document);

    describe_checkpoint(answer, NULL);
    for (int i = 0; i < pages && !gather.full && !gather.error; i++) {
        if (i == PAGES_MAX || describe_late(answer)) {
            describe_finding(answer, "truncated", "text is read from the first %d pages alone", i);
            break;
        }
        PopplerPage *page = poppler_document_get_page(document, i);
        char *text = page ? poppler_page_get_text(page) : NULL;

        if (text && sr_utf8_valid(text, strlen(text)))
            gather_text(&gather, text, strlen(text));
        gather_line(&gather);
        gather_flush(&gather);
        g_free(text);
        if (page)
            g_object_unref(page);
    }
    return gather_end(&gather);
}

static int read_document(PopplerDocument *document, const uint8_t *data, size_t len,
                         struct describe *answer)
{
    int pages = poppler_document_get_n_pages(document);
    int rc;

    describe_number(answer, "pages", pages > 0 ? pages : 0);
    put_text(answer, "title", poppler_document_get_title(document));
    put_text(answer, "author", poppler_document_get_author(document));
    put_text(answer, "software", poppler_document_get_creator(document));
    put_text(answer, "software", poppler_document_get_producer(document));
    put_time(answer, "created", poppler_document_get_creation_date_time(document));
    put_time(answer, "modified", poppler_document_get_modification_date_time(document));
    put_version(answer, document);
    put_attachments(answer, document);
    describe_checkpoint(answer, NULL);
    rc = signature_pdf(data, len, answer);
    return rc ? rc : read_pages(document, answer);
}

int pdf_describe(struct probe_source *source, struct describe *answer, const char *mime)
{
    PopplerDocument *document;
    GError *error = NULL;
    uint8_t *data = NULL;
    GBytes *bytes;
    size_t len;
    int rc = probe_source_whole(source, PDF_MAX, &data, &len);

    (void)mime;
    if (rc == SR_ERR_TOO_LARGE) {
        describe_finding(answer, "truncated", "a PDF of more than %u MiB is not read",
                         PDF_MAX >> 20);
        return 0;
    }
    if (rc)
        return rc;
    bytes = g_bytes_new_with_free_func(data, len, free, data);
    document = poppler_document_new_from_bytes(bytes, NULL, &error);
    if (document) {
        rc = read_document(document, data, len, answer);
        g_object_unref(document);
    } else if (error && g_error_matches(error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED)) {
        describe_flag(answer, "encrypted", true);
        describe_finding(answer, "encrypted", "the document is locked by a password");
    } else {
        describe_finding(answer, "broken",
                         "the content begins like a PDF, but cannot be read as one");
    }
    g_clear_error(&error);
    g_bytes_unref(bytes);
    return rc;
}
