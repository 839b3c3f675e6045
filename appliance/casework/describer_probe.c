#include "casework/describer_probe.h"

#include "casework/texts.h"
#include "media/probe.h"

/* Names come to 255 bytes and go as they are; the probe's limits of time and memory are its defaults. */
int describer_probe_run(void *context, const struct describer_job *job, const char **outcome,
                        json_t **answer)
{
    const struct describer_probe *probe = context;
    struct probe_job run = {.program = probe->program,
                            .name = job->name,
                            .trust = probe->trust,
                            .size = job->size,
                            .text_max = TEXTS_MAX,
                            .stop_fd = job->stop_fd,
                            .read = job->read,
                            .text = job->text,
                            .context = job->context};
    int status = probe_run(&run);
    if (status < 0)
        return status;
    *outcome = probe_outcome_word(run.outcome);
    *answer = run.answer;
    return 0;
}
