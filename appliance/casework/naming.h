/* File names that say when, by whom and with what a recording was made: POLICYDIR/naming.yaml, read
 * as strictly as workflow.yaml. A pattern describes the whole name without its extension:
 *
 *   {年:4}{月:2}{日:2} {时:2}{分:2}{秒:2} {毫秒:3}   local time; {年:2} is 20xx
 *   {毫秒时间戳:13} {秒时间戳:10}                    since 1970 UTC, years 2000 to 2099
 *   {警号} {设备号}   letters and digits of ASCII; {序号} digits; {名:6} so many, {名:6-8} from, to
 *   {*}               anything, also nothing
 *
 * and every other character stands for itself (letters of ASCII in either case). Fields that are out
 * of range, and dates that do not exist, refuse the match. The first pattern that matches wins. The
 * time of matching grows with length of pattern times length of name, for any pattern. Pure but for
 * naming_load; a loaded naming never changes and may be used by any number of threads. */
#ifndef SR_CASEWORK_NAMING_H
#define SR_CASEWORK_NAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/io.h"

#define NAMING_FILE "naming.yaml"
#define NAMING_PATTERNS_MAX 128
#define NAMING_FIELD_MAX 32 /* characters of 警号, 设备号 */

struct naming;

struct naming_labels {
    bool has_time;                    /* the name told a time to the second */
    int64_t captured_ns;              /* 采集时间, ns since 1970 UTC; 0 without */
    char badge[NAMING_FIELD_MAX + 1]; /* 警号 as written, "" without; whose it is the caller
                                                 looks up */
    char device_number[NAMING_FIELD_MAX + 1]; /* 设备号, "" without */
    const char *device;  /* kind of device, "" if the pattern says none; owned by the naming */
    const char *pattern; /* which matched, as the file has it; owned by the naming */
};

/* Reads DIR/naming.yaml. SR_ERR_NOT_FOUND, SR_ERR_TOO_LARGE, SR_ERR_INVALID with a sentence
 * "FILE:LINE:COLUMN: reason". */
int naming_load(struct sr_io *io, const char *dir, struct naming **out);
int naming_parse(const char *file, const uint8_t *data, size_t len, struct naming **out);
void naming_free(struct naming *naming); /* NULL ok */

const uint8_t *naming_sha256(const struct naming *naming); /* of the file's bytes */

/* Reads the labels off the last component of a path. False, and *out is empty, if no pattern
 * matches or the name is over 255 bytes or not UTF-8. */
bool naming_read(const struct naming *naming, const char *name, struct naming_labels *out);

#endif
