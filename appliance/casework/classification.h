/* Classification in words: 密级, 保密期限 and marks, Chinese and English. Pure. */
#ifndef SR_CASEWORK_CLASSIFICATION_H
#define SR_CASEWORK_CLASSIFICATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define CLASSIFICATION_TEXT_MAX 400 /* bytes of a text to be parsed */

struct classification {
    int level;      /* enum catalog_level; -1: the text has none */
    uint32_t marks; /* bits, enum catalog_mark */
    int32_t until;  /* sr_day; 0: none */
};

/* 公开 内部 秘密 机密 绝密, or public internal confidential secret top_secret, or 0 to 4. The English
 * words are those of the Law on Guarding State Secrets: 机密 is secret, 秘密 is confidential. */
bool classification_level(const char *word, int *out);
/* 工作秘密 商业秘密 个人隐私 隐蔽录音录像, or work_secret trade_secret privacy covert. */
bool classification_mark(const char *word, uint32_t *out);
const char *classification_level_name(uint32_t level); /* "秘密"; "?" for what is none */
const char *classification_mark_name(uint32_t bit);
/* The longest term from the day it is given: 10, 20, 30 years; 0 for levels that have none. */
unsigned classification_years(uint32_t level);

/* Words between blanks: at most one level, with or without a term (★2036-01-01, or ★10年 from
 * today), and marks, each once. SR_ERR_INVALID with a sentence. */
int classification_parse(const char *text, int32_t today, struct classification *out);
/* The same back: "秘密★2036-01-01 个人隐私". */
void classification_text(const struct classification *class, struct sr_buf *out);

#endif
