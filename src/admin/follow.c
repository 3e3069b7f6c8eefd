/* Sends the output of an attempt as server-sent events (HTML Living Standard, 9.2) until the
 * attempt has ended. Called by run_files.c on admin workers' threads.
 *
 *     id: 1234                    the offset after these bytes, for Last-Event-ID
 *     event: output
 *     data: SGVsbG8K              the bytes in base 64, because output may be any bytes
 *
 *     event: end
 *     data: {"attempt":1,"exit_code":0,"reason":""}
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/follow.h"
#include "admin/readers.h"
#include "admin/sse.h"
#include "base/memory.h"
#include "model/overrides.h"

#define PIECE_BYTES   12000 /* 16,000 characters in base 64 */
#define LOOK_EVERY_MS 100

struct follow {
    struct admin *admin;
    struct followed what;
    int fd; /* the output */
    int64_t offset;
    bool has_ended; /* the attempt: its output does not grow any more */
    bool has_exit_code;
    int exit_code;
    char *reason;
};

/* ---- events ---- */

static void put_end(const struct follow *follow, struct buffer *events)
{
    json_t *end = json_pack("{s:i, s:o, s:s}", "attempt", follow->what.attempt, "exit_code",
                            follow->has_exit_code ? json_integer(follow->exit_code) : json_null(),
                            "reason", follow->reason ? follow->reason : "");
    char *text = json_dumps(end, JSON_COMPACT);
    json_decref(end);
    if (text)
        buffer_append_format(events, "event: end\ndata: %s\n\n", text);
    else
        events->failed = true;
    free(text);
}

/* ---- looking ---- */

static int match_attempt(void *context, const struct attempt_row *row)
{
    struct follow *follow = context;
    if (row->attempt != follow->what.attempt ||
        !id_equal(&row->vessel_run_id, &follow->what.vessel_run_id))
        return 0;
    follow->has_ended = row->has_ended;
    follow->has_exit_code = row->result.has_exit_code;
    follow->exit_code = row->result.exit_code;
    free(follow->reason);
    follow->reason = memory_string(row->result.reason);
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

static enum sse_look look(void *context, struct buffer *events)
{
    struct follow *follow = context;
    char piece[PIECE_BYTES];
    ssize_t bytes;
    do
        bytes = pread(follow->fd, piece, sizeof(piece), follow->offset);
    while (bytes < 0 && errno == EINTR);
    if (bytes < 0)
        return SSE_FAILED;
    if (bytes > 0) {
        follow->offset += bytes;
        sse_put_output(events, follow->offset, piece, (size_t)bytes);
        return SSE_NEWS;
    }
    if (follow->has_ended) {
        put_end(follow, events);
        return SSE_END;
    }
    if (look_for_end(follow) != 0)
        return SSE_FAILED;
    /* After the end: the last output may have been written since the read above. */
    return follow->has_ended ? SSE_NEWS : SSE_WAIT;
}

static void follow_done(void *context)
{
    struct follow *follow = context;
    close(follow->fd);
    free(follow->reason);
    free(follow);
}

int follow_answer(struct admin_request *request, const struct followed *what, int fd,
                  struct error *error)
{
    struct follow *follow = memory_alloc(sizeof(*follow));
    follow->admin = request->admin;
    follow->what = *what;
    follow->fd = fd;
    if (what->attempt == 0) {
        follow->has_ended = follow->has_exit_code = true;
        follow->exit_code = what->exit_code;
        follow->reason = memory_string(OVERRIDES_SKIPPED_REASON);
    }
    struct stat status; /* an offset beyond the end of the output is moved to the end */
    follow->offset =
        fstat(fd, &status) == 0 && what->from > status.st_size ? status.st_size : what->from;
    return sse_answer(request, &(struct sse_source){look, follow_done, follow, LOOK_EVERY_MS},
                      error);
}
