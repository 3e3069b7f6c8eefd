/* Collects the body of a request: see body.h. Runs on the hook workers, but for spooler_done. */
#include "hooks/body.h"

#include <stdlib.h>
#include <string.h>

void body_init(struct body *body, struct hooks *hooks, struct http_exchange *exchange)
{
    *body = (struct body){
        .hooks = hooks,
        .exchange = exchange,
        .comes_in_pieces =
            http_is_chunked(exchange) || http_content_length(exchange) > SPOOL_THRESHOLD_BYTES,
    };
}

static int reserve(struct body *body, const struct hooks_settings *settings, size_t bytes)
{
    if (hooks_reserve_bytes(body->hooks, settings, (int64_t)bytes) != 0)
        return -1;
    body->reserved_bytes += (int64_t)bytes;
    return 0;
}

static int allocate(struct body *body, size_t bytes)
{
    body->bytes = malloc(bytes);
    body->capacity = bytes;
    return body->bytes ? 0 : -1;
}

int body_reserve_piece(struct body *body, const struct hooks_settings *settings)
{
    return reserve(body, settings, SPOOL_PIECE_BYTES) == 0 ? allocate(body, SPOOL_PIECE_BYTES) : -1;
}

int body_add(struct body *body, const struct hooks_settings *settings, const void *bytes,
             size_t count, size_t *taken)
{
    if (!body->bytes && allocate(body, (size_t)http_content_length(body->exchange)) != 0)
        return -1;
    /* The bytes of a small body count as they arrive, because a stranger may declare a length and
     * send nothing. */
    if (!body->comes_in_pieces && reserve(body, settings, count) != 0)
        return -1;
    size_t room = body->capacity - body->count;
    *taken = count < room ? count : room;
    memcpy(body->bytes + body->count, bytes, *taken);
    body->count += *taken;
    body->total_bytes += (int64_t)*taken;
    return 0;
}

bool body_is_piece_full(const struct body *body)
{
    return body->comes_in_pieces && body->count == body->capacity;
}

static void spooler_done(void *context, const struct error *error)
{
    struct body *body = context;
    if (error)
        body->error = *error;
    http_resume(body->exchange);
}

void body_write_piece(struct body *body, int64_t deadline_ms)
{
    if (!body->spooled)
        body->spooled =
            spool_body_new(body->hooks->spool, http_request_id(body->exchange), spooler_done, body);
    http_suspend(body->exchange, deadline_ms);
    spool_append(body->spooled, body->bytes, body->count);
}

int body_next_piece(struct body *body)
{
    body->count = 0;
    return error_is_set(&body->error) ? -1 : 0;
}

void body_sync(struct body *body, int64_t deadline_ms)
{
    http_suspend(body->exchange, deadline_ms);
    spool_finish(body->spooled);
}

const void *body_in_memory(const struct body *body)
{
    return body->spooled || body->count == 0 ? NULL : body->bytes;
}

void body_discard(struct body *body)
{
    spool_discard(body->spooled);
    body->spooled = NULL;
    free(body->bytes);
    body->bytes = NULL;
    hooks_release_bytes(body->hooks, body->reserved_bytes);
    body->reserved_bytes = 0;
}
