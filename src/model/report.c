/* Lists of problems. Their texts quote untrusted input and are shown in terminals and on pages, so
 * they are cut to a length, and control characters in them are replaced. Called by the reader of
 * fleet files and by the admin API; pure. */
#include "model/fleet_file.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "model/report.h"

#define MESSAGE_BYTES 500

static void add(struct fleet_problems *problems, int line, const char *path, const char *message)
{
    size_t count = problems->count;
    if ((count & (count - 1)) == 0) /* room for 1, 2, 4, … */
        problems->items =
            memory_array(problems->items, count == 0 ? 1 : 2 * count, sizeof(problems->items[0]));
    struct fleet_problem *problem = &problems->items[problems->count++];
    *problem = (struct fleet_problem){
        .message = memory_string(message), .path = memory_string(path), .line = line};
    utf8_make_printable(problem->message);
    utf8_make_printable(problem->path);
}

void report_free_problems(struct fleet_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        free(problems->items[i].message);
        free(problems->items[i].path);
    }
    free(problems->items);
    *problems = (struct fleet_problems){0};
}

void report_add_v(struct report *report, int line, const char *path, const char *format,
                  va_list arguments)
{
    if (report->count++ >= REPORT_MAX_ITEMS)
        return;
    char message[MESSAGE_BYTES];
    vsnprintf(message, sizeof(message), format, arguments);
    add(report->list, line, path, message);
}

void report_add(struct report *report, int line, const char *path, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report_add_v(report, line, path, format, arguments);
    va_end(arguments);
}

/* Problems without a line come last. */
static bool is_before(const struct fleet_problem *one, const struct fleet_problem *other)
{
    return one->line > 0 && (other->line == 0 || one->line < other->line);
}

/* Sorts by line. Stable: a line's problems stay in the order in which they were found. */
static void sort(struct fleet_problems *problems)
{
    for (size_t i = 1; i < problems->count; i++) {
        struct fleet_problem problem = problems->items[i];
        size_t at = i;
        for (; at > 0 && is_before(&problem, &problems->items[at - 1]); at--)
            problems->items[at] = problems->items[at - 1];
        problems->items[at] = problem;
    }
}

void report_finish(struct report *report, const char *what)
{
    sort(report->list);
    if (report->count <= REPORT_MAX_ITEMS)
        return;
    char message[MESSAGE_BYTES];
    snprintf(message, sizeof(message), "and %zu more %s, which are not listed",
             report->count - REPORT_MAX_ITEMS, what);
    add(report->list, 0, "", message);
}
