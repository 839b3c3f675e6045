/* Text that was extracted from a record, kept as an object of its own: encrypted, hashed, under its own
 * key, named by the record.index entry that says what was found in the record (docs/entries.md). Like
 * everything that is derived it can be made again, so nothing of it needs salvage: what a crash leaves
 * of one begins with TEXTS_MAGIC and is removed by the next start.
 *
 * Layout of such an object: TEXTS_MAGIC, the object id of the record as 32 hex digits, a line feed; then
 * the text, UTF-8. */
#ifndef SR_CASEWORK_TEXTS_H
#define SR_CASEWORK_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/object.h"
#include "vault/staging.h"

#define TEXTS_MAGIC "strongroom text v1\n"
#define TEXTS_HEAD_LEN (sizeof TEXTS_MAGIC - 1 + 2 * VAULT_OBJECT_ID_LEN + 1)
#define TEXTS_MAX (16u << 20) /* bytes of text */

struct texts; /* one being written */

/* The caller has seen to it that keys are left. */
int texts_begin(struct vault *vault, const struct vault_object_id *record, struct texts **out);
/* SR_ERR_TOO_LARGE beyond TEXTS_MAX. */
int texts_add(struct texts *text, const char *data, size_t len);
/* Sealed and linked, durable: what an entry must say of it. The staging name is still there. */
int texts_seal(struct texts *text, struct object_expectation *out);
/* After the entry is durable (kept), or because there will be none: then nothing is left of it. Frees
 * text, NULL ok. What fails is logged. */
void texts_end(struct texts *text, bool kept);

/* The text in a fresh buffer (free() it), a NUL behind it. SR_ERR_DAMAGED also when it is that of another
 * record. */
int texts_read(struct vault *vault, const struct object_expectation *expected,
               const struct vault_object_id *record, char **data, size_t *len);
/* Is what lies in staging under id such a text? */
bool texts_is_left(struct vault *vault, const struct vault_object_id *id);
/* Removes what a crash left of one, under staging/ and objects/. */
int texts_remove_left(struct vault *vault, const struct vault_object_id *id);

#endif
