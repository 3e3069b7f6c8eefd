/* An exchange: its way through the steps of a service, what the service can read of the request,
 * and the headers that it adds to the answer. Called by server.c and by services, on the handler's
 * thread. */
#include "http/exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/memory.h"
#include "http/accept_encoding.h"
#include "http/guard.h"
#include "http/query.h"
#include "http/strangers.h"

/* ---- the request ---- */

void http_set_user(struct http_exchange *exchange, void *user)
{
    exchange->user = user;
}

void *http_user(const struct http_exchange *exchange)
{
    return exchange->user;
}

const struct id *http_request_id(const struct http_exchange *exchange)
{
    return &exchange->id;
}

const char *http_method(const struct http_exchange *exchange)
{
    return exchange->method;
}

const char *http_path(const struct http_exchange *exchange)
{
    return exchange->target;
}

const char *http_query(const struct http_exchange *exchange)
{
    return exchange->query;
}

int http_query_value(const struct http_exchange *exchange, const char *name, char *text,
                     size_t text_bytes)
{
    struct query_parameter parameter;
    for (const char *at = exchange->query; query_next(&at, &parameter);)
        if (query_is_named(&parameter, name))
            return query_decode(&parameter, text, text_bytes) == 0 ? 1 : -1;
    return 0;
}

void exchange_trim(const char **value, size_t *bytes)
{
    while (*bytes > 0 && (**value == ' ' || **value == '\t')) {
        (*value)++;
        (*bytes)--;
    }
    while (*bytes > 0 && ((*value)[*bytes - 1] == ' ' || (*value)[*bytes - 1] == '\t'))
        (*bytes)--;
}

/* Returns the value without the blanks around it. Copies it only if blanks follow it, which is
 * rare. */
static const char *trimmed(struct http_exchange *exchange, const char *value)
{
    size_t before = strlen(value), bytes = before;
    const char *start = value;
    exchange_trim(&start, &bytes);
    if (start[bytes] == '\0')
        return start;
    struct trimmed_value *copy = memory_alloc(sizeof(*copy) + bytes + 1);
    memcpy(copy->text, start, bytes);
    list_append(&exchange->trimmed, &copy->node);
    return copy->text;
}

const char *http_header(struct http_exchange *exchange, const char *name)
{
    const char *value = MHD_lookup_connection_value(exchange->mhd, MHD_HEADER_KIND, name);
    return value ? trimmed(exchange, value) : NULL;
}

const char *http_host(struct http_exchange *exchange)
{
    const char *host =
        exchange->authority ? exchange->authority : http_header(exchange, MHD_HTTP_HEADER_HOST);
    return host ? host : "";
}

struct each_header {
    struct http_exchange *exchange;
    int (*each)(void *context, const char *name, const char *value);
    void *context;
};

static enum MHD_Result pass_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    struct each_header *pass = context;
    const char *text = value ? trimmed(pass->exchange, value) : "";
    return pass->each(pass->context, name, text) == 0 ? MHD_YES : MHD_NO;
}

void http_each_header(struct http_exchange *exchange,
                      int (*each)(void *, const char *name, const char *value), void *context)
{
    struct each_header pass = {exchange, each, context};
    MHD_get_connection_values(exchange->mhd, MHD_HEADER_KIND, pass_header, &pass);
}

static int read_accept_encoding(void *accept, const char *name, const char *value)
{
    if (strcasecmp(name, MHD_HTTP_HEADER_ACCEPT_ENCODING) == 0)
        accept_encoding_read(accept, value);
    return 0;
}

bool http_accepts_gzip(struct http_exchange *exchange)
{
    struct accept_encoding accept = ACCEPT_ENCODING_INIT;
    if (strcmp(exchange->version, MHD_HTTP_VERSION_1_1) != 0)
        return false;
    http_each_header(exchange, read_accept_encoding, &accept);
    return accept_encoding_prefers_gzip(&accept);
}

int64_t http_content_length(const struct http_exchange *exchange)
{
    return exchange->content_length;
}

bool http_is_chunked(const struct http_exchange *exchange)
{
    return exchange->chunked;
}

int64_t http_started_us(const struct http_exchange *exchange)
{
    return exchange->started_us;
}

void http_close_after(struct http_exchange *exchange)
{
    exchange->close_after = true;
}

/* ---- the answer ---- */

void http_may_pack(struct http_exchange *exchange)
{
    exchange->may_be_packed = true;
}

void http_add_header(struct http_exchange *exchange, const char *name, const char *value)
{
    size_t name_bytes = strlen(name) + 1, value_bytes = strlen(value) + 1;
    struct extra_header *extra = memory_alloc(sizeof(*extra) + name_bytes + value_bytes);
    extra->name = memcpy(extra + 1, name, name_bytes);
    extra->value = memcpy(extra->name + name_bytes, value, value_bytes);
    list_append(&exchange->extra, &extra->node);
}

