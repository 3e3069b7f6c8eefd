/* The list of errors in a configuration file, which text.c and parse.c fill in while they read one;
 * reports, for everyone who writes one; and excerpts of a file. On the caller's thread. */
#include "config/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

#define TEXT_BYTES    2000
#define EXCERPT_BYTES 80
#define LINE_BYTES    4000 /* of a report */

/* Takes ownership of the text. Inserts it after all findings of the same or earlier lines, so that
 * findings of one line stay in the order in which they were found. */
static void insert(struct config_findings *findings, int line, char *text)
{
    if (findings->count == CONFIG_FINDINGS_MAX) {
        free(text);
        return;
    }
    size_t at = findings->count++;
    for (; at > 0 && findings->items[at - 1].line > line; at--)
        findings->items[at] = findings->items[at - 1];
    findings->items[at] = (struct config_finding){line, text};
}

void config_findings_add(struct config_findings *findings, int line, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    insert(findings, line, memory_string(text));
}

void config_findings_merge(struct config_findings *into, struct config_findings *from)
{
    for (size_t i = 0; i < from->count; i++)
        insert(into, from->items[i].line, from->items[i].text);
    from->count = 0;
}

void config_findings_publish(const struct config_findings *findings, const char *name,
                             struct config_report *report)
{
    for (size_t i = 0; i < findings->count; i++)
        config_report_add(report, "%s:%d: %s", name, findings->items[i].line,
                          findings->items[i].text);
    if (findings->count == CONFIG_FINDINGS_MAX)
        config_report_add(report, "%s: there may be more errors", name);
}

void config_findings_clear(struct config_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        free(findings->items[i].text);
    findings->count = 0;
}

char *config_excerpt(const char *text)
{
    size_t bytes = utf8_cut(text, EXCERPT_BYTES);
    return text[bytes] == '\0' ? memory_string(text) : memory_format("%.*s…", (int)bytes, text);
}

/* ---- reports (include/config/config.h) ---- */

void config_report_add(struct config_report *report, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    utf8_make_printable(line); /* it quotes the file, and is shown in terminals */
    report->lines = memory_array(report->lines, report->count + 1, sizeof(*report->lines));
    report->lines[report->count++] = memory_string(line);
}

void config_report_free(struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        free(report->lines[i]);
    free(report->lines);
    *report = (struct config_report){0};
}
