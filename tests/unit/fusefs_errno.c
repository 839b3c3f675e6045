/* Every error code has an errno, none is success, and the vault's own errno do not lie about
 * records. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "fusefs/errno.h"

static const struct {
    int code, error_number;
} expected[] = {
    {SR_ERR_NO_MEMORY, ENOMEM},     {SR_ERR_INVALID, EINVAL},
    {SR_ERR_NOT_FOUND, ENOENT},     {SR_ERR_EXISTS, EEXIST},
    {SR_ERR_DENIED, EACCES},        {SR_ERR_SEALED, EROFS},
    {SR_ERR_DAMAGED, EIO},          {SR_ERR_NEWER_FORMAT, EIO},
    {SR_ERR_PASSPHRASE, EIO},       {SR_ERR_BUSY, EBUSY},
    {SR_ERR_NO_SPACE, ENOSPC},      {SR_ERR_NAME_TOO_LONG, ENAMETOOLONG},
    {SR_ERR_NAME_ENCODING, EILSEQ}, {SR_ERR_NAME_TWIN, EEXIST},
    {SR_ERR_NOT_EMPTY, ENOTEMPTY},  {SR_ERR_NOT_DIRECTORY, ENOTDIR},
    {SR_ERR_IS_DIRECTORY, EISDIR},  {SR_ERR_TOO_LARGE, EFBIG},
    {SR_ERR_ROLLED_BACK, EIO},      {SR_ERR_UNSUPPORTED, EOPNOTSUPP},
    {SR_ERR_FIXED, EPERM},          {SR_ERR_CLOSED, ESHUTDOWN},
};

static void test_every_code(void **state)
{
    (void)state;
    for (int code = SR_ERR_SYSTEM - 1; code >= SR_ERR_LAST; code--) {
        size_t found = 0;

        for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
            if (expected[i].code == code) {
                assert_int_equal(sr_error_to_errno(code), expected[i].error_number);
                found++;
            }
        assert_int_equal(found, 1); /* a code that this table does not know */
    }
    assert_int_equal(sr_error_to_errno(0), 0);
}

static void test_unknown_code_is_an_error(void **state)
{
    static const int unknown[] = {1, 2, EROFS, INT_MAX, SR_ERR_LAST - 1, -100, INT_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_int_equal(sr_error_to_errno(unknown[i]), EIO);
}

/* Of the 133 errno of a failed system call, those that speak of resources go out. The rest would
 * say things of the record that are not so, and ENOSYS would switch the operation off. */
static void test_system_errors(void **state)
{
    (void)state;
    for (int error_number = 1; error_number < 4096; error_number++) {
        int code = sr_fail_errno(error_number, "a call failed");
        int shown = sr_error_to_errno(code);

        switch (error_number) {
        case ENOSPC:
        case EDQUOT:
            assert_int_equal(shown, ENOSPC);
            break;
        case ENOMEM:
        case EMFILE:
        case ENFILE:
        case EFBIG:
        case ETIMEDOUT:
            assert_int_equal(shown, error_number);
            break;
        default:
            assert_int_equal(shown, EIO);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code),
        cmocka_unit_test(test_unknown_code_is_an_error),
        cmocka_unit_test(test_system_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
