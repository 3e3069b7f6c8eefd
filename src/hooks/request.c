/* One POST from its headers to its answer, as the steps of http/server:
 *
 *   begin   runs the checks of the headers (hooks/checks.h). Suspends a request with a large or
 *           chunked body until the store has found its token to be good, so that a stranger cannot
 *           upload to a wrong URL. Also suspends a request whose refusal may be shown only to a
 *           sender with a good token.
 *   data    reads a small body into memory, and passes a large one piece by piece to the spooler,
 *           suspended while the spooler writes. Runs the checks of each piece.
 *   finish  runs the checks of the whole body, submits the run to the commit queue, and suspends
 *           the request until the run is on disk (invariant 1). Then it answers. A request whose
 *           checks turn out to be stale is judged again.
 *
 * The steps run on the hook workers and never wait, touch the database or write files. Deadlines
 * are handled on the reaper's thread. */
#include "hooks/request.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "hooks/acceptance.h"
#include "hooks/body.h"
#include "hooks/checks.h"
#include "hooks/instance.h"
#include "http/log.h"

/* A refused body is read up to this size or max_body, whichever is larger, so that its sender sees
 * the answer. */
#define MAX_DISCARDED_BYTES (64 * 1024)
#define MAX_JUDGED_AGAIN    3 /* times, as long as the checks are stale */
#define TOKEN_UNKNOWN       "the token could not be looked up now: try again"
#define TOO_MANY_BODIES     "too many bodies are in flight: try again"

/*   NEW ─► CHECKING ─► READING ─► (WRITING ─► READING)* ─► SYNCING ─► STORING
 *    └───────────────────►┘└───────────────────────────────────────────►┘ (both: small)
 *                          └─► (REFUSED ─►) ASKING
 * STORING leads to STORING if the checks were stale. Each state can lead to an answer. NEW and
 * CHECKING can lead to REFUSED, too, which reads a small body to its end, so that its sender sees
 * the answer. */
enum request_state {
    REQUEST_NEW,
    REQUEST_CHECKING, /* suspended: the store looks up the token */
    REQUEST_READING,
    REQUEST_WRITING, /* suspended: the spooler writes a piece */
    REQUEST_SYNCING, /* suspended: the spooler syncs the body */
    REQUEST_STORING, /* suspended: the committer stores the run */
    REQUEST_REFUSED,
    REQUEST_ASKING, /* suspended: the store looks up the token before the sender sees the verdict */
};

struct request {
    struct hooks *hooks;
    struct http_exchange *exchange;
    struct hooks_settings *settings;
    enum request_state state;
    struct verdict verdict; /* what to answer: if REQUEST_REFUSED, or once the token is good */
    bool needs_token;       /* the verdict is only for senders whose token is good */
    int judged_again;       /* how often, because the checks were stale */
    unsigned answered;      /* the status, once there is an answer */
    int64_t answer_us;      /* from the arrival of the first line */
    bool has_token;         /* and it is well formed */
    uint8_t token_hash[SECRET_HASH_BYTES];
    bool has_fleet_id; /* the token is known to be good */
    struct id fleet_id;
    char remote_addr[HTTP_PEER_BYTES];
    int64_t arrived_ms;
    int64_t waited_ms; /* before it was read: in the kernel, while webhookd could not accept it */
    int64_t answer_by_ms; /* monotonic; once the run is submitted */
    struct body body;
    struct acceptance *acceptance; /* the operation under way or done; it takes over the body */
    struct acceptance_result result;
};

static void set_state(struct request *request, enum request_state state)
{
    switch (request->state) {
    case REQUEST_NEW:
        assert(state == REQUEST_CHECKING || state == REQUEST_READING || state == REQUEST_REFUSED);
        break;
    case REQUEST_CHECKING:
        assert(state == REQUEST_READING || state == REQUEST_REFUSED);
        break;
    case REQUEST_READING:
        assert(state == REQUEST_WRITING || state == REQUEST_SYNCING || state == REQUEST_STORING ||
               state == REQUEST_REFUSED || state == REQUEST_ASKING);
        break;
    case REQUEST_WRITING:
        assert(state == REQUEST_READING);
        break;
    case REQUEST_SYNCING:
        assert(state == REQUEST_STORING);
        break;
    case REQUEST_STORING: /* stale: submitted again */
        assert(state == REQUEST_STORING);
        break;
    case REQUEST_REFUSED:
        assert(state == REQUEST_ASKING);
        break;
    case REQUEST_ASKING:
        assert(0 && "no state follows REQUEST_ASKING");
        break;
    }
    request->state = state;
}

