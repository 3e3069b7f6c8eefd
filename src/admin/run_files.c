/* Handlers of the input and the output of a fleet run: its headers, its body, and the output of its
 * vessel runs. On admin workers' threads. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/follow.h"
#include "admin/request.h"
#include "admin/routes.h"
#include "admin/sse.h"
#include "base/clock.h"
#include "base/file.h"
#include "model/overrides.h"
#include "supervisor/record.h"
#include "queue/spool.h"

/* ---- the body ---- */

struct stored_body {
    struct buffer *into;
    enum body_place place;
    struct id request_id;
};

static int keep_body(void *context, enum body_place place, const struct id *request_id,
                     const void *body, int64_t bytes)
{
    struct stored_body *stored = context;
    stored->place = place;
    stored->request_id = *request_id;
    if (place == BODY_INLINE)
        buffer_append(stored->into, body, (size_t)bytes);
    return 0;
}

int run_files_get_body(struct admin_request *request, struct error *error)
{
    struct id run_id;
    struct stored_body stored = {.into = &request->answer.bytes};
    struct store *store = request_store(request, error);
    if (!store || request_path_id(request, "run_id", "fleet run", &run_id, error) != 0 ||
        store_get_body(store, &run_id, keep_body, &stored, error) != 0)
        return -1;
    if (request->answer.bytes.failed)
        return error_set(error, ERROR_UNAVAILABLE, "not enough memory for the body");
    request->answer.content_type = "application/octet-stream";
    if (stored.place != BODY_SPOOLED)
        return 0;
    int fd = spool_open(request->admin->options.state_fd, &stored.request_id, error);
    return fd < 0 ? -1 : request_answer_file(request, fd, request->answer.content_type, error);
}

/* ---- the headers ---- */

static int keep_headers(void *context, const char *headers_json, size_t bytes)
{
    json_t **headers = context;
    *headers = bytes > 0 ? json_loadb(headers_json, bytes, 0, NULL) : json_object();
    return 0;
}

int run_files_get_headers(struct admin_request *request, struct error *error)
{
    struct id run_id;
    json_t *headers = NULL;
    struct store *store = request_store(request, error);
    if (!store || request_path_id(request, "run_id", "fleet run", &run_id, error) != 0 ||
        store_get_headers(store, &run_id, keep_headers, &headers, error) != 0)
        return -1;
    if (!headers)
        return error_set(error, ERROR_INTERNAL, "the stored headers are damaged");
    request_answer_data(request, 200, headers);
    return 0;
}

/* ---- output ---- */

struct find_vessel {
    struct id id;
    bool found;
    int attempts;
    bool is_skipped; /* by an override: it has output without an attempt */
    int exit_code;
};

static int match_vessel(void *context, const struct vessel_row *row)
{
    struct find_vessel *find = context;
    if (!id_equal(&row->id, &find->id))
        return 0;
    find->found = true;
    find->attempts = row->attempts;
    find->is_skipped = row->attempts == 0 && strcmp(row->reason, OVERRIDES_SKIPPED_REASON) == 0;
    find->exit_code = row->exit_code;
    return 1;
}

/* Opens logs/<day>/<vessel run id>.<attempt>, which the runner has created. The day is that of the
 * vessel run; its fleet run may have been scheduled on an earlier day. Returns a descriptor, or
 * -1. */
static int open_log(int state_fd, const struct id *vessel_run_id, int attempt, struct error *error)
{
    char path[128], day[CLOCK_TEXT_BYTES], id[ID_TEXT_BYTES], name[RECORD_NAME_BYTES];
    snprintf(path, sizeof(path), "logs/%s/%s", clock_format_day(id_time_ms(vessel_run_id), day),
             record_name(id_format(vessel_run_id, id), attempt, name));
    int fd = openat(state_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return error_set(error, ERROR_NOT_FOUND,
                         "attempt %d has no output: it was deleted, or the attempt never ran",
                         attempt);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open the output \"%s\"", path);
    return fd;
}

int run_files_get_log(struct admin_request *request, struct error *error)
{
    struct id run_id;
    struct find_vessel vessel = {.found = false};
    bool follow = false;
    if (request_path_id(request, "run_id", "fleet run", &run_id, error) != 0 ||
        request_path_id(request, "vessel_run_id", "vessel run", &vessel.id, error) != 0 ||
        request_query_flag(request, "follow", &follow, error) != 0)
        return -1;
    struct store *store = request_store(request, error);
    if (!store || store_list_vessels(store, &run_id, match_vessel, &vessel, error) != 0)
        return -1;
    if (!vessel.found)
        return error_set(error, ERROR_NOT_FOUND, "there is no such vessel run in this fleet run");
    int64_t attempt = vessel.attempts, from = 0;
    if (request_query_number(request, "attempt", 1, INT_MAX, &attempt, error) != 0 ||
        request_query_number(request, "from", 0, INT64_MAX, &from, error) != 0)
        return -1;
    if (from > 0 && !follow)
        return request_invalid(request, "from", error, "from requires follow=1");
    if (vessel.attempts == 0 && !vessel.is_skipped)
        return error_set(error, ERROR_NOT_FOUND,
                         "the vessel run has no output: it has not started");
    if (attempt > vessel.attempts)
        return error_set(error, ERROR_NOT_FOUND,
                         "the vessel run has no attempt %lld: its last attempt is %d",
                         (long long)attempt, vessel.attempts);
    int fd = vessel.is_skipped
                 ? file_in_memory(OVERRIDES_SKIPPED_OUTPUT, strlen(OVERRIDES_SKIPPED_OUTPUT), error)
                 : open_log(request->admin->options.state_fd, &vessel.id, (int)attempt, error);
    if (fd < 0)
        return -1;
    if (!follow)
        return request_answer_file(request, fd, "text/plain; charset=utf-8", error);
    const struct followed what = {run_id, vessel.id, (int)attempt, sse_last_offset(request, from),
                                  vessel.exit_code};
    return follow_answer(request, &what, fd, error);
}
