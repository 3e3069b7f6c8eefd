/* Starts a fleet run on demand: with the request's body, or again with the input of another run. On
 * admin workers' threads, so a large body may be written and synced here. */
#include "admin/run_start.h"

#include <stdlib.h>
#include <string.h>

#include "admin/change.h"
#include "admin/fleets.h"
#include "admin/given_headers.h"
#include "admin/idempotency.h"
#include "admin/render.h"
#include "admin/routes.h"
#include "admin/run_overrides.h"
#include "admin/runs.h"
#include "admin/status.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/secret.h"
#include "http/log.h"
#include "queue/spool.h"

/* ---- shared by both ---- */

struct start_run {
    struct change change;
    struct run_start *start;
    struct admin_events *events;
};

static int set_subject(void *context, const struct run_row *row)
{
    change_set_subject(context, &row->id, row->fleet_name);
    change_set_fleet(context, &row->fleet_id, 0);
    return 0;
}

static int accept_new(struct run_start *start, struct store *store, int64_t now_ms,
                      struct error *error)
{
    if (store_accept_run(store, start->fleet_id, start->input, &start->ids, error) != 0)
        return -1;
    if (!start->idempotency)
        return 0;
    return store_add_idempotency(store, start->idempotency, now_ms, &start->ids.run_id, error);
}

/* The look-up, the run and the key are in one transaction: of concurrent copies, one starts a
 * run. */
static int apply_start_run(struct change *change, struct store *store, struct error *error)
{
    struct run_start *start = CONTAINER_OF(change, struct start_run, change)->start;
    start->found = IDEMPOTENCY_NEW;
    if (start->idempotency && idempotency_check(store, start->idempotency, change->now_ms,
                                                &start->found, &start->ids.run_id, error) != 0)
        return -1;
    change->is_no_change = start->found == IDEMPOTENCY_REPEATED;
    if (change->is_no_change)
        return 0;
    if (accept_new(start, store, change->now_ms, error) != 0)
        return -1;
    return store_get_run(store, &start->ids.run_id, set_subject, change, error);
}

/* Called before the runner is notified of the run, so that "scheduled" is reported before
 * "running". */
static void start_run_done(struct change *change, const struct error *error)
{
    const struct start_run *start_run = CONTAINER_OF(change, struct start_run, change);
    const struct run_start *start = start_run->start;
    if (!error && start->found == IDEMPOTENCY_NEW)
        admin_events_push(start_run->events, &start->ids, RUN_SCHEDULED);
}

static const struct change_kind start_run_kind = {
    .action = "run.start", .apply = apply_start_run, .done = start_run_done};

/* Returns the memory that the input takes in the queue: a body in the spool takes none. */
static size_t input_bytes(const struct run_input *input)
{
    const struct run_overrides *overrides = input->overrides;
    size_t body_bytes = input->body_place == BODY_INLINE ? (size_t)input->body_bytes : 0;
    if (overrides)
        body_bytes += overrides->names_bytes + overrides->sealed_bytes;
    return input->headers_bytes + body_bytes;
}

/* Without its run, a body in the spool is removed. After an I/O error it is unknown whether the run
 * was stored; the sweep after the next start determines that. */
int run_start_commit(struct admin_request *request, struct run_start *start, struct error *error)
{
    const struct admin_options *options = &request->admin->options;
    const struct run_input *input = start->input;
    struct start_run start_run = {
        .change = {.kind = &start_run_kind, .bytes = input_bytes(input)},
        .start = start,
        .events = options->events,
    };
    start->found = IDEMPOTENCY_NEW;
    if (change_commit(request, &start_run.change, error) != 0) {
        if (input->body_place == BODY_SPOOLED && error->kind != ERROR_IO)
            spool_remove_now(options->state_fd, &input->request_id);
        return -1;
    }
    if (start->found == IDEMPOTENCY_NEW)
        http_log_info(request->exchange, "fleet run accepted", log_id("run", &start->ids.run_id),
                      log_id("fleet", &start->ids.fleet_id),
                      log_text("trigger", run_trigger_name(input->trigger)),
                      log_int("bytes", input->body_bytes));
    return 0;
}

