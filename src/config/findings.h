/* The errors in a configuration file. The list stays sorted by line, whatever the order in which
 * they are added. One thread. */
#ifndef WEBHOOKD_CONFIG_FINDINGS_H
#define WEBHOOKD_CONFIG_FINDINGS_H

#include <stddef.h>

#include "config/config.h"

/* Further findings are dropped: nobody reads that many. */
#define CONFIG_FINDINGS_MAX 100

struct config_finding {
    int line;
    char *text;
};

struct config_findings {
    struct config_finding items[CONFIG_FINDINGS_MAX];
    size_t count;
};

void config_findings_add(struct config_findings *findings, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Moves all findings of `from` into `into`. */
void config_findings_merge(struct config_findings *into, struct config_findings *from);

/* Adds them as "NAME:LINE: TEXT" to the report. */
void config_findings_publish(const struct config_findings *findings, const char *name,
                             struct config_report *report);
void config_findings_clear(struct config_findings *findings);

/* Returns the start of a text, short enough to quote in a message. The caller frees it. */
char *config_excerpt(const char *text);

#endif
