/* What is wrong with a file, in the order of its lines, whatever order it was found in. */
#ifndef WEBHOOKD_CONFIG_FINDINGS_H
#define WEBHOOKD_CONFIG_FINDINGS_H

#include <stddef.h>

#include "config/config.h"

/* Beyond it nobody reads on: further findings are dropped. */
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

/* Moves all of `from` into `into`. */
void config_findings_merge(struct config_findings *into, struct config_findings *from);

/* Adds them as "NAME:LINE: TEXT" to the report. */
void config_findings_publish(const struct config_findings *findings, const char *name,
                             struct config_report *report);
void config_findings_clear(struct config_findings *findings);

/* The start of a text, fit to be quoted in a message. A fresh string. */
char *config_excerpt(const char *text);

#endif