/* Commits the run and answers with it. */
static int accept_run(struct admin_request *request, const struct id *fleet_id,
                      const struct run_input *input, struct error *error)
{
    struct run_start start = {.fleet_id = fleet_id, .input = input};
    if (run_start_commit(request, &start, error) != 0)
        return -1;
    struct store *store = request_store(request, error);
    json_t *run = store ? runs_object(store, &start.ids.run_id, error) : NULL;
    request_answer_data(request, run ? 201 : 0, run);
    return run ? 0 : -1;
}

void run_start_fill_origin(struct admin_request *request, struct run_input *input,
                           char peer[HTTP_PEER_BYTES])
{
    input->request_id = *http_request_id(request->exchange);
    input->trigger =
        request->over_tcp && !request->caller.ticket.has_session ? TRIGGER_API : TRIGGER_ON_DEMAND;
    input->arrived_ms = clock_wall_ms();
    input->remote_addr = request_peer(request, peer);
}

/* ---- start ---- */

/* Puts the request's body into the run's input or into the spool, depending on its size. */
static int place_body(struct admin_request *request, struct run_input *input, struct error *error)
{
    const struct buffer *body = &request->body;
    const void *data = body->data ? body->data : "";
    input->body_bytes = (int64_t)body->bytes;
    secret_hash(data, body->bytes, input->body_sha256);
    if (body->bytes == 0) {
        input->body_place = BODY_NONE;
    } else if (body->bytes <= SPOOL_THRESHOLD_BYTES) {
        input->body_place = BODY_INLINE;
        input->body = data;
    } else {
        input->body_place = BODY_SPOOLED;
        return spool_write_now(request->admin->options.state_fd, &input->request_id, data,
                               body->bytes, error);
    }
    return 0;
}

int run_start_new(struct admin_request *request, struct error *error)
{
    struct id fleet_id;
    char peer[HTTP_PEER_BYTES];
    struct store *store = request_store(request, error);
    if (!store || request_path_id(request, "fleet_id", "fleet", &fleet_id, error) != 0)
        return -1;
    json_t *fleet = fleets_object(store, &fleet_id, error);
    if (!fleet)
        return -1;
    json_decref(fleet);
    struct given_headers given;
    if (given_headers_read(request, &given, error) != 0)
        return -1;
    struct run_input input = {
        .host = "",
        .query = "",
        .event = given.event.text,
        .headers_json = given.json,
        .headers_bytes = strlen(given.json),
        .withheld_json = given.withheld_json,
    };
    run_start_fill_origin(request, &input, peer);
    int result = status_has_room(request->admin, (int64_t)request->body.bytes, error);
    if (result == 0)
        result = place_body(request, &input, error);
    if (result == 0)
        result = accept_run(request, &fleet_id, &input, error);
    given_headers_free(&given);
    return result;
}

/* ---- again ---- */

/* A copy of the input of the earlier run. */
struct earlier {
    struct id run_id, fleet_id, request_id;
    char *event, *host, *query;
    char *withheld_json; /* NULL: not known */
    enum body_place place;
    int64_t body_bytes;
    uint8_t sha256[SECRET_HASH_BYTES];
    struct buffer headers, body;
};

static void earlier_free(struct earlier *earlier)
{
    free(earlier->event);
    free(earlier->host);
    free(earlier->query);
    free(earlier->withheld_json);
    buffer_free(&earlier->headers);
    buffer_free(&earlier->body);
}

static int keep_earlier(void *context, const struct run_row *row)
{
    struct earlier *earlier = context;
    earlier->run_id = row->id;
    earlier->fleet_id = row->fleet_id;
    earlier->request_id = row->request_id;
    earlier->event = memory_string(row->event);
    earlier->host = memory_string(row->host);
    earlier->query = memory_string(row->query);
    earlier->place = row->body_place;
    earlier->body_bytes = row->body_bytes;
    memcpy(earlier->sha256, row->body_sha256, sizeof(earlier->sha256));
    return 0;
}

