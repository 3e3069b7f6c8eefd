/* Processes a request to the admin API, from its headers to its answer: finds the route,
 * authenticates the caller and bounds the body; then calls the handler and turns its answer into
 * HTTP. Called by http/server on the thread of the connection, which may block.
 *
 * Bodies are collected in memory. Each has the bound of its route, and all together have another
 * (docs/architecture.md, invariant 8). */
#include "admin/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/console.h"
#include "admin/host.h"
#include "admin/role.h"
#include "admin/routes.h"
#include "admin/run_events.h"
#include "base/memory.h"
#include "http/log.h"
#include "model/fleet_file.h"
#include "model/overrides.h"
#include "store/credentials.h"

#define JSON_BODY_MAX_BYTES   (64 * 1024)
#define RETRY_AFTER_S         "5"
#define BODIES_AT_LEAST_BYTES (4 * (int64_t)FLEET_FILE_MAX_BYTES)

static int64_t body_bound(const struct admin_request *request)
{
    switch (request->call->body) {
    case ADMIN_BODY_NONE:
        return 0;
    case ADMIN_BODY_JSON:
        return JSON_BODY_MAX_BYTES;
    case ADMIN_BODY_FLEET_FILE:
        return FLEET_FILE_MAX_BYTES;
    case ADMIN_BODY_RUN:
        return request->config->hooks.max_body_bytes;
    case ADMIN_BODY_CREDENTIAL:
        return STORE_CREDENTIAL_MAX_BYTES + 1;
    case ADMIN_BODY_OVERRIDES:
        return OVERRIDES_MAX_BYTES;
    }
    return 0;
}

/* The bound of all bodies together: the largest of hooks.max_in_flight, hooks.max_body and
 * BODIES_AT_LEAST_BYTES. */
static int64_t bodies_bound(const struct config *config)
{
    int64_t bound = config->hooks.max_in_flight_bytes;
    if (bound < config->hooks.max_body_bytes)
        bound = config->hooks.max_body_bytes;
    return bound < BODIES_AT_LEAST_BYTES ? BODIES_AT_LEAST_BYTES : bound;
}

struct admin_request *service_new_request(struct admin_listener *listener,
                                          struct http_exchange *exchange)
{
    struct admin_request *request = memory_alloc(sizeof(*request));
    request->admin = listener->admin;
    request->config = admin_hold_config(listener->admin);
    request->exchange = exchange;
    request->over_tcp = listener->over_tcp;
    request->is_public = listener->is_public;
    request->answer.fd = -1;
    return request;
}

void service_give_back_store(struct admin_request *request, bool broken)
{
    if (request->store)
        readers_give(request->admin->readers, request->store, broken);
    request->store = NULL;
}

static bool has_secret_body(const struct admin_request *request)
{
    return request->call && (request->call->body == ADMIN_BODY_CREDENTIAL ||
                             request->call->body == ADMIN_BODY_FLEET_FILE ||
                             request->call->body == ADMIN_BODY_OVERRIDES);
}

static void drop_body(struct admin_request *request)
{
    if (has_secret_body(request))
        buffer_wipe(&request->body);
    buffer_free(&request->body);
    atomic_fetch_sub(&request->admin->held_bytes, request->held_bytes);
    request->held_bytes = 0;
}

void service_free_request(struct admin_request *request)
{
    service_give_back_store(request, false);
    drop_body(request);
    buffer_free(&request->answer.bytes);
    free(request->answer.field);
    json_decref(request->answer.data);
    json_decref(request->answer.errors);
    if (request->answer.fd >= 0)
        close(request->answer.fd);
    if (request->answer.stream.read)
        request->answer.stream.done(request->answer.stream.context);
    config_release(request->config);
    free(request);
}

/* ---- refusing before the body is read ---- */

enum http_step service_refuse(struct http_exchange *exchange, unsigned status, const char *message)
{
    if (http_is_chunked(exchange) || http_content_length(exchange) > 0)
        http_close_after(exchange);
    http_is_refused(exchange);
    return http_reply_error(exchange, status, message, NULL);
}

