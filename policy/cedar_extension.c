#include "policy/cedar_extension.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar_ip.h"
#include "policy/cedar_time.h"

#define DECIMAL_DIGITS 4

struct function {
    const char *name;
    enum cedar_kind gives;
    enum cedar_kind takes[2];
    unsigned arity;
};

static const struct function functions[CEDAR_FN_COUNT] = {
    [CEDAR_FN_DECIMAL] = {"decimal", CEDAR_DECIMAL, {CEDAR_STRING}, 1},
    [CEDAR_FN_IP] = {"ip", CEDAR_IPADDR, {CEDAR_STRING}, 1},
    [CEDAR_FN_DATETIME] = {"datetime", CEDAR_DATETIME, {CEDAR_STRING}, 1},
    [CEDAR_FN_DURATION] = {"duration", CEDAR_DURATION, {CEDAR_STRING}, 1},
    [CEDAR_FN_LESS_THAN] = {"lessThan", CEDAR_BOOL, {CEDAR_DECIMAL, CEDAR_DECIMAL}, 2},
    [CEDAR_FN_LESS_THAN_OR_EQUAL] = {"lessThanOrEqual",
                                     CEDAR_BOOL,
                                     {CEDAR_DECIMAL, CEDAR_DECIMAL},
                                     2},
    [CEDAR_FN_GREATER_THAN] = {"greaterThan", CEDAR_BOOL, {CEDAR_DECIMAL, CEDAR_DECIMAL}, 2},
    [CEDAR_FN_GREATER_THAN_OR_EQUAL] = {"greaterThanOrEqual",
                                        CEDAR_BOOL,
                                        {CEDAR_DECIMAL, CEDAR_DECIMAL},
                                        2},
    [CEDAR_FN_IS_IPV4] = {"isIpv4", CEDAR_BOOL, {CEDAR_IPADDR}, 1},
    [CEDAR_FN_IS_IPV6] = {"isIpv6", CEDAR_BOOL, {CEDAR_IPADDR}, 1},
    [CEDAR_FN_IS_LOOPBACK] = {"isLoopback", CEDAR_BOOL, {CEDAR_IPADDR}, 1},
    [CEDAR_FN_IS_MULTICAST] = {"isMulticast", CEDAR_BOOL, {CEDAR_IPADDR}, 1},
    [CEDAR_FN_IS_IN_RANGE] = {"isInRange", CEDAR_BOOL, {CEDAR_IPADDR, CEDAR_IPADDR}, 2},
    [CEDAR_FN_OFFSET] = {"offset", CEDAR_DATETIME, {CEDAR_DATETIME, CEDAR_DURATION}, 2},
    [CEDAR_FN_DURATION_SINCE] = {"durationSince",
                                 CEDAR_DURATION,
                                 {CEDAR_DATETIME, CEDAR_DATETIME},
                                 2},
    [CEDAR_FN_TO_DATE] = {"toDate", CEDAR_DATETIME, {CEDAR_DATETIME}, 1},
    [CEDAR_FN_TO_TIME] = {"toTime", CEDAR_DURATION, {CEDAR_DATETIME}, 1},
    [CEDAR_FN_TO_MILLISECONDS] = {"toMilliseconds", CEDAR_LONG, {CEDAR_DURATION}, 1},
    [CEDAR_FN_TO_SECONDS] = {"toSeconds", CEDAR_LONG, {CEDAR_DURATION}, 1},
    [CEDAR_FN_TO_MINUTES] = {"toMinutes", CEDAR_LONG, {CEDAR_DURATION}, 1},
    [CEDAR_FN_TO_HOURS] = {"toHours", CEDAR_LONG, {CEDAR_DURATION}, 1},
    [CEDAR_FN_TO_DAYS] = {"toDays", CEDAR_LONG, {CEDAR_DURATION}, 1},
};

int cedar_extension_find(const char *name, size_t len, bool *constructor)
{
    for (int i = 0; i < CEDAR_FN_COUNT; i++) {
        if (strlen(functions[i].name) == len && !memcmp(functions[i].name, name, len)) {
            *constructor = functions[i].takes[0] == CEDAR_STRING;
            return i;
        }
    }
    return -1;
}

const char *cedar_extension_name(enum cedar_function function)
{
    return functions[function].name;
}

unsigned cedar_extension_arity(enum cedar_function function)
{
    return functions[function].arity;
}

enum cedar_kind cedar_extension_takes(enum cedar_function function, unsigned argument)
{
    assert(argument < functions[function].arity);
    return functions[function].takes[argument];
}

enum cedar_kind cedar_extension_gives(enum cedar_function function)
{
    return functions[function].gives;
}

