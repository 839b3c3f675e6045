#include "media/probe/gather.h"

#include <string.h>

#include "base/error.h"

#define PIECE_LEN 32768

void gather_flush(struct gather *gather)
{
    if (gather->buf.failed && !gather->error)
        gather->error = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    if (!gather->error && gather->buf.len)
        gather->error =
            describe_text(gather->answer, gather->buf.data, gather->buf.len, &gather->full);
    gather->buf.len = 0;
}

void gather_text(struct gather *gather, const char *text, size_t len)
{
    if (gather->error || gather->full || !len)
        return;
    if (gather->space)
        sr_buf_append(&gather->buf, &gather->space, 1);
    gather->space = 0;
    sr_buf_append(&gather->buf, text, len);
    gather->behind = text[len - 1];
    if (gather->buf.len >= PIECE_LEN || gather->buf.failed)
        gather_flush(gather);
}

void gather_line(struct gather *gather)
{
    gather->space = 0;
    if (gather->behind && gather->behind != '\n')
        gather_text(gather, "\n", 1);
}

void gather_space(struct gather *gather, char space)
{
    if (!gather->space && gather->behind && !strchr("\n \t", gather->behind))
        gather->space = space;
}

int gather_end(struct gather *gather)
{
    gather_flush(gather);
    sr_buf_free(&gather->buf);
    return gather->error;
}
