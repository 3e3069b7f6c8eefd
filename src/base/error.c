/* An error as a kind and one line of text. Called by every layer, on any thread; an error belongs
 * to the function that declared it. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/kernel.h"
#include "base/utf8.h"

/* Larger than a message, so that a character that vsnprintf cuts in two lies beyond the message's
 * end. */
enum { FORMAT_BYTES = sizeof(((struct error *)0)->message) + 8 };

/* Messages quote file names and text from fleet files and requests. Bytes that would break the line
 * or the encoding become '?'. Text that does not fit is cut between two characters. */
static void append_clean(char *message, size_t room_bytes, const char *text)
{
    size_t used = strlen(message);
    while (*text != '\0') {
        uint32_t code_point;
        size_t bytes = utf8_decode(text, &code_point);
        bool shown = bytes > 0 && !utf8_is_control(code_point);
        size_t step = shown ? bytes : 1;
        if (used + step >= room_bytes)
            break;
        if (shown)
            memcpy(message + used, text, step);
        else
            message[used] = '?';
        used += step;
        text += bytes > 0 ? bytes : 1;
    }
    message[used] = '\0';
}

int error_set(struct error *error, enum error_kind kind, const char *format, ...)
{
    if (error_is_set(error))
        return -1;

    char text[FORMAT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);

    error->kind = kind;
    error->message[0] = '\0';
    append_clean(error->message, sizeof(error->message), text);
    return -1;
}

static enum error_kind kind_of(int errnum)
{
    if (errnum == ENOSPC || errnum == EDQUOT)
        return ERROR_FULL;
    if (errnum == EAGAIN || errnum == ENOMEM || errnum == EMFILE || errnum == ENFILE)
        return ERROR_UNAVAILABLE;
    return errnum == EIO ? ERROR_IO : ERROR_INTERNAL;
}

int error_set_errno(struct error *error, int errnum, const char *format, ...)
{
    if (error_is_set(error))
        return -1;

    char text[FORMAT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);

    const char *reason = kernel_error_text(errnum);
    error->kind = kind_of(errnum);
    error->message[0] = '\0';
    append_clean(error->message, sizeof(error->message) - strlen(reason) - 2, text);
    append_clean(error->message, sizeof(error->message), ": ");
    append_clean(error->message, sizeof(error->message), reason);
    return -1;
}

void error_context(struct error *error, const char *format, ...)
{
    if (!error_is_set(error))
        return;

    char context[FORMAT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(context, sizeof(context), format, arguments);
    va_end(arguments);

    char message[sizeof(error->message)];
    memcpy(message, error->message, sizeof(message));
    error->message[0] = '\0';
    append_clean(error->message, sizeof(error->message), context);
    append_clean(error->message, sizeof(error->message), ": ");
    append_clean(error->message, sizeof(error->message), message);
}

void error_clear(struct error *error)
{
    error->kind = ERROR_NONE;
    error->message[0] = '\0';
}