/* "-12.3456": digits on both sides of the point, at most four after it. */
static bool parse_decimal(const char *text, size_t len, int64_t *out)
{
    const char *at = text;
    const char *end = text + len;
    int64_t sign = 1;
    int64_t value = 0;
    int fraction = -1; /* digits after the point; -1 before it */
    bool digit = false;
    if (at < end && *at == '-') {
        sign = -1;
        at++;
    }
    for (; at < end; at++) {
        if (*at == '.' && digit && fraction < 0) {
            fraction = 0;
            continue;
        }
        if (*at < '0' || *at > '9' || fraction == DECIMAL_DIGITS)
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, sign * (*at - '0'), &value))
            return false;
        digit = true;
        fraction += fraction >= 0;
    }
    if (fraction < 1)
        return false;
    for (; fraction < DECIMAL_DIGITS; fraction++)
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
    *out = value;
    return true;
}

static int call_constructor(enum cedar_function function, const struct cedar_text *text,
                            struct cedar_arena *arena, struct cedar_value *out)
{
    int64_t number = 0;
    bool valid;
    if (function == CEDAR_FN_IP) {
        struct cedar_ip ip;
        if (!cedar_ip_parse(text->data, text->len, &ip))
            return SR_ERR_INVALID;
        struct cedar_ip *kept = cedar_arena_alloc(arena, sizeof(*kept));
        if (!kept)
            return SR_ERR_TOO_LARGE;
        *kept = ip;
        *out = (struct cedar_value){.kind = CEDAR_IPADDR, .ip = kept};
        return 0;
    }
    if (function == CEDAR_FN_DECIMAL)
        valid = parse_decimal(text->data, text->len, &number);
    else if (function == CEDAR_FN_DATETIME)
        valid = cedar_time_parse(text->data, text->len, &number);
    else
        valid = cedar_time_parse_duration(text->data, text->len, &number);
    *out = (struct cedar_value){.kind = functions[function].gives, .number = number};
    return valid ? 0 : SR_ERR_INVALID;
}

static bool test_ip(enum cedar_function function, const struct cedar_value *args)
{
    switch (function) {
    case CEDAR_FN_IS_IPV4:
        return !args[0].ip->v6;
    case CEDAR_FN_IS_IPV6:
        return args[0].ip->v6;
    case CEDAR_FN_IS_LOOPBACK:
        return cedar_ip_is_loopback(args[0].ip);
    case CEDAR_FN_IS_MULTICAST:
        return cedar_ip_is_multicast(args[0].ip);
    default:
        return cedar_ip_in_range(args[0].ip, args[1].ip);
    }
}

static bool compare_decimals(enum cedar_function function, int64_t a, int64_t b)
{
    switch (function) {
    case CEDAR_FN_LESS_THAN:
        return a < b;
    case CEDAR_FN_LESS_THAN_OR_EQUAL:
        return a <= b;
    case CEDAR_FN_GREATER_THAN:
        return a > b;
    default:
        return a >= b;
    }
}

/* false: the result does not fit. */
static bool reckon_time(enum cedar_function function, const struct cedar_value *args, int64_t *out)
{
    int64_t ms = args[0].number;
    switch (function) {
    case CEDAR_FN_OFFSET:
        return !__builtin_add_overflow(ms, args[1].number, out);
    case CEDAR_FN_DURATION_SINCE:
        return !__builtin_sub_overflow(ms, args[1].number, out);
    case CEDAR_FN_TO_DATE:
        return cedar_time_date(ms, out);
    case CEDAR_FN_TO_TIME:
        *out = cedar_time_of_day(ms);
        return true;
    case CEDAR_FN_TO_SECONDS:
        *out = ms / 1000;
        return true;
    case CEDAR_FN_TO_MINUTES:
        *out = ms / 60000;
        return true;
    case CEDAR_FN_TO_HOURS:
        *out = ms / 3600000;
        return true;
    case CEDAR_FN_TO_DAYS:
        *out = ms / 86400000;
        return true;
    default:
        *out = ms;
        return true;
    }
}

int cedar_extension_call(enum cedar_function function, const struct cedar_value *args,
                         struct cedar_arena *arena, struct cedar_value *out)
{
    switch (functions[function].takes[0]) {
    case CEDAR_STRING:
        return call_constructor(function, args[0].text, arena, out);
    case CEDAR_IPADDR:
        *out = (struct cedar_value){.kind = CEDAR_BOOL, .boolean = test_ip(function, args)};
        return 0;
    case CEDAR_DECIMAL:
        *out = (struct cedar_value){
            .kind = CEDAR_BOOL,
            .boolean = compare_decimals(function, args[0].number, args[1].number),
        };
        return 0;
    default: {
        int64_t number = 0;
        bool fits = reckon_time(function, args, &number);
        *out = (struct cedar_value){.kind = functions[function].gives, .number = number};
        return fits ? 0 : SR_ERR_INVALID;
    }
    }
}
