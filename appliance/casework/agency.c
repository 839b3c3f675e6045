#include "casework/agency.h"

#include <stdlib.h>

#include "base/error.h"

int agency_load(struct sr_io *io, const char *dir, struct agency **out)
{
    struct agency *agency = calloc(1, sizeof *agency);
    int status;
    *out = NULL;
    if (agency == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for a policy");
    if ((status = workflow_load(io, dir, &agency->workflow)) == 0 &&
        (status = naming_load(io, dir, &agency->naming)) == SR_ERR_NOT_FOUND)
        status = 0;
    if (status == 0)
        status = calendar_load(io, dir, &agency->calendar);
    if (status == 0 && (status = retention_load(io, dir, &agency->retention)) == SR_ERR_NOT_FOUND)
        status = retention_default(&agency->retention);
    if (status == 0 && (status = archive_rules_load(io, dir, &agency->archive)) == SR_ERR_NOT_FOUND)
        status = 0;
    if (status < 0) {
        struct sr_error_copy why;
        sr_error_save(&why, status);
        agency_free(agency);
        return sr_error_raise(&why);
    }
    *out = agency;
    return 0;
}

void agency_free(struct agency *agency)
{
    if (agency == NULL)
        return;
    workflow_free(agency->workflow);
    naming_free(agency->naming);
    calendar_free(agency->calendar);
    retention_free(agency->retention);
    archive_rules_free(agency->archive);
    free(agency);
}

int agency_files(const struct agency *agency, agency_file_fn *fn, void *context)
{
    int status = fn(context, WORKFLOW_FILE, workflow_sha256(agency->workflow));
    if (status == 0 && agency->naming != NULL)
        status = fn(context, NAMING_FILE, naming_sha256(agency->naming));
    if (status == 0 && retention_sha256(agency->retention) != NULL)
        status = fn(context, RETENTION_FILE, retention_sha256(agency->retention));
    if (status == 0 && agency->archive != NULL)
        status = fn(context, ARCHIVE_FILE, archive_rules_sha256(agency->archive));
    return status == 0 ? calendar_files(agency->calendar, fn, context) : status;
}
