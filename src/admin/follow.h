/* Follows the output of an attempt. For run_files.c, on admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_FOLLOW_H
#define WEBHOOKD_ADMIN_FOLLOW_H

#include "admin/request.h"

struct followed {
    struct id run_id, vessel_run_id;
    int attempt;   /* 0: an override skipped the vessel, so the output is complete */
    int64_t from;  /* bytes of the output that the reader already has */
    int exit_code; /* attempt 0 */
};

/* Makes the output, read from fd, the answer to the request. Takes ownership of fd. Returns -1 and
 * sets *error if too many streams are open. */
int follow_answer(struct admin_request *request, const struct followed *what, int fd,
                  struct error *error);

#endif
