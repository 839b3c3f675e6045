/* The last word: an answer of what is known by now, ready to be said should the code that follows not come back within
 * the limits of the process: poppler in a page of millions of operators, a library whose allocation fails. The process
 * that ends there would take everything else that was found with it.
 *
 * One process, one file, so the state is the process's own; signal handlers could not reach another. */
#ifndef SR_MEDIA_PROBE_LASTWORD_H
#define SR_MEDIA_PROBE_LASTWORD_H

#include <stddef.h>

/* From here on SIGXCPU says the last word over fd, if there is one, and ends the process; without one the process goes
 * on, and gets the signal again after another second of the processor's time, until its hard limit ends it. */
int lastword_watch(int fd);
/* answer: canonical JSON of at most WIRE_ANSWER_MAX bytes, copied; it replaces the one before. NULL: there is none. */
void lastword_keep(const void *answer, size_t len);
/* Between the two it is not said: a message of another kind is under way. */
void lastword_hold(void);
void lastword_release(void);
/* Says it and ends the process with status 0; returns when there is none to say. Async-signal-safe. */
void lastword_say(void);

#endif
