/* Output that arrives as server-sent events, written to standard output. One thread. */
#ifndef WEBHOOKCTL_OUTPUT_EVENTS_H
#define WEBHOOKCTL_OUTPUT_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Zeroed at first. */
struct output_events {
    struct buffer line;  /* not complete yet */
    int64_t offset;      /* bytes of the output written so far: for Last-Event-ID */
    int64_t next_offset; /* the offset after the event that is arriving */
    bool has_ended;
    char last; /* the last byte written, 0 if there is none */
};

/* Begins with another output. */
void output_events_begin(struct output_events *events);
/* Takes what a stream delivers. Returns 0, or -1 with errno. */
int output_events_take(struct output_events *events, const char *data, size_t bytes);
void output_events_free(struct output_events *events);

#endif