/* ---- answers ---- */

/* Called once the answer is out, so that no sender waits for a log line. */
static void log_accepted(const struct request *request)
{
    http_log_info(
        request->exchange, "request", log_int("status", 201), http_log_from(request->remote_addr),
        log_int("bytes", request->body.total_bytes), log_int("duration_us", request->answer_us),
        log_id("fleet", &request->result.ids.fleet_id), log_id("run", &request->result.ids.run_id));
}

static void log_unaccepted(const struct request *request, const struct verdict *verdict)
{
    const char *reason = verdict->reason    ? verdict->reason
                         : verdict->message ? verdict->message
                         : verdict->kind == VERDICT_ANSWER
                             ? "answered by a check"
                             : "the token belongs to no webhook: unknown, replaced or removed";
    if (verdict->is_routine)
        http_log_debug(request->exchange, "request", log_int("status", verdict->status),
                       http_log_from(request->remote_addr), log_text("reason", reason));
    else
        http_log_info(request->exchange, "request", log_int("status", verdict->status),
                      http_log_from(request->remote_addr),
                      log_int("duration_us", request->answer_us), log_text("reason", reason));
}

static void note_answer(struct request *request, unsigned status)
{
    request->answered = status;
    request->answer_us = clock_monotonic_us() - http_started_us(request->exchange);
    hooks_count_answer(request->hooks, status);
}

static enum http_step close_without_answer(struct request *request, const char *reason)
{
    http_log_warning(request->exchange, "request closed", http_log_from(request->remote_addr),
                     log_text("reason", reason));
    return HTTP_CLOSE;
}

/* Answers with a verdict other than VERDICT_PASS. */
static enum http_step answer(struct request *request, const struct verdict *verdict)
{
    if (verdict->status == 0)
        return close_without_answer(request, verdict->message);
    note_answer(request, verdict->status);
    log_unaccepted(request, verdict);
    char seconds[16];
    snprintf(seconds, sizeof(seconds), "%d", verdict->retry_after_s);
    if (verdict->retry_after_s > 0)
        http_add_header(request->exchange, "Retry-After", seconds);
    if (verdict->status == 405)
        http_add_header(request->exchange, "Allow", "POST");
    if (verdict->kind == VERDICT_ANSWER)
        return http_reply_bytes(request->exchange, verdict->status, verdict->content_type,
                                verdict->body, verdict->body_bytes);
    return http_reply_error(request->exchange, verdict->status, verdict->message, NULL);
}

static enum http_step answer_refusal(struct request *request, unsigned status, const char *message)
{
    const struct verdict verdict = checks_refuse(status, message);
    return answer(request, &verdict);
}

/* Answers before the body. A small body (or none) is read to its end first, so that its
 * sender sees the answer and can keep its connection: libmicrohttpd closes the connection if a POST
 * is answered before its body has arrived. */
static enum http_step answer_early(struct request *request, const struct verdict *verdict)
{
    http_is_refused(request->exchange);
    int64_t length = http_content_length(request->exchange);
    bool is_small = !http_is_chunked(request->exchange) && length <= SPOOL_THRESHOLD_BYTES;
    if (is_small && !http_header(request->exchange, "Expect")) {
        request->verdict = *verdict;
        set_state(request, REQUEST_REFUSED);
        return HTTP_CONTINUE;
    }
    if (length > 0 || http_is_chunked(request->exchange))
        http_close_after(request->exchange);
    return answer(request, verdict);
}

static enum http_step refuse_early(struct request *request, unsigned status, const char *message)
{
    const struct verdict verdict = checks_refuse(status, message);
    return answer_early(request, &verdict);
}

/* Returns the first verdict of the stage that is not VERDICT_PASS, or VERDICT_PASS. */
static struct verdict judge(const struct request *request, enum check_stage stage, bool needs_token)
{
    const struct body *body = &request->body;
    const struct check_input input = {
        .exchange = request->exchange,
        .config = request->settings->config,
        .too_large = request->settings->too_large,
        .chunked_too_large = request->settings->chunked_too_large,
        .queue = request->hooks->queue,
        .waited_ms = request->waited_ms,
        .body_bytes = body->total_bytes,
        .unwritten_bytes = body->comes_in_pieces ? (int64_t)body->count : 0,
        .body = request->acceptance ? request->acceptance->input.body : body_in_memory(body),
    };
    return checks_judge(request->hooks->checks, stage, needs_token, &input);
}

