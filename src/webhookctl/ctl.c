/* The output that all commands share: see ctl.h. Called by main.c and the commands; the program has
 * one thread. */
#include "webhookctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "webhookctl/table.h"

static void write_line(FILE *file, const char *start, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* Writes a line with its control characters escaped: a name from the store must not move the
 * cursor. */
static void write_line(FILE *file, const char *start, const char *format, va_list arguments)
{
    struct buffer safe = BUFFER_INIT;
    char *text = memory_format_v(format, arguments);
    table_escape(&safe, text);
    fprintf(file, "%s%s\n", start, buffer_text(&safe));
    buffer_free(&safe);
    free(text);
}

void ctl_complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(stderr, "webhookctl: ", format, arguments);
    va_end(arguments);
}

void ctl_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(stdout, "", format, arguments);
    va_end(arguments);
}
