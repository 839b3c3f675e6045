/* Programs of the system (useradd, smbpasswd, smbstatus), which the daemon runs to manage accounts.
 * Their names are found in PATH; they run with the daemon's environment. */
#ifndef SR_CASEWORK_PROGRAM_H
#define SR_CASEWORK_PROGRAM_H

#include "base/bytes.h"

#define PROGRAM_OUTPUT_MAX (4u << 20)

/* Runs it with input on its standard input; its output is dropped. SR_ERR_INVALID with what it said
 * when it failed, SR_ERR_SYSTEM when it could not be run. */
int program_run(char *const argv[], const char *input);
/* The same; *exited is its exit status, -1 if it did not end by itself. */
int program_run_status(char *const argv[], const char *input, int *exited);
/* Its standard output, up to PROGRAM_OUTPUT_MAX bytes. */
int program_output(char *const argv[], struct sr_buf *out);

#endif