/* Returns the refusal of a request whose operation has failed. */
static struct verdict refusal_of(const struct request *request, const char *unavailable)
{
    return request->result.outcome == ACCEPTANCE_NO_TOKEN ? checks_refuse(400, NULL)
                                                          : checks_refuse(503, unavailable);
}

/* Notes that the store has found the token to be good. */
static void note_fleet(struct request *request)
{
    http_sender_is_known(request->exchange);
    request->has_fleet_id = true;
    request->fleet_id = request->result.ids.fleet_id;
}

static enum http_step answer_accepted(struct request *request)
{
    struct hooks *hooks = request->hooks;
    const struct run_ids *ids = &request->result.ids;
    const struct id *const data[] = {&ids->fleet_id, &ids->project_id, &ids->org_id, &ids->run_id};
    static_assert(ARRAY_COUNT(data) == ACCEPTED_IDS, "one for each name");
    note_answer(request, 201);
    note_fleet(request);
    atomic_fetch_add(&hooks->answer_us_sum, (uint64_t)request->answer_us);
    return http_reply_from_template(request->exchange, 201, hooks->accepted, data);
}

/* ---- begin ---- */

static int64_t answer_deadline_ms(const struct request *request)
{
    int64_t timeout_ms = request->settings->config->hooks.answer_timeout_ms;
    /* A request that has waited too long is refused, and only its token is looked up. */
    bool is_late = request->waited_ms >= timeout_ms;
    return clock_monotonic_ms() + timeout_ms - (is_late ? 0 : request->waited_ms);
}

/* Limits how long senders wait for a disk that hangs. */
static int64_t spool_deadline_ms(const struct request *request)
{
    const struct config *config = request->settings->config;
    return http_started_us(request->exchange) / 1000 + config->hooks.body_timeout_ms +
           config->hooks.answer_timeout_ms;
}

/* The token is good, or it will be looked up in the transaction that stores the run. */
static enum http_step begin_reading(struct request *request)
{
    if (request->verdict.kind != VERDICT_PASS)
        return answer_early(request, &request->verdict);
    if (request->body.comes_in_pieces && body_reserve_piece(&request->body, request->settings) != 0)
        return refuse_early(request, 503, TOO_MANY_BODIES);
    set_state(request, REQUEST_READING);
    return HTTP_CONTINUE;
}

static enum http_step begin_new(struct request *request)
{
    struct http_exchange *exchange = request->exchange;
    struct verdict verdict = judge(request, CHECK_HEADERS, false);
    if (verdict.kind != VERDICT_PASS)
        return answer_early(request, &verdict);
    const char *token = http_path(exchange) + strlen(CHECKS_PATH_PREFIX);
    secret_hash(token, strlen(token), request->token_hash);
    request->has_token = true;
    request->verdict = judge(request, CHECK_HEADERS, true);
    if (!request->body.comes_in_pieces && request->verdict.kind == VERDICT_PASS)
        return begin_reading(request);
    set_state(request, REQUEST_CHECKING);
    request->acceptance = acceptance_new(request->hooks, request->token_hash);
    acceptance_check_token(request->acceptance, exchange, &request->result,
                           answer_deadline_ms(request));
    return HTTP_SUSPEND;
}

static enum http_step begin_checked(struct request *request)
{
    acceptance_release(request->acceptance);
    request->acceptance = NULL;
    if (request->result.outcome != ACCEPTANCE_DONE) {
        const struct verdict verdict = refusal_of(request, TOKEN_UNKNOWN);
        return answer_early(request, &verdict);
    }
    note_fleet(request);
    return begin_reading(request);
}

static enum http_step request_begin(struct http_exchange *exchange, void *context)
{
    struct request *request = http_user(exchange);
    if (request)
        return begin_checked(request);
    request = memory_alloc(sizeof(*request));
    request->hooks = context;
    request->exchange = exchange;
    request->settings = hooks_settings_hold(context);
    request->arrived_ms = clock_wall_ms();
    request->waited_ms = http_waited_ms(exchange);
    proxies_client(request->settings->proxies, exchange, request->remote_addr);
    body_init(&request->body, context, exchange);
    http_set_user(exchange, request);
    return begin_new(request);
}

/* ---- data ---- */

/* Reads the rest of the body without keeping it, so that its sender sees the answer: none is
 * possible before the end of the body. */
