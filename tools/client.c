#include "tools/client.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/io.h"
#include "base/json.h"
#include "vault/vault.h"

#define RETRIES 50 /* of 100 ms, when the daemon has too many requests */
#define RETRY_MS 100

json_t *client_new(const char *op)
{
    return json_pack("{s:s}", "op", op);
}

bool client_set(json_t *request, const char *name, const char *value)
{
    if (value == NULL)
        return true;
    return request != NULL && json_object_set_new(request, name, json_string(value)) == 0;
}

enum client_line client_classify(const json_t *line)
{
    const json_t *ok = json_object_get(line, "ok");

    if (json_is_object(json_object_get(line, "progress")))
        return CLIENT_PROGRESS;
    if (json_object_get(line, "item") != NULL)
        return CLIENT_ITEM;
    if (json_is_true(ok) && json_is_object(json_object_get(line, "result")))
        return CLIENT_OK;
    if (json_is_false(ok) && json_is_string(json_object_get(line, "error")) &&
        json_is_string(json_object_get(line, "message")))
        return CLIENT_ERROR;
    return CLIENT_MALFORMED;
}

int client_error_code(const char *word)
{
    for (int code = -1; code >= SR_ERR_LAST; code--)
        if (strcmp(sr_error_word(code), word) == 0)
            return code;
    return SR_ERR_SYSTEM;
}

/* --- connection --- */

static int not_open(void)
{
    return sr_fail(SR_ERR_NOT_FOUND,
                   "the vault is not open: start strongroomd VAULT MOUNTPOINT, or give "
                   "--passphrase-file where a command works offline");
}