static int keep_origin(void *context, const struct run_origin *origin)
{
    struct earlier *earlier = context;
    if (origin->withheld_json)
        earlier->withheld_json = memory_string(origin->withheld_json);
    return 0;
}

static int keep_headers(void *context, const char *headers_json, size_t bytes)
{
    struct earlier *earlier = context;
    buffer_append(&earlier->headers, headers_json, bytes);
    return 0;
}

static int keep_body(void *context, enum body_place place, const struct id *request_id,
                     const void *body, int64_t bytes)
{
    (void)request_id;
    struct earlier *earlier = context;
    if (place == BODY_INLINE)
        buffer_append(&earlier->body, body, (size_t)bytes);
    return 0;
}

static int load_earlier(struct store *store, const struct id *run_id, struct earlier *earlier,
                        struct error *error)
{
    if (store_get_run(store, run_id, keep_earlier, earlier, error) != 0 ||
        store_get_origin(store, run_id, keep_origin, earlier, error) != 0 ||
        store_get_headers(store, run_id, keep_headers, earlier, error) != 0 ||
        store_get_body(store, run_id, keep_body, earlier, error) != 0)
        return -1;
    if (earlier->headers.failed || earlier->body.failed)
        return error_set(error, ERROR_UNAVAILABLE, "not enough memory for the fleet run's body");
    return 0;
}

/* Starts a run of the API trigger again: its overrides are sealed anew for this request. */
static int start_again_with_overrides(struct admin_request *request, const struct earlier *earlier,
                                      struct run_input *input, struct error *error)
{
    struct overrides overrides;
    struct sealed_overrides sealed = {.sealed = NULL};
    struct store *store = request_store(request, error);
    if (!store ||
        run_overrides_open(request, &earlier->run_id, &earlier->request_id, &overrides, error) != 0)
        return -1;
    int result = 0;
    if (!overrides_are_empty(&overrides)) {
        result = run_overrides_check_again(store, &earlier->fleet_id, &overrides,
                                           &input->overrides_version, error);
        if (result == 0)
            result = run_overrides_seal(request, &overrides, &input->request_id, &sealed, error);
        input->overrides = &sealed.stored;
    }
    overrides_wipe(&overrides);
    if (result == 0)
        result = accept_run(request, &earlier->fleet_id, input, error);
    run_overrides_free_sealed(&sealed);
    return result;
}

/* Headers, body, host, query and event are those of the earlier run. The sender, the time and the
 * request are new. */
static int start_again(struct admin_request *request, struct earlier *earlier, struct error *error)
{
    struct admin *admin = request->admin;
    char peer[HTTP_PEER_BYTES];
    struct run_input input = {
        .host = earlier->host,
        .query = earlier->query,
        .event = earlier->event,
        .headers_json = buffer_text(&earlier->headers),
        .headers_bytes = earlier->headers.bytes,
        .body_place = earlier->place,
        .body = earlier->body.data,
        .body_bytes = earlier->body_bytes,
        .withheld_json = earlier->withheld_json,
        .again_of = &earlier->run_id,
    };
    memcpy(input.body_sha256, earlier->sha256, sizeof(input.body_sha256));
    run_start_fill_origin(request, &input, peer);
    if (input.body_place == BODY_ABSENT)
        return start_again_with_overrides(request, earlier, &input, error);
    if (status_has_room(admin, earlier->body_bytes, error) != 0)
        return -1;
    if (input.body_place == BODY_SPOOLED &&
        spool_copy_now(admin->options.state_fd, &earlier->request_id, &input.request_id, error) !=
            0) {
        error_context(error, "the fleet run's body");
        return -1;
    }
    return accept_run(request, &earlier->fleet_id, &input, error);
}

int run_start_again(struct admin_request *request, struct error *error)
{
    struct id run_id;
    struct earlier earlier = {.headers = BUFFER_INIT, .body = BUFFER_INIT};
    struct store *store = request_store(request, error);
    if (!store || request_path_id(request, "run_id", "fleet run", &run_id, error) != 0)
        return -1;
    int result = load_earlier(store, &run_id, &earlier, error);
    if (result == 0)
        result = start_again(request, &earlier, error);
    earlier_free(&earlier);
    return result;
}
