/* See public.h. The steps run on the hook workers and never wait; deadlines are handled on the
 * reaper's thread; `perform` runs on the threads of this file. A lock of this file is taken while a
 * connection is held, and no lock is taken while it is held. */
#include "admin/public.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "admin/role.h"
#include "admin/routes.h"
#include "admin/service.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/thread.h"
#include "http/log.h"

#define THREADS 4 /* each waits for a commit, which others share */
/* Calls that wait for a thread; beyond it, the answer is 503. Strangers, whose keys are still to be
 * looked up, cannot use up the room of known callers, who also go first. */
#define MAX_STRANGERS 256
#define MAX_KNOWN     1024

/*   NEW ─► AUTHENTICATING ─► READING ─► HANDLING
 * Each state but READING can lead to an answer. */
enum state {
    PUBLIC_NEW,
    PUBLIC_AUTHENTICATING, /* suspended */
    PUBLIC_READING,
    PUBLIC_HANDLING, /* suspended */
};

/* Belongs to the hook worker, and while it is suspended and not queued to a thread of this file. */
struct call {
    struct public *public;
    struct admin_request *request;
    enum state state;
    int result; /* of what the thread did, with the error */
    struct error error;

    struct list_node queued; /* guarded by the lock of `public`, and so is the following */
    bool is_queued;
};

struct queue {
    struct list calls;
    int count, bound; /* the count includes those that are about to be queued */
};

struct public
{
    struct admin_listener *listener;
    struct http_mount mount;
    struct sign_in_limit *limit; /* of invalid keys */
    pthread_t threads[THREADS];
    int thread_count;
    pthread_mutex_t lock; /* guards the following */
    pthread_cond_t news;
    struct queue strangers, known;
    bool is_stopping;
};

static void set_state(struct call *call, enum state state)
{
    assert(state == call->state + 1);
    call->state = state;
}

/* ---- the threads ---- */

static int authenticate(struct admin_request *request, struct error *error)
{
    int result = caller_of_tcp(request, &request->caller, error);
    if (result == 0 && role_check(request, error) != 0) {
        request->answer.status = 403;
        result = -1;
    }
    service_give_back_store(request, error->kind == ERROR_INTERNAL || error->kind == ERROR_IO);
    return result;
}

static void perform(struct call *call)
{
    error_clear(&call->error);
    call->result = call->state == PUBLIC_AUTHENTICATING
                       ? authenticate(call->request, &call->error)
                       : service_handle(call->request, &call->error);
}

static struct call *take(struct queue *queue)
{
    struct call *call = LIST_TAKE_FIRST(&queue->calls, struct call, queued);
    if (call) {
        call->is_queued = false;
        queue->count--;
    }
    return call;
}

/* The call may be freed as soon as it is resumed. */
static void *public_main(void *argument)
{
    struct public *public = argument;
    pthread_mutex_lock(&public->lock);
    while (!public->is_stopping) {
        struct call *call = take(&public->known);
        if (!call)
            call = take(&public->strangers);
        if (!call) {
            pthread_cond_wait(&public->news, &public->lock);
            continue;
        }
        pthread_mutex_unlock(&public->lock);
        perform(call);
        http_resume(call->request->exchange);
        pthread_mutex_lock(&public->lock);
    }
    pthread_mutex_unlock(&public->lock);
    return NULL;
}

/* ---- handing over ---- */

static struct queue *queue_of(struct call *call)
{
    struct public *public = call->public;
    return call->state == PUBLIC_HANDLING ? &public->known : &public->strangers;
}

static bool reserve_place(struct call *call)
{
    struct queue *queue = queue_of(call);
    pthread_mutex_lock(&call->public->lock);
    bool has_room = queue->count < queue->bound;
    queue->count += has_room;
    pthread_mutex_unlock(&call->public->lock);
    return has_room;
}

static enum http_step refuse_for_now(struct call *call)
{
    http_add_header(call->request->exchange, "Retry-After", "5");
    return service_refuse(call->request->exchange, 503,
                          "too many calls of the API wait: try again");
}

/* Suspends the request until a thread has done what its state is about. */
static enum http_step hand_over(struct call *call, enum state state)
{
    struct public *public = call->public;
    struct admin_request *request = call->request;
    set_state(call, state);
    if (!reserve_place(call))
        return refuse_for_now(call);
    /* This stands if the deadline comes before a thread. */
    call->result = -1;
    error_set(&call->error, ERROR_UNAVAILABLE, "webhookd is too busy for this call: try again");
    http_suspend(request->exchange,
                 clock_monotonic_ms() + request->config->hooks.answer_timeout_ms);
    pthread_mutex_lock(&public->lock);
    call->is_queued = true;
    list_append(&queue_of(call)->calls, &call->queued);
    pthread_cond_signal(&public->news);
    pthread_mutex_unlock(&public->lock);
    return HTTP_SUSPEND;
}

/* A call that a thread has begun cannot be withdrawn: only its connection is closed, and the thread
 * resumes it. */