static enum http_step refuse_size(struct admin_request *request)
{
    char message[160];
    switch (request->call->body) {
    case ADMIN_BODY_NONE:
        return service_refuse(request->exchange, 400, "this API call takes no body");
    case ADMIN_BODY_JSON:
        snprintf(message, sizeof(message), "the body is larger than %d bytes", JSON_BODY_MAX_BYTES);
        break;
    case ADMIN_BODY_FLEET_FILE:
        snprintf(message, sizeof(message), "the file is larger than %u MiB",
                 FLEET_FILE_MAX_BYTES >> 20);
        break;
    case ADMIN_BODY_RUN:
        snprintf(message, sizeof(message), "the body is larger than hooks.max_body (%lld bytes)",
                 (long long)request->body_bound);
        break;
    case ADMIN_BODY_CREDENTIAL:
        snprintf(message, sizeof(message), "a credential is at most %d KiB long",
                 STORE_CREDENTIAL_MAX_BYTES / 1024);
        break;
    case ADMIN_BODY_OVERRIDES:
        snprintf(message, sizeof(message), "overrides are at most %u MiB long",
                 OVERRIDES_MAX_BYTES >> 20);
        break;
    }
    return service_refuse(request->exchange, 413, message);
}

/* `allow` is the value of the header of that name: "GET, HEAD". */
static enum http_step refuse_method(struct http_exchange *exchange, const char *allow)
{
    const char *last = strrchr(allow, ',');
    struct error error = ERROR_INIT;
    error_set(&error, ERROR_INVALID, "%.60s is not allowed here: use %.*s%s%s",
              http_method(exchange), last ? (int)(last - allow) : 0, allow, last ? " or " : "",
              last ? last + 2 : allow);
    return service_refuse(exchange, 405, error.message);
}

/* Returns the pattern of the route, for the log. Never logs the path itself, which contains a
 * webhook's token if a sender uses the wrong port (docs/architecture.md, invariant 7). Returns
 * NULL, which the log leaves out, if there is no route. */
static const char *pattern_of(const struct admin_request *request)
{
    return request->match.route ? request->match.route->pattern : NULL;
}

static void log_refused(const struct admin_request *request, const char *reason)
{
    const struct caller *caller = &request->caller;
    http_log_info(request->exchange, "API request refused", http_log_from(caller->source),
                  log_text("who", caller->who[0] != '\0' ? caller->who : NULL),
                  log_text("path", pattern_of(request)), log_text("reason", reason));
}

/* Refuses a host name that nobody expects. Over a unix socket no browser reaches the API. */
static enum http_step check_host(struct admin_request *request)
{
    struct http_exchange *exchange = request->exchange;
    struct error error = ERROR_INIT;
    char machine[256] = "", peer[HTTP_PEER_BYTES];
    const char *host = http_host(exchange);
    if (!request->over_tcp || http_peer(exchange, peer)[0] == '\0')
        return HTTP_CONTINUE;
    (void)gethostname(machine, sizeof(machine) - 1);
    if (host_is_expected(host, machine, request->config))
        return HTTP_CONTINUE;
    error_set(&error, ERROR_INVALID,
              "the host \"%.255s\" was not expected: if people reach the console there, name it in "
              "admin.public_url or admin.hosts",
              host);
    http_log_info(exchange, "API request refused", http_log_from(peer),
                  log_text("path", pattern_of(request)), log_text("reason", error.message));
    return service_refuse(exchange, 421, error.message);
}

enum http_step service_refuse_caller(struct admin_request *request, const struct error *error)
{
    struct http_exchange *exchange = request->exchange;
    if (error->kind != ERROR_INVALID) {
        http_log_warning(exchange, "caller not identified", log_why(error));
        http_add_header(exchange, "Retry-After", RETRY_AFTER_S);
        return service_refuse(exchange, 503, error->message);
    }
    log_refused(request, error->message);
    http_add_header(exchange, "WWW-Authenticate", "Bearer");
    return service_refuse(exchange, 401, error->message);
}

/* Authenticates the caller, before any answer reveals what exists and before any body is read. */
static enum http_step identify(struct admin_request *request)
{
    struct http_exchange *exchange = request->exchange;
    struct error error = ERROR_INIT;
    if (!request->over_tcp) {
        caller_of_socket(exchange, &request->caller);
        http_sender_is_known(exchange);
        return HTTP_CONTINUE;
    }
    bool is_sign_in = request->call && request->call->access == ADMIN_ACCESS_SIGN_IN;
    int identified = is_sign_in ? 0 : caller_of_tcp(request, &request->caller, &error);
    if (caller_is_foreign(exchange, request->caller.ticket.has_session)) {
        char peer[HTTP_PEER_BYTES];
        http_log_warning(exchange, "request from another site's page refused",
                         http_log_from(http_peer(exchange, peer)),
                         log_text("origin", http_header(exchange, "Origin")),
                         log_text("path", pattern_of(request)));
        return service_refuse(exchange, 403, "this request comes from a page of another site");
    }
    if (identified == 0) {
        if (!is_sign_in)
            http_sender_is_known(exchange);
        if (strcmp(http_method(exchange), "GET") == 0)
            caller_prolong(request); /* not at a sign-out, whose answer sets its own cookie */
        return HTTP_CONTINUE;
    }
    return service_refuse_caller(request, &error);
}

