/* decimal, ipaddr, datetime, duration: what each takes, up to its limits, and its methods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/cedar_rig.h"

/* Each text must (or must not) be a value of the constructor. */
static void check_texts(const char *constructor, const char *const *texts, size_t count, bool valid)
{
    struct cedar_rig rig;
    char expression[256];
    char refusal[64];
    snprintf(refusal, sizeof(refusal), "%s cannot make a value of this", constructor);
    cedar_rig_open(&rig, NULL, NULL);
    for (size_t i = 0; i < count; i++) {
        snprintf(expression, sizeof(expression), "%s(\"%s\") == %s(\"%s\")", constructor, texts[i],
                 constructor, texts[i]);
        const char *got = cedar_rig_evaluate(&rig, expression);
        if (strcmp(got, valid ? "true" : refusal) != 0)
            fail_msg("%s: %s", expression, got);
    }
    cedar_rig_close(&rig);
}
#define accepted(constructor, texts) \
    check_texts(constructor, texts, sizeof(texts) / sizeof(texts[0]), true)
#define refused(constructor, texts) \
    check_texts(constructor, texts, sizeof(texts) / sizeof(texts[0]), false)

static void check_true(const char *const *expressions, size_t count)
{
    struct cedar_rig rig;
    cedar_rig_open(&rig, NULL, NULL);
    for (size_t i = 0; i < count; i++) {
        const char *got = cedar_rig_evaluate(&rig, expressions[i]);
        if (strcmp(got, "true") != 0)
            fail_msg("%s: %s", expressions[i], got);
    }
    cedar_rig_close(&rig);
}
#define holds(expressions) check_true(expressions, sizeof(expressions) / sizeof(expressions[0]))

struct row {
    const char *expression;
    const char *answer;
};

static void check_rows(const struct row *rows, size_t count)
{
    struct cedar_rig rig;
    cedar_rig_open(&rig, NULL, NULL);
    for (size_t i = 0; i < count; i++) {
        const char *got = cedar_rig_evaluate(&rig, rows[i].expression);
        if (strcmp(got, rows[i].answer) != 0)
            fail_msg("%s: %s, expected %s", rows[i].expression, got, rows[i].answer);
    }
    cedar_rig_close(&rig);
}

static void test_decimal(void **state)
{
    static const char *const good[] = {
        "0.0",    "1.5",  "-1.5",   "12.3456", "922337203685477.5807", "-922337203685477.5808",
        "00.100", "-0.5", "-00.01",
    };
    static const char *const bad[] = {
        "",
        "1",
        "1.",
        ".5",
        "-.5",
        "1.23456",
        "+1.0",
        "1.0 ",
        " 1.0",
        "1,0",
        "1e3",
        "--1.0",
        "1.0.0",
        "-",
        "1.-5",
        "922337203685477.5808",
        "-922337203685477.5809",
        "9999999999999999999999.0",
    };
    static const char *const true_ones[] = {
        "decimal(\"1.0\") == decimal(\"1.0000\")",
        "decimal(\"-0.5\").lessThan(decimal(\"0.0\"))",
        "decimal(\"-0.0\") == decimal(\"0.0\")",
        "decimal(\"1.1\").lessThanOrEqual(decimal(\"1.1\"))",
        "decimal(\"1.2\").greaterThan(decimal(\"1.1\"))",
        "!decimal(\"1.1\").greaterThan(decimal(\"1.1\"))",
        "decimal(\"1.1\").greaterThanOrEqual(decimal(\"1.10\"))",
    };
    (void)state;
    accepted("decimal", good);
    refused("decimal", bad);
    holds(true_ones);
}

