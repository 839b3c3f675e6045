#include "tests/lib/cedar_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"

const struct cedar_uid *cedar_rig_uid(struct cedar_rig *rig, const char *type, const char *id)
{
    const struct cedar_text *type_text = cedar_text_make(&rig->arena, type, strlen(type));
    const struct cedar_text *id_text = cedar_text_make(&rig->arena, id, strlen(id));
    assert_non_null(type_text);
    assert_non_null(id_text);
    return cedar_uid_make(&rig->arena, type_text, id_text);
}

void cedar_rig_open(struct cedar_rig *rig, const char *entities, const char *context)
{
    *rig = (struct cedar_rig){0};
    cedar_arena_init(&rig->arena, (size_t)64 << 20);
    cedar_arena_init(&rig->scratch, CEDAR_SCRATCH_MAX);
    assert_int_equal(cedar_policies_new(&rig->policies), 0);
    if (entities && cedar_entities_parse((const uint8_t *)entities, strlen(entities), false,
                                         &rig->entities, NULL) < 0)
        fail_msg("%s", sr_error_message());
    if (context && cedar_entities_parse_context((const uint8_t *)context, strlen(context), false,
                                                &rig->arena, &rig->request.context, NULL) < 0)
        fail_msg("%s", sr_error_message());
    rig->request.entities = rig->entities;
    rig->request.principal = cedar_rig_uid(rig, "User", "alice");
    rig->request.action = cedar_rig_uid(rig, "Action", "view");
    rig->request.resource = cedar_rig_uid(rig, "Photo", "p1");
}

void cedar_rig_close(struct cedar_rig *rig)
{
    cedar_policies_free(rig->policies);
    cedar_entities_free(rig->entities);
    cedar_arena_free(&rig->arena);
    cedar_arena_free(&rig->scratch);
}

int cedar_rig_policies(struct cedar_rig *rig, const char *text, struct cedar_error *error)
{
    cedar_policies_free(rig->policies);
    assert_int_equal(cedar_policies_new(&rig->policies), 0);
    return cedar_policies_add(rig->policies, "test.cedar", (const uint8_t *)text, strlen(text),
                              error);
}

int cedar_rig_decide(struct cedar_rig *rig)
{
    cedar_arena_reset(&rig->scratch);
    return cedar_authorize(rig->policies, &rig->request, &rig->scratch, &rig->response);
}

const char *cedar_rig_evaluate(struct cedar_rig *rig, const char *expression)
{
    static char answer[512]; /* tests have one thread that asks */
    struct sr_buf text = {0};
    sr_buf_format(&text, "permit(principal, action, resource) when { %s };", expression);
    int rc = cedar_rig_policies(rig, text.data, NULL);
    sr_buf_free(&text);
    if (rc == 0)
        rc = cedar_rig_decide(rig);
    if (rc < 0)
        snprintf(answer, sizeof(answer), "%s", sr_error_message());
    else if (rig->response.fault_count)
        cedar_fault_text(&rig->response.faults[0], answer, sizeof(answer));
    else
        snprintf(answer, sizeof(answer), "%s", rig->response.allow ? "true" : "false");
    return answer;
}
