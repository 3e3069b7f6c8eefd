/* See output_events.h. Called by run_follow.c and packages.c. */
#include "webhookctl/output_events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/memory.h"

void output_events_begin(struct output_events *events)
{
    events->offset = 0;
    events->has_ended = false;
}

void output_events_free(struct output_events *events)
{
    buffer_free(&events->line);
}

static int write_output(struct output_events *events, const char *text, size_t chars)
{
    char *data = memory_alloc(chars + 1);
    long bytes = base64_decode(text, chars, data);
    int result = bytes < 0 ? -1 : file_write_all(STDOUT_FILENO, data, (size_t)bytes);
    if (bytes < 0)
        errno = EBADMSG;
    if (bytes > 0)
        events->last = data[bytes - 1];
    free(data);
    return result;
}

/* Only these lines of an event matter. Its id precedes its data, so the offset changes after the
 * data is written. */
static int take_line(struct output_events *events, const char *line, size_t chars)
{
    static const char id[] = "id: ", output[] = "data: ", end[] = "event: end";
    if (chars > strlen(id) && memcmp(line, id, strlen(id)) == 0) {
        events->next_offset = strtoll(line + strlen(id), NULL, 10);
    } else if (chars == strlen(end) && memcmp(line, end, strlen(end)) == 0) {
        events->has_ended = true;
    } else if (!events->has_ended && chars > strlen(output) &&
               memcmp(line, output, strlen(output)) == 0) {
        if (write_output(events, line + strlen(output), chars - strlen(output)) != 0)
            return -1;
        events->offset = events->next_offset;
    }
    return 0;
}

int output_events_take(struct output_events *events, const char *data, size_t bytes)
{
    while (bytes > 0) {
        const char *newline = memchr(data, '\n', bytes);
        size_t chars = newline ? (size_t)(newline - data) : bytes;
        if (buffer_append(&events->line, data, chars) != 0) {
            errno = ENOMEM;
            return -1;
        }
        if (newline) {
            if (take_line(events, buffer_text(&events->line), events->line.bytes) != 0)
                return -1;
            buffer_reset(&events->line);
            chars++;
        }
        data += chars;
        bytes -= chars;
    }
    return 0;
}
