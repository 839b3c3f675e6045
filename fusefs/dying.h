/* Whose close is it: a program's own, or the kernel's for one that a signal killed? */
#ifndef SR_FUSEFS_DYING_H
#define SR_FUSEFS_DYING_H

#include <stdbool.h>
#include <sys/types.h>

/* The process of this thread is being killed by a signal. false if that cannot be found out. */
bool dying_by_signal(pid_t thread_id);
/* The same from the text of /proc/<id>/stat (proc(5)). */
bool dying_parse_stat(const char *text);

#endif
