/* Values of labels as people and stations write them, made into the form in which they are kept. Whatever gives a
 * label (tool, label file, file name, media) goes through here: the values are untrusted. Pure. */
#ifndef SR_CASEWORK_LABEL_VALUE_H
#define SR_CASEWORK_LABEL_VALUE_H

#include <stdbool.h>

#include "catalog/labels.h"

#define LABEL_SENTENCE_MAX 400

/* By its word ("captured") or its Chinese name ("采集时间"). */
bool label_by_name(const char *name, enum catalog_label *out);

/* out (of CATALOG_LABEL_MAX + 1 bytes): without blanks at the ends;
 *   captured  "2026-03-05T14:03:22+08:00" from 2026-03-05 14:03[:22], 2026/3/5 14:03, 2026年3月5日14时3分[22秒],
 *             RFC 3339 with any offset; not after now_ns
 *   clock     seconds with sign, from -2147483647 to 2147483647
 *   subject   several, separated by ; ； 、 or line ends, become "a;b"; what has 18 letters or digits must be a good
 *             统一社会信用代码 or 公民身份号码
 *   others    as they are
 * "" stays "". False: sentence says in Chinese what is wrong, without the value. */
bool label_value(enum catalog_label label, const char *text, int64_t now_ns, char *out,
                 char sentence[LABEL_SENTENCE_MAX]);

/* The moment of a kept value of captured; false for other texts. */
bool label_captured_ns(const char *value, int64_t *out);
/* The kept form of a moment. */
void label_captured_text(int64_t time_ns, char out[40]);

/* Place in a recording: "12:30", "1:02:03", "75.5", "75s", "1h2m3s". False for anything else. */
bool label_offset(const char *text, int64_t *out_ms);

#endif
