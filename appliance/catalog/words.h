/* Words of names for searching, and the FTS5 tokenizer made of them. Private to appliance/catalog/.
 *
 * Chinese is written without spaces, and words of one and two characters are what officers look
 * for. So a run of Han characters (kana go with them) is indexed as each character and each pair of
 * neighbours; a query of one character asks for the character, of more for the phrase of its pairs.
 * Everything else is cut into words at whatever is neither a letter nor a digit. */
#ifndef SR_CATALOG_WORDS_H
#define SR_CATALOG_WORDS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* One word or one run of Han characters; a non-zero return stops and is returned. */
typedef int words_fn(void *context, bool han, const char *start, size_t len);
/* text is UTF-8; bytes that are not, separate. */
int words_split(const char *text, size_t len, words_fn *fn, void *context);

/* Appends an FTS5 expression that asks for every word of text: nothing of text can be syntax,
 * because each word is quoted and quotes separate. Words match as prefixes, Han runs as they are.
 * Appends nothing when text has no words. Returns the number of words. */
size_t words_query(const char *text, size_t len, struct sr_buf *out);

/* Registers the tokenizer "strongroom" with this connection. Returns SQLite's result code. */
int words_register(sqlite3 *db);

#endif
