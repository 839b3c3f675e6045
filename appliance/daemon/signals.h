/* One thread takes all signals, so that no other thread is ever interrupted by one. SIGTERM and
 * SIGINT end the daemon: before it is ready at once, afterwards by asking stop(). SIGHUP changes
 * nothing yet. The same thread watches the clock. */
#ifndef SR_DAEMON_SIGNALS_H
#define SR_DAEMON_SIGNALS_H

struct signals;

/* To be called before any other thread starts: they inherit the blocked signals. */
int signals_start(struct signals **out);
/* From now on SIGTERM and SIGINT call stop(context), from the thread. They may have been sent
 * before. */
void signals_ready(struct signals *signals, void (*stop)(void *context), void *context);
/* Ends the thread; stop is not called any more. NULL ok. */
void signals_stop(struct signals *signals);

#endif
