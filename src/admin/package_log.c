/* The log of an installation: as it is, or as server-sent events until no tool writes to it any
 * more. On admin workers' threads.
 *
 *     id: 1234                    the offset after these bytes, for Last-Event-ID
 *     event: output
 *     data: SGVsbG8K              the bytes in base 64
 *
 *     event: end
 *     data: {}
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/routes.h"
#include "admin/sse.h"
#include "base/memory.h"
#include "packages/environments.h"
#include "packages/view.h"

#define PIECE_BYTES   12000 /* 16,000 characters in base 64 */
#define LOOK_EVERY_MS 100

struct followed_log {
    struct installer *installer;
    char name[VIEW_LOG_BYTES];
    int fd;
    int64_t offset;
    bool has_ended;
};

/* A tool that begins empties the log of the one before it. */
static void notice_new_start(struct followed_log *log)
{
    struct stat status;
    if (fstat(log->fd, &status) == 0 && status.st_size < log->offset)
        log->offset = 0;
}

static enum sse_look look(void *context, struct buffer *events)
{
    struct followed_log *log = context;
    char piece[PIECE_BYTES];
    ssize_t bytes;
    notice_new_start(log);
    do
        bytes = pread(log->fd, piece, sizeof(piece), log->offset);
    while (bytes < 0 && errno == EINTR);
    if (bytes < 0)
        return SSE_FAILED;
    if (bytes > 0) {
        log->offset += bytes;
        sse_put_output(events, log->offset, piece, (size_t)bytes);
        return SSE_NEWS;
    }
    if (log->has_ended) {
        buffer_append_text(events, "event: end\ndata: {}\n\n");
        return SSE_END;
    }
    log->has_ended = !environments_log_grows(log->installer, log->name);
    /* After the end: the last output may have been written since the read above. */
    return log->has_ended ? SSE_NEWS : SSE_WAIT;
}

static void done(void *context)
{
    struct followed_log *log = context;
    close(log->fd);
    free(log);
}

int package_log_get(struct admin_request *request, struct error *error)
{
    const char *name = route_value(&request->match, "key");
    struct installer *installer = request->admin->options.installer;
    bool follow = false;
    int64_t from = 0;
    if (request_query_flag(request, "follow", &follow, error) != 0 ||
        request_query_number(request, "from", 0, INT64_MAX, &from, error) != 0)
        return -1;
    if (from > 0 && !follow)
        return request_invalid(request, "from", error, "from requires follow=1");
    int fd = environments_open_log(installer, name, error);
    if (fd < 0)
        return -1;
    if (!follow)
        return request_answer_file(request, fd, "text/plain; charset=utf-8", error);
    struct followed_log *log = memory_alloc(sizeof(*log));
    log->installer = installer;
    (void)snprintf(log->name, sizeof(log->name), "%s", name);
    log->fd = fd;
    log->offset = sse_last_offset(request, from);
    return sse_answer(request, &(struct sse_source){look, done, log, LOOK_EVERY_MS}, error);
}
