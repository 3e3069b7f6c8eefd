/* Following the output of an attempt. For run_files.c. */
#ifndef WEBHOOKD_ADMIN_FOLLOW_H
#define WEBHOOKD_ADMIN_FOLLOW_H

#include "admin/core.h"

struct followed {
    struct id run_id, vessel_run_id;
    int attempt;
    int64_t from; /* bytes of the output that the reader has already */
    struct caller_ticket ticket;
};

/* Owns fd, the output. */
struct http_stream follow_new(struct admin *admin, const struct followed *what, int fd);

#endif
