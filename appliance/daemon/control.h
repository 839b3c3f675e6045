/* The control socket: SOCKET_DIR/<vault id>.sock, one JSON request line per connection, JSON
 * lines in answer (answer.h). Everybody may connect (mode 0666); who is asking is told by the
 * kernel (SO_PEERCRED), and what they may do is the door's decision.
 *
 * Hostile clients: at most CONTROL_CONNECTIONS threads, CONTROL_PER_UID of one user; a request
 * must arrive whole within CONTROL_REQUEST_MS and fit REQUEST_MAX; answers stall at most
 * ANSWER_STALL_MS. */
#ifndef SR_DAEMON_CONTROL_H
#define SR_DAEMON_CONTROL_H

#include "daemon/ops.h"

#define CONTROL_CONNECTIONS 32
#define CONTROL_PER_UID 8
#define CONTROL_REQUEST_MS 10000

struct control;

/* Makes dir (0755) if need be, binds the socket, starts serving. context must outlive the
 * control. The vault's lock is held, so a socket of its name that is still there belongs to
 * nobody: replaced. */
int control_start(const char *dir, const struct ops_context *context, struct control **out);
/* Accepts no more, lets running requests come to their end (long ones are cut short), removes the
 * socket. After it no thread of ours calls the door. NULL ok. */
void control_stop(struct control *control);

#endif