static enum http_step answer_after_the_rest(struct request *request, const struct verdict *verdict)
{
    if (verdict->status == 0)
        return close_without_answer(request, verdict->message);
    http_is_refused(request->exchange);
    body_discard(&request->body);
    request->verdict = *verdict;
    set_state(request, REQUEST_REFUSED);
    return HTTP_CONTINUE;
}

static enum http_step write_piece(struct request *request)
{
    set_state(request, REQUEST_WRITING);
    body_write_piece(&request->body, spool_deadline_ms(request));
    return HTTP_SUSPEND;
}

/* Notes that the spooler has resumed the request, if it wrote a piece. Returns -1 if the body is
 * lost. */
static int piece_written(struct request *request)
{
    if (request->state != REQUEST_WRITING)
        return 0;
    set_state(request, REQUEST_READING);
    return body_next_piece(&request->body);
}

/* Reads what follows of a refused body, up to a bound. */
static enum http_step discard_data(struct request *request, size_t count)
{
    int64_t *total_bytes = &request->body.total_bytes;
    *total_bytes += (int64_t)count;
    if (*total_bytes > MAX_DISCARDED_BYTES &&
        *total_bytes > request->settings->config->hooks.max_body_bytes)
        return close_without_answer(request, "the body of a refused request grew too large");
    return HTTP_CONTINUE;
}

static enum http_step request_data(struct http_exchange *exchange, const void *bytes, size_t count,
                                   size_t *consumed, void *context)
{
    (void)context;
    struct request *request = http_user(exchange);
    if (request->state == REQUEST_REFUSED)
        return discard_data(request, count);
    if (piece_written(request) != 0)
        return close_without_answer(request, request->body.error.message);
    if (body_add(&request->body, request->settings, bytes, count, consumed) != 0) {
        const struct verdict verdict = checks_refuse(503, TOO_MANY_BODIES);
        return answer_after_the_rest(request, &verdict);
    }
    struct verdict verdict = judge(request, CHECK_PIECE, true);
    if (verdict.kind != VERDICT_PASS) {
        *consumed = count;
        request->needs_token = true;
        return answer_after_the_rest(request, &verdict);
    }
    return body_is_piece_full(&request->body) ? write_piece(request) : HTTP_CONTINUE;
}

/* ---- finish ---- */

/* Answers with the verdict. If only senders with a good token may see it and the token of a small
 * body has not been looked up yet, looks up the token first. */
static enum http_step answer_verdict(struct request *request)
{
    if (!request->needs_token || request->has_fleet_id)
        return answer(request, &request->verdict);
    set_state(request, REQUEST_ASKING);
    request->acceptance = acceptance_new(request->hooks, request->token_hash);
    acceptance_check_token(request->acceptance, request->exchange, &request->result,
                           answer_deadline_ms(request));
    return HTTP_SUSPEND;
}

static enum http_step finish_asking(struct request *request)
{
    if (request->result.outcome == ACCEPTANCE_DONE)
        note_fleet(request);
    else
        request->verdict = refusal_of(request, TOKEN_UNKNOWN);
    return answer(request, &request->verdict);
}

static enum http_step submit_run(struct request *request)
{
    set_state(request, REQUEST_STORING);
    /* A request that is judged again has no more time than others. */
    if (request->answer_by_ms == 0)
        request->answer_by_ms = answer_deadline_ms(request);
    acceptance_store_run(request->acceptance, request->exchange, &request->result,
                         request->answer_by_ms);
    return HTTP_SUSPEND;
}

/* Submits the run. The operation takes over the body. */
static enum http_step store_run(struct request *request)
{
    request->verdict = judge(request, CHECK_BODY, true);
    request->needs_token = true;
    if (request->verdict.kind != VERDICT_PASS)
        return answer_verdict(request);
    request->acceptance = acceptance_new(request->hooks, request->token_hash);
    if (acceptance_take_run(request->acceptance, &request->body, request->arrived_ms,
                            request->remote_addr) == 0)
        return submit_run(request);
    return answer_refusal(request, 503, "out of memory: try again");
}

