/* A YAML policy file, read strictly. libcyaml decodes it by a schema whose scalars are all strings,
 * because it would take "5x" for 5 and "010" for 8; what it ignores is refused before: a second
 * document, anchors, aliases and tags, NUL in a scalar. Sentences are "FILE:LINE:COLUMN: reason". */
#ifndef SR_CASEWORK_POLICYFILE_H
#define SR_CASEWORK_POLICYFILE_H

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/io.h"

#define POLICYFILE_BYTES_MAX (64u << 10)
#define POLICYFILE_KEY SIZE_MAX /* as item: the key itself */

struct policyfile;

/* Reads DIR/NAME. SR_ERR_NOT_FOUND says what to copy; SR_ERR_TOO_LARGE; SR_ERR_INVALID. */
int policyfile_read(struct sr_io *io, const char *dir, const char *name, struct policyfile **out);
/* From memory: file is what sentences call it. The data are copied. */
int policyfile_parse(const char *file, const uint8_t *data, size_t len, struct policyfile **out);
void policyfile_free(struct policyfile *file); /* NULL ok */

/* SHA-256 of the file's bytes. */
const uint8_t *policyfile_sha256(const struct policyfile *file);

/* Whether the top mapping has this key. */
bool policyfile_has(const struct policyfile *file, const char *key);

/* Decodes by schema, whose top is a mapping; unknown keys are refused. Free *value with
 * policyfile_free_value. */
int policyfile_decode(const struct policyfile *file, const struct cyaml_schema_value *schema,
                      void **value);
void policyfile_free_value(const struct cyaml_schema_value *schema, void *value); /* NULL ok */

/* Stores "FILE:LINE:COLUMN: reason", of the place of the key of the top mapping, or of the item-th
 * element of its sequence (from 0), and returns SR_ERR_INVALID. */
int policyfile_refuse(const struct policyfile *file, const char *key, size_t item,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