void exchange_free_headers(struct http_exchange *exchange)
{
    struct extra_header *extra;
    while ((extra = LIST_TAKE_FIRST(&exchange->extra, struct extra_header, node)))
        free(extra);
    struct trimmed_value *value;
    while ((value = LIST_TAKE_FIRST(&exchange->trimmed, struct trimmed_value, node)))
        free(value);
    free(exchange->authority);
    exchange->authority = NULL;
}

/* ---- the steps ---- */

void exchange_split_target(struct http_exchange *exchange)
{
    char *target = exchange->target;
    size_t scheme = strncasecmp(target, "http://", 7) == 0    ? 7
                    : strncasecmp(target, "https://", 8) == 0 ? 8
                                                              : 0;
    if (scheme == 0 || exchange->authority)
        return;
    char *host = target + scheme, *path = host + strcspn(host, "/");
    exchange->authority = memory_string_n(host, (size_t)(path - host));
    if (path[0] == '\0')
        strcpy(target, "/");
    else
        memmove(target, path, strlen(path) + 1);
}

static void exchange_set_stage(struct http_exchange *exchange, enum exchange_stage stage)
{
    switch (exchange->stage) {
    case EXCHANGE_NONE:
        assert(stage == EXCHANGE_LINE);
        break;
    case EXCHANGE_LINE:
        assert(stage == EXCHANGE_BEGIN || stage == EXCHANGE_REPLIED || stage == EXCHANGE_CLOSED ||
               stage == EXCHANGE_NONE);
        break;
    case EXCHANGE_BEGIN:
        assert(stage == EXCHANGE_BODY || stage == EXCHANGE_REPLIED || stage == EXCHANGE_CLOSED ||
               stage == EXCHANGE_NONE);
        break;
    case EXCHANGE_BODY:
        assert(stage == EXCHANGE_FINISH || stage == EXCHANGE_CLOSED || stage == EXCHANGE_NONE);
        break;
    case EXCHANGE_FINISH:
        assert(stage == EXCHANGE_REPLIED || stage == EXCHANGE_CLOSED || stage == EXCHANGE_NONE);
        break;
    case EXCHANGE_REPLIED:
    case EXCHANGE_CLOSED:
        assert(stage == EXCHANGE_NONE);
        break;
    }
    exchange->stage = stage;
}

void exchange_open(struct http_exchange *exchange, const char *uri)
{
    size_t bytes = strlen(uri) + 1;
    if (bytes > exchange->target_capacity) {
        exchange->target = memory_resize(exchange->target, bytes);
        exchange->target_capacity = bytes;
    }
    memcpy(exchange->target, uri, bytes);
    exchange->target_end = (uintptr_t)uri + bytes - 1;
    char *mark = strchr(exchange->target, '?');
    if (mark)
        *mark = '\0';
    exchange->query = mark ? mark + 1 : &exchange->target[bytes - 1];
    exchange->begun = exchange->close_after = exchange->chunked = exchange->was_resumed = false;
    exchange->may_be_packed = false;
    exchange->content_length = -1;
    exchange->user = NULL;
    exchange->id = id_ordered();
    exchange->started_us = clock_monotonic_us();
    exchange_set_stage(exchange, EXCHANGE_LINE);
}

void exchange_close(struct http_exchange *exchange)
{
    struct http_server *server = exchange->connection->server;
    if (exchange->begun) {
        exchange->service->end(exchange, exchange->service_context);
        atomic_fetch_sub(&server->in_progress, 1);
    }
    exchange->user = NULL;
    exchange_free_headers(exchange);
    exchange_set_stage(exchange, EXCHANGE_NONE);
}

static enum MHD_Result exchange_replied(struct http_exchange *exchange)
{
    exchange->connection->leaves_rest |=
        exchange->stage != EXCHANGE_FINISH && (exchange->chunked || exchange->content_length > 0);
    if (!exchange->close_after && !exchange->connection->leaves_rest)
        strangers_expect_request(exchange->connection);
    exchange_set_stage(exchange, EXCHANGE_REPLIED);
    connection_enter(exchange->connection, CONNECTION_REPLY, clock_monotonic_ms());
    return MHD_YES;
}

static enum MHD_Result exchange_abandon(struct http_exchange *exchange)
{
    exchange_set_stage(exchange, EXCHANGE_CLOSED);
    return MHD_NO;
}

/* The connection was shut down meanwhile: no further step is called. */
static enum MHD_Result exchange_stop(struct http_exchange *exchange)
{
    bool has_ended = exchange->stage == EXCHANGE_CLOSED || exchange->stage == EXCHANGE_REPLIED;
    return has_ended ? MHD_NO : exchange_abandon(exchange);
}

