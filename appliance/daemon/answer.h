/* Answers of the control socket: lines of JSON, in this order:
 *   {"progress":{"done":n,"total":n}}  any number, dropped when the client reads too slowly
 *   {"item":{...}}                     any number
 *   {"ok":true,"result":{...}} or {"ok":false,"error":"word","message":"sentence"}   exactly one
 *
 * A slow client costs its own thread at most ANSWER_STALL_MS, never a lock: handlers collect
 * under the door's locks and write outside of them. Not thread-safe: one thread per connection. */
#ifndef SR_DAEMON_ANSWER_H
#define SR_DAEMON_ANSWER_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define ANSWER_STALL_MS 10000        /* a client that takes nothing for so long is gone */
#define ANSWER_BUFFER (1u << 18)     /* bytes collected before they are sent */
#define ANSWER_QUEUE_MAX (16u << 20) /* unsent bytes of a client that does not read */

struct answer {
    int fd;
    const atomic_bool *stop; /* the daemon is closing: give up */
    struct sr_buf out;       /* lines not sent yet */
    size_t sent;             /* bytes of out already sent */
    int64_t progress_ns;     /* when the last progress line was made */
    bool gone;               /* the client went away or stalled: nothing more is sent */
};

void answer_init(struct answer *answer, int fd, const atomic_bool *stop);
void answer_free(struct answer *answer);
/* True when going on is in vain; long work asks this and stops. Looks whether the client hung
 * up. */
bool answer_gone(struct answer *answer);
/* Never blocks, at most five a second: may be called under a lock. Returns non-zero to stop the
 * work. */
int answer_progress(struct answer *answer, uint64_t done, uint64_t total);
/* Takes over item; it is sent with a later line. Never blocks: may be called under a lock. Beyond
 * ANSWER_QUEUE_MAX unsent bytes it is dropped, and false returned. */
bool answer_queue(struct answer *answer, json_t *item);
/* Takes over item (NULL: out of memory). Blocks up to ANSWER_STALL_MS: not under a lock. Returns
 * 0 or an error after which the handler should end. */
int answer_item(struct answer *answer, json_t *item);
/* The last line. Takes over result (NULL: an empty object). */
void answer_result(struct answer *answer, json_t *result);
/* The last line: code with this thread's sentence. retry: nothing was begun, the same request
 * may be sent again ("retry":true). */
void answer_error(struct answer *answer, int code, bool retry);

#endif
