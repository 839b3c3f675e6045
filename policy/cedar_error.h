/* Filling struct cedar_error. */
#ifndef SR_POLICY_CEDAR_ERROR_H
#define SR_POLICY_CEDAR_ERROR_H

#include "policy/cedar.h"

/* found is a phrase ("the end of the text"). Returns SR_ERR_INVALID, no sentence. */
int cedar_error_set(struct cedar_error *error, uint32_t line, uint32_t column, const char *found,
                    const char *expected);
/* found is a piece of the text, which is cut to fit and put between quote characters; control
 * characters show as \u{H}, so that a sentence is always one line. text must be UTF-8. */
int cedar_error_quote(struct cedar_error *error, uint32_t line, uint32_t column, char quote,
                      const char *text, size_t len, const char *expected);
/* Takes what is left of a character that was cut from the end of a text. */
void cedar_error_trim(char *text);
/* Saves the sentence of an error for SR_ERR_INVALID; returns rc, whatever it is. */
int cedar_error_report(const struct cedar_error *error, int rc);

#endif
