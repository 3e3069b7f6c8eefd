/* Copies the vessel's stdout and stderr into the output log, up to a limit. */
#ifndef WEBHOOKD_SUPERVISOR_OUTPUT_H
#define WEBHOOKD_SUPERVISOR_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct output {
    int64_t limit_bytes;
    int64_t written_bytes; /* without the note */
    bool cut;              /* something was discarded */
    char last;             /* the last byte in the log */
    char note[160];        /* the line about the cut */
    size_t note_bytes, note_written;
};

void output_init(struct output *output, int64_t limit_bytes);

/* Reads once, at most at_most bytes, and writes them to the log. Beyond the limit or on a full disk
 * it discards them, so that the writers to the pipe are not held up. Returns the number of bytes
 * read, 0 at the end, -1 with errno. */
int64_t output_copy(struct output *output, int from_fd, size_t at_most);
/* Copies what is in the pipe now and returns even if writers go on. */
void output_drain(struct output *output, int from_fd);
/* Writes a line of webhookd's own: "[webhookd: text]". */
void output_say(struct output *output, const char *text);
/* Writes the rest of the line about the cut. Returns false if the disk is full: call it again when
 * space may have come back. */
bool output_finish(struct output *output);

#endif
