/* What the supervisor was started with: a job, and which of the descriptors that may be absent are there. */
#ifndef WEBHOOKD_VESSEL_GIVEN_H
#define WEBHOOKD_VESSEL_GIVEN_H

#include <stdbool.h>

#include "supervisor/record.h"

struct given {
    struct job job;
    bool has_headers, has_body; /* JOB_FD_HEADERS, JOB_FD_BODY */
    bool
        is_trial; /* nothing is to be run, only the sandbox to be built: job and working folder alone are given */
};

#endif