static int connect_to(const char *path, int *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ucred peer;
    socklen_t len = sizeof peer;
    int fd, number;

    *out = -1;
    if (strlen(path) >= sizeof address.sun_path)
        return sr_fail(SR_ERR_INVALID, "%s is too long for a socket", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return sr_fail_errno(errno, "no socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        number = errno;
        close(fd);
        if (number == ENOENT || number == ECONNREFUSED)
            return not_open();
        return sr_fail_errno(number, "the daemon at %s cannot be reached", path);
    }
    /* Requests carry passwords: only root, or oneself, is believed to be the daemon. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
        (peer.uid != 0 && peer.uid != geteuid())) {
        close(fd);
        return sr_fail(SR_ERR_DENIED, "%s belongs to another user: not the daemon", path);
    }
    *out = fd;
    return 0;
}

static int send_request(int fd, const json_t *request)
{
    char *text = json_dumps(request, JSON_COMPACT);
    size_t len = text == NULL ? 0 : strlen(text), sent = 0;
    int rc = 0;

    if (text == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a request");
    text[len] = '\n'; /* in the place of the NUL */
    while (rc == 0 && sent <= len) {
        ssize_t put = send(fd, text + sent, len + 1 - sent, MSG_NOSIGNAL);

        if (put >= 0)
            sent += (size_t)put;
        else if (errno == EPIPE || errno == ECONNRESET)
            break; /* it had seen enough, and its answer says why */
        else if (errno != EINTR)
            rc = sr_fail_errno(errno, "the daemon does not take the request");
    }
    sr_wipe(text, len);
    free(text);
    return rc;
}

struct exchange { /* one request and its answer */
    struct tool *tool;
    client_item_fn *item;
    void *context;
    json_t *result;
    bool retry;
};

static int take_error(struct exchange *exchange, const json_t *line)
{
    int code = client_error_code(json_string_value(json_object_get(line, "error")));
    const char *message = json_string_value(json_object_get(line, "message"));

    exchange->retry = json_is_true(json_object_get(line, "retry"));
    /* A system error was the daemon's: its sentence has the reason, our errno would be a guess. */
    if (code == SR_ERR_SYSTEM) {
        struct sr_error_copy copy = {.code = code, .error_number = EIO};

        snprintf(copy.message, sizeof copy.message, "%s", message);
        return sr_error_raise(&copy);
    }
    return sr_fail(code, "%s", message);
}

/* Returns 1 after the last line, 0 to go on, or an error. */
static int take_line(struct exchange *exchange, const json_t *line)
{
    uint64_t done = 0, total = 0;
    int rc = 0;

    switch (client_classify(line)) {
    case CLIENT_PROGRESS:
        line = json_object_get(line, "progress");
        if (sr_json_get_u64(line, "done", &done) == 0 &&
            sr_json_get_u64(line, "total", &total) == 0)
            tool_progress(exchange->tool, done, total);
        return 0;
    case CLIENT_ITEM:
        tool_progress_end(exchange->tool);
        if (exchange->item != NULL)
            rc = exchange->item(exchange->context, json_object_get(line, "item"));
        return rc;
    case CLIENT_OK:
        exchange->result = json_incref(json_object_get(line, "result"));
        return 1;
    case CLIENT_ERROR:
        return take_error(exchange, line);
    case CLIENT_MALFORMED:
        break;
    }
    return sr_fail(SR_ERR_INVALID, "the daemon's answer is not understood");
}

static int read_answer(int fd, struct exchange *exchange)
{
    FILE *in = fdopen(fd, "r");
    char *text = NULL;
    size_t capacity = 0;
    ssize_t len;
    int rc = 0;

    if (in == NULL) {
        rc = sr_fail_errno(errno, "the daemon's answer cannot be read");
        close(fd);
        return rc;
    }
    while (rc == 0) {
        json_t *line = NULL;

        len = getline(&text, &capacity, in);
        if (len <= 0) {
            rc = sr_fail(SR_ERR_CLOSED, "the daemon ended before it had answered");
            break;
        }
        rc = sr_json_parse((const uint8_t *)text, (size_t)len, &line);
        if (rc == 0)
            rc = take_line(exchange, line);
        json_decref(line);
    }
    tool_progress_end(exchange->tool);
    free(text);
    fclose(in);
    return rc == 1 ? 0 : rc;
}

static int exchange_once(const char *path, const json_t *request, struct exchange *exchange)
{
    int fd = -1;
    int rc = connect_to(path, &fd);

    if (rc != 0)
        return rc;
    rc = send_request(fd, request);
    if (rc == 0)
        return read_answer(fd, exchange); /* closes fd */
    close(fd);
    return rc;
}

/* --- which socket --- */

struct candidates {
    const char *dir;
    const char *wanted; /* absolute path of the vault, NULL: any */
    struct tool *tool;
    char *path;
    unsigned found;
};

/* Asks one daemon which vault it has open. */
static int try_candidate(struct candidates *search, const char *name)
{
    struct exchange exchange = {.tool = search->tool};
    json_t *request = client_new("hello");
    char *path = sr_path("%s/%s", search->dir, name);
    const char *vault;

    if (path == NULL || request == NULL) {
        json_decref(request);
        free(path);
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    }
    if (exchange_once(path, request, &exchange) == 0) {
        vault = json_string_value(json_object_get(exchange.result, "vault"));
        if (search->wanted == NULL || (vault != NULL && strcmp(vault, search->wanted) == 0)) {
            search->found++;
            free(search->path);
            search->path = path;
            path = NULL;
        }
    }
    json_decref(exchange.result);
    json_decref(request);
    free(path);
    return 0;
}

/* For users who may not read the vault folder, and for those who have but one vault. */
static int search_sockets(struct tool *tool, char **path)
{
    struct candidates search = {.dir = tool->socket_dir, .tool = tool};
    char *wanted = tool->vault != NULL ? realpath(tool->vault, NULL) : NULL;
    DIR *dir = opendir(tool->socket_dir);
    const struct dirent *entry;
    int rc = 0;

    search.wanted = wanted != NULL ? wanted : tool->vault;
    while (rc == 0 && dir != NULL && (entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name);

        if (len > 5 && strcmp(entry->d_name + len - 5, ".sock") == 0)
            rc = try_candidate(&search, entry->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    free(wanted);
    if (rc == 0 && search.found == 0)
        rc = not_open();
    if (rc == 0 && search.found > 1)
        rc = sr_fail(SR_ERR_INVALID, "%u vaults are open: say which with -C VAULT", search.found);
    if (rc == 0)
        *path = search.path;
    else
        free(search.path);
    return rc;
}

static int find_socket(struct tool *tool, char **path)
{
    struct vault_identity identity;
    char id[2 * KEYS_VAULT_ID_LEN + 1];
    int rc;

    *path = NULL;
    if (tool->vault == NULL)
        return search_sockets(tool, path);
    rc = vault_read_identity(sr_io_posix(), tool->vault, &identity);
    if (rc == SR_ERR_SYSTEM && (sr_error_errno() == EACCES || sr_error_errno() == EPERM))
        return search_sockets(tool, path);
    if (rc != 0)
        return rc;
    sr_hex_encode(identity.id.bytes, sizeof identity.id.bytes, id);
    *path = sr_path("%s/%s.sock", tool->socket_dir, id);
    return *path != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "out of memory");
}

int client_request(struct tool *tool, json_t *request, client_item_fn *item, void *context,
                   json_t **result)
{
    struct exchange exchange = {.tool = tool, .item = item, .context = context};
    char *path = NULL;
    int rc;

    if (result != NULL)
        *result = NULL;
    if (request == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a request");
    rc = find_socket(tool, &path);
    for (int i = 0; rc == 0; i++) {
        exchange.retry = false;
        rc = exchange_once(path, request, &exchange);
        if (rc == 0 || !exchange.retry || i == RETRIES)
            break;
        poll(NULL, 0, RETRY_MS);
        rc = 0;
    }
    free(path);
    json_decref(request);
    if (rc == 0 && result != NULL)
        *result = exchange.result;
    else
        json_decref(exchange.result);
    return rc;
}