/* Refuses what the caller's role does not allow, before an answer shows whether the path exists. */
static enum http_step check_role(struct admin_request *request)
{
    struct error error = ERROR_INIT;
    if (role_check(request, &error) == 0)
        return HTTP_CONTINUE;
    log_refused(request, error.message);
    return service_refuse(request->exchange, 403, error.message);
}

/* Whether a browser opens a page; not a program, and not a script of the console. */
static bool is_from_a_person(struct http_exchange *exchange)
{
    const char *accept = http_header(exchange, "Accept");
    return strcmp(http_method(exchange), "GET") == 0 && accept && strstr(accept, "text/html") &&
           strncmp(http_path(exchange), "/api/", strlen("/api/")) != 0;
}

/* Makes room for the whole body, so that no copy of a secret stays behind when the buffer grows. */
static void reserve_body(struct admin_request *request)
{
    int64_t length = http_content_length(request->exchange);
    int64_t bytes = http_is_chunked(request->exchange) ? request->body_bound : length;
    if (bytes > 0)
        (void)buffer_reserve(&request->body, (size_t)bytes);
}

enum http_step service_expect_body(struct admin_request *request)
{
    request->body_bound = body_bound(request);
    if (http_content_length(request->exchange) > request->body_bound)
        return refuse_size(request);
    if (has_secret_body(request))
        reserve_body(request);
    return HTTP_CONTINUE;
}

static enum http_step service_begin(struct http_exchange *exchange, void *context)
{
    struct admin_listener *listener = context;
    struct admin_request *request = service_new_request(listener, exchange);
    http_set_user(exchange, request);
    http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    enum route_result found = route_find(admin_routes, admin_route_count, http_method(exchange),
                                         http_path(exchange), &request->match);
    request->call = found == ROUTE_FOUND ? request->match.route->target : NULL;
    if (found == ROUTE_NO_PATH && is_from_a_person(exchange)) {
        request->call = &console_no_page;
        found = ROUTE_FOUND;
    }
    if (!request->call || !request->call->may_be_kept)
        http_add_header(exchange, "Cache-Control", "no-store");
    enum http_step step = check_host(request);
    if (step != HTTP_CONTINUE)
        return step;
    if (!request->call || request->call->access != ADMIN_ACCESS_OPEN)
        step = identify(request);
    if (step == HTTP_CONTINUE)
        step = check_role(request);
    if (step != HTTP_CONTINUE)
        return step;
    if (found == ROUTE_NO_PATH)
        return service_refuse(exchange, 404, "this path does not exist");
    if (found == ROUTE_NO_METHOD) {
        http_add_header(exchange, "Allow", request->match.allow);
        return refuse_method(exchange, request->match.allow);
    }
    return service_expect_body(request);
}

/* ---- the body ---- */

/* Takes the piece of the body, or notes why it cannot. No answer can be sent before the body has
 * ended, so the rest is read and dropped until the deadline. */
enum http_step service_take_body(struct admin_request *request, const void *bytes, size_t count)
{
    if (request->too_large || request->crowded)
        return HTTP_CONTINUE;
    int64_t held = atomic_fetch_add(&request->admin->held_bytes, (int64_t)count);
    request->held_bytes += (int64_t)count;
    request->too_large = request->held_bytes > request->body_bound;
    request->crowded = held + (int64_t)count > bodies_bound(request->config) ||
                       buffer_append(&request->body, bytes, count) != 0;
    if (request->too_large || request->crowded)
        drop_body(request);
    return HTTP_CONTINUE;
}

static enum http_step service_data(struct http_exchange *exchange, const void *bytes, size_t count,
                                   size_t *consumed, void *context)
{
    (void)context;
    *consumed = count;
    return service_take_body(http_user(exchange), bytes, count);
}

/* ---- the answer ---- */