static void public_expired(struct http_exchange *exchange, void *context)
{
    struct public *public = context;
    struct call *call = http_user(exchange);
    pthread_mutex_lock(&public->lock);
    bool was_queued = call->is_queued;
    if (was_queued) {
        list_remove(&queue_of(call)->calls, &call->queued);
        call->is_queued = false;
        queue_of(call)->count--;
    }
    pthread_mutex_unlock(&public->lock);
    if (was_queued) {
        http_resume(exchange);
        return;
    }
    http_log_warning(exchange, "request left without an answer",
                     log_text("reason", "its call had begun at answer_timeout; the fleet run may "
                                        "exist"));
    http_abort(exchange);
}

/* ---- begin ---- */

/* A stranger who keeps trying is not logged each time. A good key works all the same: behind a
 * proxy many callers have the same address. */
static enum http_step refuse_caller(struct call *call, const struct error *error)
{
    struct admin_request *request = call->request;
    int64_t now_ms = clock_monotonic_ms();
    char network[HTTP_PEER_BYTES];
    if (request->answer.status == 403)
        return service_refuse(request->exchange, 403, error->message);
    http_peer_network(request->exchange, network);
    if (error->kind == ERROR_INVALID && network[0] != '\0' &&
        !sign_in_limit_allows(call->public->limit, network, now_ms)) {
        http_add_header(request->exchange, "Retry-After", "60");
        return service_refuse(request->exchange, 429,
                              "the key is invalid, as were too many before: wait a minute");
    }
    if (error->kind == ERROR_INVALID)
        sign_in_limit_failed(call->public->limit, network, now_ms);
    return service_refuse_caller(request, error);
}

static enum http_step begin_new(struct public *public, struct http_exchange *exchange)
{
    struct error error = ERROR_INIT;
    struct call *call = memory_alloc(sizeof(*call));
    struct admin_request *request = service_new_request(public->listener, exchange);
    call->public = public;
    call->request = request;
    http_set_user(exchange, call);
    http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    http_add_header(exchange, "Cache-Control", "no-store");
    (void)route_find(admin_routes, admin_route_count, http_method(exchange), http_path(exchange),
                     &request->match);
    request->call = request->match.route->target; /* public_takes has found it, too */
    if (caller_check_form(request, &error) != 0)
        return refuse_caller(call, &error);
    return hand_over(call, PUBLIC_AUTHENTICATING);
}

static enum http_step public_begin(struct http_exchange *exchange, void *context)
{
    struct call *call = http_user(exchange);
    if (!call)
        return begin_new(context, exchange);
    if (call->result != 0)
        return refuse_caller(call, &call->error);
    http_sender_is_known(exchange);
    set_state(call, PUBLIC_READING);
    return service_expect_body(call->request);
}

/* ---- the rest ---- */

static enum http_step public_data(struct http_exchange *exchange, const void *bytes, size_t count,
                                  size_t *consumed, void *context)
{
    (void)context;
    struct call *call = http_user(exchange);
    *consumed = count;
    return service_take_body(call->request, bytes, count);
}

static enum http_step public_finish(struct http_exchange *exchange, void *context)
{
    (void)context;
    struct call *call = http_user(exchange);
    if (call->state == PUBLIC_READING)
        return hand_over(call, PUBLIC_HANDLING);
    return service_answer(call->request, call->result, &call->error);
}

static void public_end(struct http_exchange *exchange, void *context)
{
    (void)context;
    struct call *call = http_user(exchange);
    service_free_request(call->request);
    free(call);
    http_set_user(exchange, NULL);
}

static bool public_takes(void *context, const char *method, const char *path)
{
    (void)context;
    struct route_match match;
    /* Almost every request is for a webhook. */
    if (strncmp(path, "/hooks/", strlen("/hooks/")) == 0 ||
        route_find(admin_routes, admin_route_count, method, path, &match) != ROUTE_FOUND)
        return false;
    const struct admin_call *call = match.route->target;
    return call->is_public;
}

static const struct http_service public_service = {
    .begin = public_begin,
    .data = public_data,
    .finish = public_finish,
    .end = public_end,
    .expired = public_expired,
};

/* ---- start and stop ---- */

const struct http_mount *public_mount(const struct public *public)
{
    return &public->mount;
}

struct public *public_start(struct admin_listener *listener, struct error *error)
{
    struct public *public = memory_alloc(sizeof(*public));
    public->listener = listener;
    public->mount = (struct http_mount){public_takes, &public_service, public};
    public->limit = sign_in_limit_new();
    public->strangers.bound = MAX_STRANGERS;
    public->known.bound = MAX_KNOWN;
    pthread_mutex_init(&public->lock, NULL);
    pthread_cond_init(&public->news, NULL);
    while (public->thread_count < THREADS) {
        pthread_t *thread = &public->threads[public->thread_count];
        if (thread_start(thread, "public-api", public_main, public, error) != 0) {
            public_stop(public);
            return NULL;
        }
        public->thread_count++;
    }
    return public;
}

void public_stop(struct public *public)
{
    if (!public)
        return;
    pthread_mutex_lock(&public->lock);
    public->is_stopping = true;
    pthread_cond_broadcast(&public->news);
    pthread_mutex_unlock(&public->lock);
    for (int i = 0; i < public->thread_count; i++)
        pthread_join(public->threads[i], NULL);
    sign_in_limit_free(public->limit);
    pthread_cond_destroy(&public->news);
    pthread_mutex_destroy(&public->lock);
    free(public);
}
