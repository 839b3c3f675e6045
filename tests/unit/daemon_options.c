/* The command line of strongroomd, and what it makes of /proc/swaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "daemon/harden.h"
#include "daemon/options.h"

#define SECOND INT64_C(1000000000)

static enum options_verdict parse(struct options *options, const char *first, ...)
{
    char *argv[24] = {(char *)"strongroomd"};
    int argc = 1;
    va_list list;

    va_start(list, first);
    for (const char *word = first; word != NULL; word = va_arg(list, const char *))
        argv[argc++] = (char *)word;
    va_end(list);
    return options_parse(argc, argv, options);
}

static void says(const char *words)
{
    if (strstr(sr_error_message(), words) == NULL)
        fail_msg("'%s' was said, not '%s'", sr_error_message(), words);
}

static void test_defaults(void **state)
{
    struct options options;

    (void)state;
    assert_int_equal(parse(&options, "V", "M", "--passphrase-file", "F", NULL), OPTIONS_RUN);
    assert_string_equal(options.vault, "V");
    assert_string_equal(options.mountpoint, "M");
    assert_string_equal(options.passphrase_file, "F");
    assert_string_equal(options.socket_dir, "/run/strongroom");
    assert_int_equal(options.settle_ns, -1);
    assert_int_equal(options.first_uid, 20000);
    assert_int_equal(options.workers, 0);
    assert_true(options.manage_accounts);
    assert_false(options.foreground || options.allow_other || options.encrypted_swap);
    assert_null(options.smb_conf);
    assert_null(options.probe);
}

static void test_all_given(void **state)
{
    struct options options;

    (void)state;
    assert_int_equal(parse(&options, "--settle", "0.25", "V", "--policy", "P", "--allow-other", "M",
                           "--passphrase-file=F", "--foreground", "--smb-conf", "S", "--first-uid",
                           "30000", "--socket-dir", "D", "--no-accounts", "--workers", "3",
                           "--encrypted-swap", "--probe", "Q", NULL),
                     OPTIONS_RUN);
    assert_int_equal(options.settle_ns, SECOND / 4);
    assert_string_equal(options.mountpoint, "M");
    assert_string_equal(options.policy_dir, "P");
    assert_string_equal(options.probe, "Q");
    assert_string_equal(options.smb_conf, "S");
    assert_string_equal(options.socket_dir, "D");
    assert_int_equal(options.first_uid, 30000);
    assert_int_equal(options.workers, 3);
    assert_true(options.foreground && options.allow_other && options.encrypted_swap);
    assert_false(options.manage_accounts);
}

static void test_usage(void **state)
{
    struct options options;

    (void)state;
    assert_int_equal(parse(&options, "V", "--passphrase-file", "F", NULL), OPTIONS_USAGE);
    says("VAULT and MOUNTPOINT");
    assert_int_equal(parse(&options, "V", "M", "X", "--passphrase-file", "F", NULL), OPTIONS_USAGE);
    assert_int_equal(parse(&options, "V", "M", NULL), OPTIONS_USAGE);
    says("--passphrase-file is needed");
    assert_int_equal(parse(&options, "V", "M", "--setle", "5", NULL), OPTIONS_USAGE);
    says("unknown option --setle");
    assert_int_equal(parse(&options, "V", "M", "--policy", NULL), OPTIONS_USAGE);
    says("--policy needs a value");
    assert_int_equal(parse(&options, "V", "M", "--first-uid", "0", NULL), OPTIONS_USAGE);
    says("root");
    assert_int_equal(parse(&options, "V", "M", "--first-uid", "4294967295", NULL), OPTIONS_USAGE);
    assert_int_equal(parse(&options, "V", "M", "--workers", "-1", NULL), OPTIONS_USAGE);
    assert_int_equal(parse(&options, "V", "M", "--settle", "5x", NULL), OPTIONS_USAGE);
    says("'5x' is not a number of seconds");
    assert_int_equal(parse(&options, "--help", NULL), OPTIONS_HELP);
    assert_int_equal(parse(&options, "--version", NULL), OPTIONS_SHOW_VERSION);
    assert_int_equal(parse(&options, "--verdicts", NULL), OPTIONS_SHOW_VERDICTS);
}

static void test_seconds(void **state)
{
    static const char *const bad[] = {"",     ".",  ".5", "5.",  "-1",      "+1",
                                      "1e3",  " 1", "1 ", "0x1", "2592001", "99999999999999999999",
                                      "1.2.3"};
    int64_t ns;

    (void)state;
    assert_int_equal(options_seconds("0", &ns), 0);
    assert_int_equal(ns, 0);
    assert_int_equal(options_seconds("60", &ns), 0);
    assert_int_equal(ns, 60 * SECOND);
    assert_int_equal(options_seconds("1.000000001", &ns), 0);
    assert_int_equal(ns, SECOND + 1);
    assert_int_equal(options_seconds("0.0000000019", &ns), 0);
    assert_int_equal(ns, 1);
    assert_int_equal(options_seconds("2592000", &ns), 0);
    assert_int_equal(ns, 2592000 * SECOND);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(options_seconds(bad[i], &ns), SR_ERR_INVALID);
}

static void test_swap(void **state)
{
    static const char heading[] = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
    static const char active[] =
        "Filename\tType\tSize\tUsed\tPriority\n/dev/sda2 partition 9 0 -2\n";
    char path[] = "/tmp/srt-swaps-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_false(harden_swap_listed("", 0));
    assert_false(harden_swap_listed(heading, strlen(heading)));
    assert_true(harden_swap_listed(active, strlen(active)));
    assert_int_equal(harden_check_swap("/tmp/no/such/swaps", false), 0);
    assert_int_equal(harden_check_swap(path, false), 0);
    assert_int_equal(write(fd, active, strlen(active)), strlen(active));
    assert_int_equal(harden_check_swap(path, false), SR_ERR_DENIED);
    says("swap is active");
    assert_int_equal(harden_check_swap(path, true), 0);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_all_given),
        cmocka_unit_test(test_usage),    cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_swap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
