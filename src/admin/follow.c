/* Following the output of an attempt, as server-sent events (HTML Living Standard, 9.2) until it has ended:
 *
 *     id: 1234                    how far that is in the output, for Last-Event-ID
 *     event: output
 *     data: SGVsbG8K              the bytes in base 64: output is any bytes
 *
 *     event: end
 *     data: {"attempt":1,"exit_code":0,"reason":""}
 *
 * On the connection's own thread, which looks at the file now and then; a reader that is slow or gone holds up nobody. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "admin/follow.h"
#include "admin/readers.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/memory.h"

#define PIECE_BYTES   12000 /* 16,000 characters */
#define LOOK_EVERY_MS 100
#define SILENCE_MS    15000 /* then a comment is sent: it shows whether the reader is still there */

struct follow {
    struct admin *admin;
    struct followed what;
    int fd; /* the output */
    int64_t offset;
    struct buffer event; /* being sent */
    size_t sent;         /* of it */
    int64_t spoke_ms;    /* when something was last sent */
    bool has_ended;      /* the attempt; what is read now is all */
    bool is_over;        /* and said so */
    bool has_exit_code;
    int exit_code;
    char *reason;
};

/* ---- events ---- */

static int put_output(struct follow *follow, const char *data, size_t bytes)
{
    follow->offset += (int64_t)bytes;
    buffer_append_format(&follow->event, "id: %" PRId64 "\nevent: output\ndata: ", follow->offset);
    base64_append(&follow->event, data, bytes);
    return buffer_append_text(&follow->event, "\n\n");
}

static int put_end(struct follow *follow)
{
    json_t *end = json_pack("{s:i, s:o, s:s}", "attempt", follow->what.attempt, "exit_code",
                            follow->has_exit_code ? json_integer(follow->exit_code) : json_null(),
                            "reason", follow->reason ? follow->reason : "");
    char *text = json_dumps(end, JSON_COMPACT);
    json_decref(end);
    int result = text ? buffer_append_format(&follow->event, "event: end\ndata: %s\n\n", text) : -1;
    free(text);
    return result;
}

/* ---- looking ---- */

static int match_attempt(void *context, const struct attempt_row *row)
{
    struct follow *follow = context;
    if (row->attempt != follow->what.attempt ||
        !id_equal(&row->vessel_run_id, &follow->what.vessel_run_id))
        return 0;
    follow->has_ended = row->has_ended;
    follow->has_exit_code = row->has_exit_code;
    follow->exit_code = row->exit_code;
    free(follow->reason);
    follow->reason = memory_string(row->reason);
    return 1;
}

static int look_for_end(struct follow *follow)
{
    struct error error = ERROR_INIT;
    struct store *store = readers_take(follow->admin->readers, &error);
    if (!store)
        return -1;
    int result = store_list_attempts(store, &follow->what.run_id, match_attempt, follow, &error);
    readers_give(follow->admin->readers, store, result != 0);
    return result;
}

static void wait_a_little(void)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
    nanosleep(&pause, NULL);
}

/* Fills follow->event, after a pause if there was nothing. -1: it cannot go on. */
static int look(struct follow *follow)
{
    char piece[PIECE_BYTES];
    ssize_t bytes;
    do
        bytes = pread(follow->fd, piece, sizeof(piece), follow->offset);
    while (bytes < 0 && errno == EINTR);
    if (bytes < 0)
        return -1;
    if (bytes > 0)
        return put_output(follow, piece, (size_t)bytes);
    if (follow->has_ended) {
        follow->is_over = true;
        return put_end(follow);
    }
    if (look_for_end(follow) != 0)
        return -1;
    if (follow->has_ended)
        return 0; /* what it said last may have come since */
    if (clock_monotonic_ms() - follow->spoke_ms >= SILENCE_MS)
        return buffer_append_text(&follow->event, ": it goes on\n\n");
    wait_a_little();
    return 0;
}

/* ---- the stream ---- */

static ssize_t follow_read(void *context, char *data, size_t bytes)
{
    struct follow *follow = context;
    while (follow->sent == follow->event.bytes) {
        buffer_reset(&follow->event);
        follow->sent = 0;
        if (follow->is_over)
            return 0;
        /* Broken off when webhookd stops: whoever follows comes back with Last-Event-ID. */
        if (atomic_load(&follow->admin->stopping) ||
            !caller_is_let_in(follow->admin, &follow->what.ticket) || look(follow) != 0 ||
            follow->event.failed)
            return -1;
    }
    size_t left = follow->event.bytes - follow->sent;
    size_t count = left < bytes ? left : bytes;
    memcpy(data, follow->event.data + follow->sent, count);
    follow->sent += count;
    follow->spoke_ms = clock_monotonic_ms();
    return (ssize_t)count;
}

static void follow_done(void *context)
{
    struct follow *follow = context;
    close(follow->fd);
    buffer_free(&follow->event);
    free(follow->reason);
    free(follow);
}

struct http_stream follow_new(struct admin *admin, const struct followed *what, int fd)
{
    struct follow *follow = memory_alloc(sizeof(*follow));
    follow->admin = admin;
    follow->what = *what;
    follow->fd = fd;
    follow->offset = what->from;
    follow->spoke_ms = clock_monotonic_ms();
    return (struct http_stream){follow_read, follow_done, follow};
}
