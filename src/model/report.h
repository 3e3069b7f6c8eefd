/* Collects what is wrong with a file, up to a bound: a broken file of 8 MiB must not become a report of 800. */
#ifndef WEBHOOKD_MODEL_REPORT_H
#define WEBHOOKD_MODEL_REPORT_H

#include <stdarg.h>
#include <stddef.h>

#include "model/fleet_file.h"

#define REPORT_MAX_ITEMS 100

struct report {
    struct fleet_problems *list; /* the caller's */
    size_t count;                /* added here, and those beyond the bound */
};

void report_add(struct report *report, int line, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void report_add_v(struct report *report, int line, const char *path, const char *format,
                  va_list arguments) __attribute__((format(printf, 4, 0)));
/* Says how many were left out, if any were. `what`: "problems". */
void report_finish(struct report *report, const char *what);

#endif
