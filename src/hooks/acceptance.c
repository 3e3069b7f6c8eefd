/* Stores the run of a request: see acceptance.h. `describe` and `done` run on the committer's
 * thread, submitting on a hook worker's, expiring on the reaper's. */
#include "hooks/acceptance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "http/log.h"
#include "model/own_secrets.h"

struct acceptance *acceptance_new(struct hooks *hooks, const uint8_t token_hash[SECRET_HASH_BYTES])
{
    struct acceptance *acceptance = memory_alloc(sizeof(*acceptance));
    atomic_store_explicit(&acceptance->references, 1, memory_order_relaxed);
    acceptance->hooks = hooks;
    memcpy(acceptance->token_hash, token_hash, SECRET_HASH_BYTES);
    acceptance->check.token_hash = acceptance->accept.token_hash = acceptance->token_hash;
    acceptance->accept.input = &acceptance->input;
    return acceptance;
}

void acceptance_release(struct acceptance *acceptance)
{
    if (!acceptance || atomic_fetch_sub(&acceptance->references, 1) != 1)
        return;
    hooks_release_bytes(acceptance->hooks, acceptance->reserved_bytes);
    spool_discard(acceptance->spooled);
    free(acceptance->body);
    free(acceptance->headers.json);
    free(acceptance->headers.host);
    free(acceptance->withheld_json);
    free(acceptance->query);
    free(acceptance);
}

/* Keeps the names of what is not stored, for the run. Frees the list, which may be NULL. */
static void keep_withheld(struct acceptance *acceptance, struct http_exchange *exchange,
                          json_t *withheld)
{
    if (!withheld)
        return;
    acceptance->withheld_json = json_dumps(withheld, JSON_COMPACT);
    json_decref(withheld);
    if (!acceptance->withheld_json)
        abort();
    http_log_warning(exchange, "an API key or a session was sent to a webhook",
                     log_text("effect", "it is not stored with the run"));
}

static void take_body(struct acceptance *acceptance, struct body *body)
{
    struct run_input *input = &acceptance->input;
    input->body_bytes = body->total_bytes;
    if (body->spooled) {
        input->body_place = BODY_SPOOLED;
        spool_body_hash(body->spooled, input->body_sha256);
        acceptance->spooled = body->spooled;
        body->spooled = NULL;
        body_discard(body);
        return;
    }
    secret_hash(body->bytes ? body->bytes : (const unsigned char *)"", body->count,
                input->body_sha256);
    input->body_place = body->count > 0 ? BODY_INLINE : BODY_NONE;
    input->body = acceptance->body = body->bytes;
    acceptance->reserved_bytes = body->reserved_bytes;
    body->bytes = NULL;
    body->reserved_bytes = 0;
}

int acceptance_take_run(struct acceptance *acceptance, struct body *body, int64_t arrived_ms,
                        const char *remote_addr)
{
    struct http_exchange *exchange = body->exchange;
    json_t *withheld = NULL;
    headers_collect(exchange, &acceptance->headers, &withheld);
    snprintf(acceptance->remote_addr, sizeof(acceptance->remote_addr), "%s", remote_addr);
    acceptance->query = utf8_from_any(http_query(exchange));
    own_secrets_hide_in_query(acceptance->query, &withheld);
    keep_withheld(acceptance, exchange, withheld);
    acceptance->input = (struct run_input){
        .request_id = *http_request_id(exchange),
        .trigger = TRIGGER_WEBHOOK,
        .arrived_ms = arrived_ms,
        .remote_addr = acceptance->remote_addr,
        .host = acceptance->headers.host,
        .query = acceptance->query,
        .event = acceptance->headers.event.text,
        .headers_json = acceptance->headers.json,
        .headers_bytes = acceptance->headers.bytes,
        .withheld_json = acceptance->withheld_json ? acceptance->withheld_json : "[]",
    };
    take_body(acceptance, body);
    return acceptance->headers.json ? 0 : -1;
}

static enum acceptance_outcome outcome_of(const struct error *error)
{
    if (!error)
        return ACCEPTANCE_DONE;
    if (error->kind == ERROR_STALE)
        return ACCEPTANCE_STALE;
    return error->kind == ERROR_NOT_FOUND ? ACCEPTANCE_NO_TOKEN : ACCEPTANCE_UNAVAILABLE;
}

/* Ends the operation: gives the request its result and resumes it, unless another thread has done
 * so. The operation drops its reference first and the request the last one, so that a worker's
 * allocations are freed by that worker and not by the committer, whose time all requests share. */
