/* Any bytes as workflow.yaml: refused, or a workflow whose answers are within their limits. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "casework/workflow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct workflow *workflow;
    size_t stages;

    if (workflow_parse("fuzz", data, size, &workflow) < 0)
        return 0;
    stages = workflow_stage_count(workflow);
    if (stages < 1 || stages > WORKFLOW_STAGES_MAX)
        abort();
    for (size_t i = 0; i < stages; i++) {
        const char *name = workflow_stage(workflow, i);
        if (*name == '\0' || strlen(name) > 255 || strchr(name, '/') != NULL ||
            !sr_utf8_valid(name, strlen(name)))
            abort();
        if (workflow_is_junk(workflow, name) && workflow_is_scratch(workflow, name))
            abort();
    }
    if (workflow_settle_ns(workflow) < INT64_C(1000000000) ||
        strcmp(workflow_unfiled(workflow), "待归案") != 0 || *workflow_drafts(workflow) == '\0')
        abort();
    workflow_free(workflow);
    return 0;
}
