/* Diagnostics. Lines go to stderr as "<priority>text" when journald reads us, as plain text
 * otherwise. Object ids only, never names that users gave. A failing log is ignored. */
#ifndef SR_BASE_LOG_H
#define SR_BASE_LOG_H

enum sr_log_level { SR_LOG_ERROR = 3, SR_LOG_WARNING = 4, SR_LOG_INFO = 6, SR_LOG_DEBUG = 7 };

void sr_log(enum sr_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Logs "what: <this thread's error sentence>" as an error. */
void sr_log_failure(const char *what);

#endif