static void settle(struct acceptance *acceptance, enum acceptance_outcome outcome)
{
    struct http_exchange *exchange = atomic_exchange(&acceptance->waiter, NULL);
    if (exchange) {
        acceptance->result->outcome = outcome;
        acceptance->result->ids = acceptance->accept.ids;
    }
    acceptance_release(acceptance);
    if (exchange)
        http_resume(exchange);
}

/* Discards the spooled body, because there will be no run. */
static void drop_body(struct acceptance *acceptance)
{
    spool_discard(acceptance->spooled);
    acceptance->spooled = NULL;
}

/* Decides what becomes of the spooled body. The body of a stale request is kept: the same operation
 * may be submitted again; if it is not, the last reference discards the body. After a failed disk
 * it is unknown whether the run exists: the next start removes a body without a run. */
static void end_body(struct acceptance *acceptance, const struct error *error)
{
    if (!acceptance->spooled || (error && error->kind == ERROR_STALE))
        return;
    if (!error || error->kind == ERROR_IO)
        spool_keep(acceptance->spooled);
    else
        spool_discard(acceptance->spooled);
    acceptance->spooled = NULL;
}

static void describe_check(struct commit_op *op, struct store_item *item)
{
    item->kind = STORE_CHECK;
    item->check = &CONTAINER_OF(op, struct acceptance, op)->check;
}

static void describe_store(struct commit_op *op, struct store_item *item)
{
    item->kind = STORE_ACCEPT;
    item->accept = &CONTAINER_OF(op, struct acceptance, op)->accept;
}

static const struct commit_kind check_kind, store_kind;

static void done(struct commit_op *op, const struct error *error)
{
    struct acceptance *acceptance = CONTAINER_OF(op, struct acceptance, op);
    end_body(acceptance, error);
    if (!error && op->kind == &store_kind && acceptance->hooks->run_stored)
        acceptance->hooks->run_stored(acceptance->hooks->context, &acceptance->accept.ids);
    if (op->kind == &check_kind)
        acceptance->accept.ids.fleet_id = acceptance->check.fleet_id;
    settle(acceptance, outcome_of(error));
}

static const struct commit_kind check_kind = {
    .name = "check token",
    .class = COMMIT_REQUEST,
    .describe = describe_check,
    .done = done,
};

static const struct commit_kind store_kind = {
    .name = "accept run",
    .class = COMMIT_REQUEST,
    .describe = describe_store,
    .done = done,
};

static void submit(struct acceptance *acceptance, struct http_exchange *exchange,
                   struct acceptance_result *result, int64_t deadline_ms)
{
    struct error error = ERROR_INIT;
    *result = (struct acceptance_result){.outcome = ACCEPTANCE_NONE};
    acceptance->result = result;
    atomic_store(&acceptance->waiter, exchange);
    atomic_fetch_add(&acceptance->references, 1); /* the committer's, until `done` */
    http_suspend(exchange, deadline_ms);
    if (commit_submit(acceptance->hooks->queue, &acceptance->op, &error) == 0)
        return;
    drop_body(acceptance);
    settle(acceptance, ACCEPTANCE_UNAVAILABLE);
}

void acceptance_check_token(struct acceptance *acceptance, struct http_exchange *exchange,
                            struct acceptance_result *result, int64_t deadline_ms)
{
    acceptance->op.kind = &check_kind;
    submit(acceptance, exchange, result, deadline_ms);
}

void acceptance_store_run(struct acceptance *acceptance, struct http_exchange *exchange,
                          struct acceptance_result *result, int64_t deadline_ms)
{
    acceptance->op.kind = &store_kind;
    acceptance->op.bytes =
        acceptance->headers.bytes + (acceptance->body ? (size_t)acceptance->input.body_bytes : 0);
    submit(acceptance, exchange, result, deadline_ms);
}

bool acceptance_expire(struct acceptance *acceptance, struct http_exchange *exchange)
{
    if (commit_withdraw(acceptance->hooks->queue, &acceptance->op)) {
        drop_body(acceptance);
        settle(acceptance, ACCEPTANCE_UNAVAILABLE); /* `done` will not be called */
        return true;
    }
    if (acceptance->op.kind == &check_kind) { /* it cannot lead to a run */
        struct http_exchange *waiting = atomic_exchange(&acceptance->waiter, NULL);
        if (!waiting)
            return false;
        acceptance->result->outcome = ACCEPTANCE_UNAVAILABLE;
        http_resume(waiting);
        return true;
    }
    if (!atomic_exchange(&acceptance->waiter, NULL))
        return false;
    http_log_warning(
        exchange, "request left without an answer",
        log_text("reason", "the run was being committed at answer_timeout and may exist"));
    http_abort(exchange);
    http_resume(exchange);
    return true;
}