/* As long as its tables of addresses. */
static void test_ip(void **state)
{
    static const char *const good[] = {
        "0.0.0.0",
        "255.255.255.255/32",
        "10.0.0.0/0",
        "::",
        "::1",
        "1::",
        "2001:DB8::1/128",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
        "0001:0002::/0",
    };
    static const char *const bad[] = {
        "",
        "1.2.3",
        "1.2.3.4.5",
        "256.0.0.1",
        "01.2.3.4",
        "1.2.3.4/33",
        "1.2.3.4/08",
        "1.2.3.4/",
        "1.2.3.4/+8",
        "1.2.3.4/8/8",
        " 1.2.3.4",
        ":",
        ":::",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2:3:4:5:6:7:8",
        "12345::",
        "::g",
        "::1/129",
        "::1/001",
        "::ffff:1.2.3.4",
        "fe80::1%eth0",
        "[::1]",
    };
    static const char *const true_ones[] = {
        "ip(\"127.0.0.1\").isIpv4()",
        "!ip(\"::1\").isIpv4()",
        "ip(\"::1\").isIpv6()",
        "ip(\"127.255.0.1\").isLoopback()",
        "ip(\"127.0.0.0/8\").isLoopback()",
        "!ip(\"127.0.0.0/7\").isLoopback()",
        "ip(\"::1\").isLoopback()",
        "!ip(\"::1/127\").isLoopback()",
        "ip(\"224.0.0.1\").isMulticast()",
        "ip(\"239.0.0.0/4\").isMulticast()",
        "!ip(\"224.0.0.0/3\").isMulticast()",
        "ip(\"ff02::1\").isMulticast()",
        "!ip(\"ff00::/7\").isMulticast()",
        "ip(\"10.1.2.3\").isInRange(ip(\"10.0.0.0/8\"))",
        "ip(\"10.1.2.0/24\").isInRange(ip(\"10.1.99.0/16\"))", /* bits beyond the prefix do not count */
        "!ip(\"10.0.0.0/8\").isInRange(ip(\"10.1.0.0/16\"))",
        "ip(\"1.2.3.4\").isInRange(ip(\"9.9.9.9/0\"))",
        "ip(\"2001:db8::7\").isInRange(ip(\"2001:db8::/33\"))",
        "!ip(\"2001:db8:8000::\").isInRange(ip(\"2001:db8::/33\"))",
        "!ip(\"1.2.3.4\").isInRange(ip(\"::/0\"))",
    };
    (void)state;
    accepted("ip", good);
    refused("ip", bad);
    holds(true_ones);
}

/* As long as its tables of times. */
static void test_datetime(void **state)
{
    static const char *const good[] = {
        "1970-01-01",
        "0000-01-01",
        "0000-02-29",
        "9999-12-31",
        "2024-02-29",
        "2000-02-29",
        "2026-03-05T10:03:04Z",
        "2026-03-05T10:03:04.123Z",
        "2026-03-05T10:03:04+0800",
        "2026-03-05T10:03:04.999-2359",
        "9999-12-31T23:59:59.999-2359",
    };
    static const char *const bad[] = {
        "",
        "2026-3-05",
        "2026-13-01",
        "2026-00-01",
        "2026-01-00",
        "2023-02-29",
        "1900-02-29",
        "2026-04-31",
        "10000-01-01",
        "-001-01-01",
        "2026-03-05T",
        "2026-03-05Z",
        "2026-03-05 ",
        "2026-03-05t10:03:04Z",
        "2026-03-05T10:03:04",
        "2026-03-05T10:03Z",
        "2026-03-05T24:00:00Z",
        "2026-03-05T10:60:00Z",
        "2026-12-31T23:59:60Z",
        "2026-03-05T10:03:04.12Z",
        "2026-03-05T10:03:04.1234Z",
        "2026-03-05T10:03:04ZZ",
        "2026-03-05T10:03:04+2400",
        "2026-03-05T10:03:04+0060",
        "2026-03-05T10:03:04+08:00",
        "2026-03-05T10:03:04.",
    };
    static const char *const true_ones[] = {
        "datetime(\"1970-01-01\").durationSince(datetime(\"0000-01-01\")).toDays() == 719528",
        "datetime(\"2026-03-05T08:00:00+0800\") == datetime(\"2026-03-05\")",
        "datetime(\"2026-03-04T20:00:00-0400\") == datetime(\"2026-03-05T00:00:00Z\")",
        "datetime(\"2024-03-01\").durationSince(datetime(\"2024-02-28\")) == duration(\"2d\")",
        "datetime(\"2023-03-01\").durationSince(datetime(\"2023-02-28\")) == duration(\"1d\")",
        "datetime(\"2100-03-01\").durationSince(datetime(\"2100-02-28\")) == duration(\"1d\")",
        ("datetime(\"2026-03-05\").offset(duration(\"-1ms\")) == "
         "datetime(\"2026-03-04T23:59:59.999Z\")"),
        "datetime(\"2026-03-05T10:03:04Z\").toDate() == datetime(\"2026-03-05\")",
        "datetime(\"1969-12-31T23:59:59.999Z\").toDate() == datetime(\"1969-12-31\")",
        "datetime(\"1969-12-31T23:00:00Z\").toTime() == duration(\"23h\")",
        "datetime(\"1969-12-31\").toTime() == duration(\"0ms\")",
        "datetime(\"2026-03-05\") < datetime(\"2026-03-05T00:00:00.001Z\")",
        "datetime(\"2026-03-05\") >= datetime(\"2026-03-05\")",
    };
    (void)state;
    accepted("datetime", good);
    refused("datetime", bad);
    holds(true_ones);
}