/* Judges a request again, by the current data: the data that the checks judged by has changed. */
static enum http_step judge_again(struct request *request)
{
    if (request->judged_again++ == MAX_JUDGED_AGAIN)
        return answer_refusal(request, 503, "the webhook is being changed: try again");
    hooks_settings_release(request->settings);
    request->settings = hooks_settings_hold(request->hooks);
    struct verdict verdict = judge(request, CHECK_HEADERS, false);
    if (verdict.kind == VERDICT_PASS)
        verdict = judge(request, CHECK_HEADERS, true);
    if (verdict.kind == VERDICT_PASS)
        verdict = judge(request, CHECK_BODY, true);
    return verdict.kind == VERDICT_PASS ? submit_run(request) : answer(request, &verdict);
}

static enum http_step finish_storing(struct request *request)
{
    switch (request->result.outcome) {
    case ACCEPTANCE_DONE:
        return answer_accepted(request);
    case ACCEPTANCE_STALE:
        return judge_again(request);
    case ACCEPTANCE_NO_TOKEN:
    case ACCEPTANCE_NONE:
    case ACCEPTANCE_UNAVAILABLE:
        break;
    }
    request->verdict = refusal_of(request, "the run could not be stored now: try again");
    return answer(request, &request->verdict);
}

static enum http_step finish_reading(struct request *request)
{
    const struct body *body = &request->body;
    /* A chunked body that turned out small is stored like any other small one. */
    if (!body->spooled && body->count <= SPOOL_THRESHOLD_BYTES)
        return store_run(request);
    if (body->count > 0) /* the last piece; after it this function is called again */
        return write_piece(request);
    set_state(request, REQUEST_SYNCING);
    body_sync(&request->body, spool_deadline_ms(request));
    return HTTP_SUSPEND;
}

static enum http_step request_finish(struct http_exchange *exchange, void *context)
{
    (void)context;
    struct request *request = http_user(exchange);
    switch (request->state) {
    case REQUEST_REFUSED:
        return answer_verdict(request);
    case REQUEST_ASKING:
        return finish_asking(request);
    case REQUEST_WRITING:
        if (piece_written(request) == 0)
            return finish_reading(request);
        break;
    case REQUEST_READING:
        return finish_reading(request);
    case REQUEST_SYNCING:
        if (!error_is_set(&request->body.error))
            return store_run(request);
        break;
    case REQUEST_STORING:
        return finish_storing(request);
    case REQUEST_NEW:
    case REQUEST_CHECKING:
        assert(0 && "finish before begin has ended");
        break;
    }
    http_log_error(exchange, "body not spooled", log_why(&request->body.error));
    return answer_refusal(request, 503, "the body could not be stored now: try again");
}

/* ---- the rest ---- */

/* Counts the call for the owner of the webhook. A token that belongs to no webhook has no owner. */
static void tell_tally(const struct request *request)
{
    if (!request->has_token || request->result.outcome == ACCEPTANCE_NO_TOKEN)
        return;
    struct webhook_call call = {
        .at_ms = request->arrived_ms, .status = request->answered, .answer_us = request->answer_us};
    static_assert(sizeof(call.remote_addr) == HTTP_PEER_BYTES, "as long as an address can be");
    memcpy(call.remote_addr, request->remote_addr, sizeof(call.remote_addr));
    tally_add(request->hooks->tally, request->token_hash,
              request->has_fleet_id ? &request->fleet_id : NULL, &call);
}

static void request_end(struct http_exchange *exchange, void *context)
{
    (void)context;
    struct request *request = http_user(exchange);
    if (request->answered == 0)
        atomic_fetch_add(&request->hooks->unanswered, 1);
    if (request->answered == 201)
        log_accepted(request);
    tell_tally(request);
    acceptance_release(request->acceptance);
    body_discard(&request->body);
    hooks_settings_release(request->settings);
    free(request);
}

static void request_expired(struct http_exchange *exchange, void *context)
{
    (void)context;
    struct request *request = http_user(exchange);
    if (request->acceptance) {
        acceptance_expire(request->acceptance, exchange);
        return;
    }
    /* The spooler owns the buffers of the request and resumes it once the disk responds. */
    close_without_answer(request, "the disk did not store the body in time");
    http_abort(exchange);
}

static void request_refused(struct http_exchange *exchange, unsigned status, const char *message,
                            void *context)
{
    struct hooks *hooks = context;
    char peer[HTTP_PEER_BYTES];
    hooks_count_answer(hooks, status);
    http_log_info(exchange, "request", log_int("status", status),
                  http_log_from(http_peer(exchange, peer)), log_text("reason", message));
}

const struct http_service request_service = {
    .begin = request_begin,
    .data = request_data,
    .finish = request_finish,
    .end = request_end,
    .expired = request_expired,
    .refused = request_refused,
};
