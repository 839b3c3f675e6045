#include "daemon/answer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/error.h"

#define PROGRESS_EVERY_NS INT64_C(200000000)
#define POLL_SLICE_MS 200 /* how often a blocked sender looks at stop */

static int64_t now_ns(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void answer_init(struct answer *answer, int fd, const atomic_bool *stop)
{
    *answer = (struct answer){.fd = fd, .stop = stop};
}

void answer_free(struct answer *answer)
{
    sr_buf_free(&answer->out);
}

/* Sends what it can. block: until everything is sent, the client stalls, or the daemon stops. */
static void send_pending(struct answer *answer, bool block)
{
    int waited_ms = 0;

    while (!answer->gone && answer->sent < answer->out.len) {
        ssize_t put = send(answer->fd, answer->out.data + answer->sent,
                           answer->out.len - answer->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (put > 0) {
            answer->sent += (size_t)put;
            waited_ms = 0;
        } else if (put < 0 && errno == EINTR) {
            continue;
        } else if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            struct pollfd ready = {.fd = answer->fd, .events = POLLOUT};

            if (!block)
                return;
            if (atomic_load(answer->stop))
                return; /* the daemon ends: what is left is tried once more, not waited for */
            if (waited_ms >= ANSWER_STALL_MS)
                answer->gone = true;
            else if (poll(&ready, 1, POLL_SLICE_MS) == 0)
                waited_ms += POLL_SLICE_MS;
        } else {
            answer->gone = true;
        }
    }
    if (answer->sent == answer->out.len || answer->gone) {
        sr_buf_free(&answer->out);
        answer->sent = 0;
    } else if (answer->sent > answer->out.len / 2) {
        /* A client that is always a little behind must not make the buffer grow for ever. */
        memmove(answer->out.data, answer->out.data + answer->sent, answer->out.len - answer->sent);
        answer->out.len -= answer->sent;
        answer->sent = 0;
    }
}

/* Appends one line, taking over value. */
static int put_line(struct answer *answer, json_t *value)
{
    char *text = value == NULL ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    json_decref(value);
    if (text == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for an answer");
    if (!answer->gone) {
        sr_buf_text(&answer->out, text);
        sr_buf_append(&answer->out, "\n", 1);
    }
    free(text);
    if (answer->out.failed)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for an answer");
    return 0;
}

bool answer_gone(struct answer *answer)
{
    struct pollfd hung_up = {.fd = answer->fd, .events = POLLRDHUP};

    /* A client may shut down its sending side after the request; only both sides closed is gone. */
    if (!answer->gone && poll(&hung_up, 1, 0) > 0 && (hung_up.revents & (POLLHUP | POLLERR)) != 0)
        answer->gone = true;
    return answer->gone || atomic_load(answer->stop);
}

int answer_progress(struct answer *answer, uint64_t done, uint64_t total)
{
    int64_t now = now_ns();

    if (answer_gone(answer))
        return -1;
    if (now - answer->progress_ns < PROGRESS_EVERY_NS)
        return 0;
    answer->progress_ns = now;
    send_pending(answer, false);
    if (answer->out.len == 0) {
        /* A line that cannot be made is only a line of progress less. */
        (void)put_line(answer, json_pack("{s:{s:I,s:I}}", "progress", "done", (json_int_t)done,
                                         "total", (json_int_t)total));
        send_pending(answer, false);
    }
    return answer->gone ? -1 : 0;
}

bool answer_queue(struct answer *answer, json_t *item)
{
    if (answer->out.len - answer->sent >= ANSWER_QUEUE_MAX) {
        json_decref(item);
        return false;
    }
    return item != NULL && put_line(answer, json_pack("{s:o}", "item", item)) == 0;
}

int answer_item(struct answer *answer, json_t *item)
{
    int rc = item == NULL ? sr_fail(SR_ERR_NO_MEMORY, "out of memory for an answer")
                          : put_line(answer, json_pack("{s:o}", "item", item));

    if (rc != 0)
        return rc;
    if (answer->out.len >= ANSWER_BUFFER)
        send_pending(answer, true);
    if (answer->gone)
        return sr_fail(SR_ERR_CLOSED, "the client has gone");
    if (atomic_load(answer->stop))
        return sr_fail(SR_ERR_CLOSED, "the daemon is closing");
    return 0;
}

static void finish(struct answer *answer, json_t *last)
{
    if (put_line(answer, last) != 0) {
        /* Half an answer must not look whole: the line is missing and the client will say so. */
        answer->gone = true;
    }
    send_pending(answer, true);
}

void answer_result(struct answer *answer, json_t *result)
{
    if (result == NULL)
        result = json_object();
    finish(answer, json_pack("{s:b,s:o}", "ok", 1, "result", result));
}

void answer_error(struct answer *answer, int code, bool retry)
{
    const char *word = sr_error_word(code);
    const char *message = sr_error_message();
    json_t *last = json_object();
    bool made;

    made = json_object_set_new(last, "ok", json_false()) == 0 &&
           json_object_set_new(last, "error", json_string(word)) == 0;
    if (made && retry)
        made = json_object_set_new(last, "retry", json_true()) == 0;
    /* A sentence that is not UTF-8 (a path of this machine may be anything): the word has to do. */
    if (made &&
        (message[0] == '\0' || json_object_set_new(last, "message", json_string(message)) != 0))
        made = json_object_set_new(last, "message", json_string(word)) == 0;
    if (!made) {
        json_decref(last);
        last = NULL;
    }
    finish(answer, last);
}