static unsigned status_of(enum error_kind kind)
{
    switch (kind) {
    case ERROR_INVALID:
        return 400;
    case ERROR_NOT_FOUND:
        return 404;
    case ERROR_CONFLICT:
        return 409;
    case ERROR_STALE:
    case ERROR_UNAVAILABLE:
    case ERROR_FULL:
    case ERROR_IO:
        return 503;
    case ERROR_NONE:
    case ERROR_CONFIG:
    case ERROR_INTERNAL:
        break;
    }
    return 500;
}

static enum http_step answer_error(struct admin_request *request, const struct error *error)
{
    struct http_exchange *exchange = request->exchange;
    struct admin_answer *answer = &request->answer;
    unsigned status = answer->status >= 400 ? answer->status : status_of(error->kind);
    /* Probes arrive all the time. The reason why webhookd is not ready is logged where it
     * occurs. */
    if (status >= 500 && request->call->handle != status_readyz)
        http_log_warning(exchange, "API call failed", log_text("method", http_method(exchange)),
                         log_text("path", pattern_of(request)), log_why(error));
    if (status == 503 || status == 429)
        http_add_header(exchange, "Retry-After", status == 429 ? "60" : RETRY_AFTER_S);
    json_t *errors = answer->errors;
    answer->errors = NULL;
    if (errors)
        return http_reply_errors(exchange, status, error->message, errors);
    return http_reply_error(exchange, status, error->message, answer->field);
}

static enum http_step answer_success(struct admin_request *request)
{
    struct http_exchange *exchange = request->exchange;
    struct admin_answer *answer = &request->answer;
    unsigned status = answer->status ? answer->status : 200;
    if (answer->fd >= 0) {
        int fd = answer->fd;
        answer->fd = -1;
        return http_reply_file(exchange, status, answer->content_type, fd, answer->file_bytes);
    }
    if (answer->stream.read) {
        struct http_stream stream = answer->stream;
        answer->stream.read = NULL;
        return http_reply_stream(exchange, status, answer->content_type, &stream);
    }
    if (answer->content_type)
        return http_reply_bytes(exchange, status, answer->content_type,
                                answer->bytes.data ? answer->bytes.data : "", answer->bytes.bytes);
    json_t *data = answer->data;
    answer->data = NULL;
    if (request->call->may_be_packed && !answer->is_private)
        http_may_pack(exchange);
    return http_reply_data(exchange, status, data);
}

/* Tells the caller where the stream of events continues after this answer (events.c). Called before
 * the store is read. */
static void add_event_id(struct admin_request *request)
{
    struct admin_events *events = request->admin->options.events;
    char id[RUN_EVENT_ID_BYTES];
    if (request->call->access != ADMIN_ACCESS_OPEN)
        http_add_header(request->exchange, "X-Event-Id",
                        run_events_format_id(events, run_events_last(events), id));
}

int service_handle(struct admin_request *request, struct error *error)
{
    int result = -1;
    if (request->too_large)
        return -1; /* service_answer says so */
    if (request->crowded)
        error_set(error, ERROR_UNAVAILABLE,
                  "too many large requests at the same time: no room for this body; try again");
    else if (request->call->access == ADMIN_ACCESS_OPEN || request_check_query(request, error) == 0)
        result = request->call->handle(request, error);
    service_give_back_store(request, error->kind == ERROR_INTERNAL || error->kind == ERROR_IO);
    drop_body(request);
    return result;
}

enum http_step service_answer(struct admin_request *request, int result, const struct error *error)
{
    if (request->too_large)
        return refuse_size(request);
    return result == 0 ? answer_success(request) : answer_error(request, error);
}

static enum http_step service_finish(struct http_exchange *exchange, void *context)
{
    (void)context;
    struct admin_request *request = http_user(exchange);
    struct error error = ERROR_INIT;
    if (!request->too_large)
        add_event_id(request);
    int result = service_handle(request, &error);
    return service_answer(request, result, &error);
}

static void service_end(struct http_exchange *exchange, void *context)
{
    (void)context;
    service_free_request(http_user(exchange));
    http_set_user(exchange, NULL);
}

static void service_refused(struct http_exchange *exchange, unsigned status, const char *message,
                            void *context)
{
    (void)context;
    char peer[HTTP_PEER_BYTES];
    http_log_info(exchange, "API request refused", log_int("status", status),
                  http_log_from(http_peer(exchange, peer)), log_text("reason", message));
}

const struct http_service admin_service = {
    .begin = service_begin,
    .data = service_data,
    .finish = service_finish,
    .end = service_end,
    .refused = service_refused,
};
