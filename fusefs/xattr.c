#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "fusefs/fusefs_internal.h"

#define PREFIX "user.strongroom."
#define TEXT_MAX 400 /* bytes of a classification */

/* What systems set on their own accord on every file. Refusing it before the seal is no event
 * that a person should read of; on a sealed record it is a change like any other. */
static bool is_system_habit(const char *name)
{
    return strncmp(name, "user.", 5) != 0 || strcmp(name, "user.DOSATTRIB") == 0;
}

static void refuse(fuse_req_t req, fuse_ino_t ino, const char *name, const char *op)
{
    struct door *door = request_fs(req)->door;
    struct door_actor actor;
    struct catalog_node node;
    int err;

    request_actor(req, &actor);
    err = door_getattr(door, &actor, ino, &node);
    if (!err && is_system_habit(name) && !attributes_is_sealed(&node))
        err = SR_ERR_UNSUPPORTED;
    else if (!err)
        err = door_refuse_mutation(door, &actor, ino, op, SR_ERR_UNSUPPORTED);
    if (!err) /* a refusal that did not refuse must not look like a success */
        err = SR_ERR_UNSUPPORTED;
    request_fail(req, op, err);
}

/* An act given by an attribute: "内部 个人隐私". The door records it, and what it refuses. */
static void classify(fuse_req_t req, fuse_ino_t ino, const char *value, size_t size)
{
    struct door_actor actor;
    char text[TEXT_MAX + 1];
    int err = SR_ERR_INVALID;

    request_actor(req, &actor);
    if (size <= TEXT_MAX && memchr(value, '\0', size) == NULL) {
        memcpy(text, value, size);
        text[size] = '\0';
        err = door_classify_text(request_fs(req)->door, &actor, ino, text);
    }
    request_end(req, "setxattr", err);
}

void xattr_set(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
               int flags)
{
    (void)flags;
    if (strcmp(name, PREFIX "classification") == 0)
        classify(req, ino, value, size);
    else
        refuse(req, ino, name, "setxattr");
}

void xattr_remove(fuse_req_t req, fuse_ino_t ino, const char *name)
{
    refuse(req, ino, name, "removexattr");
}

/* getxattr(2): size 0 asks how many bytes there are. */
static void reply_value(fuse_req_t req, const struct sr_buf *value, size_t size)
{
    if (size == 0)
        fuse_reply_xattr(req, value->len);
    else if (value->len > size)
        fuse_reply_err(req, ERANGE);
    else
        fuse_reply_buf(req, value->data, value->len);
}

void xattr_get(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
    struct door_actor actor;
    struct sr_buf value = {0};
    int err;

    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0) {
        fuse_reply_err(req, strncmp(name, "user.", 5) == 0 ? ENODATA : EOPNOTSUPP);
        return;
    }
    request_actor(req, &actor);
    err = door_getxattr(request_fs(req)->door, &actor, ino, name, &value);
    if (!err && value.failed)
        err = SR_ERR_NO_MEMORY;
    if (err == SR_ERR_NOT_FOUND)
        fuse_reply_err(req, ENODATA);
    else if (err)
        request_fail(req, "getxattr", err);
    else
        reply_value(req, &value, size);
    sr_buf_free(&value);
}

void xattr_list(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    struct door_actor actor;
    struct sr_buf names = {0};
    int err;

    request_actor(req, &actor);
    err = door_listxattr(request_fs(req)->door, &actor, ino, &names);
    if (!err && names.failed)
        err = SR_ERR_NO_MEMORY;
    if (err)
        request_fail(req, "listxattr", err);
    else
        reply_value(req, &names, size);
    sr_buf_free(&names);
}
