/* The extension types: decimal, ipaddr, datetime, duration. One table of functions and methods,
 * looked up by name when a policy is read, called by number when it is evaluated. */
#ifndef SR_POLICY_CEDAR_EXTENSION_H
#define SR_POLICY_CEDAR_EXTENSION_H

#include "policy/cedar_value.h"

enum cedar_function {
    CEDAR_FN_DECIMAL,
    CEDAR_FN_IP,
    CEDAR_FN_DATETIME,
    CEDAR_FN_DURATION,
    CEDAR_FN_LESS_THAN,
    CEDAR_FN_LESS_THAN_OR_EQUAL,
    CEDAR_FN_GREATER_THAN,
    CEDAR_FN_GREATER_THAN_OR_EQUAL,
    CEDAR_FN_IS_IPV4,
    CEDAR_FN_IS_IPV6,
    CEDAR_FN_IS_LOOPBACK,
    CEDAR_FN_IS_MULTICAST,
    CEDAR_FN_IS_IN_RANGE,
    CEDAR_FN_OFFSET,
    CEDAR_FN_DURATION_SINCE,
    CEDAR_FN_TO_DATE,
    CEDAR_FN_TO_TIME,
    CEDAR_FN_TO_MILLISECONDS,
    CEDAR_FN_TO_SECONDS,
    CEDAR_FN_TO_MINUTES,
    CEDAR_FN_TO_HOURS,
    CEDAR_FN_TO_DAYS,
    CEDAR_FN_COUNT
};

/* -1 when there is no such name. *constructor: written name(text), not value.name(…). */
int cedar_extension_find(const char *name, size_t len, bool *constructor);
const char *cedar_extension_name(enum cedar_function function);
/* How many values it takes, the one before the dot included, and of which kind each is. */
unsigned cedar_extension_arity(enum cedar_function function);
enum cedar_kind cedar_extension_takes(enum cedar_function function, unsigned argument);
enum cedar_kind cedar_extension_gives(enum cedar_function function);

/* args must have the number and kinds that the function takes. SR_ERR_INVALID (no sentence): the
 * text is not of the type's form, or the result is out of range; SR_ERR_TOO_LARGE: arena full. */
int cedar_extension_call(enum cedar_function function, const struct cedar_value *args,
                         struct cedar_arena *arena, struct cedar_value *out);

#endif
