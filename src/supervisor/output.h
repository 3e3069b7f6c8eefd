/* From the vessel's stdout and stderr into the output log, up to a bound. */
#ifndef WEBHOOKD_SUPERVISOR_OUTPUT_H
#define WEBHOOKD_SUPERVISOR_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct output {
    int64_t limit_bytes;
    int64_t written_bytes; /* without the note */
    bool cut;              /* something was thrown away */
    char last;             /* the last byte in the log */
    char note[80];         /* the line about the cut */
    size_t note_bytes, note_written;
};

void output_init(struct output *output, int64_t limit_bytes);

/* Reads once, at most at_most bytes, and writes them to the log or, beyond the bound or on a full disk, nowhere: whoever writes into
 * the pipe is not held up. The number read, 0 at the end, -1 with errno. */
int64_t output_copy(struct output *output, int from_fd, size_t at_most);
/* Copies what is in the pipe now; a writer that goes on can't keep it here. */
void output_drain(struct output *output, int from_fd);
/* A line of our own: "[webhookd: text]". */
void output_say(struct output *output, const char *text);
/* Writes what is left of the line about the cut. False: the disk is full, and it is to be called again when space may have come back. */
bool output_finish(struct output *output);

#endif
