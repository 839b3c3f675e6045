/* Becoming a daemon: the parent waits until the child is ready or has failed, and ends
 * accordingly. */
#ifndef SR_DAEMON_DAEMONISE_H
#define SR_DAEMON_DAEMONISE_H

/* Opens /dev/null in the place of each standard descriptor that is closed: otherwise a file of the
 * vault would get its number, and be written to as standard output. First of all. */
int daemonise_hold_standard(void);
/* Forks before any thread exists. In the child returns the writing end of the report pipe in *fd
 * (new session, standard input from /dev/null) and 0. The parent never returns: it prints the
 * line that the child reports (to stdout if status 0, otherwise to stderr) and exits with that
 * status. */
int daemonise_fork(int *fd);
/* Reports once and lets go of the terminal: with status 0 standard output goes to /dev/null, and
 * standard error too unless it is a file or the journal. Closes fd. */
void daemonise_report(int fd, int status, const char *line);

#endif
