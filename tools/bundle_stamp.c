/* The time stamp of a bundle: asked of an authority over HTTP (RFC 3161 section 3.4), and believed only once it is checked. */
#include "tools/bundle.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "base/cms.h"
#include "base/error.h"

#define ANSWER_MAX (1u << 20)
#define PATIENCE_S 60L

static size_t take(char *data, size_t size, size_t count, void *context)
{
    struct sr_buf *answer = context;

    if (answer->len + size * count > ANSWER_MAX)
        return 0;
    sr_buf_append(answer, data, size * count);
    return answer->failed ? 0 : size * count;
}

static int post(const char *url, const struct sr_buf *request, struct sr_buf *answer)
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/timestamp-query");
    char why[CURL_ERROR_SIZE] = "";
    long code = 0;
    CURLcode rc;

    if (curl == NULL || headers == NULL) {
        curl_slist_free_all(headers);
        curl_easy_cleanup(curl);
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a time stamp");
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->data);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->len);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, PATIENCE_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    rc = curl_easy_perform(curl);
    if (rc == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (rc != CURLE_OK)
        return sr_fail(SR_ERR_NOT_FOUND, "time stamp authority %s: %s", url,
                       why[0] != '\0' ? why : curl_easy_strerror(rc));
    return code == 200
               ? 0
               : sr_fail(SR_ERR_NOT_FOUND, "time stamp authority %s: it answered %ld", url, code);
}

int bundle_stamp(const char *url, const void *data, size_t len, struct sr_buf *out)
{
    struct sr_buf request = {0};
    struct cms_result result;
    int rc = cms_time_request(data, len, &request);

    if (rc == 0)
        rc = post(url, &request, out);
    if (rc == 0)
        rc = cms_verify_time_stamp((const uint8_t *)out->data, out->len, data, len, NULL, &result);
    if (rc == 0 && result.intact != CMS_INTACT)
        rc = sr_fail(SR_ERR_DAMAGED, "time stamp authority %s: %s", url, result.detail);
    sr_buf_free(&request);
    return rc;
}
