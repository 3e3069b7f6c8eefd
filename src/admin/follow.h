/* Following the output of an attempt. For run_files.c. */
#ifndef WEBHOOKD_ADMIN_FOLLOW_H
#define WEBHOOKD_ADMIN_FOLLOW_H

#include "admin/request.h"

struct followed {
    struct id run_id, vessel_run_id;
    int attempt;
    int64_t from; /* bytes of the output that the reader already has */
};

/* Makes the output, which fd reads, the request's answer. Takes fd. */
int follow_answer(struct admin_request *request, const struct followed *what, int fd,
                  struct error *error);

#endif
