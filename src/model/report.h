/* Collects the problems of a fleet file, up to a bound: a broken file of 8 MiB must not result in a
 * report of 800 MiB. Pure. */
#ifndef WEBHOOKD_MODEL_REPORT_H
#define WEBHOOKD_MODEL_REPORT_H

#include <stdarg.h>
#include <stddef.h>

#include "model/fleet_file.h"

#define REPORT_MAX_ITEMS 100

struct report {
    struct fleet_problems *list; /* owned by the caller of fleet_file_parse */
    size_t count;                /* including those that were left out */
};

void report_add(struct report *report, int line, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void report_add_v(struct report *report, int line, const char *path, const char *format,
                  va_list arguments) __attribute__((format(printf, 4, 0)));
/* Sorts the list by line and adds an entry that says how many were left out, if any. `what`:
 * "problems" or "notes". */
void report_finish(struct report *report, const char *what);

#endif
