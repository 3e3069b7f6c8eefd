/* One log line as text or JSON, in a buffer of fixed size. A line that is too long is cut and
 * marked as cut. Any thread. */
#ifndef WEBHOOKD_BASE_LOG_LINE_H
#define WEBHOOKD_BASE_LOG_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

#define LOG_LINE_BYTES 8192

struct log_line {
    size_t bytes; /* with the newline, which is the last byte and occurs only there */
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

/* with_priority puts a prefix such as "<6>" (sd-daemon(3)) first, for journald. */
void log_line_format(struct log_line *line, const struct log_event *event, enum log_format format,
                     bool with_priority);

#endif
