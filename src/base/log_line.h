/* One log line as text or JSON, in a buffer of fixed size. What is too long is left out, and the
 * line says so. */
#ifndef WEBHOOKD_BASE_LOG_LINE_H
#define WEBHOOKD_BASE_LOG_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

#define LOG_LINE_BYTES 8192

struct log_line {
    size_t bytes; /* with the newline, which is always the last byte and the only one */
    bool cut;
    char data[LOG_LINE_BYTES];
};

struct log_event {
    enum log_level level;
    const char *name;
    const struct log_field *fields;
    int count;
    int64_t wall_ms;
};

/* with_priority: "<6>" comes first (sd-daemon(3)), for journald. */
void log_line_format(struct log_line *line, const struct log_event *event, enum log_format format,
                     bool with_priority);

#endif