static void test_duration(void **state)
{
    static const char *const good[] = {
        "0ms",
        "1d2h3m4s5ms",
        "-1d",
        "1d5ms",
        "5m3ms",
        "0001s",
        "9223372036854775807ms",
        "-9223372036854775808ms",
        "106751991167d7h12m55s807ms",
        "-106751991167d7h12m55s808ms",
    };
    static const char *const bad[] = {
        "",
        "-",
        "1",
        "d",
        "1h1d",
        "1d1d",
        "1ms1s",
        "1.5h",
        "+1d",
        "--1d",
        "1D",
        "1d ",
        "1 d",
        "1m-1s",
        "9223372036854775808ms",
        "-9223372036854775809ms",
        "106751991167d7h12m55s808ms",
        "106751991168d",
        "99999999999999999999d",
    };
    static const char *const true_ones[] = {
        "duration(\"1d2h\") == duration(\"26h\")",
        "duration(\"-1d2h\") == duration(\"-26h\")",
        "duration(\"1s\") < duration(\"1001ms\")",
        "duration(\"90061001ms\").toMilliseconds() == 90061001",
        "duration(\"90061001ms\").toSeconds() == 90061",
        "duration(\"90061001ms\").toMinutes() == 1501",
        "duration(\"90061001ms\").toHours() == 25",
        "duration(\"90061001ms\").toDays() == 1",
        "duration(\"-36h\").toDays() == -1",
        "duration(\"-1999ms\").toSeconds() == -1",
    };
    (void)state;
    accepted("duration", good);
    refused("duration", bad);
    holds(true_ones);
}

static void test_faults(void **state)
{
    static const struct row rows[] = {
        {"datetime(\"1970-01-01\").offset(duration(\"9223372036854775807ms\"))"
         ".offset(duration(\"1ms\")) == 1",
         "offset cannot make a value of this"},
        {"datetime(\"1970-01-01\").offset(duration(\"-9223372036854775808ms\"))"
         ".durationSince(datetime(\"1970-01-02\")) == 1",
         "durationSince cannot make a value of this"},
        {"datetime(\"1970-01-01\").offset(duration(\"-9223372036854775808ms\")).toDate() == 1",
         "toDate cannot make a value of this"},
        {"ip(1).isIpv4()", "expected a string, found a long"},
        {"\"10.0.0.1\".isIpv4()", "expected an ipaddr, found a string"},
        {"ip(\"10.0.0.1\").isInRange(\"10.0.0.0/8\")", "expected an ipaddr, found a string"},
        {"ip(\"10.0.0.1\").isInRange()", "isInRange takes another number of arguments"},
        {"ip(\"10.0.0.1\").isInRange(ip(\"::\"), ip(\"::\"))",
         "isInRange takes another number of arguments"},
        {"ip() == 1", "ip takes another number of arguments"},
        {"decimal(\"1.0\") < decimal(\"2.0\")", "expected a long, found a decimal"},
        {"ip(\"10.0.0.1\") < ip(\"10.0.0.2\")", "expected a long, found an ipaddr"},
        {"datetime(\"2026-03-05\") < duration(\"1d\")", "expected a datetime, found a duration"},
        {"datetime(\"2026-03-05\") < 1", "expected a datetime, found a long"},
        {"duration(\"1d\").lessThan(decimal(\"1.0\"))", "expected a decimal, found a duration"},
        {"false && ip(\"no address\").isIpv4()", "false"},
    };
    (void)state;
    check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimal),  cmocka_unit_test(test_ip),
        cmocka_unit_test(test_datetime), cmocka_unit_test(test_duration),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
