/* The probe's cage. Closed after all libraries and tables are loaded and before the job is read: from
 * then on nothing but the socket (fd 3), memory and time. Fails closed. One thread. */
#ifndef SR_MEDIA_PROBE_SANDBOX_H
#define SR_MEDIA_PROBE_SANDBOX_H

/* memory_mib: address space; cpu_s: the processor's seconds from the process's start. Afterwards:
 * limits stand; no core file; root has become nobody; no new privileges; Landlock allows reading below
 * /usr/share/poppler alone (a kernel without Landlock: no opening at all, by seccomp); system calls
 * are those of a list, anything else kills the process by SIGSYS, but for some that libraries try in
 * passing, which fail with EACCES or EPERM. */
int sandbox_close(unsigned memory_mib, unsigned cpu_s);

#endif
