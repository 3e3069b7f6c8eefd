/* What every command says, and how: see ctl.h. */
#include "webhookctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "webhookctl/table.h"

/* Takes text. */
static void write_escaped(FILE *file, const char *start, char *text)
{
    struct buffer safe = BUFFER_INIT;
    table_escape(&safe, text);
    fprintf(file, "%s%s\n", start, buffer_text(&safe));
    buffer_free(&safe);
    free(text);
}

void ctl_complain(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    va_end(arguments);
    write_escaped(stderr, "webhookctl: ", text);
}

void ctl_say(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    va_end(arguments);
    write_escaped(stdout, "", text);
}
