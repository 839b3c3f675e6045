/* The sandboxed probe (media/probe.h) as who looks into records. */
#ifndef SR_CASEWORK_DESCRIBER_PROBE_H
#define SR_CASEWORK_DESCRIBER_PROBE_H

#include "casework/describer.h"

struct describer_probe {
    const char *program; /* path of strongroom-probe */
    const char *trust;   /* certificates in PEM against which signatures are checked; NULL: none */
};

/* A describer_fn; its context is a struct describer_probe. */
describer_fn describer_probe_run;

#endif
