/* The ring of what happened to fleet runs lately. Each thread that commits a run's status puts it
 * in (admin_events_push, admin/admin.h); readers look into it. Any thread; each call costs a lock
 * and a copy. */
#ifndef WEBHOOKD_ADMIN_RUN_EVENTS_H
#define WEBHOOKD_ADMIN_RUN_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/admin.h"

struct run_event {
    struct id run_id, fleet_id;
    enum run_status status;
    int64_t at_ms;
};

/* Events are numbered from 1 after each start of webhookd; the epoch tells the starts apart. */
int64_t run_events_epoch_ms(const struct admin_events *events);
/* The number of the last one. */
uint64_t run_events_last(struct admin_events *events);
/* Copies what came after number *seen, and moves that to the last one. Returns how many. If there
 * were more than `most`, none is copied and *missed is set. */
size_t run_events_take(struct admin_events *events, uint64_t *seen, struct run_event *news,
                       size_t most, bool *missed);

#endif
