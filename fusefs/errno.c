#include "fusefs/errno.h"

#include <errno.h>

#include "base/error.h"

/* Of the vault's own system calls only those go out that say something about resources. The
 * others would lie about the record: ENOENT of a vault file is not an absent record, EROFS of the
 * disk is not a seal, and ENOSYS would make the kernel give up the operation for as long as we
 * are mounted. */
static int system_errno(int error_number)
{
    switch (error_number) {
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ETIMEDOUT:
        return error_number;
    default:
        return EIO;
    }
}

int sr_error_to_errno(int code)
{
    switch (code) {
    case SR_OK:
        return 0;
    case SR_ERR_SYSTEM:
        return system_errno(sr_error_errno());
    case SR_ERR_NO_MEMORY:
        return ENOMEM;
    case SR_ERR_INVALID:
        return EINVAL;
    case SR_ERR_NOT_FOUND:
        return ENOENT;
    case SR_ERR_EXISTS:
    case SR_ERR_NAME_TWIN:
        return EEXIST;
    case SR_ERR_DENIED:
        return EACCES;
    case SR_ERR_SEALED:
        return EROFS;
    case SR_ERR_BUSY:
        return EBUSY;
    case SR_ERR_NO_SPACE:
        return ENOSPC;
    case SR_ERR_NAME_TOO_LONG:
        return ENAMETOOLONG;
    case SR_ERR_NAME_ENCODING:
        return EILSEQ;
    case SR_ERR_NOT_EMPTY:
        return ENOTEMPTY;
    case SR_ERR_NOT_DIRECTORY:
        return ENOTDIR;
    case SR_ERR_IS_DIRECTORY:
        return EISDIR;
    case SR_ERR_TOO_LARGE:
        return EFBIG;
    case SR_ERR_UNSUPPORTED:
        return EOPNOTSUPP;
    case SR_ERR_FIXED:
        return EPERM;
    case SR_ERR_CLOSED:
        return ESHUTDOWN;
    case SR_ERR_DAMAGED:
    case SR_ERR_NEWER_FORMAT:
    case SR_ERR_PASSPHRASE:
    case SR_ERR_ROLLED_BACK:
    default:
        return EIO;
    }
}
