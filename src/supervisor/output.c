/* The output log. Called by the supervisor.
 *
 * Once bytes have been discarded, nothing more is logged: the log is the beginning of the output,
 * without gaps, and one line says so. That line is written immediately when the limit is reached;
 * if the disk was full, it is written when there is space again. */
#include "supervisor/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "supervisor/job.h"

enum { CHUNK_BYTES = 65536 }; /* as much as a pipe holds */

static char chunk[CHUNK_BYTES];

void output_init(struct output *output, int64_t limit_bytes)
{
    *output = (struct output){.limit_bytes = limit_bytes, .last = '\n'};
}

/* Returns how many bytes the log took: fewer than `bytes` if the disk is full or broken. */
static size_t write_log(const char *data, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
        ssize_t written = write(JOB_FD_OUTPUT, data + done, bytes - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    return done;
}

bool output_finish(struct output *output)
{
    errno = 0;
    output->note_written +=
        write_log(output->note + output->note_written, output->note_bytes - output->note_written);
    return errno != ENOSPC && errno != EDQUOT;
}

/* errnum: why the log took no more; 0 = the limit is reached. */
static void cut(struct output *output, int errnum)
{
    output->cut = true;
    int chars =
        snprintf(output->note, sizeof(output->note), "%s[webhookd: output cut at %lld bytes%s%s]\n",
                 output->last == '\n' ? "" : "\n", (long long)output->written_bytes,
                 errnum != 0 ? ": " : "", errnum != 0 ? strerror(errnum) : "");
    output->note_bytes = (size_t)chars;
    (void)output_finish(output); /* if that fails, the end of the attempt tries again */
}

static void append(struct output *output, const char *data, size_t bytes)
{
    if (output->cut || bytes == 0)
        return;
    int64_t room = output->limit_bytes - output->written_bytes;
    size_t wanted = (int64_t)bytes > room ? (size_t)room : bytes;
    errno = 0;
    size_t written = write_log(data, wanted);
    int errnum = written < wanted ? errno : 0;
    output->written_bytes += (int64_t)written;
    if (written > 0)
        output->last = data[written - 1];
    if (written < bytes)
        cut(output, errnum);
}

int64_t output_copy(struct output *output, int from_fd, size_t at_most)
{
    ssize_t bytes;
    do
        bytes = read(from_fd, chunk, at_most < sizeof(chunk) ? at_most : sizeof(chunk));
    while (bytes < 0 && errno == EINTR);
    if (bytes > 0)
        append(output, chunk, (size_t)bytes);
    return bytes;
}

void output_drain(struct output *output, int from_fd)
{
    int waiting = 0;
    if (ioctl(from_fd, FIONREAD, &waiting) != 0)
        return;
    for (int64_t left = waiting; left > 0;) {
        int64_t bytes = output_copy(output, from_fd, (size_t)left);
        if (bytes <= 0)
            return;
        left -= bytes;
    }
}

void output_say(struct output *output, const char *text)
{
    char line[400];
    int chars =
        snprintf(line, sizeof(line) - 3, "%s[webhookd: %s", output->last == '\n' ? "" : "\n", text);
    size_t bytes = (size_t)chars < sizeof(line) - 3 ? (size_t)chars : sizeof(line) - 4;
    memcpy(line + bytes, "]\n", 2);
    append(output, line, bytes + 2);
}