/* Handles the result of a step that may answer (begin, finish). */
static enum MHD_Result take_step(struct http_exchange *exchange, enum http_step step)
{
    switch (step) {
    case HTTP_CONTINUE:
        if (exchange->stage == EXCHANGE_BEGIN)
            exchange_set_stage(exchange, EXCHANGE_BODY);
        else
            return exchange_abandon(exchange);
        return MHD_YES;
    case HTTP_SUSPEND:
        return MHD_YES;
    case HTTP_REPLIED:
        return exchange_replied(exchange);
    case HTTP_CLOSE:
        break;
    }
    return exchange_abandon(exchange);
}

static enum MHD_Result exchange_refuse(struct http_exchange *exchange,
                                       const struct guard_refusal *refusal)
{
    struct http_server *server = exchange->connection->server;
    atomic_fetch_add(&server->refused, 1);
    http_close_after(exchange);
    http_is_refused(exchange);
    if (server->options.service->refused)
        server->options.service->refused(exchange, refusal->status, refusal->message,
                                         server->options.context);
    if (http_reply_error(exchange, refusal->status, refusal->message, NULL) != HTTP_REPLIED)
        return exchange_abandon(exchange);
    return exchange_replied(exchange);
}

static void choose_service(struct http_exchange *exchange)
{
    const struct http_options *options = &exchange->connection->server->options;
    const struct http_mount *mount = options->mount;
    bool is_mounted = mount && mount->takes(mount->context, exchange->method, exchange->target);
    exchange->service = is_mounted ? mount->service : options->service;
    exchange->service_context = is_mounted ? mount->context : options->context;
}

static enum MHD_Result call_begin(struct http_exchange *exchange)
{
    return take_step(exchange, exchange->service->begin(exchange, exchange->service_context));
}

static enum MHD_Result call_finish(struct http_exchange *exchange)
{
    return take_step(exchange, exchange->service->finish(exchange, exchange->service_context));
}

static enum MHD_Result exchange_begin(struct http_exchange *exchange)
{
    struct http_server *server = exchange->connection->server;
    connection_enter(exchange->connection, CONNECTION_BODY, clock_monotonic_ms());
    struct guard_refusal refusal = guard_check(exchange);
    if (refusal.status != 0)
        return exchange_refuse(exchange, &refusal);
    /* RFC 9112 section 6.3: without a length the body is empty. Whether the sender meant that is
     * unknown, so the connection is closed after the answer. */
    if (!exchange->chunked && exchange->content_length < 0 &&
        strcmp(exchange->method, "GET") != 0 && strcmp(exchange->method, "HEAD") != 0)
        http_close_after(exchange);
    /* Counts the request first and then checks `stopping`. http_server_stop does it in the opposite
     * order, so at least one of the two sees the other. */
    atomic_fetch_add(&server->in_progress, 1);
    if (atomic_load(&server->stopping)) {
        atomic_fetch_sub(&server->in_progress, 1);
        refusal = (struct guard_refusal){503, "webhookd is shutting down"};
        return exchange_refuse(exchange, &refusal);
    }
    choose_service(exchange);
    exchange->begun = true;
    exchange_set_stage(exchange, EXCHANGE_BEGIN);
    return call_begin(exchange);
}

static enum MHD_Result exchange_data(struct http_exchange *exchange, const char *bytes,
                                     size_t *count)
{
    size_t consumed = *count;
    connection_heard(exchange->connection, (int64_t)*count);
    enum http_step step =
        exchange->service->data(exchange, bytes, *count, &consumed, exchange->service_context);
    *count -= consumed;
    if (step == HTTP_CONTINUE || step == HTTP_SUSPEND)
        return MHD_YES;
    return exchange_abandon(exchange);
}

enum MHD_Result exchange_continue(struct http_exchange *exchange, const char *data, size_t *bytes)
{
    if (!connection_reenter(exchange->connection))
        return exchange_stop(exchange);
    switch (exchange->stage) {
    case EXCHANGE_LINE:
        return exchange_begin(exchange);
    case EXCHANGE_BEGIN:
        return call_begin(exchange);
    case EXCHANGE_BODY:
        if (*bytes > 0)
            return exchange_data(exchange, data, bytes);
        exchange_set_stage(exchange, EXCHANGE_FINISH);
        if (!connection_let_finish(exchange->connection))
            return exchange_stop(exchange);
        return call_finish(exchange);
    case EXCHANGE_FINISH:
        return call_finish(exchange);
    case EXCHANGE_REPLIED: /* an early answer: discards the rest of the body */
        *bytes = 0;
        return MHD_YES;
    case EXCHANGE_NONE:
    case EXCHANGE_CLOSED:
        break;
    }
    return MHD_NO;
}
