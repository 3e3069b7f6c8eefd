/* A ring of the latest changes of fleet runs' statuses. Each thread that commits a status adds it
 * (admin_events_push, admin/admin.h); readers poll the ring. Any thread; each call costs a lock and
 * a copy. */
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

/* Events are numbered from 1 after each start of webhookd; the epoch distinguishes the starts. */
int64_t run_events_epoch_ms(const struct admin_events *events);
/* The id of an event in the stream is its epoch and its number. */
#define RUN_EVENT_ID_BYTES 48
const char *run_events_format_id(const struct admin_events *events, uint64_t number,
                                 char id[RUN_EVENT_ID_BYTES]);
/* Returns the number of the last event. */
uint64_t run_events_last(struct admin_events *events);
/* Copies the events after number *seen, and sets *seen to the number of the last event. Returns how
 * many were copied. If there were more than `most`, or the ring no longer holds all of them, copies
 * none and sets *missed. */
size_t run_events_take(struct admin_events *events, uint64_t *seen, struct run_event *news,
                       size_t most, bool *missed);

#endif
